"""denoise_audio: less hiss and hum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.base import SoundOperation
from media_assets.operations.clip import Clip
from media_assets.operations.parameters import Parameters


class DenoiseAudioParameters(Parameters):
    """How much noise is taken away, and how loud it is.

    `strength` is the reduction in decibels: 6 is light, 12 usual, 24 strong (voices begin to sound hollow).
    `noise_floor` is the level of the noise (dB): raise it where the noise is louder.
    """

    strength: Annotated[float, Field(ge=0.01, le=97)] = 12.0
    noise_floor: Annotated[float, Field(ge=-80, le=-20)] = -45.0


class DenoiseAudio(SoundOperation[DenoiseAudioParameters]):
    """ffmpeg's afftdn, which weighs each band of the spectrum against the noise.

    Its own tracking of the noise is left off: with it, little of the noise goes.
    """

    name = "denoise_audio"
    aliases = ("denoise_sound", "audio_denoise", "afftdn")
    version = "2"
    example = {"strength": 12}
    summary = "Take steady noise (hiss, hum, fans) out of the sound."
    parameters = DenoiseAudioParameters
    megapixels_per_second = 3_000.0

    def apply(
        self, audio: Stream, clip: Clip, parameters: DenoiseAudioParameters, measured: Mapping[str, Any]
    ) -> Stream:
        """Filter with that noise floor."""
        return audio.filter(
            "afftdn", noise_reduction=parameters.strength, noise_floor=parameters.noise_floor
        )
