"""Places the segments of a layer on exact frames.

A cut is on the frame nearest its beat, computed from its position in the document, so nothing drifts. A
transition belongs to the segment that comes in: it starts `offset` from that segment's boundary, and
shortens nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_assets.kompositions.effects import NO_EFFECTS, Chain
from media_assets.kompositions.segments import Segment, Transition
from media_assets.kompositions.takes import Extent
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import MAX_TRANSITION_SECONDS, exact

Findings = list[tuple[str, str]]


@dataclass(frozen=True)
class Placed:
    """A segment on the timeline, in frames.

    Attributes:
        speed: seconds of source in a second of timeline.
        first_frame: its boundary.
        frames: from there to its end.
        fade_frames: how long the transition is that brings it in, of which `early_frames` lie before its
            boundary.
        handle_frames: how long it goes on after its end, under the next segment.
        chain: what its effects come to.
    """

    segment: Segment
    speed: Fraction
    first_frame: int
    frames: int
    fade_frames: int
    handle_frames: int
    early_frames: int = 0
    chain: Chain = NO_EFFECTS

    @property
    def shown_frames(self) -> int:
        """All of its pictures: what its effects see."""
        return self.early_frames + self.frames + self.handle_frames

    @property
    def first_shown(self) -> int:
        """Where the first of them is on the timeline."""
        return self.first_frame - self.early_frames

    @property
    def end(self) -> int:
        """The frame after its last, those under the next segment left aside."""
        return self.first_frame + self.frames

    def extent(self, rate: Fraction) -> Extent:
        """How much of it is seen."""
        return Extent(self.early_frames, self.frames, self.shown_frames, self.speed / rate)


@dataclass(frozen=True)
class Clock:
    """Positions of a document as frames: its tempo, its rate, and what beats last where it has a bpm."""

    tempo: Tempo
    rate: Fraction
    beat: Fraction | None
    in_beats: bool

    def frame(self, position: Fraction) -> int:
        """The frame boundary nearest to a position; halves go up."""
        return self.nearest(self.tempo.seconds(position))

    def nearest(self, seconds: Fraction) -> int:
        """The frame boundary nearest to a time; halves go up."""
        return math.floor(seconds * self.rate + Fraction(1, 2))

    def span(self, position: Fraction, transition: Transition) -> tuple[Fraction, Fraction]:
        """Seconds at which a transition on a boundary at `position` starts and ends.

        Raises:
            ValueError: it counts beats, and there is no bpm.
        """
        offset, length = exact(transition.offset), exact(transition.duration)
        own = "beats" if self.in_beats else "seconds"
        if transition.unit in (None, own):
            begin = max(Fraction(0), position + offset)
            return self.tempo.seconds(begin), self.tempo.seconds(begin + length)
        unit = Fraction(1) if transition.unit == "seconds" else self.beat
        if unit is None:
            raise ValueError("counts beats, and there is no bpm")
        start = max(Fraction(0), self.tempo.seconds(position) + offset * unit)
        return start, start + length * unit


@dataclass(frozen=True)
class _Boundaries:
    """A segment's first frame and end, and those of its transition; seconds between the former."""

    first: int
    end: int
    begins: int
    fades: int
    seconds: Fraction


def place(segments: Sequence[Segment], clock: Clock, layer: str, findings: Findings) -> list[Placed]:
    """Segments in order; what cannot be is added to `findings`.

    Args:
        layer: their place in the document, such as `$.segments`.
    """
    bounds = _boundaries(segments, clock, layer, findings)
    placed: list[Placed] = []
    for index, (segment, here) in enumerate(zip(segments, bounds, strict=True)):
        after = bounds[index + 1] if index + 1 < len(bounds) else None
        handle = after.begins + after.fades - after.first if after and after.fades else 0
        placed.append(
            Placed(
                segment=segment,
                speed=_speed(segment, here.seconds),
                first_frame=here.first,
                frames=here.end - here.first,
                fade_frames=here.fades,
                handle_frames=max(0, handle),
                early_frames=here.first - here.begins if here.fades else 0,
            )
        )
    return placed


def _boundaries(
    segments: Sequence[Segment], clock: Clock, layer: str, findings: Findings
) -> list[_Boundaries]:
    found: list[_Boundaries] = []
    position = Fraction(0)
    for index, segment in enumerate(segments):
        place = f"{layer}[{index}]"
        start = position if segment.start is None else exact(segment.start)
        if start < position:
            text = f"is before the end of the segment before, at {float(position):g}"
            findings.append((f"{place}.start", text))
            start = position
        position = start + exact(segment.duration)
        seconds = clock.tempo.seconds(position) - clock.tempo.seconds(start)
        first, end = clock.frame(start), clock.frame(position)
        if end <= first:
            findings.append((f"{place}.duration", f"is less than a frame at {clock.rate} a second"))
        begins, fades = first, 0
        before = found[-1] if found else None
        if segment.transition is not None:
            begins, fades = _transition(segment.transition, start, clock, f"{place}.transition", findings)
            _check_transition((begins, fades), (first, end), before, f"{place}.transition", findings)
        found.append(_Boundaries(first, end, begins, fades, seconds))
    return found


def _transition(
    transition: Transition, position: Fraction, clock: Clock, place: str, findings: Findings
) -> tuple[int, int]:
    """Its first frame, and how many it lasts."""
    try:
        start, end = clock.span(position, transition)
    except ValueError as error:
        findings.append((f"{place}.unit", str(error)))
        return clock.frame(position), 0
    if end - start > MAX_TRANSITION_SECONDS:
        findings.append((f"{place}.duration", f"lasts more than {MAX_TRANSITION_SECONDS} s"))
    begins = clock.nearest(start)
    return begins, max(1, clock.nearest(end) - begins)


def _check_transition(
    transition: tuple[int, int],
    segment: tuple[int, int],
    before: _Boundaries | None,
    place: str,
    findings: Findings,
) -> None:
    """A transition lies within its two segments, which meet, and behind the transition before."""
    (begins, fades), (first, end) = transition, segment
    if before is None or before.end != first:
        findings.append((place, "there is nothing to come in from: no segment ends where this one starts"))
    elif begins + fades > end:
        findings.append((f"{place}.duration", "is longer than its segment"))
    elif begins + fades < first:
        findings.append(
            (f"{place}.offset", "ends before the segment starts: it is longer than the transition")
        )
    elif begins < max(before.first, before.begins + before.fades):
        text = "begins before the segment before it is fully seen"
        findings.append((f"{place}.offset", text))


def _speed(segment: Segment, seconds: Fraction) -> Fraction:
    if segment.fill != "stretch" or segment.source_duration is None or seconds <= 0:
        return Fraction(1)
    return exact(segment.source_duration) / seconds
