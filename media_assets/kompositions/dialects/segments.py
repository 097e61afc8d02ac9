"""Segments of the forms that say start and end of each: which member is called what in which of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from media_assets.kompositions.dialects import transitions
from media_assets.kompositions.dialects.drafts import Clock, Draft, Score
from media_assets.kompositions.dialects.effects import (
    as_name,
    effect_name,
    fade,
    parameters_of,
    read_effect,
)
from media_assets.kompositions.dialects.placing import compare_length
from media_assets.kompositions.dialects.reading import Member
from media_assets.kompositions.dialects.sources import Sources, is_still

_SOURCE = (
    *("sourceRef", "source_ref", "sourceid", "sourceId", "source_id", "source", "file", "filename"),
    *("video", "path", "clip", "videoFile"),
)
_IN = ("sourceStart", "source_start", "inPoint", "in_point", "trim_start", "trimStart")
_TAKEN = ("sourceDuration", "source_duration")
_PARAMS = ("params", "extractionParams", "extraction_params")
_INTO = ("transition", "transitionIn", "transition_in")
_FADE = Fraction(1)
"""Seconds of a fade that says no length."""


@dataclass(frozen=True)
class Names:
    """What start, end and length of a segment are called, in positions."""

    start: tuple[str, ...]
    end: tuple[str, ...]
    length: tuple[str, ...]


BEATS = Names(
    ("startBeat", "start_beat", "beat_start", "beatStart"),
    ("endBeat", "end_beat", "beat_end", "beatEnd"),
    ("durationBeats", "duration_beats", "lengthBeats"),
)
TIMES = Names(
    ("startTime", "start_time", "timelineStart", "timeline_start", "start"),
    ("endTime", "end_time", "timelineEnd", "timeline_end", "end"),
    ("duration", "durationSeconds", "duration_seconds", "length"),
)


def identify(member: Member) -> str:
    """What a segment is called; what describes it is marked as read."""
    member.describe(
        "description", "sourceType", "source_type", "musical_role", "musicalRole", "visual_score"
    )
    member.describe("title", "notes", "mood", "tags", "quality", "label")
    return member.text("id", "segment_id", "segmentId", "name")


def read_segment(
    member: Member, names: Names, clock: Clock, sources: Sources, position: Fraction
) -> Draft | None:
    """A segment; None where it cannot be placed or shows nothing, which is noted.

    Args:
        position: where it starts, if it does not say.
    """
    name = identify(member)
    holders = [member.object("timing"), member] if member.has("timing") else [member]
    start = _number(holders, names.start)
    end = _number(holders, names.end)
    length = _number(holders, names.length)
    start = position if start is None else start
    if end is None and length is None:
        member.fail("does not say how long it is")
        return None
    end = start + (length or 0) if end is None else end
    if end <= start or start < 0:
        member.fail(f"goes from {float(start):g} to {float(end):g}")
        return None
    reference = member.get(*_SOURCE)
    if reference is None or not isinstance(reference.value, str):
        member.fail("does not say which source it shows")
        return None
    file = sources.file(reference.value, reference)
    if file is None:
        return None
    draft = Draft(name, member, start, end, file)
    _take(draft, holders, clock)
    if names is BEATS:
        compare_length(draft, member.get("duration"), clock)
    operation = member.text("operation")
    if operation not in ("", "trim", "cut"):
        member.warn(
            f"the operation {operation!r} is read as trim: start and length of the source are given"
        )
    return draft


def _number(holders: list[Member], names: tuple[str, ...]) -> Fraction | None:
    for holder in holders:
        found = holder.get(*names)
        if found is not None:
            return found.as_number()
    return None


def _take(draft: Draft, holders: list[Member], clock: Clock) -> None:
    """Which part of the source a segment shows."""
    member = draft.member
    timing = member.object("source_timing", "sourceTiming")
    params = member.object(*_PARAMS)
    seconds = draft.length * clock.seconds
    start = params.number("start", "startTime", "start_time")
    original = timing.number("original_start", "originalStart")
    other = _number(holders, _IN)
    given = [value for value in (original, start, other) if value is not None]
    if any(value != given[0] for value in given):
        member.warn(f"says twice where in the source it starts: {float(given[0]):g} s counts")
    draft.in_point = max(Fraction(0), given[0]) if given else _apart(draft, clock)
    taken = timing.number("original_duration", "originalDuration")
    if taken is not None and taken > 0:
        stretch(draft, taken, seconds)
        compare_factor(member, member.number("stretch_factor", "stretchFactor"), seconds / taken)
    timing.describe("static_duration")
    member.describe("stretch_factor")
    asked = params.get("duration")
    length = asked.as_number() if asked else _number(holders, _TAKEN)
    if params.flag("loop"):
        draft.fill = "loop"
        draft.source_duration = length
        params.describe("loopCount", "loop_count")
    elif length is not None and taken is None and abs(length - seconds) > Fraction(1, 1000):
        filled = f"{float(seconds):g} s are to be filled: as much as fills them is shown"
        (asked or member).warn(f"asks for {float(length):g} s of the source, and {filled}")


def _apart(draft: Draft, clock: Clock) -> Fraction:
    """Where in the source, of `start_time` beside beats: unless it only says the beats in seconds."""
    found = draft.member.get("start_time", "startTime") if clock.unit == "beats" else None
    value = found.as_number() if found else None
    if found is None or value is None or value < 0:
        return Fraction(0)
    if value and abs(value - draft.start * clock.seconds) <= Fraction(1, 1000):
        found.warn("is where it starts on the timeline: the source is shown from its beginning")
        return Fraction(0)
    return value


def stretch(draft: Draft, taken: Fraction, seconds: Fraction) -> None:
    """Let so many seconds of the source fill the segment."""
    draft.source_duration = taken
    still = draft.source is not None and is_still(draft.source)
    if still:
        draft.source_duration = None
    elif abs(taken - seconds) > Fraction(1, 1000):
        draft.fill = "stretch"


def compare_factor(member: Member, factor: Fraction | None, real: Fraction) -> None:
    """Say where a stated stretch_factor is not what the lengths give."""
    if factor is not None and abs(factor - real) > Fraction(1, 100):
        text = f"stretch_factor {float(factor):g} is not {float(real):.3g}, which its lengths give"
        member.warn(f"{text}: they decide")


def dress(score: Score) -> None:
    """Give segments the effects, fades and transitions that stand in them; they are placed by now."""
    for index, draft in enumerate(score.drafts):
        params = draft.member.object(*_PARAMS)
        for op in ("fade_in", "fade_out"):
            asked = params.get(op)
            if asked is not None and asked.value is True:
                asked.warn("says no length: it lasts 1 s")
                draft.effects.append(fade(op, _FADE))
            elif asked is not None and asked.value not in (False, 0):
                seconds = asked.as_number()
                draft.effects += [fade(op, seconds)] if seconds else []
        into = draft.member.get(*_INTO)
        if into is not None:
            name = as_name(into.value) if isinstance(into.value, str) else effect_name(into)
            _dress(score, draft, index, into, name or "crossfade")
        effects = draft.member.get("effects")
        if effects is None:
            continue
        if not isinstance(effects.value, list | dict):
            effects.fail("should be a list")
            continue
        for item in effects.items():
            named = as_name(str(item.place[-1])) if isinstance(effects.value, dict) else effect_name(item)
            _dress(score, draft, index, item, named)


def _dress(score: Score, draft: Draft, index: int, item: Member, name: str) -> None:
    off = any(holder.flag("enabled") is False for holder in parameters_of(item))
    if off or transitions.is_none(name) or item.value in (None, False):
        item.reading.whole.add(item.place)
        return
    # Among effects, what is called a fade is one of the segment alone.
    alone = item.place[-1] not in _INTO and (name.startswith("fade") or name == "opacity_transition")
    if alone or transitions.transition_type(name) is None:
        _effect(score, draft, index, item, name)
        return
    made = transitions.read_transition(name, item, score)
    if "duration" in made:
        transitions.put(made, draft, item, score)


def _effect(score: Score, draft: Draft, index: int, item: Member, name: str) -> None:
    effect = read_effect(name, item, score.clock)
    if effect is not None:
        score.reading.origins[("segments", index, "effects", len(draft.effects))] = item.place
        draft.effects.append(effect)
