"""fade, fade_in, fade_out: picture and sound come up from nothing, and go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from media_assets.errors import BadInput
from media_assets.media.color import in_rgb
from media_assets.media.graph import Option, Stream
from media_assets.operations.base import Operation
from media_assets.operations.clip import (
    SOUND_RATE,
    TOLERANCE,
    Clip,
    Media,
    Picture,
    as_stereo,
    even_sides,
    stereo,
)
from media_assets.operations.colors import Color, opaque
from media_assets.operations.conform import JOINED_SOUND
from media_assets.operations.parameters import Duration, Parameters


class _Fading(Parameters, ABC):
    """What every fade has: the colour, and which streams fade."""

    color: Color | None = None
    picture: bool = True
    sound: bool = True

    @model_validator(mode="after")
    def _something(self) -> _Fading:
        if not (self.picture or self.sound):
            raise ValueError("with neither picture nor sound there is nothing to fade")
        return self

    @property
    @abstractmethod
    def lengths(self) -> tuple[float, float]:
        """Seconds of the fade at the start and at the end."""


class FadeParameters(_Fading):
    """How long the fades at the start and at the end are (seconds; 0 for none), and which streams fade.

    color: what the picture comes from and goes to: by default black, or nothing where it has transparency.
    """

    fade_in: Duration = 1.0
    fade_out: Duration = 1.0

    @property
    def lengths(self) -> tuple[float, float]:
        """Both."""
        return self.fade_in, self.fade_out


class FadeInParameters(_Fading):
    """How long the fade at the start is (seconds), its colour as for `fade`, and which streams fade."""

    duration: Annotated[Duration, Field(gt=0)] = 1.0

    @property
    def lengths(self) -> tuple[float, float]:
        """At the start."""
        return self.duration, 0.0


class FadeOutParameters(_Fading):
    """How long the fade at the end is (seconds), its colour as for `fade`, and which streams fade."""

    duration: Annotated[Duration, Field(gt=0)] = 1.0

    @property
    def lengths(self) -> tuple[float, float]:
        """At the end."""
        return 0.0, self.duration


class Fade(Operation[_Fading]):
    """Ramps the brightness and the volume, both in a straight line."""

    name = "fade"
    aliases: ClassVar[tuple[str, ...]] = ("fade_in_out",)
    example = {"fade_in": 0.5, "fade_out": 0.5}
    summary = "Fade in at the start and out at the end, picture and sound."
    parameters: ClassVar[type[Parameters]] = FadeParameters
    megapixels_per_second = 1000.0

    def expect(self, clips: Sequence[Clip], parameters: _Fading) -> Clip:
        """The same streams; sound that fades in stereo at 48 kHz."""
        (clip,) = clips
        whole = clip.duration or 0.0
        if sum(parameters.lengths) > whole + TOLERANCE:
            raise BadInput(f"the fades take {sum(parameters.lengths):g} s and the clip has {whole:.3f} s")
        if clip.picture is None and not parameters.sound:
            raise BadInput(f"{self.name}: there is no picture to fade")
        if clip.sound is None and not parameters.picture:
            raise BadInput(f"{self.name}: there is no sound to fade")
        result = clip.delivered
        return replace(result, sound=JOINED_SOUND) if clip.sound and parameters.sound else result

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: _Fading,
        measured: Mapping[str, Any],
    ) -> Media:
        """Each stream by itself."""
        source, clip = media[0], clips[0]
        video, audio, picture = source.video, source.audio, clip.picture
        ramps = _ramps(clip.duration or 0.0, parameters)
        if video is not None and picture is not None:
            video = even_sides(video, picture)
            if parameters.picture:
                video = _faded(video, picture, ramps, parameters.color)
            video = video.filter("format", picture.pixel_format)
        if audio is not None and parameters.sound:
            audio = stereo(audio, SOUND_RATE)
            for ramp in ramps:
                audio = audio.filter("afade", **ramp, curve="tri")
            audio = as_stereo(audio, SOUND_RATE)
        return Media(video, audio)


class FadeIn(Fade):
    """The start alone."""

    name = "fade_in"
    aliases = ()
    example = {"duration": 0.5}
    summary = "Fade in at the start, picture and sound."
    parameters = FadeInParameters


class FadeOut(Fade):
    """The end alone."""

    name = "fade_out"
    aliases = ()
    example = {"duration": 0.5}
    summary = "Fade out at the end, picture and sound."
    parameters = FadeOutParameters


def _ramps(whole: float, parameters: _Fading) -> list[dict[str, Option]]:
    """Options that `fade` and `afade` share."""
    first, last = parameters.lengths
    ramps: list[dict[str, Option]] = []
    if first:
        ramps.append({"type": "in", "start_time": 0, "duration": f"{first:.6f}"})
    if last:
        start = max(0.0, whole - last)
        ramps.append({"type": "out", "start_time": f"{start:.6f}", "duration": f"{last:.6f}"})
    return ramps


def _faded(
    video: Stream, picture: Picture, ramps: Sequence[Mapping[str, Option]], color: str | None
) -> Stream:
    more: dict[str, Option] = {}
    if color is None and picture.alpha:
        more = {"alpha": 1}
    elif color is not None and opaque(color) != "#000000":
        more = {"color": opaque(color)}

    def ramped(stream: Stream) -> Stream:
        for ramp in ramps:
            stream = stream.filter("fade", **ramp, **more)
        return stream

    # ffmpeg fades to black in any pixels, and to other colours in RGB alone.
    return in_rgb(video, picture.pixel_format, ramped) if "color" in more else ramped(video)
