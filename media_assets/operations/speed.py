"""speed: faster or slower."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.clip import SOUND_RATE, Clip, as_stereo
from media_assets.operations.conform import lasting, steady
from media_assets.operations.parameters import Parameters
from media_assets.operations.timing import Steady, steady_picture


class SpeedParameters(Parameters):
    """How many times as fast (2 halves the duration); whether voices keep their pitch or follow."""

    factor: Annotated[float, Field(ge=0.1, le=16)]
    pitch: Literal["keep", "follow"] = "keep"


class Speed(Steady):
    """Moves the pictures' times and stretches the sound; pictures a second stay."""

    name = "speed"
    aliases = ("change_speed",)
    example = {"factor": 2}
    summary = "Play faster or slower; the rate of pictures stays, and so does the sound's pitch."
    parameters = SpeedParameters
    megapixels_per_second = 4000.0

    def expect(self, clips: Sequence[Clip], parameters: SpeedParameters) -> Clip:
        """As long as the clip by the factor, in whole pictures."""
        (clip,) = clips
        return self._result(clip, (clip.duration or 0.0) / parameters.factor, steady_picture(clip))

    def _picture(
        self, video: Stream, clip: Clip, fps: Fraction, seconds: float, parameters: SpeedParameters
    ) -> Stream:
        return steady(video.filter("setpts", f"PTS/{parameters.factor}"), fps, seconds)

    def _sound(self, audio: Stream, clip: Clip, seconds: float, parameters: SpeedParameters) -> Stream:
        return lasting(as_stereo(_stretched(audio, parameters), SOUND_RATE), seconds)


def _stretched(audio: Stream, parameters: SpeedParameters) -> Stream:
    factor = parameters.factor
    if factor == 1:
        return audio
    if parameters.pitch == "keep":
        # Two sides that are stretched apart from each other drift: a voice in the middle would wander.
        return audio.filter("rubberband", tempo=factor, channels="together")
    exact = Fraction(str(factor)).limit_denominator(1000)
    return audio.filter("asetrate", round(SOUND_RATE * exact)).filter("aresample", SOUND_RATE)
