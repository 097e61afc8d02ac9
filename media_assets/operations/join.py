"""concatenate: clips end to end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from media_assets.errors import BadInput
from media_assets.media.graph import concatenate
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, Sound
from media_assets.operations.conform import conform, frames_seconds, joined
from media_assets.operations.parameters import Parameters


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
        same_kind(self.name, clips)
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
        parts = conformed(media, clips, *joined(clips))
        video, audio = parts[0].video is not None, parts[0].audio is not None
        pairs = [[s for s in (part.video, part.audio) if s is not None] for part in parts]
        streams = concatenate(pairs, video=video, audio=audio)
        return Media(streams[0] if video else None, streams[-1] if audio else None)


def conformed(
    media: Sequence[Media], clips: Sequence[Clip], picture: Picture | None, sound: Sound | None
) -> list[Media]:
    """Each clip in the joined form, as far as somebody wants its streams."""
    wants_sound = any(m.audio is not None for m in media)
    return [
        conform(m, clip, picture, sound, wants_sound=wants_sound)
        for m, clip in zip(media, clips, strict=True)
    ]


def same_kind(name: str, clips: Sequence[Clip]) -> None:
    """Hold that clips can be joined.

    Raises:
        BadInput: some have a picture and some have none.
    """
    if len({clip.picture is None for clip in clips}) > 1:
        raise BadInput(f"{name} takes clips that all have a picture, or none")
