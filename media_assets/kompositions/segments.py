"""What a timeline is made of: segments, what is done to them, how they come in, and layers of them."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from media_assets.kompositions.audio import Speech
from media_assets.kompositions.values import (
    MAX_EFFECTS,
    MAX_SEGMENTS,
    MAX_ZOOM,
    Fit,
    Gain,
    Id,
    Length,
    Part,
    Position,
    Reference,
    Seconds,
    Share,
    SomeSeconds,
    Unit,
    source_reference,
)
from media_assets.media.xfade import TRANSITIONS
from media_assets.operations.colors import Color
from media_assets.planning.specs import named_inputs

Blend = Literal[
    "normal",
    "multiply",
    "screen",
    "overlay",
    "addition",
    "darken",
    "lighten",
    "softlight",
    "hardlight",
    "difference",
]
"""How a layer is laid over what is under it; all but normal are those of ffmpeg's filter `blend`."""
Fill = Literal["cut", "stretch", "loop", "freeze", "pad"]


class Transition(Part):
    """How a segment comes in over the one before.

    Attributes:
        type: `crossfade`, or the name of any transition of ffmpeg's filter xfade.
        duration: how long both are seen, in `unit` (the document's, if it says none).
        offset: where it starts, from the boundary of the two, in the same unit: 0 starts on it and the
            segment before goes on under it; minus the duration ends on it and the segment starts early.
    """

    type: Annotated[str, Field(max_length=40)] = "crossfade"
    duration: Length
    offset: Annotated[float, Field(ge=-1_000_000, le=0)] = 0.0
    unit: Unit | None = None

    @field_validator("type")
    @classmethod
    def _exists(cls, name: str) -> str:
        if name == "crossfade" or name in TRANSITIONS:
            return name
        near = difflib.get_close_matches(name, ["crossfade", *TRANSITIONS], n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else "known: crossfade, " + ", ".join(TRANSITIONS)
        raise ValueError(f"is not a transition; {hint}")

    @property
    def kind(self) -> str:
        """What ffmpeg's xfade calls it."""
        return "fade" if self.type == "crossfade" else self.type


class Framing(Part):
    """A part of a picture: its middle as fractions of width and height, and how much it is enlarged."""

    x: Share = 0.5
    y: Share = 0.5
    zoom: Annotated[float, Field(ge=1, le=MAX_ZOOM)] = 1.0


class View(Part):
    """Pan and zoom: what is seen of a picture at the segment's start and at its end.

    Attributes:
        easing: `smooth` starts and ends slowly.
    """

    start: Framing = Framing()
    end: Framing = Framing()
    easing: Literal["linear", "smooth"] = "smooth"


class Box(Part):
    """A rectangle of the frame: its upper left corner and its size, as fractions of width and height."""

    x: Annotated[float, Field(ge=-1, le=1)] = 0.0
    y: Annotated[float, Field(ge=-1, le=1)] = 0.0
    width: Annotated[float, Field(gt=0, le=2)] = 1.0
    height: Annotated[float, Field(gt=0, le=2)] = 1.0


class Effect(Part):
    """An operation on a segment.

    Attributes:
        op: its name or an alias.
        params: its parameters; those that name a slot (`lut`, `overlay`, `font`, `audio`) name a source.
    """

    op: Annotated[str, Field(min_length=1, max_length=80)]
    params: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, data: Any) -> Any:
        """Parameters may stand beside `op`."""
        if not isinstance(data, dict):
            return data
        beside = {name: value for name, value in data.items() if name not in ("op", "params")}
        params = data.get("params", {})
        if not beside or not isinstance(params, dict):
            return data
        twice = ", ".join(sorted(name for name in beside if name in params))
        if twice:
            raise ValueError(f"{twice} stands both in params and beside op")
        return {**{name: data[name] for name in data if name == "op"}, "params": {**beside, **params}}

    @model_validator(mode="after")
    def _sources_hold(self) -> Effect:
        for name in self.sources:
            source_reference(name)
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """What its slots name, in their order: paths under the source folder, or source ids."""
        return tuple(named_inputs(self.op, [None], self.params)[0][1:])

    @property
    def values(self) -> dict[str, Any]:
        """Its parameters without those sources."""
        return named_inputs(self.op, [None], self.params)[1]


class Segment(Part):
    """A stretch of the timeline, filled from one source or with a colour.

    Attributes:
        color: instead of a source; what effects such as `text` draw on.
        in_point: seconds into the source.
        source_duration: how much of the source from there on may be shown; None is up to its end.
        start: on the timeline, in the document's unit; None is where the segment before ends.
        duration: on the timeline, in the document's unit.
        fill: what is done where that is not what the source has. `cut` shows as much of it as there is time
            for (and holds the last picture, with a warning, where there is too little), `stretch` plays
            `source_duration` in that time, sound at its own pitch, `loop` begins again at `in_point`,
            `freeze` holds the last picture, `pad` shows nothing more.
        fit: how a picture of another shape goes into the frame; None is as `output` says, in a box
            `contain`.
        view: pan and zoom.
        effects: operations on the segment's own picture and sound, in order.
        gain_db: of the source's own sound; None is 0 dB, or silence where the komposition has music.
        speech: that its sound is speech, under which music is lowered; it is heard even with music.
        transition: how it comes in from the segment before.
    """

    id: Id
    source: Reference | None = None
    color: Color | None = None
    in_point: Seconds = 0.0
    source_duration: SomeSeconds | None = None
    start: Position | None = None
    duration: Length
    fill: Fill = "cut"
    fit: Fit | None = None
    view: View | None = None
    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS, strict=False)] = ()
    gain_db: Gain | None = None
    speech: Speech | None = None
    transition: Transition | None = None

    @model_validator(mode="before")
    @classmethod
    def _spellings(cls, data: Any) -> Any:
        """`stretch: true` is the fill rule of that name; `speech: "keep"` is speech that is detected."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("stretch"), bool):
            stretched = data.pop("stretch")
            if stretched and data.setdefault("fill", "stretch") != "stretch":
                raise ValueError(f"is both stretched and filled by {data['fill']!r}")
        if data.get("speech") == "keep":
            data["speech"] = {}
        return data

    @model_validator(mode="after")
    def _one_picture(self) -> Segment:
        if (self.source is None) == (self.color is None):
            raise ValueError("should have either a source or a color")
        return self


class Layer(Part):
    """Segments over (z above 0) or under (below 0) the main ones, which are at 0.

    Attributes:
        role: what it is for, in the author's words.
        box: which part of the frame it is laid in; `fit` is into this box, without bars.
        effects: on each of its segments, after the segment's own.
    """

    id: Id
    z: Annotated[int, Field(ge=-100, le=100)]
    role: Annotated[str, Field(max_length=80)] = ""
    blend: Blend = "normal"
    opacity: Share = 1.0
    box: Box = Box()
    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS, strict=False)] = ()
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=MAX_SEGMENTS, strict=False)]

    @model_validator(mode="before")
    @classmethod
    def _name_segments(cls, data: Any) -> Any:
        """Segments without an id are named after the layer and their place in it."""
        return named(
            data, f"{data['id']}-" if isinstance(data, dict) and isinstance(data.get("id"), str) else "s"
        )


def named(data: Any, prefix: str) -> Any:
    """Segments without an id named by their position."""
    if not isinstance(data, dict) or not isinstance(data.get("segments"), list | tuple):
        return data
    segments = [
        {"id": f"{prefix}{number}", **segment} if isinstance(segment, dict) else segment
        for number, segment in enumerate(data["segments"], 1)
    ]
    return {**data, "segments": segments}
