"""Fills a frame with a part of a picture: cropped, panned over, zoomed into.

The part is a rectangle of the frame's shape, as large as the picture allows, divided by the zoom. While it
moves, pictures are sampled between pixels: cut at whole pixels, a slow movement would tremble.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from media_assets.kompositions.segments import Framing
from media_assets.kompositions.shots import Seen
from media_assets.media.graph import Stream
from media_assets.operations.clip import Picture, even

# How much larger than the frame a picture is made before it is sampled.
_LARGEST = 2.0


@dataclass(frozen=True)
class Window:
    """A rectangle of a picture, as fractions of its width and height: upper left corner and size."""

    x: float
    y: float
    width: float
    height: float


def window(framing: Framing, own: Fraction, frame: Picture) -> Window:
    """What a framing shows of a picture, moved so that it lies inside.

    Args:
        own: the picture's width over its height.
        frame: what is filled.
    """
    relative = Fraction(frame.width, frame.height) / own
    width = float(min(Fraction(1), relative)) / framing.zoom
    height = float(min(Fraction(1), 1 / relative)) / framing.zoom
    x = min(max(framing.x - width / 2, 0.0), 1 - width)
    y = min(max(framing.y - height / 2, 0.0), 1 - height)
    return Window(x, y, width, height)


def cropped(picture: Stream, seen: Seen, own: Fraction, frame: Picture) -> Stream:
    """The part that is seen throughout, at the source's own resolution."""
    part = window(seen.start, own, frame)
    return picture.filter(
        "crop",
        f"max(2,round(iw*{part.width:.8f}))",
        f"max(2,round(ih*{part.height:.8f}))",
        f"iw*{part.x:.8f}",
        f"ih*{part.y:.8f}",
    )


def canvas(seen: Seen, own: Fraction, frame: Picture) -> tuple[int, int]:
    """The size in which a picture is held while its window moves: enough for the closest look."""
    parts = [window(framing, own, frame) for framing in (seen.start, seen.end)]
    closest = min(part.width for part in parts)
    widest = max(part.width for part in parts)
    scale = min(frame.width / closest, _LARGEST * frame.width / widest)
    return even(scale), even(scale / float(own))


def moved(picture: Stream, seen: Seen, own: Fraction, frame: Picture) -> Stream:
    """The moving part of a picture that fills `canvas`, as large as the frame.

    Its corners go straight from one framing's to the other's.
    """
    begin, end = (window(framing, own, frame) for framing in (seen.start, seen.end))
    done = f"((on+{seen.first})/{max(1, seen.frames - 1)})"
    if seen.easing == "smooth":
        done = f"({done}*{done}*(3-2*{done}))"

    def between(first: float, last: float, whole: str) -> str:
        return f"{whole}*({first:.8f}+{last - first:.8f}*{done})"

    left, right = between(begin.x, end.x, "W"), between(begin.x + begin.width, end.x + end.width, "W")
    top, bottom = between(begin.y, end.y, "H"), between(begin.y + begin.height, end.y + end.height, "H")
    corners = {"x0": left, "y0": top, "x1": right, "y1": top, "x2": left, "y2": bottom}
    picture = picture.filter(
        "perspective", **corners, x3=right, y3=bottom, sense="source", eval="frame", interpolation="cubic"
    )
    return picture.filter("scale", frame.width, frame.height).filter("setsar", 1)
