"""The voices of a soundtrack: what is heard of one source, from which sample of the timeline to which."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal

from media_assets.kompositions.effects import Step
from media_assets.kompositions.footage import picture_end, sound_end
from media_assets.kompositions.placement import Placed
from media_assets.kompositions.takes import asked_range
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo

SAMPLE_RATE = 48_000
JOIN = 240
"""Samples (5 ms) in which one sound takes over from another where nothing else is asked for."""

Curve = Literal["qsin", "tri"]
"""How a fade runs: at equal power, as between two clips, or evenly."""


@dataclass(frozen=True)
class Voice:
    """A stretch of one source's sound.

    Attributes:
        source: the reference in the document; None for a colour, whose effects alone may have sound.
        start: seconds into the file of its first sample; below 0 there is silence up to the file's start.
        speed: seconds of source in a second of timeline; the pitch stays.
        gain_db: decibels.
        first: its first sample on the timeline.
        samples: how many it lasts, fades included.
        fade_in, fade_out: how many of them fade.
        effects: what is done to it, before its gain and its fades.
        curve_in, curve_out: of those fades.
        heard: how many samples there is sound for, if not for all; silence follows.
        lead: how many samples come before the stretch that is repeated.
        loop: how many samples are repeated, or 0.
        duck_db: by how much it is lowered under speech.
    """

    source: str | None
    start: Fraction
    speed: Fraction
    gain_db: float
    first: int
    samples: int
    fade_in: int
    fade_out: int
    effects: tuple[Step, ...] = ()
    curve_in: Curve = "qsin"
    curve_out: Curve = "qsin"
    heard: int | None = None
    lead: int = 0
    loop: int = 0
    duck_db: float = 0.0

    @property
    def end(self) -> int:
        """The sample of the timeline after its last."""
        return self.first + self.samples

    @property
    def sources(self) -> tuple[str, ...]:
        """References of all that it takes sound from."""
        own = () if self.source is None else (self.source,)
        return (*own, *(name for step in self.effects for name in step.sources))

    def to_json(self, hashes: Mapping[str, str]) -> dict[str, Any]:
        """Everything its samples depend on, sources by content; what is as usual is left out."""
        document: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _ALWAYS or value != field.default:
                document[field.name] = str(value) if isinstance(value, Fraction) else value
        document["source"] = None if self.source is None else hashes[self.source]
        if self.effects:
            document["effects"] = [step.to_json("audio", hashes, timed=True) for step in self.effects]
        return document


_ALWAYS = frozenset(("source", "start", "speed", "gain_db", "first", "samples", "fade_in", "fade_out"))


def sample_of(frame: int, rate: Fraction) -> int:
    """The sample at which a frame starts."""
    return nearest_sample(frame / rate)


def nearest_sample(seconds: Fraction) -> int:
    """The sample nearest to a time; halves go up."""
    return math.floor(seconds * SAMPLE_RATE + Fraction(1, 2))


def segment_voice(
    placed: Placed, after: Placed | None, gain_db: float, rate: Fraction, info: MediaInfo | None
) -> Voice:
    """The voice of a segment.

    Where it meets others in a cut, it takes over within `JOIN` samples that end on the cut: it starts that
    much earlier, so that from the cut on it is heard as it is. With effects, which work on the segment as
    it is shown, it fades in behind the cut.

    Args:
        after: the segment behind it in its layer.
        info: what its source is; None for a colour.
    """
    segment = placed.segment
    begin, boundary = sample_of(placed.first_shown, rate), sample_of(placed.first_frame, rate)
    end = sample_of(placed.end + placed.handle_frames, rate)
    is_faded, joined = placed.fade_frames > 0, min(JOIN, begin)
    lead = 0 if is_faded or placed.chain.sound else joined
    early = boundary - begin + lead
    fade_out = min(JOIN, end - begin)
    fades_under = after is not None and after.fade_frames > 0 and after.first_frame == placed.end
    if after is not None and fades_under:
        fade_out = end - sample_of(after.first_shown, rate)
    heard, loop = _filled(placed, rate, info, end - boundary)
    return Voice(
        source=segment.source,
        start=exact(segment.in_point) - early * placed.speed / SAMPLE_RATE,
        speed=placed.speed,
        gain_db=gain_db,
        first=begin - lead,
        samples=end - begin + lead,
        fade_in=sample_of(placed.first_shown + placed.fade_frames, rate) - begin if is_faded else joined,
        fade_out=fade_out,
        effects=placed.chain.sound,
        curve_in="qsin" if is_faded else "tri",
        curve_out="qsin" if fades_under else "tri",
        heard=None if heard is None else early + heard,
        lead=early if loop else 0,
        loop=loop,
    )


def _filled(placed: Placed, rate: Fraction, info: MediaInfo | None, wanted: int) -> tuple[int | None, int]:
    """How many samples from the in point on are heard (None: as many as there are), and are repeated.

    Args:
        wanted: how many there is time for.
    """
    segment = placed.segment
    if info is None or segment.fill == "stretch":
        return None, 0
    asked = asked_range(segment, placed.extent(rate))
    ends = [] if asked is None else [asked]
    own = (picture_end(info) or sound_end(info)) if segment.fill == "loop" else sound_end(info)
    if segment.fill != "cut" and own is not None:
        ends.append(own - exact(segment.in_point))
    length = nearest_sample(max(Fraction(0), min(ends))) if ends else wanted
    if length >= wanted:
        return None, 0
    return (None, max(1, length)) if segment.fill == "loop" else (length, 0)
