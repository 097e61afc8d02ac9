"""The komposition document as a value: what a timeline is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from media_assets.kompositions.audio import AudioTrack, Loudness, Music
from media_assets.kompositions.segments import Effect, Layer, Segment, named
from media_assets.kompositions.values import (
    MAX_EFFECTS,
    MAX_LAYERS,
    MAX_RENDITIONS,
    MAX_SEGMENTS,
    MAX_TRACKS,
    Fit,
    FrameRate,
    Id,
    Part,
    Reference,
    Side,
    SourceName,
    Unit,
    exact,
)
from media_assets.operations.colors import Color


class OutputFormat(Part):
    """What the finished video is like.

    Attributes:
        fit: how pictures of another shape go into it.
        background: what is where no segment is.
        color: BT.709 of limited range, eight bits: what every player and site shows right.
    """

    width: Side
    height: Side
    fps: FrameRate = "30"
    fit: Fit = "contain"
    background: Color = "#000000"
    color: Literal["bt709"] = "bt709"

    @property
    def rate(self) -> Fraction:
        """Pictures a second, exactly."""
        return Fraction(self.fps)


class Rendition(Part):
    """Another form of the same video; what it does not say is as in `output`.

    Attributes:
        id: names it: `<komposition>_<id>.mp4`. `preview` says what `komposition preview` renders.
        profile: the encoder profile of its picture.
    """

    id: Id
    width: Side
    height: Side
    fps: FrameRate | None = None
    fit: Fit | None = None
    profile: Literal["h264", "preview"] = "h264"


class Komposition(Part):
    """A timeline document.

    Attributes:
        bpm: beats a minute, where durations are in beats; `auto` is that of the music, as detected.
        meter: beats in a bar.
        snap: positions in beats are those of the beats detected in the music, not of an even grid.
        unit: what positions and durations are in; beats if there is a bpm, else seconds.
        sources: names for sources, which segments, effects and tracks may use instead of the source itself.
        segments: the main ones, in order.
        effects: on each of the main segments, after its own.
        layers: more pictures, over or under these.
        music: one track under the whole timeline.
        audio: further tracks.
        speech: `keep`: what is said in segments is heard, and music lowered under it.
        loudness: None leaves the level of the mix as it is.
        renditions: other sizes and shapes of the same video.
        profile: the encoder profile of the picture.
        automation: `eager` to render it whenever it or a source changes, `manual` to wait until somebody
            asks; without it, as the settings say. It is no part of what is rendered.
    """

    version: Literal[1]
    title: Annotated[str, Field(max_length=500)] = ""
    description: Annotated[str, Field(max_length=10_000)] = ""
    bpm: Annotated[float, Field(ge=20, le=400)] | Literal["auto"] | None = None
    meter: Annotated[int, Field(ge=1, le=32)] = 4
    snap: bool = False
    unit: Unit | None = None
    output: OutputFormat
    sources: Annotated[dict[SourceName, Reference], Field(max_length=MAX_SEGMENTS)] = Field(
        default_factory=dict
    )
    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=MAX_SEGMENTS, strict=False)]
    effects: Annotated[tuple[Effect, ...], Field(max_length=MAX_EFFECTS, strict=False)] = ()
    layers: Annotated[tuple[Layer, ...], Field(max_length=MAX_LAYERS, strict=False)] = ()
    music: Music | None = None
    audio: Annotated[tuple[AudioTrack, ...], Field(max_length=MAX_TRACKS, strict=False)] = ()
    speech: Literal["keep"] | None = None
    loudness: Loudness | None = None
    renditions: Annotated[tuple[Rendition, ...], Field(max_length=MAX_RENDITIONS, strict=False)] = ()
    profile: Literal["h264", "preview"] = "h264"
    automation: Literal["eager", "manual"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_segments(cls, data: Any) -> Any:
        """Give segments without an id the names s1, s2 … by position."""
        return named(data, "s")

    @property
    def unit_seconds(self) -> Fraction:
        """Seconds in one unit of the timeline: 60 / bpm, or 1.

        Raises:
            ValueError: the bpm is yet to be detected.
        """
        if self.bpm == "auto":
            raise ValueError("the bpm is not known yet")
        return unit_seconds(self.bpm, self.unit)

    def source(self, reference: str) -> str:
        """The source that a name in the document stands for: a path or an id."""
        return self.sources.get(reference, reference)

    @property
    def all_segments(self) -> Iterator[tuple[str, Segment]]:
        """Every segment with its place in the document, the main ones first."""
        for index, segment in enumerate(self.segments):
            yield f"$.segments[{index}]", segment
        for at, layer in enumerate(self.layers):
            for index, segment in enumerate(layer.segments):
                yield f"$.layers[{at}].segments[{index}]", segment


def unit_seconds(bpm: float | None, unit: str | None) -> Fraction:
    """Seconds in one unit of a timeline with that `bpm` and `unit`."""
    if bpm is None or unit == "seconds":
        return Fraction(1)
    return 60 / exact(bpm)


def references(komposition: Komposition) -> list[str]:
    """What a komposition names, each once: sources of its segments, of their effects, of what is heard."""
    segments = [segment for _, segment in komposition.all_segments]
    names: Iterable[str] = (segment.source for segment in segments if segment.source is not None)
    groups = [segment.effects for segment in segments] + [layer.effects for layer in komposition.layers]
    groups.append(komposition.effects)
    slots = [name for effects in groups for effect in effects for name in effect.sources]
    music = [komposition.music.source] if komposition.music else []
    clips = [clip.source for track in komposition.audio for clip in track.clips]
    return list(dict.fromkeys([*names, *slots, *music, *clips]))
