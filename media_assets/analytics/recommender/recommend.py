"""What to do next in a chain, with parameters, each with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from media_assets.analytics.recommender.model import ANY, Level, Model
from media_assets.analytics.recommender.practice import Practice, Suggested, suggest
from media_assets.analytics.recommender.uses import ORDER, START, context_of, shortened
from media_assets.operations.registry import operations

LEAST = 0.01
"""The smallest probability of what is recommended."""


@dataclass(frozen=True)
class Recommendation:
    """A next operation.

    Attributes:
        operation: its name; None where nothing more is to be done.
        probability: that it is the next one, 0 to 1.
        reason: in words, with numbers.
        parameters: values for it.
    """

    operation: str | None
    probability: float
    reason: str
    parameters: tuple[Suggested, ...] = ()


def recommend(
    model: Model,
    chain: Sequence[str],
    kind: str = ANY,
    users: Sequence[str] = (),
    *,
    practice: Practice | None = None,
    most: int = 3,
) -> list[Recommendation]:
    """What comes next in a chain, the most probable first; none where nothing is known.

    Args:
        chain: operations done so far, from the source on; none for what to begin with.
        kind: of the source; `ANY` where it is not known.
        users: the keyed hashes of the person it is for, one for each key.
        practice: where parameters come from.
        most: operations at the most; that nothing more is to be done comes beside them.
    """
    context = context_of(chain)
    common, counts = model.common(kind, context), model.counted(kind, context, users)
    chances = model.mixed(common, counts)
    known = operations()
    offered = [
        number
        for number in np.argsort(-chances, kind="stable")
        if chances[number] >= LEAST
        and _was_done(model, kind, number, counts)
        and (number == model.end or model.operations[number] in known)
    ]
    chosen = set([number for number in offered if number != model.end][:most])
    found = []
    for number in offered:
        if number not in chosen and number != model.end:
            continue
        name = None if number == model.end else model.operations[number]
        reason = "; ".join(
            part for part in (_common(model, kind, context, int(number)), _own(counts, int(number))) if part
        )
        after = chain[-1] if chain else ""
        given = suggest(practice, kind, after, name) if practice and name else ()
        found.append(Recommendation(name, float(chances[number]), reason, given))
    return found


def _was_done(model: Model, kind: str, number: int, counts: np.ndarray) -> bool:
    """Whether enough people did it with that kind of source, or the person did it here."""
    first = model.levels[0]
    row = first.rows.get((kind, ""), first.rows[(ANY, "")])
    return bool(first.shown[row, number] or counts[number] > 0)


def _common(model: Model, kind: str, context: str, number: int) -> str:
    """What everybody does, from the longest context it was seen in: the model goes by that one most."""
    for order in range(ORDER, -1, -1):
        words, level = shortened(context, order), model.levels[order]
        row = level.rows.get((kind, words))
        if row is not None and level.shown[row, number]:
            return _told(level, row, number, words, kind, model)
    return ""


def _told(level: Level, row: int, number: int, words: str, kind: str, model: Model) -> str:
    total, times = int(level.counts[row].sum()), int(level.counts[row, number])
    share = _percent(times / total)
    of = f"{kind} " if kind else ""
    name = "" if number == model.end else model.operations[number]
    if not words:
        done = name or "the end of a chain"
        return f"{share} of {total:,} steps with {of or 'all '}sources are {done}"
    before = [word for word in words.split(">") if word != START]
    if not before:
        return f"{share} of {total:,} {of}chains begin with {name}"
    first = " at the beginning" if words.startswith(START) else ""
    went = f"went on with {name}" if name else "ended"
    return f"after {_and(before)}{first}, {share} of {total:,} {of}chains {went}"


def _own(counts: np.ndarray, number: int) -> str:
    times, total = int(counts[number]), int(counts.sum())
    if not times:
        return ""
    what = "you did so" if total > 1 else "you did so the one time"
    return f"{what} in {times} of {total} times" if total > 1 else what


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %") if share >= 0.005 else "less than 1 %"
