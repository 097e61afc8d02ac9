"""The registry: every module of this package that defines operations is found by being there."""

from __future__ import annotations

import difflib
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Any, Union, get_origin

from pydantic import ValidationError

import media_assets.operations
from media_assets.errors import BadInput, DocumentError
from media_assets.operations.base import Operation
from media_assets.operations.parameters import Parameters


@cache
def operations() -> Mapping[str, Operation[Any]]:
    """Every operation by name."""
    for module in pkgutil.iter_modules(media_assets.operations.__path__):
        importlib.import_module(f"{media_assets.operations.__name__}.{module.name}")
    found = [kind() for kind in _concrete(Operation)]  # type: ignore[type-abstract]
    return {operation.name: operation for operation in sorted(found, key=lambda o: o.name)}


@cache
def aliases() -> Mapping[str, str]:
    """Other names of operations, each with the name it stands for."""
    return {alias: kind.name for kind in operations().values() for alias in kind.aliases}


def operation(name: str) -> Operation[Any]:
    """The operation of that name or alias.

    Raises:
        BadInput: there is none; the nearest names follow.
    """
    known = operations()
    if name in known:
        return known[name]
    if name in aliases():
        return known[aliases()[name]]
    near = difflib.get_close_matches(name, [*known, *aliases()], n=3) or sorted(known)
    raise BadInput(f"there is no operation {name!r}", hint="did you mean " + ", ".join(near) + "?")


def read_parameters(kind: Operation[Any], values: Mapping[str, Any], place: str) -> Parameters:
    """Parameters of an operation from JSON values.

    Raises:
        DocumentError: every value that does not hold, each with its JSON path under `place`.
    """
    try:
        return kind.parameters.model_validate(dict(values))
    except ValidationError as error:
        found: dict[str, str] = {}
        for problem in error.errors():
            # Of a value that may be of several types the first problem is told, without pydantic's tags.
            loc = problem["loc"][:1] if _is_union(kind, problem["loc"]) else problem["loc"]
            found.setdefault(".".join([place, *(str(part) for part in loc)]), _explain(problem, kind))
        raise DocumentError(f"parameters of {kind.name} do not hold", [*found.items()]) from None


def _is_union(kind: Operation[Any], loc: tuple[int | str, ...]) -> bool:
    """Whether a problem lies in one of the types that a parameter may have."""
    field = kind.parameters.model_fields.get(str(loc[0])) if loc else None
    return field is not None and get_origin(field.annotation) in (Union, UnionType)


def _concrete(kind: type[Operation[Any]]) -> Iterator[type[Operation[Any]]]:
    for found in kind.__subclasses__():
        if not inspect.isabstract(found) and hasattr(found, "name"):
            yield found
        yield from _concrete(found)


def _explain(problem: Any, kind: Operation[Any]) -> str:
    if problem["type"] != "extra_forbidden":
        return str(problem["msg"]).removeprefix("Value error, ")
    known = list(kind.parameters.model_fields)
    near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
    return f"{kind.name} has no such parameter; it has {', '.join(near or known) or 'none'}"
