"""Sound taken out of a clip: extract_audio, to_mp3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from media_assets.media.encode import Profile, profile
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, stereo
from media_assets.operations.parameters import Parameters

_WITH_SOUND = InputRule(kinds=frozenset({"video", "audio"}), needs=frozenset({"audio"}))


class ExtractAudioParameters(Parameters):
    """The format of the sound."""

    format: Literal["aac", "mp3", "opus", "flac", "wav"] = "aac"


class ExtractAudio(Operation[ExtractAudioParameters]):
    """Keeps the sound, in stereo."""

    name = "extract_audio"
    example = {"format": "opus"}
    summary = "The sound of a clip as a file of its own."
    parameters = ExtractAudioParameters
    takes = _WITH_SOUND

    def expect(self, clips: Sequence[Clip], parameters: ExtractAudioParameters) -> Clip:
        """Sound only."""
        return _sound_only(clips[0])

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ExtractAudioParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Mix down to stereo at 48 kHz."""
        return _stereo_only(media[0])

    def encoding(self, result: Clip, parameters: ExtractAudioParameters) -> Profile:
        """As `format` says."""
        return profile(parameters.format)


class ToMp3Parameters(Parameters):
    """The bit rate of the MP3."""

    bitrate: Literal["96k", "128k", "160k", "192k", "256k", "320k"] = "192k"


class ToMp3(Operation[ToMp3Parameters]):
    """An MP3 of the sound."""

    name = "to_mp3"
    example = {"bitrate": "128k"}
    summary = "The sound as an MP3 of constant bit rate."
    parameters = ToMp3Parameters
    takes = _WITH_SOUND

    def expect(self, clips: Sequence[Clip], parameters: ToMp3Parameters) -> Clip:
        """Sound only."""
        return _sound_only(clips[0])

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ToMp3Parameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Mix down to stereo at 48 kHz."""
        return _stereo_only(media[0])

    def encoding(self, result: Clip, parameters: ToMp3Parameters) -> Profile:
        """MP3 at `bitrate`."""
        mp3 = profile("mp3")
        return replace(mp3, audio={"c:a": "libmp3lame", "b:a": parameters.bitrate, "threads:a": 1})


def _sound_only(clip: Clip) -> Clip:
    sound = replace(clip.sound, rate=SOUND_RATE, channels=2) if clip.sound else None
    return Clip("audio", clip.duration, None, sound)


def _stereo_only(media: Media) -> Media:
    audio = stereo(media.audio, SOUND_RATE) if media.audio is not None else None
    return Media(None, audio, media.offset)
