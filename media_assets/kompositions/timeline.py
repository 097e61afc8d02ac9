"""Places a komposition on exact frames: which source pictures each piece of the video shows.

A cut is on the frame nearest its beat, computed from the sum of all durations before it, so nothing
drifts. A crossfade belongs to the segment that comes in: it starts on that segment's beat, and the
segment before goes on under it, so the whole is as long as its segments together.

Frame n of a shot is the source picture on screen at `start + n / fps * speed` seconds of the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

from media_assets.errors import DocumentError
from media_assets.kompositions.effects import NO_EFFECTS, Chain, Step, chain
from media_assets.kompositions.footage import fitted, is_still, picture_end, sound_end
from media_assets.kompositions.model import Komposition, OutputFormat, Segment
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip
from media_assets.operations.conform import JOINED_SOUND

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
        effects: what is done to its pictures.
        whole: pictures that these work on, where they need more than the piece shows; else 0.
        skipped: how many of those come before the piece.
    """

    source: str
    start: Fraction
    speed: Fraction
    lead: int = 0
    effects: tuple[Step, ...] = ()
    whole: int = 0
    skipped: int = 0

    def to_json(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Everything its pictures depend on, sources by `names` (by reference)."""
        document: dict[str, Any] = {
            "source": names[self.source],
            "start": str(self.start),
            "speed": str(self.speed),
            "lead": self.lead,
        }
        if self.effects:
            timed = self.whole > 0
            document["effects"] = [step.to_json("video", names, timed=timed) for step in self.effects]
            document |= {"whole": self.whole, "skipped": self.skipped}
        return document

    @property
    def sources(self) -> tuple[str, ...]:
        """References of all that it takes pictures from."""
        return (self.source, *(name for step in self.effects for name in step.sources))


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
    chain: Chain = NO_EFFECTS

    @property
    def shown_frames(self) -> int:
        """All of its pictures: what its effects see."""
        return self.frames + self.handle_frames


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
    placed = _with_effects(placed, komposition.output, media, findings, warnings)
    if findings:
        raise DocumentError(f"the komposition has {len(findings)} problem(s)", findings, where=where)
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


def _with_effects(
    placed: Sequence[Placed],
    output: OutputFormat,
    media: Mapping[str, MediaInfo],
    findings: Findings,
    warnings: Findings,
) -> list[Placed]:
    """Segments with what their effects come to, on all that is shown of each, transitions included."""
    treated = []
    for index, here in enumerate(placed):
        place, segment = f"$.segments[{index}].effects", here.segment
        seconds = float(here.shown_frames / output.rate)
        sound = JOINED_SOUND if media[segment.source].audio else None
        clip = Clip("video", seconds, fitted(media[segment.source], output), sound)
        made, problems = chain(segment.effects, clip, media)
        findings += [(f"{place}[{at}]", text) for at, text in problems]
        after = made.result.duration if made.result else None
        if after is not None and round((seconds - after) * output.rate) > 0:
            warnings.append(
                (place, f"make it {after:.3f} s long: its last picture is held to {seconds:.3f} s")
            )
        elif after is not None and round((after - seconds) * output.rate) > 0:
            warnings.append((place, f"make it {after:.3f} s long, of which {seconds:.3f} s are shown"))
        treated.append(replace(here, chain=made))
    return treated


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


def _shot(placed: Placed, skipped: int, rate: Fraction, media: Mapping[str, MediaInfo]) -> Shot:
    """The pictures of a segment from its frame `skipped` on, with its effects.

    Where these depend on time, they work on the whole segment, and the piece cuts its pictures out: a
    picture is the same in whichever piece it is shown.
    """
    effects = placed.chain.picture
    if placed.chain.is_timeless:
        return replace(_taken(placed, skipped, rate, media), effects=effects)
    whole = _taken(placed, 0, rate, media)
    return replace(whole, effects=effects, whole=placed.shown_frames, skipped=skipped)


def _taken(placed: Placed, skipped: int, rate: Fraction, media: Mapping[str, MediaInfo]) -> Shot:
    """What a segment takes from its source, from its frame `skipped` on."""
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
    return max(0, placed.shown_frames - there)


def _frame(seconds: Fraction, rate: Fraction) -> int:
    """The frame boundary nearest to a time; halves go up."""
    return math.floor(seconds * rate + Fraction(1, 2))
