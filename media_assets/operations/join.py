"""Joins: concatenate, crossfade_transition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from media_assets.errors import BadInput
from media_assets.media.graph import concatenate, filter_streams
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, Sound
from media_assets.operations.conform import conform, frames_seconds, joined
from media_assets.operations.parameters import Parameters

Transition = Literal[
    "fade",
    "dissolve",
    "fadeblack",
    "fadewhite",
    "wipeleft",
    "wiperight",
    "wipeup",
    "wipedown",
    "slideleft",
    "slideright",
    "smoothleft",
    "smoothright",
    "circleopen",
    "circleclose",
]


class ConcatenateParameters(Parameters):
    """None: the first input says how the result looks."""


class Concatenate(Operation[ConcatenateParameters]):
    """One clip after another, brought to one size, rate and sound."""

    name = "concatenate"
    aliases = ("concatenate_simple", "concat")
    summary = "Join clips end to end; different sizes, rates and missing sound are made to fit."
    parameters = ConcatenateParameters
    takes = InputRule(minimum=2, maximum=None)

    def expect(self, clips: Sequence[Clip], parameters: ConcatenateParameters) -> Clip:
        """As long as all together."""
        _same_kind(self.name, clips)
        picture, sound = joined(clips)
        seconds = sum(frames_seconds(clip.duration or 0.0, picture) for clip in clips)
        return Clip("video" if picture else "audio", seconds, picture, sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ConcatenateParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Conform each, then join."""
        parts = _conformed(media, clips, *joined(clips))
        video, audio = parts[0].video is not None, parts[0].audio is not None
        pairs = [[s for s in (part.video, part.audio) if s is not None] for part in parts]
        streams = concatenate(pairs, video=video, audio=audio)
        return Media(streams[0] if video else None, streams[-1] if audio else None)


class CrossfadeParameters(Parameters):
    """How long the clips overlap (seconds), and how one picture gives way to the other."""

    duration: Annotated[float, Field(gt=0, le=60)] = 1.0
    transition: Transition = "fade"


class CrossfadeTransition(Operation[CrossfadeParameters]):
    """The second clip comes in over the end of the first."""

    name = "crossfade_transition"
    example = {"duration": 0.5, "transition": "dissolve"}
    summary = "Fade from one clip to the next, picture and sound; the result is shorter by the overlap."
    parameters = CrossfadeParameters
    takes = InputRule(minimum=2, maximum=2)

    def expect(self, clips: Sequence[Clip], parameters: CrossfadeParameters) -> Clip:
        """As long as both together less the overlap."""
        _same_kind(self.name, clips)
        picture, sound = joined(clips)
        first, second = (frames_seconds(clip.duration or 0.0, picture) for clip in clips)
        overlap = frames_seconds(parameters.duration, picture)
        if overlap >= min(first, second):
            raise BadInput(f"the clips ({first:.2f} s, {second:.2f} s) are too short for {overlap:.2f} s")
        return Clip("video" if picture else "audio", first + second - overlap, picture, sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: CrossfadeParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Conform both, then xfade and acrossfade."""
        picture, sound = joined(clips)
        length = frames_seconds(clips[0].duration or 0.0, picture)
        overlap = frames_seconds(parameters.duration, picture)
        first, second = _conformed(media, clips, picture, sound)
        video = audio = None
        if first.video is not None and second.video is not None:
            video = filter_streams(
                [first.video, second.video],
                "xfade",
                transition=parameters.transition,
                duration=f"{overlap:.6f}",
                offset=f"{length - overlap:.6f}",
            )
        if first.audio is not None and second.audio is not None:
            audio = filter_streams([first.audio, second.audio], "acrossfade", d=f"{overlap:.6f}")
        return Media(video, audio)


def _conformed(
    media: Sequence[Media], clips: Sequence[Clip], picture: Picture | None, sound: Sound | None
) -> list[Media]:
    """Each clip in the joined form, as far as somebody wants its streams."""
    wants_sound = any(m.audio is not None for m in media)
    return [
        conform(m, clip, picture, sound, wants_sound=wants_sound)
        for m, clip in zip(media, clips, strict=True)
    ]


def _same_kind(name: str, clips: Sequence[Clip]) -> None:
    if len({clip.picture is None for clip in clips}) > 1:
        raise BadInput(f"{name} takes clips that all have a picture, or none")
