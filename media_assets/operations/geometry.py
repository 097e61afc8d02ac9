"""Operations on the picture's frame: crop, rotate, flip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from media_assets.errors import BadInput
from media_assets.media.graph import Stream
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture, cropped, even
from media_assets.operations.colors import Color, opaque
from media_assets.operations.conform import square
from media_assets.operations.parameters import Parameters
from media_assets.operations.placing import Aspect

_Side = Annotated[int, Field(ge=2, le=16_384)]
_Place = Annotated[int, Field(ge=0, le=16_384)] | Literal["center"]


class CropParameters(Parameters):
    """The part that is kept, in pixels of the upright picture: its left upper corner and its size.

    A place left out is the middle, a side left out the whole of it. Or `aspect`: the largest part of that
    shape. Places and sides are brought down to even numbers of pixels.
    """

    x: _Place = "center"
    y: _Place = "center"
    width: _Side | None = None
    height: _Side | None = None
    aspect: Aspect | None = None

    @model_validator(mode="after")
    def _some_size(self) -> CropParameters:
        sides = self.width is not None or self.height is not None
        if sides == (self.aspect is not None):
            raise ValueError("give width and height, or aspect")
        return self


class Crop(PictureOperation[CropParameters]):
    """Keeps a rectangle of the picture."""

    name = "crop"
    example = {"aspect": "1:1"}
    summary = "Keep a part of the picture: a rectangle in pixels, or the largest of a shape."
    parameters = CropParameters
    timeless = True
    megapixels_per_second = 6000.0

    def expect(self, clips: Sequence[Clip], parameters: CropParameters) -> Clip:
        """The same, in the part's size."""
        (clip,) = clips
        picture = clip.delivered.picture
        if picture is None or clip.picture is None:
            return clip.delivered
        _, _, width, height = _part(clip.picture, parameters)
        return replace(clip.delivered, picture=replace(picture, width=width, height=height))

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: CropParameters) -> Stream:
        """Crop."""
        x, y, width, height = _part(clip.picture or picture, parameters)
        return video.filter("crop", width, height, x, y)


def _part(picture: Picture, parameters: CropParameters) -> tuple[int, int, int, int]:
    """Left, top, width and height of the part, even numbers of pixels."""
    width, height = parameters.width or picture.width, parameters.height or picture.height
    if parameters.aspect is not None:
        ratio = parameters.aspect / picture.sar
        width = min(picture.width, round(picture.height * ratio))
        height = min(picture.height, round(picture.width / ratio))
    x, width = _along("x", parameters.x, width, picture.width)
    y, height = _along("y", parameters.y, height, picture.height)
    return x, y, width, height


def _along(name: str, place: int | str, length: int, whole: int) -> tuple[int, int]:
    side = "width" if name == "x" else "height"
    start = 0 if isinstance(place, str) else place
    if start + length > whole:
        where = f"{name} {start} + " if start else ""
        raise BadInput(f"{where}{side} {length} reaches beyond the picture's {side} of {whole}")
    length = cropped(length)
    if isinstance(place, str):
        start = (cropped(whole) - length) // 2
    return min(start, cropped(whole) - length) // 2 * 2, length


class RotateParameters(Parameters):
    """Degrees clockwise, and the colour of the corners that become free (none where the picture has alpha).

    expand: the frame grows so that all of the picture is seen; without it the frame keeps its size.
    """

    angle: Annotated[float, Field(ge=-360, le=360)] = 90.0
    expand: bool = True
    fill: Color | None = None


class Rotate(PictureOperation[RotateParameters]):
    """Turns the picture; quarter turns move pixels and change none."""

    name = "rotate"
    example = {"angle": 90}
    summary = "Turn the picture clockwise by any angle; quarter turns are without loss."
    parameters = RotateParameters
    timeless = True
    megapixels_per_second = 100.0

    def expect(self, clips: Sequence[Clip], parameters: RotateParameters) -> Clip:
        """The same, in the turned size."""
        clip = clips[0].delivered
        if clip.picture is None:
            return clip
        return replace(clip, picture=_turned(clip.picture, parameters))

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: RotateParameters) -> Stream:
        """Transpose for quarter turns, else rotate."""
        angle = parameters.angle % 360
        if _by_quarters(picture, parameters):
            quarters = {0: [], 90: ["clock"], 180: ["clock", "clock"], 270: ["cclock"]}[int(angle)]
            for way in quarters:
                video = video.filter("transpose", way)
            return video
        result = _turned(picture, parameters)
        fill = parameters.fill or ("#00000000" if picture.alpha else "#000000")
        video = square(video).filter("format", picture.pixel_format)
        return video.filter(
            "rotate",
            f"{math.radians(angle):.9f}",
            ow=result.width,
            oh=result.height,
            fillcolor=fill if picture.alpha else opaque(fill),
        )


def _by_quarters(picture: Picture, parameters: RotateParameters) -> bool:
    angle = parameters.angle % 360
    return angle % 180 == 0 or (angle % 90 == 0 and parameters.expand)


def _turned(picture: Picture, parameters: RotateParameters) -> Picture:
    if _by_quarters(picture, parameters):
        if parameters.angle % 180 == 0:
            return picture
        return replace(picture, width=picture.height, height=picture.width, sar=1 / picture.sar)
    width, height = picture.square
    if parameters.expand:
        angle = math.radians(parameters.angle)
        across, up = abs(math.cos(angle)), abs(math.sin(angle))
        width, height = even(width * across + height * up), even(width * up + height * across)
    return replace(picture, width=width, height=height, sar=Fraction(1))


class FlipParameters(Parameters):
    """The way the picture is mirrored: left and right, or top and bottom, change places."""

    direction: Literal["horizontal", "vertical"] = "horizontal"


class Flip(PictureOperation[FlipParameters]):
    """Mirrors the picture."""

    name = "flip"
    aliases = ("mirror",)
    example = {"direction": "horizontal"}
    summary = "Mirror the picture: left and right, or top and bottom, change places."
    parameters = FlipParameters
    timeless = True
    megapixels_per_second = 4000.0

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: FlipParameters) -> Stream:
        """Hflip or vflip."""
        return video.filter("hflip" if parameters.direction == "horizontal" else "vflip")
