"""resize: another picture size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

from pydantic import model_validator

from media_assets.media.graph import Option, Stream
from media_assets.operations.base import PICTURES, InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, even
from media_assets.operations.conform import fit, square
from media_assets.operations.parameters import Parameters, Pixels


class ResizeParameters(Parameters):
    """The new size in pixels; a side left out, -1 or -2 follows from the other."""

    width: Pixels = -2
    height: Pixels = -2
    fit: Literal["pad", "crop", "stretch"] = "pad"
    algorithm: Literal["bilinear", "bicubic", "lanczos", "spline", "area", "neighbor"] = "bicubic"

    @model_validator(mode="after")
    def _some_side(self) -> ResizeParameters:
        if self.width <= 0 and self.height <= 0:
            raise ValueError("give width, height, or both")
        if 0 in (self.width, self.height):
            raise ValueError("a side of 0 pixels has no picture")
        return self


class Resize(Operation[ResizeParameters]):
    """Scales to square pixels and even sides."""

    name = "resize"
    aliases = ("scale",)
    example = {"width": 1280, "height": -2}
    summary = "Scale the picture; where both sides are given, `fit` says how another shape goes in."
    parameters = ResizeParameters
    timeless = True
    takes = InputRule(kinds=PICTURES, needs=frozenset({"video"}))

    def expect(self, clips: Sequence[Clip], parameters: ResizeParameters) -> Clip:
        """The same, in the new size."""
        (clip,) = clips
        picture = clip.picture or Picture(2, 2, Fraction(25))
        return replace(clip.delivered, picture=scaled(picture, parameters))

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ResizeParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Scale; the sound passes by."""
        (source,) = media
        video = rescaled(source.video, clips[0], parameters) if source.video is not None else None
        return Media(video, source.audio, source.offset)


def rescaled(video: Stream, clip: Clip, parameters: ResizeParameters) -> Stream:
    """The picture of `clip` in the size that the parameters ask for, with square pixels."""
    picture = scaled(clip.picture or Picture(2, 2, Fraction(25)), parameters)
    width, height = picture.width, picture.height
    scaling: dict[str, Option] = {"flags": parameters.algorithm}
    # With one side given the other follows; its rounding to even must not show as a border.
    kept = min(parameters.width, parameters.height) < 0
    if parameters.fit == "pad" and not kept:
        return fit(video, picture, flags=parameters.algorithm)
    if parameters.fit == "crop" and not kept:
        scaling["force_original_aspect_ratio"] = "increase"
        video = square(video).filter("scale", width, height, **scaling).filter("crop", width, height)
    else:
        video = video.filter("scale", width, height, **scaling)
    return video.filter("setsar", 1).filter("format", picture.pixel_format)


def scaled(picture: Picture, parameters: ResizeParameters) -> Picture:
    """The picture in its new size: even sides, square pixels."""
    shape = Fraction(picture.width) * picture.sar / picture.height
    width, height = parameters.width, parameters.height
    if width <= 0:
        size = even(height * shape), even(height)
    elif height <= 0:
        size = even(width), even(width / shape)
    else:
        size = even(width), even(height)
    return Picture(*size, picture.fps, alpha=picture.alpha)
