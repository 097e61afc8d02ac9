"""Moving pictures for pages and messages: gif_preview, webp_preview."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, Any

from pydantic import Field

from media_assets.errors import BadInput
from media_assets.media.encode import Profile, profile
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media
from media_assets.operations.conform import frames_seconds, steady
from media_assets.operations.resize import ResizeParameters, rescaled, scaled
from media_assets.operations.trim import Trim, TrimParameters

_TRIM = Trim()
_USUAL_SECONDS = 3.0
# All pictures of a GIF are held until its colours are chosen.
_MOST_SECONDS = 60.0


class PreviewParameters(TrimParameters):
    """The part that is shown, its width in pixels, and pictures a second.

    `start`, `duration` and `end` are those of `trim`; without an end it is 3 seconds, and at most 60. The
    height follows from the width.
    """

    width: Annotated[int, Field(ge=16, le=1920)] = 480
    fps: Annotated[int, Field(ge=1, le=50)] = 12

    def stop(self, clip: Clip) -> float | None:
        """Where the part ends in `clip` (seconds)."""
        end = super().stop(clip)
        return self.begin(clip) + _USUAL_SECONDS if end is None else end


class _Preview(Operation[PreviewParameters]):
    """A part of the picture, small, over and over. A subclass says which format."""

    parameters = PreviewParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))

    def expect(self, clips: Sequence[Clip], parameters: PreviewParameters) -> Clip:
        """The part without sound, smaller."""
        part = _TRIM.expect(clips, parameters)
        if part.picture is None or part.duration is None:
            raise BadInput(f"{self.name} needs a picture")
        if part.duration > _MOST_SECONDS:
            raise BadInput(f"{part.duration:g} s are too long for {self.name}: {_MOST_SECONDS:g} s at most")
        size = scaled(part.picture, ResizeParameters(width=parameters.width))
        picture = replace(size, fps=Fraction(parameters.fps))
        return Clip("video", frames_seconds(part.duration, picture), picture)

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: PreviewParameters
    ) -> tuple[bool, bool]:
        """The picture."""
        return video, False

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: PreviewParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Cut, thin out, scale."""
        part = _TRIM.expect(clips, parameters)
        video = _TRIM.build(media, clips, parameters, measured).video
        if video is None or part.duration is None:
            return Media(None, None)
        rate = Fraction(parameters.fps)
        seconds = self.expect(clips, parameters).duration or part.duration
        video = rescaled(
            steady(video, rate, seconds), part, ResizeParameters(width=parameters.width, algorithm="area")
        )
        return Media(video, None)

    @abstractmethod
    def encoding(self, result: Clip, parameters: PreviewParameters) -> Profile:
        """The format's profile."""


class GifPreview(_Preview):
    """A GIF whose colours are chosen from its own pictures."""

    name = "gif_preview"
    aliases = ("gif", "to_gif")
    example = {"start": 0.5, "duration": "1s", "width": 120, "fps": 10}
    summary = "A part of a video as an animated GIF that repeats for ever."

    def encoding(self, result: Clip, parameters: PreviewParameters) -> Profile:
        """A GIF."""
        return profile("gif")


class WebpPreview(_Preview):
    """An animated WebP: smaller than a GIF, and with all colours."""

    name = "webp_preview"
    aliases = ("animated_webp", "to_webp")
    example = {"start": 0.5, "duration": "1s", "width": 120, "fps": 10}
    summary = "A part of a video as an animated WebP that repeats for ever."

    def encoding(self, result: Clip, parameters: PreviewParameters) -> Profile:
        """An animated WebP."""
        return profile("webp_anim")
