"""Where things go in a picture: named places, lengths as fractions or pixels, shapes, stretches of time."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from media_assets.errors import BadInput
from media_assets.media.graph import Option, Stream, filter_streams
from media_assets.operations.clip import TOLERANCE, Clip, Picture
from media_assets.operations.parameters import at

Position = Literal[
    "top_left",
    "top",
    "top_right",
    "left",
    "center",
    "right",
    "bottom_left",
    "bottom",
    "bottom_right",
]
Length = Annotated[float, Field(gt=0, le=16_384)]
"""A length in the picture: a fraction of it up to 1, pixels above."""
Margin = Annotated[float, Field(ge=0, le=16_384)]
"""A distance from the picture's edge: a fraction of its height below 1, pixels from 1 on."""

_SHAPE = re.compile(r"(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)")


def pixels(length: float, whole: int) -> float:
    """A length in pixels, of a picture that is `whole` pixels long that way."""
    return length * whole if length <= 1 else length


def margin_pixels(margin: float, height: int) -> int:
    """A margin in pixels."""
    return round(margin * height if margin < 1 else margin)


def place(position: Position, margin: int, names: tuple[str, str, str, str]) -> tuple[str, str]:
    """Expressions of x and y for a thing at `position`.

    Args:
        margin: pixels from the edges.
        names: what the filter calls the picture's width and height, and the thing's.
    """
    width, height, own_width, own_height = names
    x, y = f"({width}-{own_width})/2", f"({height}-{own_height})/2"
    if "left" in position:
        x = str(margin)
    elif "right" in position:
        x = f"{width}-{own_width}-{margin}"
    if "top" in position:
        y = str(margin)
    elif "bottom" in position:
        y = f"{height}-{own_height}-{margin}"
    return x, y


def shape(value: Any) -> Any:
    """Read an aspect ratio: `16:9`, `9/16`, `2.39:1`, or width over height as a number.

    Raises:
        ValueError: it is none of these, or beyond 1:20 and 20:1.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Fraction)):
        return value
    if isinstance(value, str) and (match := _SHAPE.fullmatch(value.strip())) and float(match[2]):
        found = Fraction(match[1]) / Fraction(match[2])
    else:
        try:
            found = Fraction(str(value).strip())
        except (ValueError, ZeroDivisionError):
            raise ValueError(f"{value!r} is not an aspect ratio such as 16:9") from None
    if not Fraction(1, 20) <= found <= 20:
        raise ValueError(f"{value!r} is not an aspect ratio between 1:20 and 20:1")
    return found


Aspect = Annotated[
    Fraction,
    BeforeValidator(shape, json_schema_input_type=str | float),
    PlainSerializer(lambda ratio: f"{ratio.numerator}:{ratio.denominator}", return_type=str),
    Field(json_schema_extra={"x-type": "Aspect"}),
]
"""A picture's width over its height as shown: `16:9`, `9:16`, `2.39:1`."""


def stretch(
    what: str, clip: Clip, start: float | str, end: float | str | None
) -> tuple[float, float | None] | None:
    """The seconds from which and up to which something is seen; None where it is always.

    Raises:
        BadInput: it would never be seen.
    """
    if clip.duration is None:
        return None
    fps = clip.picture.fps if clip.picture else None
    first, last = at(start, fps), None if end is None else at(end, fps)
    if first >= clip.duration:
        raise BadInput(f"the {what} starts at {first:g} s, after the clip's end at {clip.duration:.3f} s")
    if last is not None and last <= first:
        raise BadInput(f"the {what} ends at {last:g} s, before it starts at {first:g} s")
    return None if not first and last is None else (first, last)


def during(window: tuple[float, float | None]) -> str:
    """ffmpeg's expression for start ≤ t < end; pictures may lie half a millisecond beside their time."""
    first, last = window
    begun = f"gte(t,{first - TOLERANCE:.6f})"
    return begun if last is None else f"{begun}*lt(t,{last - TOLERANCE:.6f})"


def laid_over(back: Stream, front: Stream, picture: Picture, x: str, y: str, **options: Option) -> Stream:
    """`front` on `back` (in the form of `picture`), its upper left corner at x, y; transparency holds."""
    if picture.alpha:
        # The filter's threads read the transparency of rows that others are just changing.
        options["threads"] = 1
    laid = filter_streams([back, front], "overlay", x, y, format="yuv420", **options)
    return laid.filter("format", picture.pixel_format)
