"""An OpenTimelineIO timeline as a komposition document: tracks are layers, clips are segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import opentimelineio as otio
from pydantic import ValidationError

from media_assets.kompositions.model import Komposition, OutputFormat, unit_seconds
from media_assets.kompositions.otio_clips import ClipReader, Cut, Grid, NameGiver, same
from media_assets.kompositions.otio_values import (
    Lost,
    exact_rate,
    foreign,
    is_frame_rate,
    own,
    path_of,
    seconds_of,
)
from media_assets.kompositions.otio_writing import media_of

_USUAL = {"width": 1920, "height": 1080}


def document_of(
    timeline: otio.schema.Timeline, size: tuple[int, int] | None
) -> tuple[dict[str, Any], Lost]:
    """A timeline as the JSON values of a document, which are yet to be held against the schema.

    Args:
        timeline: what was read.
        size: width and height of the output, where the timeline does not say them: OpenTimelineIO has
            no place for them, only what was written here carries them.

    Returns:
        The document, and what of the timeline is not in it.
    """
    return _Reader(timeline, size).document()


class _Reader:
    """Reads one timeline."""

    def __init__(self, timeline: otio.schema.Timeline, size: tuple[int, int] | None) -> None:
        self.timeline = timeline
        base = own(timeline).get("komposition")
        self.is_ours = isinstance(base, dict) and _holds(base)
        self.base: dict[str, Any] = dict(base or {}) if self.is_ours else {"version": 1, "unit": "seconds"}
        lost = self.complete(size)
        rate = Fraction(OutputFormat.model_validate(self.base["output"]).fps)
        sounding = [track for track in self.tracks(otio.schema.TrackKind.Audio) if any(_clips(track))]
        unit = _unit(self.base)
        self.silent = bool(sounding) and not self.is_ours
        self.clips = ClipReader(Grid(rate, unit), silent=self.silent)
        self.clips.lost += lost

    def complete(self, size: tuple[int, int] | None) -> Lost:
        """Title and output, where the timeline was not written here."""
        if self.is_ours:
            return []
        lost: Lost = []
        rate = _rate(self.timeline)
        if rate is None:
            lost.append(("timeline", "has no frame rate: 30 is taken"))
        if size is None:
            lost.append(("timeline", "has no picture size: 1920x1080 is taken"))
        width, height = size or (_USUAL["width"], _USUAL["height"])
        self.base["output"] = {"width": width, "height": height, "fps": str(rate or 30)}
        if self.timeline.name:
            self.base["title"] = self.timeline.name[:500]
        if self.timeline.global_start_time and self.timeline.global_start_time.value:
            lost.append(("timeline", "starts at 0, not at its time code"))
        names = foreign(self.timeline)
        if names:
            lost.append(("timeline", f"metadata of {', '.join(sorted(names))} are left out"))
        lost += [
            ("timeline", f"the marker {marker.name!r} is left out")
            for marker in self.timeline.tracks.markers
        ]
        return lost

    def document(self) -> tuple[dict[str, Any], Lost]:
        """All of it; the lowest track of pictures, or that which was written as such, is the main one."""
        pictures = list(self.tracks(otio.schema.TrackKind.Video))
        read = [(track, self.pictures(track, number)) for number, track in enumerate(pictures, 1)]
        filled = [(track, segments) for track, segments in read if segments]
        main = next((at for at, (track, _) in enumerate(filled) if own(track).get("main") is True), 0)
        document = dict(self.base)
        document["segments"] = filled[main][1] if filled else []
        layers = [
            self.layer(track, segments, at - main, len(filled))
            for at, (track, segments) in enumerate(filled)
            if at != main
        ]
        document["layers"] = [layer for _, layer in sorted(layers, key=lambda entry: entry[0])]
        self.sound(document)
        if self.silent:
            text = "has tracks of sound: the sound of the clips themselves is turned off"
            self.lost.append(("timeline", text))
        return {name: value for name, value in document.items() if value != []}, self.lost

    @property
    def lost(self) -> Lost:
        """What is not in the document."""
        return self.clips.lost

    def tracks(self, kind: str) -> Iterator[otio.schema.Track]:
        """The tracks of a kind, from the bottom up."""
        for child in self.timeline.tracks:
            if isinstance(child, otio.schema.Track) and child.kind == kind:
                yield child

    def layer(
        self, track: otio.schema.Track, segments: list[dict[str, Any]], above: int, count: int
    ) -> tuple[int, dict[str, Any]]:
        """A track over or under the main one, and its place among the layers."""
        fields = own(track)
        rest, index = fields.get("layer"), fields.get("index")
        if isinstance(rest, dict):
            return (index if isinstance(index, int) else count), {**rest, "segments": segments}
        name = self.clips.names.give(track.name or "layer", "layer")
        return count + above, {"id": name, "z": above, "segments": segments}

    def pictures(self, track: otio.schema.Track, number: int) -> list[dict[str, Any]]:
        """The segments of a track."""
        name = track.name or f"video {number}"
        self.clips.notes(track, f"track {name!r}")
        children, end = list(track), 0
        segments: list[dict[str, Any]] = []
        for at, cut in self.cuts(children, f"track {name!r}"):
            segment = self.clips.segment(children[at], replace(cut, follows=cut.first == end))
            if segment is None:
                continue
            before = children[at - 1] if at else None
            if isinstance(before, otio.schema.Transition):
                if segments and cut.first == end:
                    segment["transition"] = self.clips.transition(before, cut.place)
                else:
                    self.fade(segment, before, "fade_in")
            after = children[at + 1] if at + 1 < len(children) else None
            beyond = children[at + 2] if at + 2 < len(children) else None
            if isinstance(after, otio.schema.Transition) and not isinstance(beyond, otio.schema.Clip):
                self.fade(segment, after, "fade_out")
            segments.append(segment)
            end = cut.first + cut.frames
        return segments

    def fade(self, segment: dict[str, Any], item: otio.schema.Transition, op: str) -> None:
        """A transition from or to nothing."""
        seconds = float(seconds_of(item.in_offset) + seconds_of(item.out_offset))
        segment["effects"] = [*segment["effects"], {"op": op, "params": {"duration": seconds}}]

    def cuts(self, children: Sequence[Any], track: str) -> Iterator[tuple[int, Cut]]:
        """Clips of a track that are to be seen or heard: index, and where each is."""
        position, rate = Fraction(0), self.clips.grid.rate
        for at, child in enumerate(children):
            if isinstance(child, otio.schema.Transition):
                continue
            place = f"{track}, item {at + 1}" + (f" {child.name!r}" if child.name else "")
            try:
                end = position + seconds_of(child.duration())
            except (otio.exceptions.OTIOError, NotImplementedError, AttributeError):
                self.lost.append((place, "says neither its range nor how long its media are: left out"))
                continue
            first, frames = round(position * rate), round(end * rate) - round(position * rate)
            position = end
            if isinstance(child, otio.schema.Gap) or frames < 1:
                continue
            if not isinstance(child, otio.schema.Clip):
                self.lost.append((place, f"a {type(child).__name__} within a track is left out"))
            elif not child.enabled:
                self.lost.append((place, "is turned off and left out"))
            else:
                yield at, Cut(place, first, frames, False)

    def sound(self, document: dict[str, Any]) -> None:
        """Add music and tracks of sound."""
        tracks: dict[Any, tuple[int, dict[str, Any], list[tuple[int, dict[str, Any]]]]] = {}
        for number, track in enumerate(self.tracks(otio.schema.TrackKind.Audio)):
            fields, name = own(track), track.name or f"audio {number + 1}"
            children = list(track)
            cuts = list(self.cuts(children, f"track {name!r}"))
            music = fields.get("music")
            if isinstance(music, dict) and len(cuts) == 1:
                document["music"] = self.music(music, children[cuts[0][0]], cuts[0][1])
                continue
            self.clips.notes(track, f"track {name!r}")
            rest, index = fields.get("track"), fields.get("index")
            if not isinstance(rest, dict):
                rest, index = {"id": name}, len(document) + 1000 + number
            read = [self.clips.stretch(children[at], cut) for at, cut in cuts]
            stretches = [stretch for stretch in read if stretch is not None]
            # What was split over several tracks, because it overlaps, is one again.
            key = ("ours", index) if "track" in fields else ("theirs", number)
            order = index if isinstance(index, int) else number
            tracks.setdefault(key, (order, rest, []))[2].extend(stretches)
        document["audio"] = [
            {**rest, "clips": [clip for _, clip in sorted(clips, key=lambda entry: entry[0])]}
            for _, rest, clips in sorted(tracks.values(), key=lambda entry: entry[0])
            if clips
        ]
        names = NameGiver()
        for audio in document["audio"]:
            audio["id"] = names.give(str(audio["id"]), "audio")

    def music(self, fields: dict[str, Any], clip: otio.schema.Clip, cut: Cut) -> dict[str, Any]:
        """The music, with what was edited of it."""
        written, now = own(clip).get("written"), self.clips.numbers(clip, cut)
        music = dict(fields)
        if now is not None and isinstance(written, dict):
            if not same(written, now, "media"):
                music["source"] = path_of(media_of(clip))[0]
            if not same(written, now, "in_point"):
                music["in_point"] = now["in_point"]
        return music


def _unit(base: dict[str, Any]) -> Fraction | None:
    """Seconds in one unit of the document; None where the beats of the music decide."""
    bpm, unit = base.get("bpm"), base.get("unit")
    if bpm is None or unit == "seconds":
        return Fraction(1)
    return None if bpm == "auto" or base.get("snap") else unit_seconds(bpm, unit)


def _clips(track: otio.schema.Track) -> Iterator[otio.schema.Clip]:
    return (child for child in track if isinstance(child, otio.schema.Clip) and child.enabled)


def _holds(base: dict[str, Any]) -> bool:
    """Whether a document's own fields are there and whole, all but what tracks tell."""
    segment = {"source": "a", "duration": 1.0}
    try:
        Komposition.model_validate({**base, "segments": [segment]})
    except ValidationError:
        return False
    return True


def _rate(timeline: otio.schema.Timeline) -> Fraction | None:
    """The frame rate that most of its clips are cut in."""
    rates: Counter[Fraction] = Counter()
    for track in timeline.tracks:
        if isinstance(track, otio.schema.Track) and track.kind == otio.schema.TrackKind.Video:
            for clip in _clips(track):
                if clip.source_range is not None:
                    rates[exact_rate(clip.source_range.duration.rate)] += 1
    found = [rate for rate, _ in rates.most_common() if is_frame_rate(rate)]
    return found[0] if found else None
