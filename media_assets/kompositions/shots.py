"""What is rendered: shots of segments, what each layer shows of them, and the pieces these make up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from media_assets.kompositions.effects import Step
from media_assets.kompositions.segments import Framing
from media_assets.kompositions.takes import Take
from media_assets.operations.clip import Picture


@dataclass(frozen=True)
class Seen:
    """The part of a picture that fills the frame, moving from one framing to another.

    Attributes:
        first: which of the segment's pictures the first one is; frames: how many it has.
    """

    start: Framing
    end: Framing
    easing: Literal["linear", "smooth"] = "linear"
    first: int = 0
    frames: int = 1

    @property
    def moves(self) -> bool:
        """Whether it is not the same throughout."""
        return self.start != self.end and self.frames > 1

    def to_json(self) -> dict[str, Any]:
        """Everything that pictures depend on."""
        document: dict[str, Any] = {"start": self.start.model_dump(mode="json")}
        if self.moves:
            document |= {"end": self.end.model_dump(mode="json"), "easing": self.easing}
            document |= {"first": self.first, "frames": self.frames}
        return document


@dataclass(frozen=True)
class Shot:
    """What a piece takes from one segment.

    Attributes:
        source: the reference in the document; None where it is a colour.
        color: the colour.
        takes: its pictures in the source.
        frame: what these are fitted into; with alpha where there may be something under them.
        seen: the part of them that fills the frame; None where they go into it whole.
        bare: their form before the effects, without bars around them.
        effects: what is done to them.
        whole: pictures that the effects work on, where they need more than the piece shows; else 0.
        skipped: how many of those come before the piece.
        frames: how many pictures the piece shows.
    """

    source: str | None
    color: str | None
    takes: tuple[Take, ...]
    frame: Picture
    seen: Seen | None
    bare: Picture
    frames: int
    effects: tuple[Step, ...] = ()
    whole: int = 0
    skipped: int = 0

    def to_json(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Everything its pictures depend on, sources by `names` (by reference)."""
        document: dict[str, Any] = {
            "source": self.color if self.source is None else names[self.source],
            "takes": [take.to_json() for take in self.takes],
            "bare": [self.bare.width, self.bare.height, self.bare.alpha],
        }
        if self.seen is not None:
            document["seen"] = self.seen.to_json()
        if self.effects:
            timed = self.whole > 0
            document["effects"] = [step.to_json("video", names, timed=timed) for step in self.effects]
            document |= {"whole": self.whole, "skipped": self.skipped}
        return document

    @property
    def sources(self) -> tuple[str, ...]:
        """References of all that it takes pictures from."""
        own = () if self.source is None else (self.source,)
        return (*own, *(name for step in self.effects for name in step.sources))

    @property
    def worked(self) -> int:
        """How many pictures are made for it."""
        return self.whole or self.frames


@dataclass(frozen=True)
class Crossing:
    """A transition: its kind, how many pictures it has, and how many of them come before the piece."""

    type: str
    frames: int
    skipped: int = 0


@dataclass(frozen=True)
class Laid:
    """How a layer lies over what is under it; x and y are of its upper left corner, in pixels."""

    blend: str
    opacity: float
    x: int
    y: int

    @property
    def is_plain(self) -> bool:
        """Whether it hides what is under it."""
        return self.blend == "normal" and self.opacity == 1


@dataclass(frozen=True)
class Content:
    """What one layer shows in a piece: a shot, or the outgoing and the incoming one of a transition."""

    shots: tuple[Shot, ...]
    crossing: Crossing | None
    laid: Laid

    def to_json(self, names: Mapping[str, str]) -> dict[str, Any]:
        """Everything its pictures depend on, sources by `names` (by reference)."""
        frame = self.shots[0].frame
        document: dict[str, Any] = {
            "frame": [frame.width, frame.height, frame.alpha],
            "shots": [shot.to_json(names) for shot in self.shots],
        }
        if self.crossing is not None:
            document["transition"] = asdict(self.crossing)
        return document if self.laid == _WHOLLY else document | {"laid": asdict(self.laid)}


_WHOLLY = Laid("normal", 1, 0, 0)


@dataclass(frozen=True)
class Piece:
    """A run of frames that is rendered by itself.

    Attributes:
        id: the segment's id, `a>b` for the transition from a to b; `+2`, `+3` … for further parts of it.
        segments: ids of the segments that are seen in it.
        first_frame: its place on the timeline.
        contents: what its layers show, the lowest first; none where there is only the background.
    """

    id: str
    kind: Literal["body", "crossfade"]
    first_frame: int
    frames: int
    contents: tuple[Content, ...]
    segments: tuple[str, ...] = ()

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The shots of all its layers."""
        return tuple(self._shots())

    def _shots(self) -> Iterator[Shot]:
        for content in self.contents:
            yield from content.shots
