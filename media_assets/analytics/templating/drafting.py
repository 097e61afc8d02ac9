"""Drafts: a chain as a workflow document, with the parameters that most people gave it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from media_assets.analytics.templating.naming import described
from media_assets.errors import BadInput, DocumentError
from media_assets.operations.base import Operation
from media_assets.operations.registry import operation, read_parameters
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.workflow import SOURCE, Takes, Workflow

_LOW, _MIDDLE, _HIGH = 0.1, 0.5, 0.9
_LEAST_GIVEN = 0.5
"""Share of the uses that give a parameter below which the draft leaves it to the operation."""

Value = bool | int | float | str


@dataclass(frozen=True)
class Habit:
    """What people gave one parameter.

    Attributes:
        value: the median of numbers, the most frequent of anything else; some use had exactly it.
        share: of the uses that had it.
        low, high: numbers from the tenth to the ninetieth of a hundred; None for words.
    """

    value: Value
    share: float
    low: float | None = None
    high: float | None = None

    def told(self, name: str) -> str:
        """The habit in words."""
        text = f"{name}: {json.dumps(self.value)} in {self.share:.0%} of uses"
        if self.low is not None and self.high is not None and self.low < self.high:
            text += f", {self.low:g} to {self.high:g} in most"
        return text


@dataclass(frozen=True)
class Step:
    """One operation of a chain, with its parameters by name."""

    operation: str
    habits: Mapping[str, Habit]


class Undraftable(BadInput):
    """A chain that no workflow document can stand for; the message says why."""


def habits_of(kind: str, uses: pd.DataFrame) -> Step:
    """What people gave an operation.

    Args:
        kind: the operation's name.
        uses: columns parameters (JSON objects) and uses (how often).

    Raises:
        Undraftable: there is no such operation any more.
    """
    given = [
        (json.loads(text), int(count)) for text, count in zip(uses["parameters"], uses["uses"], strict=True)
    ]
    total = sum(count for _, count in given)
    names = sorted({name for parameters, _ in given for name in parameters})
    habits = {}
    for name in names:
        counted: dict[Value, int] = {}
        for parameters, count in given:
            if name in parameters:
                counted[parameters[name]] = counted.get(parameters[name], 0) + count
        if sum(counted.values()) >= total * _LEAST_GIVEN:
            habits[name] = _habit(counted)
    return Step(kind, _holding(_known(kind), habits, given))


def draft(name: str, kinds: Sequence[str], steps: Sequence[Step], told: str) -> str:
    """The chain as a workflow document (YAML), held against the registry.

    Args:
        name: of the workflow and of the template.
        kinds: of the sources it takes.
        told: a line about where it comes from.

    Raises:
        Undraftable: an operation takes something that the chain's events cannot tell.
    """
    specs = _specs(steps)
    try:
        workflow = Workflow(
            name=name,
            description=described([step.operation for step in steps]),
            takes=Takes.model_validate({"kind": tuple(kinds)}),
            constants={},
            operations=tuple(OperationSpec.model_validate(spec) for spec in specs),
            template=name,
        )
        workflow.check()
    except DocumentError as error:
        text = "; ".join(f"{place}: {why}" for place, why in error.findings)
        raise Undraftable(f"its parameters do not hold: {text}", where=name) from None
    return _written(workflow, steps, told)


def _known(name: str) -> Operation[Any]:
    try:
        kind = operation(name)
    except BadInput:
        raise Undraftable(f"there is no operation {name}", where=name) from None
    if kind.takes.fewest > 1:
        raise Undraftable(f"{name} takes {kind.takes.fewest} inputs, and only one is known", where=name)
    return kind


def _habit(counted: Mapping[Value, int]) -> Habit:
    total = sum(counted.values())
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in counted):
        ordered = sorted(counted.items(), key=lambda item: float(item[0]))
        low, middle, high = (_quantile(ordered, total * at) for at in (_LOW, _MIDDLE, _HIGH))
        return Habit(middle, counted[middle] / total, float(low), float(high))
    value = max(counted, key=lambda one: (counted[one], str(one)))
    return Habit(value, counted[value] / total)


def _quantile(ordered: Sequence[tuple[Value, int]], count: float) -> Value:
    """The value below or at which `count` uses lie; one that was used."""
    passed = 0
    for value, uses in ordered:
        passed += uses
        if passed >= count:
            return value
    return ordered[-1][0]


def _holding(
    kind: Operation[Any], habits: Mapping[str, Habit], given: Sequence[tuple[Mapping[str, Value], int]]
) -> Mapping[str, Habit]:
    """The habits that hold together; else those of the parameters that were most often given together.

    Raises:
        Undraftable: neither do.
    """
    frequent = max(given, key=lambda one: one[1], default=({}, 0))[0]
    together = {
        name: Habit(value, 1.0) if name not in habits else Habit(value, habits[name].share)
        for name, value in frequent.items()
    }
    problem = ""
    for tried in (habits, together):
        known = {name: habit for name, habit in tried.items() if name in kind.parameters.model_fields}
        try:
            read_parameters(kind, {name: habit.value for name, habit in known.items()}, kind.name)
        except DocumentError as error:
            problem = problem or "; ".join(f"{place}: {text}" for place, text in error.findings)
        else:
            return {name: habit for name, habit in known.items() if not _is_default(kind, name, habit)}
    raise Undraftable(f"its parameters do not hold: {problem}", where=kind.name)


def _is_default(kind: Operation[Any], name: str, habit: Habit) -> bool:
    """Whether the operation does the same without it, and nearly everybody left it so."""
    unspread = habit.low is None or habit.low == habit.high
    return unspread and bool(kind.parameters.model_fields[name].default == habit.value)


def _specs(steps: Sequence[Step]) -> list[dict[str, Any]]:
    specs: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    before = SOURCE
    for step in steps:
        number = counts[step.operation] = counts.get(step.operation, 0) + 1
        output = step.operation if number == 1 else f"{step.operation}_{number}"
        parameters = {name: habit.value for name, habit in step.habits.items()}
        specs.append({"op": step.operation, "inputs": [before], "output": output, "params": parameters})
        before = output
    return specs


def _written(workflow: Workflow, steps: Sequence[Step], told: str) -> str:
    """YAML; JSON's scalars and flow collections are YAML's too."""
    lines = [
        f"# {told}",
        "type: media_assets.components.workflow.WorkflowComponent",
        "",
        "attributes:",
        f"  name: {workflow.name}",
        f"  description: {json.dumps(workflow.description)}",
        f"  template: {workflow.template}",
        "  takes:",
        f"    kind: [{', '.join(workflow.takes.kind)}]",
        "  operations:",
    ]
    for spec, step in zip(workflow.operations, steps, strict=True):
        lines += [f"    # {habit.told(name)}" for name, habit in step.habits.items()]
        lines += [
            f"    - op: {spec.op}",
            f"      inputs: [{', '.join(spec.inputs)}]",
            f"      output: {spec.output}",
            f"      params: {json.dumps(dict(spec.params))}",
        ]
    return "\n".join([*lines, f"  automation: {workflow.automation}", ""])
