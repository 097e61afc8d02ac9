"""Parameter types that documents share: each reads the spellings people use into one value."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h)?")
_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")
_ISO = re.compile(r"PT(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?")


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
    raise ValueError(f"{value!r} is not a duration such as 90s, 1500ms, 00:05:30.500, PT1H30M or 12.5")


Duration = Annotated[float, BeforeValidator(seconds), Field(ge=0, le=86_400, allow_inf_nan=False)]
"""Seconds, from any spelling of a duration."""

Pixels = Annotated[int, Field(ge=-2, le=16_384)]
"""A picture's width or height; -1 and -2 follow from the other side."""
