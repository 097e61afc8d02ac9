"""stabilize: a shaking picture made calm, in two passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, even_sides
from media_assets.operations.parameters import Parameters


class StabilizeParameters(Parameters):
    """How calm, and what becomes of the borders.

    smoothing: seconds over which the camera's path is smoothed. shakiness: how far pictures jump,
    from 1 (little) to 10. zoom: `fixed` enlarges so far that borders stay out of sight, `adaptive` as
    far as each moment needs, `none` shows them: `keep` of older pictures, or `black`.
    """

    smoothing: Annotated[float, Field(gt=0, le=10)] = 0.5
    shakiness: Annotated[int, Field(ge=1, le=10)] = 5
    zoom: Literal["fixed", "adaptive", "none"] = "fixed"
    borders: Literal["keep", "black"] = "keep"


class Stabilize(Operation[StabilizeParameters]):
    """vid.stab: one pass finds how the camera moves, the next moves the pictures against it."""

    name = "stabilize"
    aliases = ("stabilise", "vidstab")
    example = {"shakiness": 5}
    summary = "Calm a shaking picture, in two passes: the camera's path is measured, then smoothed."
    parameters = StabilizeParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))
    measures = "video"
    megapixels_per_second = 35.0

    def expect(self, clips: Sequence[Clip], parameters: StabilizeParameters) -> Clip:
        """The same streams."""
        return clips[0].delivered

    def measuring(
        self, media: Media, clips: Sequence[Clip], parameters: StabilizeParameters, scratch: Path
    ) -> Stream:
        """The picture through vidstabdetect, which writes `scratch`."""
        picture = clips[0].picture
        if media.video is None or picture is None:
            raise ValueError("stabilize was given no picture to measure")
        video = even_sides(media.video, picture).filter("format", picture.pixel_format)
        return video.filter(
            "vidstabdetect", result=str(scratch), shakiness=parameters.shakiness, fileformat="binary"
        )

    def measured(self, log: Sequence[str], scratch: Path) -> dict[str, Any]:
        """Where the camera's path is written."""
        return {"input": scratch}

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: StabilizeParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Apply the path; the sound passes by."""
        source, picture = media[0], clips[0].picture
        video = source.video
        if video is not None and picture is not None:
            video = even_sides(video, picture).filter("format", picture.pixel_format)
            if measured:
                video = video.filter(
                    "vidstabtransform",
                    input=str(measured["input"]),
                    smoothing=max(1, round(parameters.smoothing * picture.fps)),
                    optzoom={"none": 0, "fixed": 1, "adaptive": 2}[parameters.zoom],
                    crop=parameters.borders,
                    interpol="bicubic",
                )
            video = video.filter("format", picture.pixel_format)
        return Media(video, source.audio, source.offset)
