"""What OpenTimelineIO's objects and our values have in common: times, rates, names, our own metadata."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import opentimelineio as otio

from media_assets.kompositions.values import MAX_FPS

KEY = "media_assets"
"""Under this name our own fields travel in an object's metadata."""
SOLID = "SolidColor"
"""OpenTimelineIO's name of the generator of one colour."""

Lost = list[tuple[str, str]]
"""What the other side does not understand: (place, text)."""


def time_of(seconds: Fraction, rate: Fraction) -> otio.opentime.RationalTime:
    """A time at that rate; whole frames are whole numbers."""
    return otio.opentime.RationalTime(float(seconds * rate), float(rate))


def range_of(start: Fraction, length: Fraction, rate: Fraction) -> otio.opentime.TimeRange:
    """From `start` on, for `length`; both in seconds."""
    return otio.opentime.TimeRange(time_of(start, rate), time_of(length, rate))


def seconds_of(time: otio.opentime.RationalTime) -> Fraction:
    """A time in seconds, with the rate that its number stands for."""
    return Fraction(time.value).limit_denominator(1_000_000) / exact_rate(time.rate)


def exact_rate(rate: float) -> Fraction:
    """The rate that a number of five digits or more stands for: 29.97 is 30000/1001."""
    whole = round(rate)
    if abs(rate - whole) < 1e-6:
        return Fraction(whole or 1)
    slowed = Fraction(round(rate * 1.001) * 1000, 1001)
    if slowed and abs(float(slowed) - rate) < 0.005:
        return slowed
    return Fraction(rate).limit_denominator(1001) or Fraction(1)


def is_frame_rate(rate: Fraction) -> bool:
    """Whether it can be an output's; sound is often timed in samples."""
    return 1 <= rate <= MAX_FPS


def own(item: Any) -> dict[str, Any]:
    """Our own fields of an object; none where it is not from here."""
    found = plain(item.metadata).get(KEY)
    return found if isinstance(found, dict) else {}


def foreign(item: Any) -> list[str]:
    """Names of metadata that is not ours."""
    return [str(name) for name in plain(item.metadata) if name != KEY]


def plain(value: Any) -> Any:
    """OpenTimelineIO's dictionaries and lists as Python's."""
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def url_of(path: str) -> str:
    """A file under the source folder as a relative URL."""
    return quote(path, safe="/")


def path_of(url: str) -> tuple[str, bool]:
    """The path under the source folder that a media reference means, and whether it is all of the URL.

    An absolute path or a URL names a file elsewhere, of which the name is left.
    """
    parts = urlsplit(url)
    path = unquote(parts.path if parts.scheme or parts.netloc else url).replace("\\", "/")
    inside = posixpath.normpath(path) if path else ""
    is_drive = len(parts.scheme) == 1
    outside = bool(parts.scheme or parts.netloc) or inside.startswith(("/", "~", "../")) or inside == ".."
    if is_drive or outside:
        return posixpath.basename(inside), False
    return inside, True
