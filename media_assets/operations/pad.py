"""pad: the whole picture in a frame of another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from media_assets.media.graph import Stream
from media_assets.operations.base import PICTURES, InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, even
from media_assets.operations.colors import Color, opaque
from media_assets.operations.conform import fit, square
from media_assets.operations.parameters import Parameters
from media_assets.operations.placing import Aspect, laid_over

_Side = Annotated[int, Field(ge=2, le=16_384)]
# The background is blurred in small, where the same blur costs less: this many pixels a pixel.
_COARSE = 8


class PadParameters(Parameters):
    """The frame: width and height in pixels (the picture is scaled to go in), or `aspect` (it is not).

    `fill` is what is seen around it: a colour, or `blur` for the picture itself, enlarged and blurred; by
    default black, or nothing where the picture has transparency. `blur` says how strongly, as a fraction
    of the frame's height.
    """

    width: _Side | None = None
    height: _Side | None = None
    aspect: Aspect | None = None
    fill: Color | Literal["blur"] | None = None
    blur: Annotated[float, Field(gt=0, le=0.2)] = 0.03

    @model_validator(mode="after")
    def _some_frame(self) -> PadParameters:
        sides = (self.width is not None, self.height is not None)
        if sides not in ((True, True), (False, False)) or sides[0] == (self.aspect is not None):
            raise ValueError("give width and height, or aspect")
        return self


class Pad(Operation[PadParameters]):
    """Nothing of the picture is cut off, and its shape is kept."""

    name = "pad"
    aliases = ("fit",)
    example = {"aspect": "9:16", "fill": "blur"}
    summary = "Put the whole picture into a frame of another shape; around it a colour, or itself blurred."
    parameters = PadParameters
    takes = InputRule(kinds=PICTURES, needs=frozenset({"video"}))
    timeless = True
    megapixels_per_second = 1000.0

    def expect(self, clips: Sequence[Clip], parameters: PadParameters) -> Clip:
        """The same in the frame's size, with square pixels."""
        clip = clips[0]
        return replace(clip.delivered, picture=_frame(clip.picture, parameters) if clip.picture else None)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: PadParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Scale and pad, or lay it over its blurred self."""
        source, picture = media[0], clips[0].picture
        video = source.video
        if video is not None and picture is not None:
            frame = _frame(picture, parameters)
            if parameters.fill == "blur":
                video = _over_itself(video, frame, parameters.blur)
            else:
                color = parameters.fill if frame.alpha or not parameters.fill else opaque(parameters.fill)
                video = fit(video, frame, color=color)
            video = video.filter("format", frame.pixel_format)
        return Media(video, source.audio, source.offset)


def _frame(picture: Picture, parameters: PadParameters) -> Picture:
    """The frame's picture: of the size asked for, or the smallest of that shape that holds the picture."""
    if parameters.aspect is None:
        width, height = even(parameters.width or 2), even(parameters.height or 2)
    else:
        width, height = picture.square
        width = max(width, even(height * parameters.aspect))
        height = max(height, even(width / parameters.aspect))
    return Picture(width, height, picture.fps, alpha=picture.alpha)


def _over_itself(video: Stream, frame: Picture, blur: float) -> Stream:
    width, height = frame.width, frame.height
    front, back = square(video).filter("format", frame.pixel_format).split(2, audio=False)
    small = even(width / _COARSE), even(height / _COARSE)
    back = back.filter("scale", *small, force_original_aspect_ratio="increase", flags="area")
    back = back.filter("crop", *small).filter("gblur", sigma=f"{max(0.5, blur * small[1]):.3f}", steps=3)
    back = back.filter("scale", width, height, flags="bicubic").filter("setsar", 1)
    front = front.filter(
        "scale", width, height, force_original_aspect_ratio="decrease", force_divisible_by=2
    )
    front = front.filter("setsar", 1)
    return laid_over(back, front, frame, "(W-w)/2", "(H-h)/2")
