"""Reads JobSpecs, request documents that name inputs, operations on them and what is wanted."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from media_assets.errors import BadInput, DocumentError
from media_assets.planning import specs
from media_assets.planning.plan import check
from media_assets.planning.positions import Finding, Origin, Positions, decode, decode_yaml, json_path
from media_assets.planning.rewriting import Rewritten, rewritten
from media_assets.planning.specs import InputSpec, JobSpec, OperationSpec, OutputSpec, Strict

__all__ = [
    "InputSpec",
    "Job",
    "JobSpec",
    "OperationSpec",
    "OutputSpec",
    "Strict",
    "load",
    "open_job",
    "parse",
    "read_job",
]

_LARGEST_DOCUMENT = 1 << 20
_PARTS: Mapping[str, type[BaseModel]] = {
    "inputs": InputSpec,
    "outputs": OutputSpec,
    "limits": specs.LimitsSpec,
    "codec": specs.CodecSpec,
    "video": specs.VideoCodecSpec,
    "audio": specs.AudioCodecSpec,
}

Part = TypeVar("Part", bound=BaseModel)


@dataclass(frozen=True)
class Job:
    """A JobSpec that holds, as far as that can be said before its sources are known.

    Attributes:
        spec: as it is written.
        rewritten: the same as nothing but operations: what is planned.
        origin: the file it was read from, and where in it things are.
    """

    spec: JobSpec
    rewritten: Rewritten
    origin: Origin = field(default_factory=Origin)

    @property
    def operations(self) -> tuple[OperationSpec, ...]:
        """What `make_plan` takes."""
        return self.rewritten.operations

    @property
    def wanted(self) -> Mapping[str, str]:
        """The node to make for each wanted output, by the output's id."""
        return self.rewritten.wanted

    def placed(self, error: DocumentError) -> DocumentError:
        """What is found in `operations`, told of the document as it is written: its paths and lines."""
        findings = [(self.rewritten.located(path), text) for path, text in error.findings]
        return self.origin.refusal(error.message, findings)


def parse(document: Any, where: str | None = None) -> JobSpec:
    """A JobSpec from JSON values; `{"spec": …}` is unwrapped.

    Raises:
        DocumentError: every problem, each with its JSON path.
    """
    return read_job(document, where).spec


def load(path: Path) -> JobSpec:
    """A JobSpec from a file; see `open_job`."""
    return open_job(path).spec


def open_job(path: Path) -> Job:
    """A job from a JSON or YAML file of at most 1 MiB.

    Raises:
        BadInput: it cannot be read; DocumentError: every problem, each with its JSON path and line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_DOCUMENT + 1)
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > _LARGEST_DOCUMENT:
        raise BadInput("the document is larger than 1 MiB", where=str(path))
    read = decode if path.suffix.lower() == ".json" else decode_yaml
    try:
        document, positions = read(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"it is not a JSON or YAML document: {error}", where=str(path)) from None
    return read_job(document, str(path), positions)


def read_job(document: Any, where: str | None = None, positions: Positions | None = None) -> Job:
    """A job from JSON values, and from where each stands in its file if that is known.

    Raises:
        DocumentError: every problem that can be found before sources are known: form, names, unknown
            operations, parameters, cycles, outputs that nobody takes.
    """
    wrapped = isinstance(document, Mapping) and set(document) == {"spec"}
    inner = document["spec"] if wrapped else document
    origin = Origin(where, ("spec",) if wrapped else (), positions or Positions())
    found = _form(inner)
    parts = _Parts.of(inner)
    as_operations = rewritten(parts.inputs, parts.operations, parts.outputs)
    if parts.lists:
        found += _naming_problems(parts)
        found += [(as_operations.located(path), text) for path, text in _graph(parts, as_operations)]
        found += _unused(parts)
    found += origin.repeated()
    if found:
        raise origin.refusal("the JobSpec does not hold", found)
    return Job(JobSpec.model_validate(inner), as_operations, origin)


@dataclass(frozen=True)
class _Parts:
    """The inputs, operations and outputs that hold, each with its index; and the names of the others."""

    inputs: list[tuple[int, InputSpec]]
    operations: list[tuple[int, OperationSpec]]
    outputs: list[tuple[int, OutputSpec]]
    broken_inputs: list[str]
    broken_operations: list[str]
    broken_outputs: list[str]
    lists: bool
    whole: bool

    @classmethod
    def of(cls, document: Any) -> _Parts:
        given = [document.get(n) if isinstance(document, dict) else None for n in cls._LISTS]
        lists = [part if isinstance(part, list) else [] for part in given]
        inputs, broken_inputs = _held(InputSpec, lists[0], "id")
        operations, broken_operations = _held(OperationSpec, lists[1], "output")
        outputs, broken_outputs = _held(OutputSpec, lists[2], "id")
        return cls(
            inputs,
            operations,
            outputs,
            broken_inputs,
            broken_operations,
            broken_outputs,
            all(isinstance(part, list) for part in given),
            len(operations) == len(lists[1]),
        )

    _LISTS = ("inputs", "operations", "outputs")


def _held(kind: type[Part], given: list[Any], name: str) -> tuple[list[tuple[int, Part]], list[str]]:
    held, broken = [], []
    for index, item in enumerate(given[: specs.MOST_PARTS]):
        try:
            held.append((index, kind.model_validate(item)))
        except ValidationError:
            known = item.get(name) if isinstance(item, dict) else None
            broken += [known] if isinstance(known, str) else []
    return held, broken


def _form(document: Any) -> list[Finding]:
    try:
        JobSpec.model_validate(document)
    except ValidationError as error:
        return [_shape_finding(problem) for problem in error.errors(include_url=False)]
    return []


def _shape_finding(problem: Any) -> Finding:
    path = tuple(problem["loc"])
    if problem["type"] != "extra_forbidden":
        return json_path(path), str(problem["msg"]).removeprefix("Value error, ")
    around = [step for step in path[:-1] if isinstance(step, str)]
    known = list((_PARTS.get(around[-1], JobSpec) if around else JobSpec).model_fields)
    near = difflib.get_close_matches(str(path[-1]), known, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return json_path(path), f"is not a known name; {hint}"


def _naming_problems(parts: _Parts) -> list[Finding]:
    """Inputs of one name, and wanted outputs that nothing makes or that are wanted twice."""
    problems = []
    taken: set[str] = set()
    for index, given in parts.inputs:
        if given.id in taken:
            problems.append((f"$.inputs[{index}].id", f"the name {given.id!r} is already taken"))
        taken.add(given.id)
    made = [operation.output for _, operation in parts.operations] + parts.broken_operations
    wanted: set[str] = set()
    destinations: set[str] = set()
    for index, output in parts.outputs:
        place = f"$.outputs[{index}].id"
        if output.id not in made:
            near = difflib.get_close_matches(output.id, made, n=3) or made[:10]
            problems.append((place, f"no operation makes {output.id!r}; there are {', '.join(near)}"))
        elif output.id in wanted:
            problems.append((place, f"{output.id!r} is wanted twice"))
        wanted.add(output.id)
        if output.destination in destinations:
            text = f"another output goes to {output.destination} too"
            problems.append((f"$.outputs[{index}].destination", text))
        destinations |= {output.destination} if output.destination else set()
    return problems


def _graph(parts: _Parts, as_operations: Rewritten) -> list[Finding]:
    """What the planner finds before it knows the sources."""
    names = [given.id for _, given in parts.inputs]
    try:
        check(as_operations.operations, [*names, *parts.broken_inputs, *parts.broken_operations])
    except DocumentError as error:
        return error.findings
    return []


def _unused(parts: _Parts) -> list[Finding]:
    """Outputs that nobody takes: work for nothing, and mostly a misspelt name elsewhere."""
    if not parts.whole:  # what the others take is not known
        return []
    taken = {name for _, operation in parts.operations for name in operation.inputs}
    taken |= {output.id for _, output in parts.outputs} | set(parts.broken_outputs)
    return [
        (
            f"$.operations[{index}].output",
            f"nobody takes {operation.output!r}, and it is not wanted: add it to the outputs, or drop it",
        )
        for index, operation in parts.operations
        if operation.output not in taken
    ]
