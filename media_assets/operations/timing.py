"""Operations on time: reverse, freeze_frame, loop, fps. Their pictures come at a constant rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from media_assets.errors import BadInput
from media_assets.media.graph import Stream, concatenate
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import (
    FINE,
    SOUND_RATE,
    TOLERANCE,
    Clip,
    Media,
    Picture,
    even_sides,
    stereo,
)
from media_assets.operations.conform import JOINED_SOUND, frames_seconds, lasting, steady
from media_assets.operations.held import check_held, held_frames
from media_assets.operations.parameters import Duration, Parameters, Timecode, at

_FASTEST = Fraction(60)
_NAMED_RATES = {
    "film": Fraction(24),
    "pal": Fraction(25),
    "ntsc": Fraction(30_000, 1001),
    "23.976": Fraction(24_000, 1001),
    "23.98": Fraction(24_000, 1001),
    "29.97": Fraction(30_000, 1001),
    "59.94": Fraction(60_000, 1001),
}
# The most pictures that ffmpeg's filter keeps.
_MOST_LOOPED = 32_767


def steady_picture(clip: Clip) -> Picture | None:
    """The clip's picture at the constant rate it gets; beyond 60 it is a time base rather than a rate."""
    picture = clip.delivered.picture
    return replace(picture, fps=min(picture.fps, _FASTEST)) if picture else None


def rate(value: Any) -> Any:
    """Read a rate of pictures: a number, `30000/1001`, `29.97` (taken for that), `ntsc`, `pal`, `film`.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return value
    text = str(value).strip().lower()
    if text in _NAMED_RATES:
        return _NAMED_RATES[text]
    try:
        return Fraction(text).limit_denominator(100_000)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is not a rate such as 25, 29.97 or 30000/1001") from None


Rate = Annotated[
    Fraction,
    BeforeValidator(rate, json_schema_input_type=str | float),
    PlainSerializer(str, return_type=str),
    Field(ge=Fraction(1, 10), le=240, json_schema_extra={"x-type": "Rate"}),
]
"""Pictures a second."""


class Steady(Operation[Any]):
    """What these share: a constant rate, an exact length, sound in stereo at 48 kHz."""

    def _result(self, clip: Clip, seconds: float, picture: Picture | None) -> Clip:
        sound = JOINED_SOUND if clip.sound else None
        exact = frames_seconds(seconds, picture)
        return replace(clip.delivered, duration=exact, picture=picture, sound=sound)

    def build(
        self, media: Sequence[Media], clips: Sequence[Clip], parameters: Any, measured: Mapping[str, Any]
    ) -> Media:
        """Each stream by itself; both end exactly together."""
        source, clip = media[0], clips[0]
        result = self.expect(clips, parameters)
        seconds = result.duration or 0.0
        video = audio = None
        if source.video is not None and clip.picture is not None and result.picture is not None:
            video = even_sides(source.video, clip.picture).filter("settb", FINE)
            video = self._picture(video, clip, result.picture.fps, seconds, parameters)
            video = video.filter("format", result.picture.pixel_format)
        if source.audio is not None:
            audio = self._sound(stereo(source.audio, SOUND_RATE), clip, seconds, parameters)
        return Media(video, audio)

    def _picture(self, video: Stream, clip: Clip, fps: Fraction, seconds: float, parameters: Any) -> Stream:
        return steady(video, fps, seconds)

    def _sound(self, audio: Stream, clip: Clip, seconds: float, parameters: Any) -> Stream:
        return lasting(audio, seconds)


class ReverseParameters(Parameters):
    """None."""


class Reverse(Steady):
    """Plays a clip from its end to its start."""

    name = "reverse"
    summary = "Play backwards, picture and sound; the clip is held in memory, so it must be short."
    parameters = ReverseParameters
    megapixels_per_second = 4000.0

    def expect(self, clips: Sequence[Clip], parameters: ReverseParameters) -> Clip:
        """The same length, at a constant rate."""
        result = self._result(clips[0], clips[0].duration or 0.0, steady_picture(clips[0]))
        check_held(self.name, result)
        return result

    def _picture(
        self, video: Stream, clip: Clip, fps: Fraction, seconds: float, parameters: ReverseParameters
    ) -> Stream:
        return steady(video, fps, seconds).filter("reverse")

    def _sound(self, audio: Stream, clip: Clip, seconds: float, parameters: ReverseParameters) -> Stream:
        return lasting(audio, seconds).filter("areverse").filter("asetpts", "N/SR/TB")

    def buffered_frames(self, clips: Sequence[Clip], parameters: ReverseParameters) -> int:
        """All of them."""
        return held_frames(clips)


class FreezeFrameParameters(Parameters):
    """When the picture stops (by default at the end), and for how long.

    `mode`: `insert` makes the clip longer by the pause; `hold` shows the picture over what follows and
    leaves the length. `sound` in an inserted pause: `silent`, or `continue` (it runs on, and is out of
    step with the picture after the pause). Where a picture is held, the sound is left alone.
    """

    at: Timecode | None = None
    duration: Annotated[Duration, Field(gt=0)] = 1.0
    mode: Literal["insert", "hold"] = "insert"
    sound: Literal["silent", "continue"] = "silent"


class FreezeFrame(Steady):
    """Shows one picture for a while."""

    name = "freeze_frame"
    aliases = ("freeze",)
    example = {"at": 1, "duration": 0.5}
    summary = "Let the picture stand at a moment, then go on; the sound pauses, or runs on."
    parameters = FreezeFrameParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))
    megapixels_per_second = 4000.0

    def expect(self, clips: Sequence[Clip], parameters: FreezeFrameParameters) -> Clip:
        """Longer by what is inserted."""
        (clip,) = clips
        start, whole = _moment(clip, parameters), clip.duration or 0.0
        if start > whole:
            raise BadInput(f"{start:g} s is beyond the clip's end at {whole:.3f} s")
        longer = parameters.duration if parameters.mode == "insert" else 0.0
        return self._result(clip, whole + longer, steady_picture(clip))

    def _picture(
        self, video: Stream, clip: Clip, fps: Fraction, seconds: float, parameters: FreezeFrameParameters
    ) -> Stream:
        start = _moment(clip, parameters) + TOLERANCE
        if parameters.mode == "insert":
            later = f"if(gt(T,{start:.6f}),PTS+{parameters.duration:.6f}/TB,PTS)"
            return steady(video.filter("setpts", later), fps, seconds)
        end = start + parameters.duration - 0.001
        return steady(video.filter("select", f"not(gt(t,{start:.6f})*lt(t,{end:.6f}))"), fps, seconds)

    def _sound(
        self, audio: Stream, clip: Clip, seconds: float, parameters: FreezeFrameParameters
    ) -> Stream:
        if parameters.mode == "hold" or parameters.sound == "continue":
            return lasting(audio, seconds)
        start = _moment(clip, parameters)
        before, after = audio.split(2, audio=True)
        before = lasting(before.filter("atrim", end=f"{start:.6f}"), start + parameters.duration)
        after = after.filter("atrim", start=f"{start:.6f}").filter("asetpts", "PTS-STARTPTS")
        (joined,) = concatenate([[before], [after]], video=False, audio=True)
        return lasting(joined, seconds)


def _moment(clip: Clip, parameters: FreezeFrameParameters) -> float:
    if parameters.at is None:
        return clip.duration or 0.0
    return at(parameters.at, clip.picture.fps if clip.picture else None)


class LoopParameters(Parameters):
    """How often the clip is played, or how long the result is (seconds)."""

    count: Annotated[int, Field(ge=1, le=1000)] | None = None
    duration: Annotated[Duration, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> LoopParameters:
        if (self.count is None) == (self.duration is None):
            raise ValueError("give count or duration")
        return self


class Loop(Steady):
    """Plays a clip again and again."""

    name = "loop"
    aliases = ("repeat",)
    example = {"count": 2}
    summary = "Play again and again without a gap; the clip is held in memory, so it must be short."
    parameters = LoopParameters
    megapixels_per_second = 4000.0

    def expect(self, clips: Sequence[Clip], parameters: LoopParameters) -> Clip:
        """`count` times as long, or as long as asked for."""
        (clip,) = clips
        picture = steady_picture(clip)
        once = self._result(clip, clip.duration or 0.0, picture)
        check_held(self.name, once)
        if held_frames([once]) > _MOST_LOOPED:
            raise BadInput(f"loop takes at most {_MOST_LOOPED} pictures, not {held_frames([once])}")
        whole = parameters.duration or (once.duration or 0.0) * (parameters.count or 1)
        return self._result(clip, whole, picture)

    def _picture(
        self, video: Stream, clip: Clip, fps: Fraction, seconds: float, parameters: LoopParameters
    ) -> Stream:
        once = frames_seconds(clip.duration or 0.0, steady_picture(clip))
        video = steady(video, fps, once)
        video = video.filter("loop", loop=_again(seconds, once), size=round(once * fps))
        return video.filter("setpts", f"N/({fps})/TB").filter("trim", end_frame=round(seconds * fps))

    def _sound(self, audio: Stream, clip: Clip, seconds: float, parameters: LoopParameters) -> Stream:
        once = frames_seconds(clip.duration or 0.0, steady_picture(clip))
        audio = lasting(audio, once)
        audio = audio.filter("aloop", loop=_again(seconds, once), size=round(once * SOUND_RATE))
        return lasting(audio.filter("asetpts", "N/SR/TB"), seconds)

    def buffered_frames(self, clips: Sequence[Clip], parameters: LoopParameters) -> int:
        """All of them."""
        return held_frames(clips)


def _again(seconds: float, once: float) -> int:
    """How often a clip is played after the first time, to fill `seconds`."""
    return max(0, math.ceil(seconds / once - 1e-9) - 1)


class FpsParameters(Parameters):
    """Pictures a second: a number, a ratio such as 30000/1001, or `film`, `pal`, `ntsc`."""

    fps: Rate


class Fps(Steady):
    """Shows pictures at a constant rate: some are left out, or shown again."""

    name = "fps"
    aliases = ("frame_rate", "change_fps")
    example = {"fps": 12.5}
    summary = "Bring the picture to a constant rate; pictures are left out or shown again."
    parameters = FpsParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))
    megapixels_per_second = 4000.0

    def expect(self, clips: Sequence[Clip], parameters: FpsParameters) -> Clip:
        """The same length, in whole pictures of the new rate."""
        picture = clips[0].delivered.picture
        picture = replace(picture, fps=parameters.fps) if picture else None
        return self._result(clips[0], clips[0].duration or 0.0, picture)
