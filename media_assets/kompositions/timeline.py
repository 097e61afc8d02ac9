"""Places a komposition on exact frames: which source pictures each piece of the video shows.

A cut is on the frame nearest its beat, computed from the sum of all durations before it, so nothing
drifts. A crossfade belongs to the segment that comes in: it starts on that segment's beat, and the
segment before goes on under it, so the whole is as long as its segments together.

Frame n of a shot is the source picture on screen at `start + n / fps * speed` seconds of the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from media_assets.errors import DocumentError
from media_assets.kompositions.model import Komposition, Segment, exact
from media_assets.media.info import MediaInfo

# Seconds of source before its end in which there surely is a picture, beside two of its own frames.
_NEAR_END = Fraction(1, 20)

Findings = list[tuple[str, str]]


@dataclass(frozen=True)
class Shot:
    """What a piece takes from one source.

    Attributes:
        source: the reference in the document.
        start: seconds into the file of the first picture.
        speed: seconds of source in a second of timeline.
        lead: pictures to run up before `start`, because it lies behind the last picture, which is held.
    """

    source: str
    start: Fraction
    speed: Fraction
    lead: int = 0


@dataclass(frozen=True)
class Piece:
    """A run of frames that is rendered by itself.

    Attributes:
        id: the segment's id, or `a>b` for the crossfade from a to b.
        first_frame: its place on the timeline.
        shots: one for a body; for a crossfade the outgoing, then the incoming.
    """

    id: str
    kind: Literal["body", "crossfade"]
    first_frame: int
    frames: int
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Placed:
    """A segment on the timeline, in frames: its start, length, and how long it goes on under the next."""

    segment: Segment
    speed: Fraction
    first_frame: int
    frames: int
    fade_frames: int
    handle_frames: int


@dataclass(frozen=True)
class Timeline:
    """A komposition on exact frames; `warnings` are (place, text)."""

    rate: Fraction
    frames: int
    segments: tuple[Placed, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[tuple[str, str], ...]


def timeline(
    komposition: Komposition, media: Mapping[str, MediaInfo], where: str = "komposition"
) -> Timeline:
    """Place `komposition` on frames.

    Args:
        komposition: the document.
        media: what each referenced source is.
        where: names the document in errors.

    Raises:
        DocumentError: all findings: sources that are missing or have no picture, in points behind a
            source's end, segments shorter than a frame.
    """
    findings = _source_findings(komposition, media)
    placed = _place(komposition, findings)
    if findings:
        raise DocumentError(f"the komposition has {len(findings)} problem(s)", findings, where=where)
    pieces: list[Piece] = []
    warnings: Findings = []
    rate = komposition.output.rate
    for index, here in enumerate(placed):
        place = f"$.segments[{index}]"
        if here.fade_frames:
            before = placed[index - 1]
            shots = (_shot(before, before.frames, rate, media), _shot(here, 0, rate, media))
            name = f"{before.segment.id}>{here.segment.id}"
            pieces.append(Piece(name, "crossfade", here.first_frame, here.fade_frames, shots))
        if here.frames > here.fade_frames:
            first, frames = here.first_frame + here.fade_frames, here.frames - here.fade_frames
            shot = _shot(here, here.fade_frames, rate, media)
            pieces.append(Piece(here.segment.id, "body", first, frames, (shot,)))
        held = _held(here, rate, media[here.segment.source])
        if held:
            warnings.append(
                (place, f"the source is too short: its last picture is held for {held} frame(s)")
            )
    frames = placed[-1].first_frame + placed[-1].frames
    return Timeline(rate, frames, tuple(placed), tuple(pieces), tuple(warnings))


def _place(komposition: Komposition, findings: Findings) -> list[Placed]:
    rate, unit = komposition.output.rate, komposition.unit_seconds
    placed: list[Placed] = []
    starts = Fraction(0)
    fades = [
        exact(segment.transition.duration) * unit if segment.transition else Fraction(0)
        for segment in komposition.segments
    ]
    for index, segment in enumerate(komposition.segments):
        seconds = exact(segment.duration) * unit
        first, end = _frame(starts, rate), _frame(starts + seconds, rate)
        fade = max(1, _frame(starts + fades[index], rate) - first) if fades[index] else 0
        if end <= first:
            findings.append((f"$.segments[{index}].duration", f"is less than a frame at {rate} a second"))
        elif fade > end - first:
            findings.append((f"$.segments[{index}].transition.duration", "is longer than its segment"))
        handle = 0
        if index + 1 < len(fades) and fades[index + 1]:
            handle = max(1, _frame(starts + seconds + fades[index + 1], rate) - end)
        speed = exact(segment.source_duration) / seconds if segment.source_duration else Fraction(1)
        placed.append(Placed(segment, speed, first, end - first, fade, handle))
        starts += seconds
    return placed


def _source_findings(komposition: Komposition, media: Mapping[str, MediaInfo]) -> Findings:
    findings: Findings = []
    for index, segment in enumerate(komposition.segments):
        place = f"$.segments[{index}]"
        info = media.get(segment.source)
        if info is None:
            findings.append((f"{place}.source", f"there is no source {segment.source!r}"))
        elif info.video is None:
            findings.append(
                (f"{place}.source", f"{segment.source!r} has sound only; a segment needs a picture")
            )
        elif (end := picture_end(info)) is not None and exact(segment.in_point) >= end:
            text = f"{segment.in_point:g} s is not before the end of the picture ({float(end):.3f} s)"
            findings.append((f"{place}.in_point", text))
    music = komposition.music
    if music is not None:
        info = media.get(music.source)
        if info is None:
            findings.append(("$.music.source", f"there is no source {music.source!r}"))
        elif info.audio is None:
            findings.append(("$.music.source", f"{music.source!r} has no sound"))
        elif (end := sound_end(info)) is not None and exact(music.in_point) >= end:
            text = f"{music.in_point:g} s is not before the end of the sound ({float(end):.3f} s)"
            findings.append(("$.music.in_point", text))
    return findings


def is_still(info: MediaInfo) -> bool:
    """Whether it has one picture only, which is then shown for as long as is asked."""
    return info.kind == "image" or (info.video is not None and info.video.frames == 1)


def picture_end(info: MediaInfo) -> Fraction | None:
    """Seconds into the file at which its picture ends; None for a still, or when nobody knows."""
    if is_still(info) or info.video is None:
        return None
    return _end(info, info.video.duration, info.video.start_time)


def sound_end(info: MediaInfo) -> Fraction | None:
    """Seconds into the file at which its sound ends; None when nobody knows."""
    return _end(info, info.audio.duration, info.audio.start_time) if info.audio else None


def _end(info: MediaInfo, duration: float | None, start: float) -> Fraction | None:
    """Times count from the start of the file, where its earliest stream starts."""
    if duration is None:
        return None if info.duration is None else exact(info.duration)
    earliest = min([v.start_time for v in info.videos] + [a.start_time for a in info.audios])
    return exact(duration) + exact(start) - exact(earliest)


def _shot(placed: Placed, skipped: int, rate: Fraction, media: Mapping[str, MediaInfo]) -> Shot:
    """The pictures of a segment from its frame `skipped` on."""
    segment, info = placed.segment, media[placed.segment.source]
    if is_still(info):
        return Shot(segment.source, Fraction(0), Fraction(1))
    step = placed.speed / rate
    start = exact(segment.in_point) + skipped * step
    end, video = picture_end(info), info.video
    lead = 0
    if end is not None and video is not None:
        safe = end - _NEAR_END - 2 / (video.fps or Fraction(25))
        lead = max(0, min(math.ceil((start - safe) / step), math.floor(start / step)))
    return Shot(segment.source, start, placed.speed, lead)


def _held(placed: Placed, rate: Fraction, info: MediaInfo) -> int:
    """Frames of a segment, its handle included, that lie behind the end of its source."""
    end = picture_end(info)
    if end is None:
        return 0
    step = placed.speed / rate
    there = math.ceil((end - exact(placed.segment.in_point)) / step)
    return max(0, placed.frames + placed.handle_frames - there)


def _frame(seconds: Fraction, rate: Fraction) -> int:
    """The frame boundary nearest to a time; halves go up."""
    return math.floor(seconds * rate + Fraction(1, 2))
