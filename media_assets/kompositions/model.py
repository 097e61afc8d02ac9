"""The komposition document as a value: what a timeline is made of, and how much of it is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from media_assets.planning.specs import named_inputs

MAX_SEGMENTS = 2000
MAX_EFFECTS = 32
"""Of one segment."""
MAX_SECONDS = 6 * 3600
MAX_PIXELS = 7680 * 4320
MAX_FPS = 240
MAX_TRANSITION_SECONDS = 59
"""ffmpeg's xfade takes at most 60 s."""
SPEEDS = (Fraction(1, 100), Fraction(100))
"""Slowest and fastest stretch, in source seconds per timeline second."""

_NTSC = {"23.976": 24, "23.98": 24, "29.97": 30, "47.95": 48, "59.94": 60, "119.88": 120}


def exact(number: float) -> Fraction:
    """The number as it was written: 0.1 is one tenth, not the nearest binary fraction."""
    return Fraction(repr(number))


def frame_rate(value: Any) -> str:
    """Read a frame rate: `30`, `"30"`, `"30000/1001"`, or 29.97, which means 30000/1001.

    Raises:
        ValueError: it is none of these, or not between 1 and 240.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("should be a number or a fraction such as 30, 29.97 or 30000/1001")
    text = repr(value) if isinstance(value, int | float) else value.strip()
    if text in _NTSC:
        return f"{_NTSC[text] * 1000}/1001"
    try:
        rate = Fraction(text) if len(text) <= 20 and "e" not in text.lower() else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 1 <= rate <= MAX_FPS or rate.denominator > 1001:
        raise ValueError(f"should be a frame rate from 1 to {MAX_FPS}, such as 30, 29.97 or 30000/1001")
    return str(rate)


def source_reference(value: Any) -> Any:
    """Let through a path under the source root or a source id.

    Raises:
        ValueError: an absolute path, one that climbs with `..`, or a URL.
    """
    if isinstance(value, str):
        if "://" in value:
            raise ValueError("a URL is not a source: download it into the source folder")
        if value.startswith(("/", "~")) or "\\" in value or ".." in value.split("/") or "\0" in value:
            raise ValueError("should be a path under the source folder, or a source id")
    return value


class Part(BaseModel):
    """Base of every part: frozen, strict about types, no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


FrameRate = Annotated[
    str,
    BeforeValidator(frame_rate, json_schema_input_type=str | float),
    Field(description="Pictures a second: 30, 29.97 or 30000/1001."),
]
Reference = Annotated[
    str,
    BeforeValidator(source_reference, json_schema_input_type=str),
    Field(min_length=1, max_length=1024, description="A path under the source folder, or a source id."),
]
SegmentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Length = Annotated[float, Field(gt=0, le=1_000_000, description="In the document's unit.")]
Seconds = Annotated[float, Field(ge=0, le=1_000_000, description="Seconds.")]
Gain = Annotated[float, Field(ge=-96, le=24, description="Decibels.")]
Side = Annotated[int, Field(ge=16, le=7680, multiple_of=2, description="Pixels; even.")]


class OutputFormat(Part):
    """What the finished video is like."""

    width: Side
    height: Side
    fps: FrameRate = "30"

    @property
    def rate(self) -> Fraction:
        """Pictures a second, exactly."""
        return Fraction(self.fps)


class Transition(Part):
    """How a segment comes in: under this transition the one before goes on for `duration`."""

    type: Literal["crossfade"] = "crossfade"
    duration: Length


class Effect(Part):
    """An operation on a segment.

    Attributes:
        op: its name or an alias.
        params: its parameters; those that name a slot (`lut`, `overlay`, `font`, `audio`) name a source.
    """

    op: Annotated[str, Field(min_length=1, max_length=80)]
    params: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, data: Any) -> Any:
        """Parameters may stand beside `op`."""
        if not isinstance(data, dict):
            return data
        beside = {name: value for name, value in data.items() if name not in ("op", "params")}
        params = data.get("params", {})
        if not beside or not isinstance(params, dict):
            return data
        twice = ", ".join(sorted(name for name in beside if name in params))
        if twice:
            raise ValueError(f"{twice} stands both in params and beside op")
        return {**{name: data[name] for name in data if name == "op"}, "params": {**beside, **params}}

    @model_validator(mode="after")
    def _sources_hold(self) -> Effect:
        for name in self.sources:
            source_reference(name)
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """What its slots name, in their order: paths under the source folder, or source ids."""
        return tuple(named_inputs(self.op, [None], self.params)[0][1:])

    @property
    def values(self) -> dict[str, Any]:
        """Its parameters without those sources."""
        return named_inputs(self.op, [None], self.params)[1]


class Segment(Part):
    """A stretch of the timeline, filled from one source.

    Attributes:
        in_point: seconds into the source.
        duration: on the timeline, in the document's unit.
        stretch: play `source_duration` seconds of the source in that time, sound at its own pitch.
        effects: operations on the segment's own picture and sound, in order.
        gain_db: of the source's own sound; None is 0 dB, or silence where the komposition has music.
        transition: how it comes in from the segment before.
    """

    id: SegmentId
    source: Reference
    in_point: Seconds = 0.0
    duration: Length
    stretch: bool = False
    source_duration: Annotated[float, Field(gt=0, le=1_000_000, description="Seconds.")] | None = None
    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS, strict=False)] = ()
    gain_db: Gain | None = None
    transition: Transition | None = None


class Music(Part):
    """One track under the whole timeline; all times in seconds.

    Attributes:
        fade_in: from the start; fade_out: to the end of the timeline, or of the music if that is sooner.
        loop: begin again at `in_point` when the track ends before the timeline.
    """

    source: Reference
    in_point: Seconds = 0.0
    gain_db: Gain = 0.0
    fade_in: Seconds = 0.0
    fade_out: Seconds = 0.0
    loop: bool = False


class Loudness(Part):
    """How loud the result is: integrated loudness (LUFS, EBU R 128) and the true-peak ceiling (dBTP)."""

    target_lufs: Annotated[float, Field(ge=-40, le=-5)] = -14.0
    true_peak_db: Annotated[float, Field(ge=-9, le=0)] = -1.0


class Komposition(Part):
    """A timeline document.

    Attributes:
        bpm: beats a minute, where durations are in beats.
        unit: what durations of segments and transitions are in; beats if there is a bpm, else seconds.
        segments: back to back, in order.
        loudness: None leaves the level of the mix as it is.
        profile: the encoder profile of the picture.
    """

    version: Literal[1]
    title: Annotated[str, Field(max_length=500)] = ""
    bpm: Annotated[float, Field(ge=20, le=400)] | None = None
    unit: Literal["beats", "seconds"] | None = None
    output: OutputFormat
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=MAX_SEGMENTS, strict=False)]
    music: Music | None = None
    loudness: Loudness | None = None
    profile: Literal["h264"] = "h264"

    @model_validator(mode="before")
    @classmethod
    def _name_segments(cls, data: Any) -> Any:
        """Give segments without an id the names s1, s2 … by position."""
        if not isinstance(data, dict) or not isinstance(data.get("segments"), list | tuple):
            return data
        named = [
            {"id": f"s{number}", **segment} if isinstance(segment, dict) else segment
            for number, segment in enumerate(data["segments"], 1)
        ]
        return {**data, "segments": named}

    @property
    def unit_seconds(self) -> Fraction:
        """Seconds in one unit of the timeline: 60 / bpm, or 1."""
        return unit_seconds(self.bpm, self.unit)


def unit_seconds(bpm: float | None, unit: str | None) -> Fraction:
    """Seconds in one unit of a timeline with that `bpm` and `unit`."""
    if bpm is None or unit == "seconds":
        return Fraction(1)
    return 60 / exact(bpm)


def references(komposition: Komposition) -> list[str]:
    """The sources a komposition names, each once: of its segments, of their effects, its music."""
    names: Iterable[str] = (segment.source for segment in komposition.segments)
    effects = (e for segment in komposition.segments for e in segment.effects)
    slots = [name for effect in effects for name in effect.sources]
    music = [komposition.music.source] if komposition.music else []
    return list(dict.fromkeys([*names, *slots, *music]))
