"""Transitions of documents: what they are called here, and which cut each is at."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects.drafts import Draft, Score
from media_assets.kompositions.dialects.effects import as_name, parameters_of
from media_assets.kompositions.dialects.reading import Member, plain
from media_assets.kompositions.values import MAX_TRANSITION_SECONDS
from media_assets.media.xfade import TRANSITIONS

_SAME: Mapping[str, str] = {
    "crossfade": "crossfade",
    "cross_fade": "crossfade",
    "xfade": "crossfade",
    "crossfade_transition": "crossfade",
    "opacity_transition": "crossfade",
    "fade": "crossfade",
    "fade_transition": "crossfade",
    "cross_dissolve": "crossfade",
    "gradient_wipe": "smoothright",
    "wipe": "wiperight",
    "slide": "slideright",
    "fade_to_black": "fadeblack",
    "fade_through_black": "fadeblack",
    "dip_to_black": "fadeblack",
    "fade_to_white": "fadewhite",
    "flash": "fadewhite",
}
_DIRECTIONS = {
    "left_to_right": "right",
    "right_to_left": "left",
    "top_to_bottom": "down",
    "bottom_to_top": "up",
}
# The edge moves this way; degrees are clockwise from rightwards, as those of gradient_wipe are.
_WIPES = {
    "right": "smoothright",
    "down_right": "diagbr",
    "down": "smoothdown",
    "down_left": "diagbl",
    "left": "smoothleft",
    "up_left": "diagtl",
    "up": "smoothup",
    "up_right": "diagtr",
}
_NONE = frozenset({"none", "cut", "hard_cut"})
_LENGTH = Fraction(1)
"""Seconds of a transition that says no length."""


def transition_type(name: str) -> str | None:
    """The canonical type of what a document calls `name`; None where it is no transition."""
    if name in _SAME:
        return _SAME[name]
    for written in (name, name.removesuffix("_transition")):
        joined = written.replace("_", "")
        if joined in TRANSITIONS:
            return joined
        if written in _SAME:
            return _SAME[written]
    return None


def is_none(name: str) -> bool:
    """Whether the name is that of a plain cut."""
    return name in _NONE


def read_transition(name: str, member: Member, score: Score) -> dict[str, Any]:
    """A transition in its canonical form, wherever it is."""
    kind = transition_type(name) or "crossfade"
    made: dict[str, Any] = {"type": kind}
    for holder in parameters_of(member):
        if name == "gradient_wipe":
            made["type"] = _wipe(holder) or made["type"]
        holder.describe("enabled")
        _time(holder, made, score)
        holder.describe(*(["method"] if as_name(holder.text("method")) == name.split("_")[0] else []))
    if "duration" not in made:
        member.warn("says no length: it lasts 1 s")
        made |= {"duration": plain(_LENGTH), "unit": "seconds"}
    if score.clock.unit == made.get("unit"):
        del made["unit"]
    return made


def _wipe(holder: Member) -> str | None:
    if not holder.has("direction", "angle_degrees", "angle"):
        return None
    angle = holder.number("angle_degrees", "angle")
    word = as_name(holder.text("direction"))
    if angle is not None:
        return list(_WIPES.values())[round(angle / 45) % 8]
    return _WIPES.get(_DIRECTIONS.get(word, word.replace("_to_", "_")))


def _time(holder: Member, made: dict[str, Any], score: Score) -> None:
    if "duration" in made:
        return
    beats, seconds = holder.number("duration_beats", "durationBeats"), None
    if beats is None:
        seconds = holder.number("duration", "length")
    length = beats if beats is not None else seconds
    if length is None:
        return
    if length <= 0:
        holder.fail("a transition lasts longer than 0")
        return
    made |= {"duration": plain(length), "unit": "seconds" if beats is None else "beats"}
    first = holder.number("start_offset_beats", "start_offset")
    last = holder.number("end_offset_beats", "end_offset")
    if first is None and last is not None:
        first = last - length
    if first is None:
        return
    if last is not None and last - first != length:
        holder.warn("its offsets do not lie its duration apart: the first and the duration decide")
    offset = min(Fraction(0), max(-length, first))
    if offset != first:
        holder.warn(f"would not touch the cut: it starts {float(offset):g} from it, not {float(first):g}")
    made["offset"] = plain(offset)


def put(transition: dict[str, Any], draft: Draft, member: Member, score: Score) -> None:
    """Let a segment come in with a transition, as far as there is room for it."""
    index = score.drafts.index(draft)
    if index == 0:
        member.warn("the first segment has nothing to come in from: it is left out")
        return
    if draft.transition is not None:
        member.warn(f"{draft.name!r} comes in with a transition already, whose length stays")
        draft.transition["type"] = transition["type"]
        return
    room = min(draft.length, score.drafts[index - 1].length) * score.clock.seconds
    room = min(room, Fraction(MAX_TRANSITION_SECONDS))
    unit = Fraction(1) if transition.get("unit") == "seconds" else score.clock.seconds
    length = Fraction(str(transition["duration"])) * unit
    if length > room:
        member.warn(f"lasts {float(length):g} s, longer than a segment beside it: {float(room):g} s")
        factor = room / length
        transition = {**transition, "duration": plain(Fraction(str(transition["duration"])) * factor)}
        if "offset" in transition:
            transition["offset"] = plain(Fraction(str(transition["offset"])) * factor)
    score.reading.origins[("segments", index, "transition")] = member.place
    draft.transition = transition


def put_everywhere(transition: dict[str, Any], member: Member, score: Score) -> None:
    """At every cut that has none yet."""
    for draft in score.drafts[1:]:
        if draft.transition is None:
            put(dict(transition), draft, member, score)


def put_between(transition: dict[str, Any], names: list[str], member: Member, score: Score) -> None:
    """At the cut between two segments."""
    drafts = [score.find(name) for name in names]
    missing = [name for name, draft in zip(names, drafts, strict=True) if draft is None]
    if missing:
        member.reading.unknown(member.place, f"there is no segment {missing[0]!r}")
        return
    places = sorted(score.drafts.index(draft) for draft in drafts if draft is not None)
    if len(places) != 2 or places[1] != places[0] + 1:
        member.warn("is between segments that do not follow each other: it is left out")
        return
    put(transition, score.drafts[places[1]], member, score)


def put_at(transition: dict[str, Any], seconds: Fraction, member: Member, score: Score) -> None:
    """At the cut nearest to a time, counted from where the first segment starts."""
    if len(score.drafts) < 2:
        member.warn("there is no cut: it is left out")
        return
    begin = score.drafts[0].start * score.clock.seconds

    def away(draft: Draft) -> Fraction:
        cut = draft.start * score.clock.seconds
        return min(abs(cut - seconds), abs(cut - begin - seconds))

    nearest = min(score.drafts[1:], key=away)
    if away(nearest) > Fraction(1, 100):
        member.warn(
            f"there is no cut at {float(seconds):g} s: it is at the nearest, before {nearest.name!r}"
        )
    put(transition, nearest, member, score)
