"""The JobSpec: a request document that names inputs, operations on them, and what is wanted."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from media_assets.errors import BadInput, DocumentError

_LARGEST_DOCUMENT = 1 << 20


class Strict(BaseModel):
    """Base of document parts: frozen, and no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class InputSpec(Strict):
    """A source under a name of its own: a path under the source root, or a source id."""

    id: str = Field(min_length=1, max_length=80)
    source: str = Field(min_length=1, max_length=1024)


class OperationSpec(Strict):
    """One operation: on which inputs, under which name its output goes, with which parameters."""

    op: str
    inputs: list[str] = Field(min_length=1, max_length=500)
    output: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, value: Any) -> Any:
        """`input: x` is `inputs: [x]`; parameters may stand beside `op`."""
        if not isinstance(value, dict):
            return value
        document = dict(value)
        if "input" in document:
            if "inputs" in document:
                raise ValueError("give input or inputs, not both")
            given = document.pop("input")
            document["inputs"] = given if isinstance(given, list) else [given]
        beside = {
            k: document.pop(k) for k in list(document) if k not in ("op", "inputs", "output", "params")
        }
        params = document.get("params") or {}
        if beside and isinstance(params, dict):
            twice = ", ".join(sorted(str(name) for name in beside if name in params))
            if twice:
                raise ValueError(f"{twice} stands both in params and beside op")
            document["params"] = {**beside, **params}
        return document


class OutputSpec(Strict):
    """An operation's output that is wanted as a file."""

    id: str
    destination: str | None = None


class JobSpec(Strict):
    """A graph of operations over named inputs."""

    inputs: list[InputSpec] = Field(min_length=1, max_length=500)
    operations: list[OperationSpec] = Field(min_length=1, max_length=500)
    outputs: list[OutputSpec] = Field(min_length=1, max_length=500)


def parse(document: Any, where: str | None = None) -> JobSpec:
    """A JobSpec from JSON values; `{"spec": …}` is unwrapped.

    Raises:
        DocumentError: every problem of form, each with its JSON path.
    """
    inner = document["spec"] if isinstance(document, Mapping) and set(document) == {"spec"} else document
    try:
        spec = JobSpec.model_validate(inner)
    except ValidationError as error:
        raise DocumentError("the JobSpec does not hold", findings(error), where=where) from None
    problems = _naming_problems(spec)
    if problems:
        raise DocumentError("the JobSpec does not hold", problems, where=where)
    return spec


def load(path: Path) -> JobSpec:
    """A JobSpec from a JSON or YAML file of at most 1 MiB.

    Raises:
        BadInput: it cannot be read; DocumentError: it does not hold.
    """
    try:
        if path.stat().st_size > _LARGEST_DOCUMENT:
            raise BadInput("the document is larger than 1 MiB", where=str(path))
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"it cannot be read: {error}", where=str(path)) from None
    except (ValueError, yaml.YAMLError) as error:
        raise BadInput(f"it is not a JSON or YAML document: {error}", where=str(path)) from None
    except RecursionError:
        raise BadInput("it is nested too deeply", where=str(path)) from None
    return parse(document, str(path))


def _naming_problems(spec: JobSpec) -> list[tuple[str, str]]:
    """Inputs of one name, and wanted outputs that nothing makes or that are wanted twice."""
    problems = []
    taken: set[str] = set()
    for index, given in enumerate(spec.inputs):
        if given.id in taken:
            problems.append((f"$.inputs[{index}].id", f"the name {given.id!r} is already taken"))
        taken.add(given.id)
    made = [operation.output for operation in spec.operations]
    wanted: set[str] = set()
    for index, output in enumerate(spec.outputs):
        place = f"$.outputs[{index}].id"
        if output.id not in made:
            near = difflib.get_close_matches(output.id, made, n=3) or made[:10]
            problems.append((place, f"no operation makes {output.id!r}; there are {', '.join(near)}"))
        elif output.id in wanted:
            problems.append((place, f"{output.id!r} is wanted twice"))
        wanted.add(output.id)
    return problems


def findings(error: ValidationError, prefix: str = "$") -> list[tuple[str, str]]:
    """pydantic's problems as (JSON path, message)."""
    found = []
    for problem in error.errors():
        path = prefix + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"])
        found.append((path, str(problem["msg"]).removeprefix("Value error, ")))
    return found
