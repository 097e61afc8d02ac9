"""deinterlace: whole pictures from fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from media_assets.errors import BadInput
from media_assets.media.graph import Stream
from media_assets.operations.base import InputRule, PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.parameters import Parameters

# Less than this the filter refuses, in the planes of colour too.
_SMALLEST = (6, 8)


class DeinterlaceParameters(Parameters):
    """One picture for each `frame`, or for each `field`: twice the rate, movement as smooth as filmed.

    field_order: which field was filmed first; `auto` takes the file's word, and top first without it.
    """

    rate: Literal["frame", "field"] = "frame"
    field_order: Literal["auto", "top", "bottom"] = "auto"


class Deinterlace(PictureOperation[DeinterlaceParameters]):
    """ffmpeg's bwdif on every picture, whatever the file says of it."""

    name = "deinterlace"
    aliases = ("bwdif",)
    example = {"rate": "field"}
    summary = (
        "Make whole pictures from interlaced fields, also where the file does not say that it has any."
    )
    parameters = DeinterlaceParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))
    megapixels_per_second = 1000.0

    def expect(self, clips: Sequence[Clip], parameters: DeinterlaceParameters) -> Clip:
        """The same, at twice the rate where fields are asked for."""
        clip = clips[0].delivered
        if clip.picture is None:
            return clip
        if clip.picture.width < _SMALLEST[0] or clip.picture.height < _SMALLEST[1]:
            raise BadInput("a picture must be at least {} by {} pixels to have fields".format(*_SMALLEST))
        times = 2 if parameters.rate == "field" else 1
        return replace(clip, picture=replace(clip.picture, fps=clip.picture.fps * times))

    def apply(
        self, video: Stream, picture: Picture, clip: Clip, parameters: DeinterlaceParameters
    ) -> Stream:
        """Bwdif."""
        orders = {"auto": "auto", "top": "tff", "bottom": "bff"}
        mode = f"send_{parameters.rate}"
        return video.filter("bwdif", mode=mode, parity=orders[parameters.field_order], deint="all")
