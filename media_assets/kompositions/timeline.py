"""Places a komposition on exact frames: which source pictures each piece of the video shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from media_assets.errors import DocumentError
from media_assets.kompositions.effects import chain
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.placement import Clock, Findings, Placed, place
from media_assets.kompositions.segments import Box, Effect, Layer
from media_assets.kompositions.shots import Laid, Piece
from media_assets.kompositions.slicing import PlacedLayer, pieces
from media_assets.kompositions.source_findings import source_findings
from media_assets.kompositions.staging import Focus, Stage
from media_assets.kompositions.takes import lacking
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip
from media_assets.operations.conform import JOINED_SOUND

__all__ = ["Piece", "Placed", "PlacedLayer", "Timeline", "timeline"]


@dataclass(frozen=True)
class Timeline:
    """A komposition on exact frames.

    Attributes:
        main: the main segments; layers: the others.
        warnings: (place, text).
    """

    rate: Fraction
    frames: int
    main: PlacedLayer
    layers: tuple[PlacedLayer, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[tuple[str, str], ...]

    @property
    def segments(self) -> tuple[Placed, ...]:
        """The main segments."""
        return self.main.segments


def timeline(
    komposition: Komposition,
    media: Mapping[str, MediaInfo],
    where: str = "komposition",
    tempo: Tempo | None = None,
    focus: Focus | None = None,
) -> Timeline:
    """Place `komposition` on frames.

    Args:
        komposition: the document.
        media: what each referenced source is.
        where: names the document in errors.
        tempo: where its positions lie; its own even grid, if nothing else is known.
        focus: where there is something to see in a source, for pictures that are cropped to it.

    Raises:
        DocumentError: all findings: sources that are missing or have no picture, in points behind a
            source's end, segments shorter than a frame, transitions that do not fit.
    """
    rate = komposition.output.rate
    findings = source_findings(komposition, media)
    warnings: Findings = []
    clock = _clock(komposition, tempo)
    main = Layer.model_construct(
        id="", z=0, segments=komposition.segments, box=Box(), effects=komposition.effects
    )
    layers = []
    others = [(f"$.layers[{number}]", layer) for number, layer in enumerate(komposition.layers)]
    for path, layer in [("$", main), *others]:
        segments = place(layer.segments, clock, f"{path}.segments", findings)
        stage = Stage.of(layer.box, komposition.output, media, focus)
        layers.append((path, layer, stage, segments))
    _raise(findings, where)
    placed = []
    for path, layer, stage, segments in layers:
        treated = _with_effects(path, layer.effects, segments, stage, findings, warnings)
        laid = Laid(
            layer.blend,
            layer.opacity,
            2 * round(layer.box.x * komposition.output.width / 2),
            2 * round(layer.box.y * komposition.output.height / 2),
        )
        placed.append(PlacedLayer(layer.id, layer.z, tuple(treated), stage, laid))
        warnings += _short_sources(path, treated, stage)
    _raise(findings, where)
    frames = max(layer.end for layer in placed)
    # Of two layers of one z, the later one lies over the other, and over the main one.
    stacked = sorted(placed, key=lambda layer: layer.z)
    cut = tuple(pieces(stacked, frames, rate))
    return Timeline(rate, frames, placed[0], tuple(placed[1:]), cut, tuple(warnings))


def _raise(findings: Findings, where: str) -> None:
    if findings:
        raise DocumentError(f"the komposition has {len(findings)} problem(s)", findings, where=where)


def _clock(komposition: Komposition, tempo: Tempo | None) -> Clock:
    bpm = komposition.bpm
    return Clock(
        tempo=tempo or Tempo(komposition.unit_seconds),
        rate=komposition.output.rate,
        beat=60 / exact(bpm) if isinstance(bpm, float) else None,
        in_beats=bpm is not None and komposition.unit != "seconds",
    )


def _with_effects(
    path: str,
    shared: Sequence[Effect],
    placed: Sequence[Placed],
    stage: Stage,
    findings: Findings,
    warnings: Findings,
) -> list[Placed]:
    """Segments with what their effects, and their layer's, come to, on all that is shown of each."""
    treated = []
    for index, here in enumerate(placed):
        place, segment = f"{path}.segments[{index}].effects", here.segment
        seconds = float(here.shown_frames / stage.output.rate)
        info = stage.info(segment)
        sound = JOINED_SOUND if info is not None and info.audio else None
        clip = Clip("video", seconds, stage.bare(segment), sound)
        made, problems = chain([*segment.effects, *shared], clip, stage.media)
        for at, text in problems:
            own = len(segment.effects)
            there = f"{place}[{at}]" if at < own else f"{path}.effects[{at - own}]"
            findings.append((there, text))
        after = made.result.duration if made.result else None
        if after is not None and round((seconds - after) * stage.output.rate) > 0:
            text = f"make it {after:.3f} s long: its last picture is held to {seconds:.3f} s"
            warnings.append((place, text))
        elif after is not None and round((after - seconds) * stage.output.rate) > 0:
            warnings.append((place, f"make it {after:.3f} s long, of which {seconds:.3f} s are shown"))
        treated.append(replace(here, chain=made))
    return treated


def _short_sources(path: str, placed: Sequence[Placed], stage: Stage) -> Findings:
    """Warnings of segments that ask for more than their source has."""
    warnings: Findings = []
    for index, here in enumerate(placed):
        place = f"{path}.segments[{index}]"
        before, after = lacking(here.segment, here.extent(stage.output.rate), stage.info(here.segment))
        if before:
            text = (
                f"its source begins {before} frame(s) too late for its transition: its first picture stands"
            )
            warnings.append((place, text))
        if after and here.segment.fill in ("cut", "stretch"):
            text = f"the source is too short: its last picture is held for {after} frame(s)"
            warnings.append((place, text))
    return warnings
