"""What an operation is: the contract every member of the registry keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, ClassVar, Generic, Literal, TypeVar

from media_assets.errors import BadInput
from media_assets.media.encode import Profile, profile
from media_assets.media.graph import Stream
from media_assets.media.info import MediaInfo
from media_assets.operations.parameters import Parameters

P = TypeVar("P", bound=Parameters)
Kind = Literal["video", "audio", "image"]

SOUND_RATE = 48_000
"""Samples a second of every output."""

# Megapixels a core decodes, and x264 veryfast encodes, in a second; seconds of sound per CPU-second.
_DECODED_MEGAPIXELS = 250.0
_ENCODED_MEGAPIXELS = 42.0
_SOUND_SPEED = 150.0


@dataclass(frozen=True)
class Picture:
    """A picture stream: pixels upright (rotation applied), their aspect ratio, pictures a second."""

    width: int
    height: int
    fps: Fraction
    sar: Fraction = Fraction(1)

    @property
    def square(self) -> tuple[int, int]:
        """Width and height in square pixels, even."""
        return even(self.width * self.sar), even(self.height)


@dataclass(frozen=True)
class Sound:
    """A sound stream: samples a second, channels."""

    rate: int
    channels: int


@dataclass(frozen=True)
class Clip:
    """What media are, or are expected to be; duration in seconds, None for a still."""

    kind: Kind
    duration: float | None
    picture: Picture | None = None
    sound: Sound | None = None

    @classmethod
    def of(cls, info: MediaInfo) -> Clip:
        """What probing said, as ffmpeg will hand it to filters: upright."""
        picture = None
        if info.videos:
            first = info.videos[0]
            turned = first.rotation in (90, 270)
            width, height = (first.height, first.width) if turned else (first.width, first.height)
            sar = 1 / first.sar if turned else first.sar
            picture = Picture(width, height, first.fps or Fraction(25), sar)
        sound = Sound(info.audios[0].sample_rate, info.audios[0].channels) if info.audios else None
        return cls(info.kind, info.duration, picture, sound)

    @property
    def delivered(self) -> Clip:
        """The clip as it is written where an operation leaves it alone: even sides, sound at 48 kHz."""
        picture, sound = self.picture, self.sound
        if picture is not None:
            picture = replace(picture, width=cropped(picture.width), height=cropped(picture.height))
        return replace(self, picture=picture, sound=replace(sound, rate=SOUND_RATE) if sound else None)


@dataclass(frozen=True)
class Media:
    """The streams of a clip inside a filter graph, as far as somebody wants them.

    Attributes:
        offset: seconds that were skipped when the file was opened; times in the clip are this much less.
    """

    video: Stream | None
    audio: Stream | None
    offset: int = 0


@dataclass(frozen=True)
class InputRule:
    """What an operation takes.

    Attributes:
        minimum, maximum: how many inputs; no maximum is None.
        kinds: what each may be.
        needs: streams each must have.
        ordered: whether their order matters.
    """

    minimum: int = 1
    maximum: int | None = 1
    kinds: frozenset[Kind] = frozenset({"video", "audio"})
    needs: frozenset[Literal["video", "audio"]] = frozenset()
    ordered: bool = True


class Operation(ABC, Generic[P]):
    """Something done to media.

    A subclass is one registered instance; it holds no state. `version` changes when the same
    parameters would give other pixels or samples.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    summary: ClassVar[str]
    parameters: ClassVar[type[Parameters]]
    takes: ClassVar[InputRule] = InputRule()
    measures: ClassVar[bool] = False
    """Whether a pass over the sound comes before the real one (`measuring`, `measured`)."""

    @abstractmethod
    def expect(self, clips: Sequence[Clip], parameters: P) -> Clip:
        """What comes out.

        Raises:
            BadInput: these parameters do not fit these inputs.
        """

    @abstractmethod
    def build(
        self, media: Sequence[Media], clips: Sequence[Clip], parameters: P, measured: Mapping[str, Any]
    ) -> Media:
        """Add the operation's filters to the graph; streams that nobody wants are None."""

    def encoding(self, result: Clip, parameters: P) -> Profile:
        """How the result is written when it is asked for as a file."""
        return profile("h264" if result.picture else "aac")

    def measuring(self, media: Media, parameters: P) -> Stream:
        """The sound as the measuring pass sees it, ending in a filter that reports."""
        raise NotImplementedError(f"{self.name} has no measuring pass")

    def measured(self, log: Sequence[str]) -> dict[str, Any]:
        """Read the measuring pass's report."""
        raise NotImplementedError(f"{self.name} has no measuring pass")

    def check_inputs(self, clips: Sequence[Clip]) -> None:
        """Hold the inputs against `takes`.

        Raises:
            BadInput: too few, too many, or of the wrong kind.
        """
        rule = self.takes
        if len(clips) < rule.minimum or (rule.maximum is not None and len(clips) > rule.maximum):
            most = "or more" if rule.maximum is None else f"to {rule.maximum}"
            wanted = str(rule.minimum) if rule.minimum == rule.maximum else f"{rule.minimum} {most}"
            raise BadInput(f"{self.name} takes {wanted} inputs, not {len(clips)}")
        for clip in clips:
            if clip.kind not in rule.kinds:
                raise BadInput(f"{self.name} takes {' or '.join(sorted(rule.kinds))}, not {clip.kind}")
            for need in sorted(rule.needs):
                if (clip.picture if need == "video" else clip.sound) is None:
                    raise BadInput(f"{self.name} needs {'a picture' if need == 'video' else 'sound'}")


def cpu_seconds(inputs: Sequence[Clip], result: Clip) -> float:
    """Estimated CPU-seconds to decode `inputs` and encode `result` (from measured megapixels a second)."""
    decoding = sum(_megapixels(clip) for clip in inputs) / _DECODED_MEGAPIXELS
    return decoding + _megapixels(result) / _ENCODED_MEGAPIXELS + (result.duration or 0) / _SOUND_SPEED


def even(length: Fraction | float | int) -> int:
    """The nearest even number of pixels, at least 2: 4:2:0 pictures have no odd sizes."""
    return max(2, 2 * round(length / 2))


def cropped(length: int) -> int:
    """The even number of pixels that is left when an odd row or column is cut off."""
    return max(2, length - length % 2)


def _megapixels(clip: Clip) -> float:
    if clip.picture is None:
        return 0.0
    frames = float(clip.picture.fps) * (clip.duration or 0) or 1
    return clip.picture.width * clip.picture.height * frames / 1e6
