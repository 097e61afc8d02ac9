"""Reads documents that say start and end of each segment on the timeline, in their many spellings.

`{metadata, segments[{sourceRef, startBeat, endBeat, operation, params}], effects_tree, globalAudio,
outputSettings}`; with `audioConfiguration`, `renderSettings` and `transitions`; or one-offs with
`beat_start`, `durationBeats`, `timing`, `timeline[]`, `videoSegments[]`, or seconds alone.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects import transitions
from media_assets.kompositions.dialects.drafts import Clock, Score
from media_assets.kompositions.dialects.effects import as_name
from media_assets.kompositions.dialects.heads import clock_of, read_bpm, read_meter, read_names, read_output
from media_assets.kompositions.dialects.placing import arrange, compare_end, window
from media_assets.kompositions.dialects.reading import Member, plain
from media_assets.kompositions.dialects.segments import BEATS, TIMES, Names, dress, read_segment
from media_assets.kompositions.dialects.sound import (
    lone_sound,
    read_music,
    read_segment_sound,
    tell_silence,
)
from media_assets.kompositions.dialects.sources import read_sources
from media_assets.kompositions.dialects.trees import read_tree

_HEADS = ("metadata", "meta", "project", "info")
_SETTINGS = ("outputSettings", "renderSettings", "output_settings", "render_settings", "output", "config")
_SEGMENTS = ("segments", "videoSegments", "video_segments", "timeline", "clips")
_MUSIC = ("globalAudio", "audioConfiguration", "audio_configuration", "audio", "backgroundMusic", "music")
_BEATS_IN = frozenset({*BEATS.start, *BEATS.end, *BEATS.length})


def read(root: Member) -> dict[str, Any]:
    """A document in its canonical form; what is wrong with it is noted."""
    head: dict[str, Any] = {}
    tops = [*(root.object(name) for name in _HEADS if root.has(name)), root]
    if isinstance(root.value.get("timeline"), dict):
        tops.append(root.object("timeline"))
    read_names(head, tops)
    root.describe("_id", "id", "version", "komposition_id", "schema", "$schema")
    written = _segments(root)
    if not written:
        root.fail("has no segments: there is nothing to see")
        root.reading.whole.add(())
        return {}
    bpm = read_bpm(head, _first(tops, "bpm", "tempo", "BPM"))
    read_meter(head, _meter(tops))
    clock, names = _counts(written, bpm, root)
    settings = [root.object(name) for name in _SETTINGS if isinstance(root.value.get(name), dict)]
    read_output(head, [*settings, *tops], root)
    sources = read_sources(root.get("sources"))
    score = Score(root.reading, clock, head)
    position = Fraction(0)
    for member in written:
        draft = read_segment(member, names, clock, sources, position)
        if draft is not None:
            score.drafts.append(draft)
            position = draft.end
    if root.reading.errors:
        return {}
    _ends(score, tops)
    gone = _window(score, tops)
    arrange(score)
    _sound(score, root, sources, gone)
    dress(score)
    _effects(score, root)
    if sources.listed:
        sources.tell_unused()
    return score.canonical()


def _first(holders: list[Member], *names: str) -> Member | None:
    found = None
    for holder in holders:
        # All are asked: each that says something is read, and the first counts.
        other = holder.get(*names)
        if found is not None and other is not None and str(other.value) != str(found.value):
            other.warn(f"{found.value!r} is given, too: that counts")
        found = found or other
    return found


def _meter(tops: list[Member]) -> Member | None:
    for top in tops:
        top.describe("totalMeasures", "total_measures")
    return _first(tops, "beatsPerMeasure", "beats_per_measure", "meter", "timeSignature")


def _segments(root: Member) -> list[Member]:
    for name in _SEGMENTS:
        if isinstance(root.value.get(name), list) and root.value[name]:
            return [item for item in root.listed(name) if _is_object(item)]
        if name == "timeline" and isinstance(root.value.get(name), dict):
            inner = root.object(name)
            for key in ("segments", "clips"):
                if isinstance(inner.value.get(key), list):
                    return [item for item in inner.listed(key) if _is_object(item)]
    return []


def _is_object(member: Member) -> bool:
    if not isinstance(member.value, dict):
        member.fail("should be an object")
    return isinstance(member.value, dict)


def _counts(written: list[Member], bpm: Fraction | None, root: Member) -> tuple[Clock, Names]:
    """Whether segments count beats or seconds, and what they call them."""
    beats = any(_BEATS_IN & {*item.value, *item.object("timing").value} for item in written)
    if beats and bpm is None:
        root.fail("counts beats and says no bpm")
        return clock_of(None), BEATS
    if beats:
        return clock_of(bpm), BEATS
    names = TIMES
    starts = [item.value.get("start") for item in written]
    follows = [item.value.get("duration") for item in written]
    if all(isinstance(n, int | float) for n in [*starts, *follows]) and not _follow(starts, follows):
        root.warn("start of its segments is where in the source they start: they do not follow each other")
        names = Names(tuple(n for n in TIMES.start if n != "start"), TIMES.end, TIMES.length)
    return clock_of(None), names


def _follow(starts: list[Any], lengths: list[Any]) -> bool:
    position = starts[0] if starts else 0
    for start, length in zip(starts, lengths, strict=True):
        if start < position - 0.5 * length:
            return False
        position = start + length
    return starts[:1] == [0] or len(set(starts)) > 1


def _ends(score: Score, tops: list[Member]) -> None:
    """Compare what the whole is said to last with its segments, but once."""
    beats = next(
        (t.get("totalBeats", "total_beats") for t in tops if t.has("totalBeats", "total_beats")), None
    )
    names = ("estimatedDuration", "duration_seconds", "total_duration", "totalDuration", "duration")
    seconds = next((t.get(*names) for t in tops if t.has(*names)), None)
    if beats is not None and score.clock.unit == "beats":
        compare_end(score, beats)
        stated, total = (seconds.as_number() if seconds else None), beats.as_number() or Fraction(0)
        if seconds and stated is not None and abs(stated - total * score.clock.seconds) > Fraction(1, 10):
            compare_end(score, seconds, in_seconds=True)
    elif seconds is not None:
        compare_end(score, seconds, in_seconds=True)


def _window(score: Score, tops: list[Member]) -> Fraction:
    for top in tops:
        if top.has("renderStartBeat", "renderEndBeat", "render_start_beat", "render_end_beat"):
            first = top.get("renderStartBeat", "render_start_beat")
            last = top.get("renderEndBeat", "render_end_beat")
            return window(score, first, last)
    return Fraction(0)


def _sound(score: Score, root: Member, sources: Any, gone: Fraction) -> None:
    for name in _MUSIC:
        found = root.get(name)
        for item in found.items() if found is not None and isinstance(found.value, list) else [found]:
            read_music(score, item, sources)
    lone_sound(score, sources)
    if score.music is not None and gone:
        begin = Fraction(str(score.music.get("in_point", 0))) + gone * score.clock.seconds
        score.music["in_point"] = plain(begin)
    for draft in score.drafts:
        read_segment_sound(draft, draft.member, score, sources)
    tell_silence(score)


def _effects(score: Score, root: Member) -> None:
    for name in ("effects_tree", "effectsTree", "effects", "globalEffects"):
        if root.has(name):
            read_tree(score, root.get(name))
    between = root.get("transitions")
    if between is None:
        return
    if isinstance(between.value, list):
        for item in between.items():
            _special(score, item)
        return
    for item in between.listed("specialTransitions", "special_transitions", "special"):
        _special(score, item)
    usual = between.get("globalTransition", "global_transition", "default", "global")
    if usual is not None:
        _usual(score, usual)


def _named(member: Member) -> str:
    if isinstance(member.value, str):
        return as_name(member.value)
    return as_name(member.text("type", "name", "effect", "transition", "style"))


def _known(member: Member, name: str) -> bool:
    if transitions.transition_type(name) is None:
        member.reading.unknown(member.place, f"there is no transition {name!r}")
        member.reading.whole.add(member.place)
        return False
    return True


def _usual(score: Score, member: Member) -> None:
    name = _named(member)
    if transitions.is_none(name) or not _known(member, name):
        return
    made = transitions.read_transition(name, member, score)
    if "duration" in made:
        transitions.put_everywhere(made, member, score)


def _special(score: Score, member: Member) -> None:
    """A transition between two segments, named together or apart."""
    name = _named(member)
    if transitions.is_none(name) or not _known(member, name):
        return
    between = member.listed("between", "segments", "applies_to")
    names = [str(item.value.get("id") if isinstance(item.value, dict) else item.value) for item in between]
    for item in between:
        item.describe(*(item.value if isinstance(item.value, dict) else ()))
    if not names:
        first = member.text("from", "fromSegment", "from_segment", "after", "afterSegment")
        second = member.text("to", "toSegment", "to_segment", "before", "beforeSegment")
        names = [first, second] if first and second else _beside(score, first, second)
    made = transitions.read_transition(name, member, score)
    if "duration" not in made:
        return
    if not names:
        member.warn("does not say between which segments it is: it is left out")
        return
    transitions.put_between(made, names, member, score)


def _beside(score: Score, first: str, second: str) -> list[str]:
    """The two segments of a cut of which one is named."""
    names = [draft.name for draft in score.drafts]
    if first in names[:-1]:
        return [first, names[names.index(first) + 1]]
    return [names[names.index(second) - 1], second] if second in names[1:] else []
