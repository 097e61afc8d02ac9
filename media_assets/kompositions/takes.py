"""What a segment shows of its source, picture by picture, by its fill rule.

Picture n of a segment is the one on screen at `in_point + (n - early) * step` seconds of the file, where
`early` pictures of it come before its boundary, under the transition that brings it in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from media_assets.kompositions.footage import is_still, picture_end
from media_assets.kompositions.segments import Segment
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo

# Seconds of source before its end in which there surely is a picture, beside two of its own frames.
_NEAR_END = Fraction(1, 20)


@dataclass(frozen=True)
class Take:
    """Pictures that follow each other in a file.

    Attributes:
        start: seconds into the file of the first; None where nothing is shown.
        step: seconds of source from one to the next.
        frames: how many are shown.
        moving: how many of them move, after which the last one stands.
        before: how many times the first is shown before it moves.
        lead: pictures to run up before `start`, because it may lie behind the last picture, which is held.
    """

    start: Fraction | None
    step: Fraction
    frames: int
    moving: int
    before: int = 0
    lead: int = 0

    def to_json(self) -> dict[str, Any]:
        """Everything its pictures depend on."""
        start = None if self.start is None else str(self.start)
        document: dict[str, Any] = {"start": start, "step": str(self.step), "frames": self.frames}
        still = {"moving": self.moving} if self.moving < self.frames - self.before else {}
        return document | still | {n: v for n, v in (("before", self.before), ("lead", self.lead)) if v}


@dataclass(frozen=True)
class Extent:
    """How much of a segment is seen.

    Attributes:
        early: pictures before its boundary.
        frames: pictures from one boundary to the next.
        shown: all, with those that go on under the next segment.
        step: seconds of source from one to the next.
    """

    early: int
    frames: int
    shown: int
    step: Fraction


def takes(segment: Segment, extent: Extent, info: MediaInfo | None) -> list[Take]:
    """The takes of a whole segment, by its fill rule; `info` is None for a colour."""
    if info is None or is_still(info):
        return [Take(Fraction(0), extent.step, extent.shown, extent.shown)]
    there = _available(segment, extent, info)
    lasts = extent.shown if there is None else extent.early + max(1, math.ceil(there / extent.step))
    run = _run(exact(segment.in_point), extent)
    if lasts >= extent.shown:
        return [run]
    if segment.fill == "loop" and there is not None:
        return _looped(run, exact(segment.in_point), there, extent)
    if segment.fill == "pad":
        rest = extent.shown - lasts
        return [_cut(run, 0, lasts), Take(None, extent.step, rest, rest)]
    # Up to the file's own end pictures are asked for, and the last that there is stands.
    ranged = asked_range(segment, extent) is not None
    return [replace(run, moving=lasts - run.before)] if ranged else [run]


def part(whole: Sequence[Take], first: int, frames: int) -> tuple[Take, ...]:
    """Pictures `first` up to `first + frames` of takes that follow each other."""
    found: list[Take] = []
    at = 0
    for take in whole:
        begin, end = max(first, at), min(first + frames, at + take.frames)
        if begin < end:
            found.append(_cut(take, begin - at, end - begin))
        at += take.frames
    return tuple(found)


def led(take: Take, info: MediaInfo) -> Take:
    """The take with the run-up it needs to find the picture that is held behind the file's end."""
    end, video = picture_end(info), info.video
    if take.start is None or end is None or video is None:
        return take
    safe = end - _NEAR_END - 2 / (video.fps or Fraction(25))
    lead = min(math.ceil((take.start - safe) / take.step), math.floor(take.start / take.step))
    return replace(take, lead=max(0, lead))


def lacking(segment: Segment, extent: Extent, info: MediaInfo | None) -> tuple[int, int]:
    """How many pictures there is no source for: before its start, and after its end (or the range's)."""
    if info is None or is_still(info):
        return 0, 0
    before = max(0, extent.early - math.floor(exact(segment.in_point) / extent.step))
    there = _available(segment, extent, info)
    if there is None:
        return before, 0
    return before, max(0, extent.shown - extent.early - math.ceil(there / extent.step))


def asked_range(segment: Segment, extent: Extent) -> Fraction | None:
    """Seconds of the source after which the document wants no more of it; None for no such limit.

    A cut whose range is as long as itself says nothing about what is seen under the next transition.
    """
    if segment.source_duration is None or segment.fill == "stretch":
        return None
    wanted = exact(segment.source_duration)
    if segment.fill == "cut" and round(wanted / extent.step) >= extent.frames:
        return None
    return wanted


def _available(segment: Segment, extent: Extent, info: MediaInfo) -> Fraction | None:
    """Seconds of source from the in point to the end of the range or of the file; None for no known end."""
    limit, end = asked_range(segment, extent), picture_end(info)
    ends = [limit, None if end is None else end - exact(segment.in_point)]
    return min((end for end in ends if end is not None), default=None)


def _run(start: Fraction, extent: Extent) -> Take:
    """All pictures one after the other; before the start of the file its first one stands."""
    begin = start - extent.early * extent.step
    before = min(extent.shown - 1, max(0, math.ceil(-begin / extent.step)))
    return Take(
        begin + before * extent.step, extent.step, extent.shown, extent.shown - before, before=before
    )


def _looped(run: Take, start: Fraction, length: Fraction, extent: Extent) -> list[Take]:
    """The range again and again; each turn starts on the frame nearest to its own time."""
    found: list[Take] = []
    at, turn = 0, 0
    while at < extent.shown:
        turn += 1
        end = min(extent.shown, max(at + 1, extent.early + round(turn * length / extent.step)))
        there = min(end - at, max(1, math.ceil(length / extent.step)))
        found.append(_cut(run, 0, end) if turn == 1 else Take(start, extent.step, end - at, there))
        at = end
    return found


def _cut(take: Take, first: int, frames: int) -> Take:
    """Pictures `first` up to `first + frames` of one take."""
    passed = min(max(0, first - take.before), take.moving - 1)
    before = min(frames - 1, max(0, take.before - first))
    start = None if take.start is None else take.start + passed * take.step
    moving = min(take.moving - passed, frames - before)
    return replace(take, start=start, frames=frames, before=before, moving=moving)
