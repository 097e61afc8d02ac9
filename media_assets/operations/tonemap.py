"""tonemap: how high dynamic range is brought to an ordinary screen."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.parameters import Parameters


class TonemapParameters(Parameters):
    """The curve that brings brightness down, and from where.

    `peak` is the brightest level that keeps its detail, in nits (cd/m²); left out, what the file says,
    or what its kind usually has. `desaturation` takes colour out of what is brighter than white
    (0 for none).
    """

    curve: Literal["hable", "mobius", "reinhard", "clip", "linear", "gamma"] = "hable"
    peak: Annotated[float, Field(ge=100, le=10_000)] | None = None
    desaturation: Annotated[float, Field(ge=0, le=10)] = 0.0


class Tonemap(PictureOperation[TonemapParameters]):
    """Says how its source is opened: every picture is of ordinary range from there on.

    Pictures that never had high dynamic range pass as they are.
    """

    name = "tonemap"
    aliases = ("hdr_to_sdr", "tone_map")
    example = {"curve": "mobius"}
    summary = "Choose how an HDR source is brought to ordinary range; takes the source itself."
    parameters = TonemapParameters
    opens = True
    timeless = True
    megapixels_per_second = 4000

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: TonemapParameters) -> Stream:
        """Done where the source was opened."""
        return video
