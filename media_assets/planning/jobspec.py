"""The JobSpec: a request document that names inputs, operations on them, and what is wanted."""

from __future__ import annotations

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
        if beside:
            document["params"] = {**beside, **(document.get("params") or {})}
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
        return JobSpec.model_validate(inner)
    except ValidationError as error:
        raise DocumentError("the JobSpec does not hold", findings(error), where=where) from None


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
    return parse(document, str(path))


def findings(error: ValidationError, prefix: str = "$") -> list[tuple[str, str]]:
    """pydantic's problems as (JSON path, message)."""
    found = []
    for problem in error.errors():
        path = prefix + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in problem["loc"])
        found.append((path, str(problem["msg"]).removeprefix("Value error, ")))
    return found
