"""trim: a part of a clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import model_validator

from media_assets.errors import BadInput
from media_assets.operations.base import Operation
from media_assets.operations.clip import FINE, TOLERANCE, Clip, Media, even_sides
from media_assets.operations.parameters import Duration, Parameters, Timecode, at


class TrimParameters(Parameters):
    """Where the part starts, and its duration or where it ends: seconds, or timecodes that count frames."""

    start: Timecode = 0.0
    duration: Duration | None = None
    end: Timecode | None = None

    @model_validator(mode="after")
    def _one_end(self) -> TrimParameters:
        if self.duration is not None and self.end is not None:
            raise ValueError("give duration or end, not both")
        ends = isinstance(self.end, float) and isinstance(self.start, float) and self.end <= self.start
        if self.duration == 0 or ends:
            raise ValueError("the part would be empty")
        return self

    def begin(self, clip: Clip) -> float:
        """Where the part starts in `clip` (seconds).

        Raises:
            BadInput: the timecode is none of the clip's.
        """
        return at(self.start, clip.picture.fps if clip.picture else None)

    def stop(self, clip: Clip) -> float | None:
        """Where the part ends in `clip` (seconds), or None for the clip's end.

        Raises:
            BadInput: the timecode is none of the clip's.
        """
        if self.duration is not None:
            return self.begin(clip) + self.duration
        return None if self.end is None else at(self.end, clip.picture.fps if clip.picture else None)


class Trim(Operation[TrimParameters]):
    """Keeps the pictures and samples with start ≤ time < end."""

    name = "trim"
    example = {"start": "00:00:00.500", "duration": "1s"}
    summary = "Keep a part of a clip: from `start`, for `duration` or up to `end`."
    parameters = TrimParameters

    def expect(self, clips: Sequence[Clip], parameters: TrimParameters) -> Clip:
        """The same streams, shorter."""
        (clip,) = clips
        whole = clip.duration or 0.0
        start, end = parameters.begin(clip), parameters.stop(clip)
        if start >= whole:
            raise BadInput(f"start {start:g} s is beyond the clip's end at {whole:.3f} s")
        length = (whole if end is None else min(end, whole)) - start
        if length <= 0:
            raise BadInput(f"the part from {start:g} s would be empty")
        if clip.picture is not None and length * clip.picture.fps < 1 - TOLERANCE:
            raise BadInput(f"the part of {length:g} s is shorter than one picture")
        return replace(clip.delivered, duration=length)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: TrimParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Cut by time stamps and move them to zero by the same amount, so that sound stays in step."""
        (source,) = media
        clip = clips[0]
        start = parameters.begin(clip) - source.offset
        shift = f"{start:.6f}/TB"
        video, audio = source.video, source.audio
        picture = clip.picture
        if video is not None and picture is not None:
            video = even_sides(video, picture).filter("settb", FINE)
            video = video.filter("trim", **_window(clip, parameters, source.offset, TOLERANCE))
            video = video.filter("setpts", f"max(0,PTS-{shift})")
        if audio is not None:
            audio = audio.filter("atrim", **_window(clip, parameters, source.offset, 0.0))
            audio = audio.filter("asetpts", f"PTS-{shift}")
        return Media(video, audio)


def _window(clip: Clip, parameters: TrimParameters, offset: int, tolerance: float) -> dict[str, str]:
    window = {"start": f"{max(0.0, parameters.begin(clip) - offset - tolerance):.6f}"}
    end = parameters.stop(clip)
    if end is not None:
        window["end"] = f"{end - offset - tolerance:.6f}"
    return window
