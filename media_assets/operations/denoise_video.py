"""denoise_video: less noise in the picture."""

from __future__ import annotations

from typing import Literal

from media_assets.media.graph import Stream
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.grading import Share, opaque_part
from media_assets.operations.parameters import Parameters


class DenoiseVideoParameters(Parameters):
    """How strongly (0 leaves the picture as it is), and by which filter.

    `hqdn3d` is fast and works across pictures; `nlmeans` keeps more detail and is a hundred times slower.
    """

    strength: Share = 0.4
    method: Literal["hqdn3d", "nlmeans"] = "hqdn3d"


class DenoiseVideo(PictureOperation[DenoiseVideoParameters]):
    """Smooths what changes at random."""

    name = "denoise_video"
    aliases = ("denoise", "denoise_picture")
    example = {"strength": 0.5}
    summary = "Take noise and grain out of the picture."
    parameters = DenoiseVideoParameters
    megapixels_per_second = 260

    def apply(
        self, video: Stream, picture: Picture, clip: Clip, parameters: DenoiseVideoParameters
    ) -> Stream:
        """The filter's own scale from its weakest to twice or three times its usual strength."""
        if parameters.strength == 0:
            return video

        def smoothed(stream: Stream) -> Stream:
            if parameters.method == "nlmeans":
                return stream.filter("nlmeans", s=1 + 9 * parameters.strength, p=5, r=9)
            luma = 10 * parameters.strength
            return stream.filter("hqdn3d", luma, luma * 0.75, luma * 1.5, luma * 1.125)

        return opaque_part(video, picture, smoothed)
