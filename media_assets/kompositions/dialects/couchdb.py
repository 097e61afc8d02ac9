"""Reads the documents that a CouchDB held, and their twins in XML.

`{_id, type, bpm, config, beatpattern, segments, sources}`. A `Komposition` counts beats, those of
`masterbpm` where it says one. A `Video` names parts of one video: they are shown one after another. Where
its bpm is 0 or less, its numbers are microseconds. An `Audio` has nothing to see. Newer ones say in
`source_timing` how many seconds of the source fill the beats, and have a tree of effects.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects.drafts import SECONDS, Clock, Draft, Score
from media_assets.kompositions.dialects.heads import clock_of, read_bpm, read_names, read_output
from media_assets.kompositions.dialects.placing import arrange, compare_end
from media_assets.kompositions.dialects.reading import Member, NamedPart
from media_assets.kompositions.dialects.segments import compare_factor, dress, identify, stretch
from media_assets.kompositions.dialects.sound import lone_sound, read_segment_sound, tell_silence
from media_assets.kompositions.dialects.sources import Source, Sources, file_of, read_sources
from media_assets.kompositions.dialects.trees import read_tree

_MICROSECONDS = Clock("seconds", Fraction(1, 1_000_000))
_SOUND = frozenset({"mp3", "flac", "wav", "m4a", "aac", "ogg"})
_START, _END = ("start", "start_beat"), ("end", "end_beat")
_REFERENCE = ("sourceid", "source_ref", "sourceId")
_SHORTEST = Fraction(1, 100)
"""Seconds of the longest part, below which numbers are no microseconds."""


def read(root: Member) -> dict[str, Any]:
    """A document in its canonical form; what is wrong with it is noted."""
    kind = root.text("type").lower()
    root.describe("_rev", "effects_schema_version", "key", "rev", "root", "reference", "_attachments")
    media = root.get("mediaFile")
    if kind == "audio" or (media is not None and _media_is_sound(media)):
        root.fail(
            "names parts of a sound and has no picture: use the sound as the music of another komposition"
        )
        root.reading.whole.add(())
        return {}
    if kind == "video" or media is not None:
        return _shown_in_order(root, media)
    return _composed(root)


def named_parts(root: Member, document: str) -> list[tuple[str, NamedPart]]:
    """The parts of a video that a document gives names; none if it is another kind of document."""
    media = root.get("mediaFile")
    if root.text("type").lower() != "video" and (media is None or _media_is_sound(media)):
        return []
    clock = _clock_of_media(root)
    file = _own_video(root, media)
    drafts = [_part(member, clock, file) for member in root.listed("segments")] if file else []
    return [
        (d.name, NamedPart(d.source or "", d.in_point, d.length * clock.seconds, document))
        for d in drafts
        if d is not None
    ]


def _composed(root: Member) -> dict[str, Any]:
    """A komposition: segments on beats."""
    head: dict[str, Any] = {}
    pattern, config = root.object("beatpattern"), root.object("config")
    read_names(head, [root, root.object("metadata")])
    if "title" not in head and (title := root.text("_id", "id", "komposition_id")):
        head["title"] = title[:500]
    root.describe("_id", "id", "komposition_id")
    bpm = read_bpm(head, _tempo(root, pattern))
    if bpm is None:
        root.fail("says no bpm, so nobody knows how long its beats are")
        return {}
    clock = clock_of(bpm)
    read_output(head, [config, root], root)
    sources = read_sources(root.get("sources"))
    score = Score(root.reading, clock, head)
    score.drafts = [
        draft
        for member in root.listed("segments")
        if (draft := _segment(member, clock, sources)) is not None
    ]
    if root.reading.errors or not _any(score, root):
        return {}
    _count_from(score, pattern)
    compare_end(score, pattern.get("tobeat", "toBeat"))
    arrange(score)
    lone_sound(score, sources)
    for draft in score.drafts:
        read_segment_sound(draft, draft.member, score, sources)
    tell_silence(score)
    dress(score)
    read_tree(score, root.get("effects_tree"))
    sources.tell_unused()
    return score.canonical()


def _any(score: Score, root: Member) -> bool:
    if not score.drafts:
        root.fail("has no segments: there is nothing to see")
    return bool(score.drafts)


def _tempo(root: Member, pattern: Member) -> Member | None:
    own, master = root.get("bpm"), pattern.get("masterbpm", "masterBpm") or root.get("masterBpm")
    tempo = master.as_number() if master else None
    if master is None or tempo is None or tempo <= 0:
        return own
    if own is not None and own.as_number() != tempo:
        own.warn(f"is not the masterbpm, {float(tempo):g}: that is the tempo of the whole and counts")
    return master


def _count_from(score: Score, pattern: Member) -> None:
    first = pattern.number("frombeat", "fromBeat")
    if not first or any(draft.start < first for draft in score.drafts):
        return
    pattern.warn(f"begins at beat {float(first):g}: beats are counted from there")
    for draft in score.drafts:
        draft.start, draft.end = draft.start - first, draft.end - first


def _span(member: Member) -> tuple[Fraction, Fraction] | None:
    """Start and end as they are written; the duration stands in for either."""
    start, end, length = member.number(*_START), member.number(*_END), member.get("duration")
    given = length.as_number() if length else None
    if start is None:
        start = Fraction(0) if end is None or given is None else end - given
    if end is None and given is not None:
        end = start + given
    if end is None or end <= start or start < 0:
        member.fail("has no start before its end")
        return None
    if given is not None and given != end - start:
        member.warn(f"its duration {float(given):g} is not what lies between start and end: these decide")
    return start, end


def _segment(member: Member, clock: Clock, sources: Sources) -> Draft | None:
    name, span = identify(member), _span(member)
    if span is None:
        return None
    draft = Draft(name, member, *span, None)
    reference = member.get(*_REFERENCE)
    if reference is not None and "://" in str(reference.value) and str(reference.value).count("/") < 3:
        reference.warn("is no address of a file: the segment's id is looked for")
        reference = None
    if reference is None:
        return _named_elsewhere(draft, clock, sources)
    draft.source = sources.file(str(reference.value), reference)
    if draft.source is None:
        return None
    timing = member.object("source_timing")
    draft.in_point = max(Fraction(0), timing.number("original_start") or Fraction(0))
    taken, seconds = timing.number("original_duration"), draft.length * clock.seconds
    timing.describe("static_duration")
    factor = member.number("stretch_factor")
    if taken is not None and taken > 0:
        stretch(draft, taken, seconds)
        compare_factor(member, factor, seconds / taken)
    return draft


def _named_elsewhere(draft: Draft, clock: Clock, sources: Sources) -> Draft | None:
    """A segment whose id names a source, or a part of a video that another document describes."""
    member = draft.member
    for source in sources.listed:
        if draft.name == source.id and not source.sound:
            draft.source = sources.file(source.id, member)
            return draft
    part = member.reading.neighbours.part(draft.name)
    if part is None:
        text = f"does not say what it shows: {draft.name!r} is a part of a video that another document "
        text += "describes, and none beside this one does"
        member.reading.unknown(member.place, text)
        return None
    member.warn(f"is the part of {part.source!r} that {part.document} names so")
    for source in sources.listed:
        # The part says which file it is of; the document only says where that may be found.
        if not source.sound and source.file and source.file.split(".")[0] in part.document:
            sources.asked.add(source.id)
    draft.source, draft.in_point = part.source, part.start
    stretch(draft, part.duration, draft.length * clock.seconds)
    return draft


def _shown_in_order(root: Member, media: Member | None) -> dict[str, Any]:
    """A document that names parts of one video: these, one after another."""
    head: dict[str, Any] = {}
    read_names(head, [root])
    if "title" not in head and (title := root.text("_id")):
        head["title"] = title[:500]
    root.describe("_id")
    file = _own_video(root, media)
    if file is None:
        if not root.reading.errors:
            root.fail("names parts of a video, and does not say of which")
        return {}
    clock = _clock_of_media(root)
    read_output(head, [root.object("config")], root)
    score = Score(root.reading, SECONDS, head)
    parts = [_part(member, clock, file) for member in root.listed("segments")]
    score.drafts = sorted((draft for draft in parts if draft is not None), key=lambda d: d.start)
    if not _any(score, root):
        return {}
    if max(draft.length for draft in score.drafts) * clock.seconds < _SHORTEST:
        root.fail("says no bpm, and its numbers are too small for microseconds")
        return {}
    unit = "beats" if root.has("bpm") and clock is not _MICROSECONDS else "microseconds"
    root.warn(f"names parts of one video, in {unit}: they are shown one after another, in that order")
    position = Fraction(0)
    for draft in score.drafts:
        seconds = draft.length * clock.seconds
        draft.start, draft.end = position, position + seconds
        position += seconds
    return score.canonical()


def _part(member: Member, clock: Clock, file: str) -> Draft | None:
    """A part of a video: its positions are in the video."""
    name, span = identify(member), _span(member)
    if span is None:
        return None
    member.describe(*_REFERENCE)
    return Draft(name, member, *span, file, in_point=span[0] * clock.seconds)


def _clock_of_media(root: Member) -> Clock:
    pattern = root.object("beatpattern")
    pattern.describe("frombeat", "tobeat", "masterbpm")
    bpm = root.number("bpm")
    return clock_of(bpm) if bpm is not None and bpm > 0 else _MICROSECONDS


def _own_video(root: Member, media: Member | None) -> str | None:
    """The file that a document names parts of: the first of its videos."""
    if media is not None:
        media.describe("checksum", "startingOffset")
        link = media.get("fileName")
        extension = media.text("extension")
        if link is None or extension == "htmlImagelist":
            media.fail("is a list of pictures on the web, and no video")
            return None
        return file_of(str(link.value), link, extension=extension)
    listed = read_sources(root.get("sources"))
    found: Source | None = next((s for s in listed.listed if s.file and not s.sound), None)
    if found is None:
        return None
    if len(listed.listed) > 1:
        root.reading.warn(
            (*root.place, "sources"), f"are {len(listed.listed)} forms of one video: {found.file!r} is used"
        )
    return listed.file(found.id, found.member)


def _media_is_sound(media: Member) -> bool:
    return media.text("extension").lower() in _SOUND
