"""image_to_video: a still that lasts, and that the camera may move over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from media_assets.media.graph import Stream
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, even
from media_assets.operations.conform import fit, frames_seconds, square
from media_assets.operations.parameters import Duration, Parameters
from media_assets.operations.timing import Rate

_Side = Annotated[int, Field(ge=2, le=16_384)]
_Zoom = Annotated[float, Field(ge=1, le=10)]


class ImageToVideoParameters(Parameters):
    """How long (seconds), pictures a second, and the size (by default the still's own, even).

    fit: how a still of another shape goes in: `pad` with black, or `crop`. zoom: how many times larger
    the still is at the end, zoom_start: at the start. pan: where to the camera moves over the part that a
    zoom leaves out of sight.
    """

    duration: Annotated[Duration, Field(gt=0)] = 5.0
    fps: Rate = Field(default=25, validate_default=True)
    width: _Side | None = None
    height: _Side | None = None
    fit: Literal["pad", "crop"] = "pad"
    zoom: _Zoom = 1.0
    zoom_start: _Zoom = 1.0
    pan: Literal["none", "left", "right", "up", "down"] = "none"

    @model_validator(mode="after")
    def _room_to_pan(self) -> ImageToVideoParameters:
        if self.pan != "none" and self.zoom == self.zoom_start == 1:
            raise ValueError("a pan needs a zoom above 1: all of the still is in sight")
        return self


class ImageToVideo(Operation[ImageToVideoParameters]):
    """Shows a still again and again; zoom and pan are finer than a pixel, so nothing jerks."""

    name = "image_to_video"
    aliases = ("still_to_video",)
    example = {"duration": "1s", "fps": 10, "zoom": 1.2}
    summary = "A silent video of a still; the camera may zoom and pan over it."
    parameters = ImageToVideoParameters
    takes = InputRule(kinds=frozenset({"image"}), needs=frozenset({"video"}))
    megapixels_per_second = 65.0

    def expect(self, clips: Sequence[Clip], parameters: ImageToVideoParameters) -> Clip:
        """A video of whole pictures, with square pixels."""
        picture = _picture(clips[0], parameters)
        return Clip("video", frames_seconds(parameters.duration, picture), picture)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ImageToVideoParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Bring it to size once, then repeat it."""
        video = media[0].video
        if video is None:
            return Media(None, None)
        picture = _picture(clips[0], parameters)
        count = round(frames_seconds(parameters.duration, picture) * picture.fps)
        if parameters.fit == "crop":
            video = square(video).filter(
                "scale", picture.width, picture.height, force_original_aspect_ratio="increase"
            )
            video = video.filter("crop", picture.width, picture.height).filter("setsar", 1)
        else:
            video = fit(video, picture)
        video = video.filter("format", picture.pixel_format)
        video = video.filter("loop", loop=count - 1, size=1).filter("settb", f"1/({picture.fps})")
        video = video.filter("setpts", "N").filter("fps", str(picture.fps))
        if parameters.zoom != 1 or parameters.zoom_start != 1:
            video = _moved(video, parameters, count)
        return Media(video.filter("format", picture.pixel_format), None)


def _picture(clip: Clip, parameters: ImageToVideoParameters) -> Picture:
    """The video's picture; a side left out follows from the other."""
    old = clip.picture or Picture(2, 2, parameters.fps)
    width, height = old.square
    if parameters.width and parameters.height:
        width, height = even(parameters.width), even(parameters.height)
    elif parameters.width:
        width, height = even(parameters.width), even(parameters.width * height / width)
    elif parameters.height:
        width, height = even(parameters.height * width / height), even(parameters.height)
    return Picture(width, height, parameters.fps, alpha=old.alpha)


def _moved(video: Stream, parameters: ImageToVideoParameters, count: int) -> Stream:
    """The part of the picture that the camera sees: its corners are given for each picture."""
    # Evenly timed on a scale of ratios: each picture is larger than the last by the same factor.
    ratio = parameters.zoom / parameters.zoom_start
    done = f"(on/{max(1, count - 1)})"
    part = f"(1/({parameters.zoom_start}*pow({ratio:.9f},{done})))"
    way = {"left": f"(1-{done})", "right": done, "up": f"(1-{done})", "down": done, "none": "0.5"}[
        parameters.pan
    ]
    x = f"(1-{part})*{way if parameters.pan in ('left', 'right') else '0.5'}"
    y = f"(1-{part})*{way if parameters.pan in ('up', 'down') else '0.5'}"
    left, top, right, bottom = f"W*{x}", f"H*{y}", f"W*({x}+{part})", f"H*({y}+{part})"
    corners = {"x0": left, "y0": top, "x1": right, "y1": top}
    corners |= {"x2": left, "y2": bottom, "x3": right, "y3": bottom}
    return video.filter("perspective", **corners, interpolation="cubic", sense="source", eval="frame")
