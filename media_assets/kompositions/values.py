"""The values that komposition documents are written in, and how much of each is allowed."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MAX_SEGMENTS = 2000
MAX_LAYERS = 20
MAX_TRACKS = 50
MAX_RENDITIONS = 20
MAX_EFFECTS = 32
"""Of one segment, and of one layer."""
MAX_SECONDS = 6 * 3600
MAX_PIXELS = 7680 * 4320
MAX_FPS = 240
MAX_TRANSITION_SECONDS = 59
"""ffmpeg's xfade takes at most 60 s."""
SPEEDS = (Fraction(1, 100), Fraction(100))
"""Slowest and fastest stretch, in source seconds per timeline second."""
MAX_ZOOM = 10.0

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
    """Let through a path under the source root, or the id of a source, a komposition or an effect.

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
    Field(
        min_length=1,
        max_length=1024,
        description="A path under the source folder, or the id of a source (src_…), of another komposition "
        "(komp_…) or of an effect (effect_…).",
    ),
]
SourceName = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Length = Annotated[float, Field(gt=0, le=1_000_000, description="In the document's unit.")]
Position = Annotated[float, Field(ge=0, le=1_000_000, description="In the document's unit.")]
Seconds = Annotated[float, Field(ge=0, le=1_000_000, description="Seconds.")]
SomeSeconds = Annotated[float, Field(gt=0, le=1_000_000, description="Seconds.")]
Gain = Annotated[float, Field(ge=-96, le=24, description="Decibels.")]
Side = Annotated[int, Field(ge=16, le=7680, multiple_of=2, description="Pixels; even.")]
Share = Annotated[float, Field(ge=0, le=1, description="A fraction of the whole, from 0 to 1.")]
Unit = Literal["beats", "seconds"]
Fit = Literal["contain", "cover", "smart"]
"""How a picture of another shape goes into a frame: with bars, filling it from the middle, or filling it
around what there is to see."""
