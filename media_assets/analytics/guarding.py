"""Guards: what past failures say of operations that are about to be done, kept for the planner."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pydantic import TypeAdapter, ValidationError

from media_assets.analytics.chains import step_of
from media_assets.analytics.questions.conditions import Condition
from media_assets.analytics.schema.sanitising import sanitise_parameters
from media_assets.planning.plan import Plan
from media_assets.settings import Settings
from media_assets.store.files import write_json


@dataclass(frozen=True)
class Guard:
    """Conditions under which an operation mostly fails, and what to do about it.

    Attributes:
        operation: that fails.
        conditions: all of which hold.
        action: a word for what to do, such as `pad_to_even`; nothing where no action is known.
        suggestion: the whole in a sentence.
    """

    operation: str
    conditions: tuple[Condition, ...]
    action: str
    suggestion: str


_GUARDS = TypeAdapter(tuple[Guard, ...])


def guards_in(answer: pd.DataFrame) -> tuple[Guard, ...]:
    """The guards of an answer to the question of errors."""
    return tuple(
        Guard(
            row["operation"],
            tuple(Condition(**one) for one in json.loads(row["conditions"])),
            row["action"],
            row["suggestion"],
        )
        for row in answer.to_dict("records")
    )


def keep_guards(guards: Iterable[Guard], settings: Settings) -> None:
    """Keep guards for the planner, in the place of those before."""
    write_json(_path(settings), _GUARDS.dump_python(tuple(guards), mode="json"))


def guards_of(settings: Settings) -> tuple[Guard, ...]:
    """The guards of a data root; none where there never were any, or their file cannot be read."""
    try:
        return _GUARDS.validate_json(_path(settings).read_bytes())
    except (OSError, ValidationError):
        return ()


def guards_for(
    guards: Iterable[Guard],
    operation: str,
    parameters: Mapping[str, object],
    media: Mapping[str, object],
) -> list[Guard]:
    """The guards that apply to an operation that is about to be done.

    Args:
        parameters: as they are given.
        media: what is known of the input, by the names that events have: `source_codec`, `width`, ….
    """
    return [
        guard
        for guard in guards
        if guard.operation == operation and all(one.holds(parameters, media) for one in guard.conditions)
    ]


def plan_warnings(plan: Plan, settings: Settings) -> list[dict[str, str]]:
    """`node` and `message` of each guard that applies to an operation of the plan, in the plan's order."""
    guards = guards_of(settings)
    if not guards:
        return []
    return [
        {"node": node.name, "message": guard.suggestion}
        for node in plan.nodes.values()
        for guard in guards_for(
            guards,
            node.operation.name,
            sanitise_parameters(node.recipe.parameters),
            step_of(plan, node.name).context,
        )
    ]


def _path(settings: Settings) -> Path:
    return settings.warehouse_path.with_name("guards.json")
