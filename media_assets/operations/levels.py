"""How loud sound is, and in how many channels: volume, to_mono."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import AliasChoices, Field

from media_assets.media.graph import Stream
from media_assets.media.loudness import limited
from media_assets.operations.base import InputRule, Operation, SoundOperation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Sound, even_sides, stereo
from media_assets.operations.fitting import Gain, amplified, mono
from media_assets.operations.parameters import Parameters

_CEILING_DB = -1.0


class VolumeParameters(Parameters):
    """The gain in decibels, and whether peaks that it would drive into clipping are held at -1 dBTP."""

    gain: Gain = Field(validation_alias=AliasChoices("gain", "volume", "gain_db", "db"))
    limit: bool = True


class Volume(SoundOperation[VolumeParameters]):
    """A constant gain; only a louder sound needs the limiter."""

    name = "volume"
    aliases = ("gain", "adjust_volume")
    example = {"gain": -6}
    summary = "Make the sound louder or quieter by a number of decibels."
    parameters = VolumeParameters
    megapixels_per_second = 10_000.0

    def apply(
        self, audio: Stream, clip: Clip, parameters: VolumeParameters, measured: Mapping[str, Any]
    ) -> Stream:
        """Apply the gain, then the limiter."""
        audio = amplified(audio, parameters.gain)
        return (
            limited(audio, _CEILING_DB, SOUND_RATE) if parameters.limit and parameters.gain > 0 else audio
        )


class ToMonoParameters(Parameters):
    """Which sound is kept: a mix of all channels, or only the left or right one."""

    channel: Literal["mix", "left", "right"] = "mix"


class ToMono(Operation[ToMonoParameters]):
    """One channel; a microphone that was recorded on one side only is heard in the middle."""

    name = "to_mono"
    aliases = ("mono",)
    example = {"channel": "left"}
    summary = "One channel of sound: all of them mixed, or only the left or right one."
    parameters = ToMonoParameters
    takes = InputRule(needs=frozenset({"audio"}))
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: ToMonoParameters) -> Clip:
        """The same streams, the sound in one channel at 48 kHz."""
        return replace(clips[0].delivered, sound=Sound(SOUND_RATE, 1))

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ToMonoParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Mix down, or pick a side; mono has no sides."""
        source, clip = media[0], clips[0]
        video, audio = source.video, source.audio
        if video is not None and clip.picture is not None:
            video = even_sides(video, clip.picture)
        if audio is not None:
            if parameters.channel != "mix" and clip.sound is not None and clip.sound.channels > 1:
                side = "c0" if parameters.channel == "left" else "c1"
                audio = stereo(audio, SOUND_RATE).filter("pan", f"mono|c0={side}")
                audio = audio.filter("aformat", sample_fmts="fltp", channel_layouts="mono")
            else:
                audio = mono(audio, clip, SOUND_RATE)
        return Media(video, audio, source.offset)
