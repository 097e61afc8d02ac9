"""Two pictures that overlap in time: their parts, and masks that change from one to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from media_assets.media.graph import Stream, concatenate
from media_assets.operations.clip import Picture, even

_HARD = 0.002
"""Width of an edge that is meant to have none, as a share of its way."""
_DRAWN_PIXELS = 800


@dataclass(frozen=True)
class Overlap:
    """Where two clips meet, in pictures: the first's number, the second's, and how many they share."""

    first: int
    second: int
    shared: int


def parted(
    first: Stream, second: Stream, overlap: Overlap, merged: int | None = None
) -> tuple[Stream, Stream, Stream, Stream | None]:
    """The first alone, both parts that meet, and the second alone.

    Args:
        merged: how many pictures of the second meet the first: its last one stands for as long as
            needed. The pictures that are shared where none is given. All of the second leave none alone.
    """
    count = overlap.shared if merged is None else merged
    begin = overlap.first - overlap.shared
    before, old = first.split(2, audio=False)
    before = before.filter("trim", end_frame=begin)
    old = _from_zero(old.filter("trim", start_frame=begin))
    if count > overlap.shared:
        old = old.filter("tpad", stop_mode="clone", stop=count - overlap.shared)
    if count == overlap.second:
        return before, old, second, None
    new, after = second.split(2, audio=False)
    return (
        before,
        old,
        new.filter("trim", end_frame=count),
        _from_zero(after.filter("trim", start_frame=count)),
    )


def rejoined(before: Stream, mixed: Stream, after: Stream | None) -> Stream:
    """The parts end to end."""
    parts = [before, mixed] if after is None else [before, mixed, after]
    return concatenate([[part] for part in parts], video=True, audio=False)[0]


def levels(form: Stream, picture: Picture, level: str) -> Stream:
    """A mask for each picture of `form`: an even grey of `level`, an expression of `N`, 0…1."""
    # Drawn small, as expressions are slow.
    mask = form.filter("scale", 16, 16, flags="neighbor").filter("geq", **_planes(level, picture))
    mask = mask.filter("scale", picture.width, picture.height, flags="neighbor")
    return mask.filter("setsar", 1).filter("format", picture.pixel_format)


def moving_edge(form: Stream, picture: Picture, degrees: float, softness: float, count: int) -> Stream:
    """`count` masks, white behind an edge that runs over the picture.

    The edge is drawn once, on a canvas longer than the picture, and a window moves along it.

    Args:
        form: a picture of the same size and rate.
        degrees: which way it runs, clockwise from rightwards.
        softness: its width as a share of its way.
    """
    across, down = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    width, height = picture.width, picture.height
    sideways = abs(across) >= abs(down)
    soft = max(softness, _HARD)
    way = width * abs(across) + height * abs(down)
    speed = (across if sideways else down) / way
    travel = (1 + soft) / abs(speed)
    canvas = (even(width + travel + 2), height) if sideways else (width, even(height + travel + 2))
    # How far a point lies beyond the picture's first corner on the edge's way, in shares of it.
    first = (min(0.0, width * across) + min(0.0, height * down)) / way + (1 + soft if speed > 0 else 0)
    point = f"{canvas[0] * across / way:.8f}*(X+0.5)/W+{canvas[1] * down / way:.8f}*(Y+0.5)/H-{first:.8f}"
    mask = form.filter("trim", end_frame=1).filter("scale", *_drawn(canvas, across, down), flags="neighbor")
    mask = mask.filter("geq", **_planes(f"clip(-({point})/{soft:.6f},0,1)", picture))
    mask = mask.filter("scale", *canvas, flags="bilinear")
    mask = mask.filter("loop", loop=count - 1, size=1)
    mask = mask.filter("setpts", f"N*{picture.fps.denominator}/{picture.fps.numerator}/TB")
    done = f"(n+0.5)/{count}"
    moved = f"{travel:.6f}*" + (f"(1-{done})" if speed > 0 else done)
    x, y = (moved, "0") if sideways else ("0", moved)
    mask = mask.filter("crop", width, height, x, y)
    return mask.filter("setsar", 1).filter("format", picture.pixel_format)


def _drawn(canvas: tuple[int, int], across: float, down: float) -> tuple[int, int]:
    """How large an edge is drawn before it is enlarged: expressions are slow."""
    width, height = canvas
    if abs(across * down) < 1e-6:
        return (width, 2) if abs(down) < abs(across) else (2, height)
    smaller = min(1.0, _DRAWN_PIXELS / max(canvas))
    return even(width * smaller), even(height * smaller)


def _planes(level: str, picture: Picture) -> dict[str, str]:
    """The same level (0…1) in every plane."""
    drawn = f"255*({level})+0.5"
    return dict.fromkeys(("lum", "cb", "cr", *(("a",) if picture.alpha else ())), drawn)


def _from_zero(video: Stream) -> Stream:
    return video.filter("setpts", "PTS-STARTPTS")
