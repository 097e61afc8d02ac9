"""mix: several sounds at once; the others can give way while the first one sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field

from media_assets.errors import BadInput
from media_assets.media.graph import Stream, filter_streams
from media_assets.media.loudness import limited
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, as_stereo
from media_assets.operations.conform import JOINED_SOUND
from media_assets.operations.fitting import Gain, amplified, fitted, shown_for
from media_assets.operations.parameters import Parameters

_Weight = Annotated[float, Field(ge=0, le=10)]

_CHUNK = 1024


class MixParameters(Parameters):
    """How loud each sound is, whether the others give way to the first, and how long the result is.

    Attributes of the levels: `gains` are decibels for each input in turn; `main_weight` (the first input)
    and `bg_weight` (the others) are factors, 0.5 being 6 dB quieter; `true_peak` is the ceiling (dBTP).
    With `ducking` the others get quieter while the first is louder than `ducking_threshold` (dB), by
    `ratio`, within `attack` and back within `release` (milliseconds). `duration` is that of the first
    input, or the longest or shortest one; what ends before it is followed by silence, or starts over
    (`when_short`: `loop`), and the last frame of a picture stays.
    """

    mode: Literal["mix", "ducking"] = "mix"
    gains: tuple[Gain, ...] = ()
    main_weight: _Weight = 1.0
    bg_weight: _Weight = 1.0
    ducking_threshold: Annotated[
        float,
        Field(ge=-60, le=0, validation_alias=AliasChoices("ducking_threshold", "threshold")),
    ] = -30.0
    ratio: Annotated[float, Field(ge=1, le=20)] = 8.0
    attack: Annotated[float, Field(ge=0.01, le=2000)] = 20.0
    release: Annotated[float, Field(ge=0.01, le=9000)] = 400.0
    duration: Literal["first", "longest", "shortest"] = "first"
    when_short: Literal["silence", "loop"] = "silence"
    true_peak: Annotated[float, Field(ge=-9, le=0)] = -1.0


class Mix(Operation[MixParameters]):
    """The sounds added up, none turned down for it; a limiter holds what would clip."""

    name = "mix"
    aliases = ("mix_audio", "audio_mix", "amix")
    example = {"mode": "ducking", "main_weight": 1.0, "bg_weight": 0.3, "ducking_threshold": -20}
    summary = "Mix sounds under the first input's picture, if it has one; music can give way to speech."
    parameters = MixParameters
    takes = InputRule(minimum=2, maximum=None, needs=frozenset({"audio"}))
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: MixParameters) -> Clip:
        """The first input's picture, stereo."""
        if len(parameters.gains) > len(clips):
            raise BadInput(f"there are {len(parameters.gains)} gains for {len(clips)} inputs")
        return replace(clips[0].delivered, duration=_seconds(clips, parameters), sound=JOINED_SOUND)

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: MixParameters
    ) -> tuple[bool, bool]:
        """The picture of the first, the sound of all."""
        return video and index == 0, audio

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: MixParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Bring all to one length, duck, add up, limit."""
        first, seconds = clips[0], _seconds(clips, parameters)
        video = media[0].video
        if video is not None and first.picture is not None:
            video = shown_for(video, first.picture, first.duration or 0.0, seconds)
        audio = None
        sounds = [
            _levelled(source.audio, clip, index, seconds, parameters)
            for index, (source, clip) in enumerate(zip(media, clips, strict=True))
            if source.audio is not None
        ]
        if sounds:
            if parameters.mode == "ducking":
                sounds = _ducked(sounds[0], _summed(sounds[1:]), parameters)
            audio = limited(_summed(sounds), parameters.true_peak, SOUND_RATE)
            audio = as_stereo(audio, SOUND_RATE)
        return Media(video, audio, media[0].offset)


def _seconds(clips: Sequence[Clip], parameters: MixParameters) -> float:
    lengths = [clip.duration or 0.0 for clip in clips]
    chosen = {"first": lengths[0], "longest": max(lengths), "shortest": min(lengths)}
    return chosen[parameters.duration]


def _levelled(audio: Stream, clip: Clip, index: int, seconds: float, parameters: MixParameters) -> Stream:
    weight = parameters.main_weight if index == 0 else parameters.bg_weight
    audio = fitted(audio, clip.duration or 0.0, seconds, loop=parameters.when_short == "loop")
    if index < len(parameters.gains):
        audio = amplified(audio, parameters.gains[index])
    return audio.filter("volume", f"{weight:.6f}") if weight != 1 else audio


def _ducked(main: Stream, others: Stream, parameters: MixParameters) -> list[Stream]:
    heard, key = main.split(2, audio=True)
    # The compressor's result depends on how many samples come at a time, and that on what arrives when.
    even = [stream.filter("asetnsamples", _CHUNK, p=0) for stream in (others, key)]
    quieter = filter_streams(
        even,
        "sidechaincompress",
        threshold=f"{10 ** (parameters.ducking_threshold / 20):.6f}",
        ratio=parameters.ratio,
        attack=parameters.attack,
        release=parameters.release,
    )
    return [heard, quieter]


def _summed(sounds: Sequence[Stream]) -> Stream:
    if len(sounds) == 1:
        return sounds[0]
    return filter_streams(sounds, "amix", inputs=len(sounds), normalize=0)
