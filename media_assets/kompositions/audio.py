"""What a komposition document says about sound."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from media_assets.kompositions.values import (
    MAX_SEGMENTS,
    Gain,
    Id,
    Length,
    Part,
    Position,
    Reference,
    Seconds,
)

Ducking = Annotated[float, Field(ge=0, le=60, description="Decibels by which it is lowered under speech.")]


class Music(Part):
    """One track under the whole timeline; all times in seconds.

    Attributes:
        fade_in: from the start; fade_out: to the end of the timeline, or of the music if that is sooner.
        loop: begin again at `in_point` when the track ends before the timeline.
        duck_db: how far it is lowered while there is speech.
    """

    source: Reference
    in_point: Seconds = 0.0
    gain_db: Gain = 0.0
    fade_in: Seconds = 0.0
    fade_out: Seconds = 0.0
    loop: bool = False
    duck_db: Ducking = 12.0


class AudioClip(Part):
    """A stretch of a track.

    Attributes:
        start: on the timeline, in the document's unit.
        duration: the same; None is up to the end of the source, or of the timeline if that is sooner.
        in_point, fade_in, fade_out: seconds.
        loop: begin again at `in_point` when the source ends before the clip.
    """

    source: Reference
    in_point: Seconds = 0.0
    start: Position = 0.0
    duration: Length | None = None
    gain_db: Gain = 0.0
    fade_in: Seconds = 0.0
    fade_out: Seconds = 0.0
    loop: bool = False


class AudioTrack(Part):
    """Sound beside that of the segments.

    Attributes:
        role: `music` is lowered under speech, `voice` is speech, `sound` is neither.
        gain_db: of all its clips, beside their own.
        duck_db: how far music is lowered while there is speech.
    """

    id: Id
    role: Literal["music", "voice", "sound"] = "sound"
    gain_db: Gain = 0.0
    duck_db: Ducking = 12.0
    clips: Annotated[tuple[AudioClip, ...], Field(min_length=1, max_length=MAX_SEGMENTS, strict=False)]


class Range(Part):
    """Seconds of a source from `start` up to `end`."""

    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _forwards(self) -> Range:
        if self.end <= self.start:
            raise ValueError("ends before it starts")
        return self


class Speech(Part):
    """Where there is speech in a segment's source; None is where it is detected."""

    ranges: Annotated[tuple[Range, ...], Field(max_length=10_000, strict=False)] | None = None


class Loudness(Part):
    """How loud the result is: integrated loudness (LUFS, EBU R 128) and the true-peak ceiling (dBTP)."""

    target_lufs: Annotated[float, Field(ge=-40, le=-5)] = -14.0
    true_peak_db: Annotated[float, Field(ge=-9, le=0)] = -1.0
