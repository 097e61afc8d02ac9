"""Sound taken out of a clip: extract_audio, to_mp3."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

from media_assets.media.encode import Profile, profile
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Sound, stereo
from media_assets.operations.fitting import mono
from media_assets.operations.parameters import Parameters


class ChannelsParameters(Parameters):
    """How many channels the sound gets: 1 (mono) or 2 (stereo)."""

    channels: Literal[1, 2] = 2


C = TypeVar("C", bound=ChannelsParameters)


class SoundOnly(Operation[C]):
    """What leaves the picture away. A subclass says how the sound is written."""

    takes = InputRule(needs=frozenset({"audio"}))
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: C) -> Clip:
        """Sound only, in stereo or mono at 48 kHz."""
        return Clip("audio", clips[0].duration, None, Sound(SOUND_RATE, parameters.channels))

    def build(
        self, media: Sequence[Media], clips: Sequence[Clip], parameters: C, measured: Mapping[str, Any]
    ) -> Media:
        """Mix down; what is mono already keeps its level."""
        audio = media[0].audio
        if audio is not None:
            one = parameters.channels == 1
            audio = mono(audio, clips[0], SOUND_RATE) if one else stereo(audio, SOUND_RATE)
        return Media(None, audio, media[0].offset)

    @abstractmethod
    def encoding(self, result: Clip, parameters: C) -> Profile:
        """The format of the sound."""


class ExtractAudioParameters(ChannelsParameters):
    """The format of the sound, and how many channels it gets: 1 (mono) or 2 (stereo)."""

    format: Literal["aac", "mp3", "opus", "flac", "wav"] = "aac"


class ExtractAudio(SoundOnly[ExtractAudioParameters]):
    """Keeps the sound."""

    name = "extract_audio"
    example = {"format": "opus"}
    summary = "The sound of a clip as a file of its own."
    parameters = ExtractAudioParameters

    def encoding(self, result: Clip, parameters: ExtractAudioParameters) -> Profile:
        """As `format` says."""
        return profile(parameters.format)


class ToMp3Parameters(ChannelsParameters):
    """The bit rate of the MP3, and how many channels it gets: 1 (mono) or 2 (stereo)."""

    bitrate: Literal["96k", "128k", "160k", "192k", "256k", "320k"] = "192k"


class ToMp3(SoundOnly[ToMp3Parameters]):
    """An MP3 of the sound."""

    name = "to_mp3"
    example = {"bitrate": "128k"}
    summary = "The sound as an MP3 of constant bit rate."
    parameters = ToMp3Parameters

    def encoding(self, result: Clip, parameters: ToMp3Parameters) -> Profile:
        """MP3 at `bitrate`."""
        mp3 = profile("mp3")
        return replace(mp3, audio={"c:a": "libmp3lame", "b:a": parameters.bitrate, "threads:a": 1})
