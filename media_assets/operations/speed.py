"""speed: faster or slower."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.base import Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, as_stereo, even_sides, stereo
from media_assets.operations.conform import JOINED_SOUND, frames_seconds, lasting, steady
from media_assets.operations.parameters import Parameters
from media_assets.operations.timing import FINE, steady_picture


class SpeedParameters(Parameters):
    """How many times as fast (2 halves the duration); whether voices keep their pitch or follow."""

    factor: Annotated[float, Field(ge=0.1, le=16)]
    pitch: Literal["keep", "follow"] = "keep"


class Speed(Operation[SpeedParameters]):
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
        picture = steady_picture(clip)
        seconds = frames_seconds((clip.duration or 0.0) / parameters.factor, picture)
        sound = JOINED_SOUND if clip.sound else None
        return replace(clip.delivered, duration=seconds, picture=picture, sound=sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: SpeedParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Both streams end exactly together."""
        source, clip = media[0], clips[0]
        result = self.expect(clips, parameters)
        seconds = result.duration or 0.0
        video = audio = None
        if source.video is not None and clip.picture is not None and result.picture is not None:
            video = even_sides(source.video, clip.picture).filter("settb", FINE)
            video = video.filter("setpts", f"PTS/{parameters.factor}")
            video = steady(video, result.picture.fps, seconds)
            video = video.filter("format", result.picture.pixel_format)
        if source.audio is not None:
            audio = _stretched(stereo(source.audio, SOUND_RATE), parameters)
            audio = lasting(as_stereo(audio, SOUND_RATE), seconds)
        return Media(video, audio)


def _stretched(audio: Stream, parameters: SpeedParameters) -> Stream:
    factor = parameters.factor
    if factor == 1:
        return audio
    if parameters.pitch == "keep":
        # Two sides that are stretched apart from each other drift: a voice in the middle would wander.
        return audio.filter("rubberband", tempo=factor, channels="together")
    exact = Fraction(str(factor)).limit_denominator(1000)
    return audio.filter("asetrate", round(SOUND_RATE * exact)).filter("aresample", SOUND_RATE)
