"""What an operation is: the contract every member of the registry keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from media_assets.errors import BadInput
from media_assets.media.encode import Profile, profile
from media_assets.media.graph import Stream
from media_assets.media.info import Kind
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Picture, even_sides, stereo
from media_assets.operations.parameters import Parameters

P = TypeVar("P", bound=Parameters)

PICTURES: frozenset[Kind] = frozenset({"video", "image"})
SOUNDS: frozenset[Kind] = frozenset({"video", "audio"})


@dataclass(frozen=True)
class Slot:
    """A further input with a name of its own, such as the picture that is laid over another.

    Documents may list it among `inputs` or name it as a parameter: `"params": {"lut": "teal.cube"}`.

    Attributes:
        kinds: what it may be; needs: streams it must have.
        required: whether the operation can do without.
        aliases: other names that documents use.
    """

    name: str
    kinds: frozenset[Kind]
    needs: frozenset[Literal["video", "audio"]] = frozenset()
    required: bool = True
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class InputRule:
    """What an operation takes: like inputs (`minimum` to `maximum` of them), then one for each slot.

    Attributes:
        minimum, maximum: how many like inputs; no maximum is None. An operation with slots has one.
        kinds: what each may be.
        needs: streams each must have.
        slots: inputs after the first that have a meaning of their own; optional ones last.
        ordered: whether their order matters.
    """

    minimum: int = 1
    maximum: int | None = 1
    kinds: frozenset[Kind] = SOUNDS
    needs: frozenset[Literal["video", "audio"]] = frozenset()
    slots: tuple[Slot, ...] = ()
    ordered: bool = True

    @property
    def fewest(self) -> int:
        """How many inputs there must be, required slots included."""
        return self.minimum + sum(slot.required for slot in self.slots)

    @property
    def most(self) -> int | None:
        """How many inputs there may be; None for any number."""
        return None if self.maximum is None else self.maximum + len(self.slots)

    def slot(self, index: int) -> Slot | None:
        """The slot that the input at `index` fills, or None for a like input."""
        place = index - self.minimum
        return self.slots[place] if self.slots and place >= 0 else None


class Operation(ABC, Generic[P]):
    """Something done to media.

    A subclass is one registered instance; it holds no state. `version` changes when the same
    parameters would give other pixels or samples.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    """Other names that documents use for the same."""
    version: ClassVar[str] = "1"
    summary: ClassVar[str]
    parameters: ClassVar[type[Parameters]]
    example: ClassVar[Mapping[str, Any]] = {}
    """Parameters as a document would give them: shown to people, and what tests run."""
    takes: ClassVar[InputRule] = InputRule()
    measures: ClassVar[Literal["video", "audio"] | None] = None
    """The stream that a pass before the real one looks at (`measuring`, `measured`), if there is one."""
    timeless: ClassVar[bool] = False
    """Each picture of the result follows from the one picture at its place alone: not from its neighbours,
    its time or its number (as grain does). A part of a clip may then be worked on by itself."""
    opens: ClassVar[bool] = False
    """Whether it says how its source is opened, and so takes sources alone."""
    megapixels_per_second: ClassVar[float] = 600.0
    """How fast its filters work on one core: from measurement, for estimates where no events tell."""

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

    def draws_on(self, index: int, video: bool, audio: bool, parameters: P) -> tuple[bool, bool]:
        """Which streams (picture, sound) of the input at `index` it takes to make the wanted ones.

        `build` must use every stream that it is given.
        """
        return video, audio

    def encoding(self, result: Clip, parameters: P) -> Profile:
        """How the result is written when it is asked for as a file."""
        if result.kind == "image":
            return profile("png")
        return profile("h264" if result.picture else "aac")

    def measuring(self, media: Media, clips: Sequence[Clip], parameters: P, scratch: Path) -> Stream:
        """The first input's stream as the measuring pass sees it, ending in a filter that reports.

        Args:
            scratch: a file that the filter may write; it stays until the result is rendered.
        """
        raise NotImplementedError(f"{self.name} has no measuring pass")

    def measured(self, log: Sequence[str], scratch: Path) -> dict[str, Any]:
        """Read the measuring pass's report; JSON values, and paths where a filter wants its file again."""
        raise NotImplementedError(f"{self.name} has no measuring pass")

    def measuring_again(
        self, media: Media, clips: Sequence[Clip], parameters: P, measured: Mapping[str, Any]
    ) -> Stream | None:
        """The stream for one more measuring pass, now that so much is known; None when it is enough."""
        return None

    def measured_again(
        self, log: Sequence[str], parameters: P, measured: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All that is known after one more pass."""
        raise NotImplementedError(f"{self.name} measures once")

    def settled(self, result: Clip, parameters: P, measured: Mapping[str, Any]) -> Clip:
        """What comes out, now that the measuring pass was made: where `expect` could only say at most."""
        return result

    def buffered_frames(self, clips: Sequence[Clip], parameters: P) -> int:
        """Pictures that its filters hold at a time: what memory is estimated from."""
        return 4

    def check_inputs(self, clips: Sequence[Clip]) -> None:
        """Hold the inputs against `takes`.

        Raises:
            BadInput: too few, too many, or of the wrong kind.
        """
        rule = self.takes
        fewest, most = rule.fewest, rule.most
        if len(clips) < fewest or (most is not None and len(clips) > most):
            up_to = "or more" if most is None else f"to {most}"
            wanted = str(fewest) if fewest == most else f"{fewest} {up_to}"
            names = f" ({', '.join(slot.name for slot in rule.slots)} too)" if rule.slots else ""
            raise BadInput(f"{self.name} takes {wanted} inputs{names}, not {len(clips)}")
        for index, clip in enumerate(clips):
            slot = rule.slot(index)
            what = f" as {slot.name}" if slot else ""
            kinds, needs = (slot.kinds, slot.needs) if slot else (rule.kinds, rule.needs)
            if clip.kind not in kinds:
                raise BadInput(f"{self.name} takes {' or '.join(sorted(kinds))}{what}, not {clip.kind}")
            for need in sorted(needs):
                if (clip.picture if need == "video" else clip.sound) is None:
                    raise BadInput(f"{self.name} needs {'a picture' if need == 'video' else 'sound'}{what}")


class PictureOperation(Operation[P]):
    """An operation on the picture alone, of video or still: size, rate, length and sound stay.

    A subclass says `apply`. What it returns is brought back to the pixels that operations hand on.
    """

    takes: ClassVar[InputRule] = InputRule(kinds=PICTURES, needs=frozenset({"video"}))

    @abstractmethod
    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: P) -> Stream:
        """The picture with the operation's filters; `picture` is its form, with even sides."""

    def expect(self, clips: Sequence[Clip], parameters: P) -> Clip:
        """The same streams."""
        return clips[0].delivered

    def build(
        self, media: Sequence[Media], clips: Sequence[Clip], parameters: P, measured: Mapping[str, Any]
    ) -> Media:
        """Apply the filters to the picture; the sound passes by."""
        source, clip = media[0], clips[0]
        video = source.video
        if video is not None and clip.picture is not None:
            picture = clip.delivered.picture or clip.picture
            video = even_sides(video, clip.picture)
            video = self.apply(video, picture, clip, parameters).filter("format", picture.pixel_format)
        return Media(video, source.audio, source.offset)


class SoundOperation(Operation[P]):
    """An operation on the sound alone: it becomes stereo at 48 kHz, and the picture passes by.

    A subclass says `apply`.
    """

    takes: ClassVar[InputRule] = InputRule(needs=frozenset({"audio"}))

    @abstractmethod
    def apply(self, audio: Stream, clip: Clip, parameters: P, measured: Mapping[str, Any]) -> Stream:
        """The sound with the operation's filters; it comes in as stereo at 48 kHz."""

    def expect(self, clips: Sequence[Clip], parameters: P) -> Clip:
        """The same streams, the sound in stereo at 48 kHz."""
        clip = clips[0]
        sound = replace(clip.sound, rate=SOUND_RATE, channels=2) if clip.sound else None
        return replace(clip.delivered, sound=sound)

    def build(
        self, media: Sequence[Media], clips: Sequence[Clip], parameters: P, measured: Mapping[str, Any]
    ) -> Media:
        """Apply the filters to the sound."""
        source, clip = media[0], clips[0]
        video, audio = source.video, source.audio
        if video is not None and clip.picture is not None:
            video = even_sides(video, clip.picture)
        if audio is not None:
            audio = self.apply(stereo(audio, SOUND_RATE), clip, parameters, measured)
            audio = audio.filter(
                "aformat", sample_fmts="fltp", sample_rates=SOUND_RATE, channel_layouts="stereo"
            )
        return Media(video, audio, source.offset)
