"""What is wrong with the effects of a segment, as far as the document alone tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.effects import check_order, refusal, refusal_of
from media_assets.kompositions.segments import Effect
from media_assets.operations.base import Operation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.conform import JOINED_SOUND
from media_assets.operations.parameters import Parameters
from media_assets.operations.registry import operation, read_parameters
from media_assets.planning.positions import Place

Finding = tuple[Place, str]


def effect_findings(
    effects: Sequence[Any], segment: Place, seconds: float, form: Picture
) -> Iterator[Finding]:
    """Findings of a segment's effects as they are written; those of a wrong shape are found elsewhere.

    Args:
        segment: the segment's place.
        seconds: how long it is, transitions left aside.
        form: the output's pictures.
    """
    clip = Clip("video", seconds, form, JOINED_SOUND)
    for index, written in enumerate(effects):
        try:
            effect = Effect.model_validate(written)
        except ValidationError:
            continue
        yield from _findings(effect, written, (*segment, "effects", index), clip)


def _findings(effect: Effect, written: dict[str, Any], place: Place, clip: Clip) -> Iterator[Finding]:
    try:
        kind = operation(effect.op)
    except BadInput as error:
        yield (*place, "op"), str(error)
        return
    reason = refusal(kind)
    if reason is not None:
        yield place, reason
        return
    try:
        check_order(kind, int(place[-1]))
    except BadInput as error:
        yield place, str(error)
    missing = [slot.name for slot in kind.takes.slots if slot.required][len(effect.sources) :]
    if missing:
        yield place, f"{kind.name} needs a source as {', '.join(repr(name) for name in missing)}"
    try:
        parameters = read_parameters(kind, effect.values, "")
    except DocumentError as error:
        for path, text in error.findings:
            steps = [int(step) if step.isdigit() else step for step in path.split(".")[1:]]
            inside = ("params",) if steps and steps[0] not in written else ()
            yield (*place, *inside, *steps), text
        return
    reason = _reason(kind, parameters, clip)
    if reason is not None:
        yield place, reason


def _reason(kind: Operation[Any], parameters: Parameters, clip: Clip) -> str | None:
    """Why no segment of that length takes it; whether it fits its sources is held when they are known."""
    if kind.takes.slots:
        return None
    try:
        return refusal_of(kind, parameters, kind.expect([clip], parameters))
    except BadInput:
        return None
