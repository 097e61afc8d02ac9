"""What the effects of a segment come to: which operations, on what, and whether a segment takes them.

A segment's picture and sound are rendered apart, so its effects become two chains: those that touch the
picture, and those that touch the sound. Pure: nothing is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

from media_assets.errors import BadInput
from media_assets.kompositions.segments import Effect
from media_assets.media.encode import profile
from media_assets.media.graph import generate
from media_assets.media.info import MediaInfo
from media_assets.operations.base import Operation
from media_assets.operations.clip import Clip, Media
from media_assets.operations.encode import Encode
from media_assets.operations.parameters import Parameters
from media_assets.operations.registry import operation, read_parameters

Part = Literal["video", "audio"]
"""Which of a segment's streams is being made."""

_VIDEO: Part = "video"
_AUDIO: Part = "audio"
_Touched = tuple[bool, bool]
"""Whether an operation changes the picture, and the sound."""


@dataclass(frozen=True)
class Step:
    """One operation in a chain.

    Attributes:
        clips: what its inputs are: the segment so far, then the sources in its slots.
        result: what the segment is after it.
        sources: references of the sources in its slots.
    """

    operation: Operation[Any]
    parameters: Parameters = field(hash=False)
    clips: tuple[Clip, ...]
    result: Clip
    sources: tuple[str, ...]

    def uses(self, index: int, part: Part) -> tuple[bool, bool]:
        """Which streams (picture, sound) of the input at `index` it takes to make `part`."""
        clip = self.clips[index]
        video, audio = self.operation.draws_on(index, part == "video", part == "audio", self.parameters)
        return video and clip.picture is not None, audio and clip.sound is not None

    def to_json(self, part: Part, names: Mapping[str, str], *, timed: bool) -> dict[str, Any]:
        """Everything that `part` depends on, sources by `names` (by reference).

        Args:
            timed: whether the segment's length counts.
        """
        segment, *slots = self.clips
        picture = segment.picture
        seen = replace(segment, sound=None) if part == "video" else replace(segment, picture=None)
        described = _plain(asdict(seen if timed else replace(seen, duration=None)))
        if part == "audio" and picture is not None:
            # Where a length is rounded to whole pictures, that of the sound follows.
            described["fps"] = str(picture.fps)
        return {
            "operation": self.operation.name,
            "version": self.operation.version,
            "parameters": self.parameters.model_dump(mode="json", exclude_none=True),
            "segment": described,
            "sources": [
                {"source": names[name], **_plain(asdict(clip))}
                for name, clip in zip(self.sources, slots, strict=True)
            ],
        }


@dataclass(frozen=True)
class Chain:
    """What the effects of one segment come to.

    Attributes:
        picture, sound: the steps that touch the picture and the sound; one may be in both.
        result: what the segment is after all of them; None where it has no effects.
        only_heard: names of those that touch the sound alone.
    """

    picture: tuple[Step, ...] = ()
    sound: tuple[Step, ...] = ()
    result: Clip | None = None
    only_heard: tuple[str, ...] = ()

    @property
    def is_timeless(self) -> bool:
        """Whether a part of the picture can be made without the rest of the segment."""
        return all(step.operation.timeless for step in self.picture)


NO_EFFECTS = Chain()


def chain(
    effects: Sequence[Effect], clip: Clip, media: Mapping[str, MediaInfo]
) -> tuple[Chain, list[tuple[int, str]]]:
    """The effects of a segment that is `clip`, and (index, text) of each that it cannot have.

    Args:
        media: what each source in a slot is, by reference.
    """
    steps: list[tuple[Step, _Touched]] = []
    for index, effect in enumerate(effects):
        missing = [name for name in effect.sources if name not in media]
        if missing:
            return Chain(), [(index, f"there is no source {name!r}") for name in missing]
        try:
            check_order(operation(effect.op), index)
            step = _step(effect, clip, media)
            steps.append((step, _touched(step)))
        except BadInput as error:
            # What follows depends on this one: its problems would only repeat it.
            return Chain(), [(index, str(error))]
        clip = step.result
    if not steps:
        return Chain(), []
    return Chain(
        picture=tuple(step for step, (video, _) in steps if video),
        sound=tuple(step for step, (_, audio) in steps if audio),
        result=clip,
        only_heard=tuple(step.operation.name for step, (video, _) in steps if not video),
    ), []


def _step(effect: Effect, clip: Clip, media: Mapping[str, MediaInfo]) -> Step:
    """One effect on the segment so far.

    Raises:
        BadInput: it does not fit.
    """
    kind = operation(effect.op)
    parameters = read_parameters(kind, effect.values, "params")
    clips = (clip, *(Clip.of(media[name]) for name in effect.sources))
    reason = refusal(kind)
    if reason is None:
        kind.check_inputs(clips)
        result = kind.expect(clips, parameters)
        reason = refusal_of(kind, parameters, result)
    if reason is not None:
        raise BadInput(reason)
    return Step(kind, parameters, clips, result, effect.sources)


def check_order(kind: Operation[Any], index: int) -> None:
    """Hold that an operation may be the effect at `index`.

    Raises:
        BadInput: it says how the source is opened, and others come before it.
    """
    if kind.opens and index:
        raise BadInput(f"{kind.name} says how the source is opened", hint="make it the first effect")


def refusal(kind: Operation[Any]) -> str | None:
    """Why no segment takes that operation, whatever its parameters; None if some do."""
    if kind.takes.minimum > 1:
        return f"{kind.name} takes {kind.takes.minimum} clips or more, and a segment is one"
    if "video" not in kind.takes.kinds:
        return f"{kind.name} takes {' or '.join(sorted(kind.takes.kinds))}, and a segment is a video"
    if isinstance(kind, Encode):
        return f"{kind.name} says how a file is written, which `output` and `profile` say for all segments"
    if type(kind).settled is not Operation.settled:
        return f"how long {kind.name} leaves a clip is only known once it is measured: too late for a cut"
    return None


def refusal_of(kind: Operation[Any], parameters: Parameters, result: Clip) -> str | None:
    """Why what comes out is no segment any more; None if it is one."""
    if result.picture is None:
        return f"{kind.name} leaves no picture, and a segment needs one"
    if result.kind != "video":
        return f"{kind.name} makes a still of the segment"
    if result.subtitle:
        return f"a komposition has no stream of subtitles: {kind.name} can only draw them"
    opaque = replace(result, picture=replace(result.picture, alpha=False))
    if kind.encoding(opaque, parameters) != profile("h264"):
        return f"{kind.name} makes a file of its own format"
    return None


def _touched(step: Step) -> _Touched:
    """Whether the picture, and the sound, come out as another stream than they went in.

    Asked of the operation itself, over streams that nothing flows through. The picture is asked for only
    where the sound is touched: otherwise that is what the operation is for.

    Raises:
        BadInput: one is made, or its making measured, from the other.
    """
    sound = _is_touched(step, "audio")
    picture = _is_touched(step, "video") if sound else True
    measures = step.operation.measures
    for is_touched, part, crossed in (
        (picture, _VIDEO, step.uses(0, "video")[1]),
        (sound, _AUDIO, step.uses(0, "audio")[0]),
    ):
        if is_touched and (crossed or measures not in (None, part)):
            raise BadInput(f"{step.operation.name} makes picture and sound from each other")
    return picture, sound


def _is_touched(step: Step, part: Part) -> bool:
    given = []
    for index in range(len(step.clips)):
        video, audio = step.uses(index, part)
        given.append(
            Media(
                generate("color").video() if video and part == "video" else None,
                generate("anullsrc").audio() if audio and part == "audio" else None,
            )
        )
    made = step.operation.build(given, step.clips, step.parameters, {})
    if part == "video":
        return made.video is not given[0].video
    return made.audio is not given[0].audio


def _plain(value: Any) -> Any:
    """A clip's fields as JSON values."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return str(value) if isinstance(value, Fraction) else value
