"""Another sound under a picture: replace_audio, trim_and_replace_audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from media_assets.errors import BadInput
from media_assets.operations.base import SOUNDS, InputRule, Operation, Slot
from media_assets.operations.clip import Clip, Media
from media_assets.operations.conform import JOINED_SOUND
from media_assets.operations.fitting import Gain, amplified, fitted, shown_for
from media_assets.operations.parameters import Duration, Parameters
from media_assets.operations.trim import Trim, TrimParameters

_TRIM = Trim()


class ReplaceAudioParameters(Parameters):
    """Where the new sound begins under the picture, how loud it is, and what is done where it is too short.

    `offset` is in seconds, `gain` in decibels. A sound that ends before the picture is followed by
    `silence`, starts over (`loop`), or ends the picture too (`cut`); a longer one is cut.
    """

    offset: Duration = 0.0
    gain: Gain = 0.0
    when_short: Literal["silence", "loop", "cut"] = "silence"


class ReplaceAudio(Operation[ReplaceAudioParameters]):
    """The picture of the first input, the sound of the second."""

    name = "replace_audio"
    aliases = ("combine", "add_audio")
    example = {"when_short": "loop"}
    summary = "Put another sound under a picture; the result is as long as the picture."
    parameters = ReplaceAudioParameters
    takes = InputRule(
        kinds=frozenset({"video"}),
        needs=frozenset({"video"}),
        slots=(Slot("audio", SOUNDS, frozenset({"audio"}), aliases=("sound", "music", "audio_source")),),
    )
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: ReplaceAudioParameters) -> Clip:
        """The picture with stereo sound."""
        duration = _seconds(clips, parameters)
        return replace(clips[0].delivered, duration=duration, sound=JOINED_SOUND)

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: ReplaceAudioParameters
    ) -> tuple[bool, bool]:
        """The picture of the first, the sound of the second."""
        return (video, False) if index == 0 else (False, audio)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ReplaceAudioParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Bring the new sound to the picture's length; the picture passes by."""
        shown, sound = clips
        video, audio = media[0].video, media[1].audio
        length, seconds = shown.duration or 0.0, _seconds(clips, parameters)
        if video is not None and shown.picture is not None:
            video = shown_for(video, shown.picture, length, seconds)
        if audio is not None:
            loop = parameters.when_short == "loop"
            audio = fitted(audio, sound.duration or 0.0, seconds, loop=loop, offset=parameters.offset)
            audio = amplified(audio, parameters.gain)
        return Media(video, audio, media[0].offset)


class TrimAndReplaceAudioParameters(TrimParameters, ReplaceAudioParameters):
    """The part of the picture (seconds, or timecodes), and how the new sound goes under it.

    `start`, `duration` and `end` are those of `trim`; `offset` (seconds), `gain` (decibels) and
    `when_short` those of `replace_audio`. The sound begins at its own beginning.
    """


class TrimAndReplaceAudio(Operation[TrimAndReplaceAudioParameters]):
    """`trim`, then `replace_audio`."""

    name = "trim_and_replace_audio"
    example = {"start": 0.5, "duration": "1s"}
    summary = "Keep a part of a clip, and put another sound under it."
    parameters = TrimAndReplaceAudioParameters
    takes = ReplaceAudio.takes
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: TrimAndReplaceAudioParameters) -> Clip:
        """The part, with stereo sound."""
        return _REPLACE.expect(_trimmed(clips, parameters), parameters)

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: TrimAndReplaceAudioParameters
    ) -> tuple[bool, bool]:
        """The picture of the first, the sound of the second."""
        return _REPLACE.draws_on(index, video, audio, parameters)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: TrimAndReplaceAudioParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Cut the picture, then bring the new sound to its length."""
        part = _TRIM.build(media[:1], clips[:1], parameters, measured)
        return _REPLACE.build([part, media[1]], _trimmed(clips, parameters), parameters, measured)


_REPLACE = ReplaceAudio()


def _trimmed(clips: Sequence[Clip], parameters: TrimAndReplaceAudioParameters) -> list[Clip]:
    return [_TRIM.expect(clips[:1], parameters), clips[1]]


def _seconds(clips: Sequence[Clip], parameters: ReplaceAudioParameters) -> float:
    """How long the result is."""
    length, sound = (clip.duration or 0.0 for clip in clips)
    if parameters.offset >= length:
        raise BadInput(f"offset {parameters.offset:g} s is beyond the picture's end at {length:.3f} s")
    return min(length, parameters.offset + sound) if parameters.when_short == "cut" else length
