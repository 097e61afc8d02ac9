"""Parameter types that documents share: each reads the spellings people use into one value.

The types of the field: String, Int, Float, Bool, Object, Array and Enum are pydantic's own; Duration,
Timecode, Resolution and Codec are here. Ranges, patterns and required values are pydantic's too.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from media_assets.errors import BadInput
from media_assets.media.codecs import audio_codec, video_codec

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?")
_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")
_ISO = re.compile(r"PT(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?")
_FRAMES = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)([:;])(\d{2,3})")
_SIZE = re.compile(r"(\d{1,5})\s*[x\u00d7:]\s*(\d{1,5})")
_NAMED_SIZES = {
    "4320p": (7680, 4320),
    "2160p": (3840, 2160),
    "1440p": (2560, 1440),
    "1080p": (1920, 1080),
    "720p": (1280, 720),
    "480p": (854, 480),
    "360p": (640, 360),
    "240p": (426, 240),
    "8k": (7680, 4320),
    "4k": (3840, 2160),
    "2k": (2560, 1440),
    "uhd": (3840, 2160),
    "fhd": (1920, 1080),
    "hd": (1280, 720),
}
_MOST_SECONDS = 86_400
_MOST_PIXELS = 16_384
_HINT = "a duration such as 90s, 1500ms, 00:05:30.500, PT1H30M or 12.5"


class Parameters(BaseModel):
    """Base of every operation's parameters: frozen, and no unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def seconds(value: Any) -> Any:
    """Read a duration: seconds, `90s`, `1500ms`, `00:05:30.500`, `PT1H30M`.

    Returns:
        Seconds as a float; values that are not text are passed on for pydantic to judge.

    Raises:
        ValueError: the text is none of these.
    """
    if isinstance(value, bool):
        raise ValueError("yes and no are not durations")
    if not isinstance(value, str):
        return value
    text = value.strip()
    if match := _WITH_UNIT.fullmatch(text):
        return float(match[1]) * _UNITS[match[2] or "s"]
    if match := _CLOCK.fullmatch(text):
        return int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3])
    if (match := _ISO.fullmatch(text)) and any(match.groups()):
        hours, minutes, rest = (float(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + rest
    raise ValueError(f"{value!r} is not {_HINT}")


def timecode(value: Any) -> Any:
    """Read a point in time: any duration, or a timecode that counts frames.

    `HH:MM:SS:FF` counts every frame; `HH:MM:SS;FF` is drop-frame, as 29.97 and 59.94 are counted. What
    they are in seconds depends on the clip: `at` tells.

    Returns:
        Seconds as a float, or the timecode as text.
    """
    if isinstance(value, str) and (match := _FRAMES.fullmatch(value.strip())):
        hours, minutes, rest, mark, frames = match.groups()
        return f"{int(hours):02d}:{minutes}:{rest}{mark}{int(frames):02d}"
    return seconds(value)


def at(point: float | str, fps: Fraction | None) -> float:
    """Seconds of a point in time in a clip with that many frames a second.

    Drop-frame follows SMPTE ST 12-1: two numbers (four at 59.94) are left out at the start of each minute
    that is not a tenth one, so that the timecode keeps up with the clock.

    Raises:
        BadInput: frames of a clip that has none, a frame number beyond the rate, or one that is left out.
    """
    if not isinstance(point, str):
        return point
    match = _FRAMES.fullmatch(point)
    if match is None:
        raise BadInput(f"{point!r} is not a timecode such as 01:02:03:04")
    if fps is None:
        raise BadInput(f"{point} counts frames, and the clip has no picture")
    hours, minutes, rest, frame = (int(match[place]) for place in (1, 2, 3, 5))
    whole = round(fps)
    if frame >= whole:
        raise BadInput(f"{point}: the clip has only {whole} frames a second")
    number = ((hours * 60 + minutes) * 60 + rest) * whole + frame
    if match[4] == ";":
        if fps.denominator != 1001 or whole % 30:
            raise BadInput(
                f"{point}: drop-frame is for 29.97 and 59.94 frames a second, not {float(fps):g}"
            )
        left_out = whole // 15
        total = hours * 60 + minutes
        if rest == 0 and frame < left_out and minutes % 10:
            raise BadInput(f"{point} is a number that drop-frame leaves out")
        number -= left_out * (total - total // 10)
    return float(number / fps)


def resolution(value: Any) -> Any:
    """Read a picture size: `1920x1080`, `720p`, `4k`, or [width, height].

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str):
        text = value.strip().lower()
        if text in _NAMED_SIZES:
            return _NAMED_SIZES[text]
        if match := _SIZE.fullmatch(text):
            return int(match[1]), int(match[2])
        raise ValueError(f"{value!r} is not a size such as 1920x1080 or 720p")
    return tuple(value) if isinstance(value, list) else value


def _picture_codec(value: Any) -> Any:
    return _known(value, lambda name: video_codec(name).name)


def _sound_codec(value: Any) -> Any:
    return _known(value, lambda name: audio_codec(name).name)


def _known(value: Any, find: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return find(value)
    except BadInput as error:
        raise ValueError(f"{error.message}; {error.hint}") from None


_Seconds = Annotated[float, Field(ge=0, le=_MOST_SECONDS, allow_inf_nan=False)]

Duration = Annotated[
    _Seconds,
    BeforeValidator(seconds, json_schema_input_type=_Seconds | str),
    Field(json_schema_extra={"x-type": "Duration"}),
]
"""Seconds, from any spelling of a duration."""

Timecode = Annotated[
    _Seconds | str,
    BeforeValidator(timecode, json_schema_input_type=_Seconds | str),
    Field(json_schema_extra={"x-type": "Timecode"}),
]
"""A point in time: seconds, or a timecode that counts frames; `at` gives seconds."""

Pixels = Annotated[int, Field(ge=-2, le=_MOST_PIXELS)]
"""A picture's width or height; -1 and -2 follow from the other side."""

_Side = Annotated[int, Field(ge=2, le=_MOST_PIXELS)]
Resolution = Annotated[
    tuple[_Side, _Side],
    BeforeValidator(resolution, json_schema_input_type=str | tuple[int, int]),
    Field(json_schema_extra={"x-type": "Resolution"}),
]
"""Width and height in pixels."""

PictureCodec = Annotated[
    str,
    BeforeValidator(_picture_codec, json_schema_input_type=str),
    Field(json_schema_extra={"x-type": "Codec"}),
]
"""A picture codec's name as this project calls it, from any name people use (`libx264`, `avc`)."""

SoundCodec = Annotated[
    str,
    BeforeValidator(_sound_codec, json_schema_input_type=str),
    Field(json_schema_extra={"x-type": "Codec"}),
]
"""A sound codec's name."""
