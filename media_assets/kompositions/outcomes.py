"""What rendering reports: the outcome of each part, the finished komposition, and failures as one error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from media_assets.errors import Cancelled, DiskFull, FfmpegFailed, MediaAssetsError
from media_assets.kompositions.plan import KompositionPlan
from media_assets.kompositions.shots import Piece
from media_assets.store.outputs import Outcome, Recipe


@dataclass(frozen=True)
class Step:
    """What became of one part of a rendering.

    Attributes:
        id: the segment's id, `a>b` for a transition, `sound`, or the komposition's id; ids of parts
            that are equal, and so rendered once, are joined by commas.
        recipe: what it was to be.
        result: what the store gave, or why it failed.
        seconds: wall-clock seconds it took.
    """

    id: str
    recipe: Recipe
    result: Outcome | MediaAssetsError
    seconds: float

    @property
    def kind(self) -> str:
        """`komposition_segment`, `komposition_crossfade`, `komposition_sound` or `komposition`."""
        return self.recipe.operation


@dataclass(frozen=True)
class Row:
    """One part of a finished rendering: whether it was found in the cache, and the seconds it took.

    Attributes:
        effects: names of a segment's effects, in order.
        sources: ids of what it is made from.
    """

    id: str
    cached: bool
    seconds: float
    effects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class RenderedKomposition:
    """A finished komposition.

    Attributes:
        final: the finished file; when it was cached, its parts were not looked at.
        frames: pictures; duration: seconds.
        segments: a row for each segment of the document; transitions: one for each crossfade.
        ffmpeg_runs: commands that were run now.
        seconds: wall-clock seconds of the whole rendering.
        loudness: integrated, LUFS; true_peak: dBTP. None for silence.
    """

    final: Outcome
    frames: int
    duration: float
    segments: tuple[Row, ...]
    transitions: tuple[Row, ...]
    sound: Row
    ffmpeg_runs: int
    seconds: float
    loudness: float | None
    true_peak: float | None

    def to_json(self) -> dict[str, Any]:
        """The same as JSON values, for people and records."""
        return {
            "output": self.final.output.path.name,
            "content_hash": self.final.output.content_hash,
            "cached": self.final.cached,
            "frames": self.frames,
            "duration": self.duration,
            "segments": [asdict(row) for row in self.segments],
            "transitions": [asdict(row) for row in self.transitions],
            "sound": asdict(self.sound),
            "ffmpeg_runs": self.ffmpeg_runs,
            "seconds": self.seconds,
            "loudness_lufs": self.loudness,
            "true_peak_db": self.true_peak,
        }


def rendered(
    plan: KompositionPlan, parts: Mapping[str, Outcome], final: Outcome, seconds: float
) -> RenderedKomposition:
    """Sum a rendering up; `parts` by fingerprint, empty where the finished file was found."""
    notes = final.output.made.notes
    rows = {p.piece.id: _row(p.piece.id, parts.get(p.fingerprint), p.sources) for p in plan.pieces}
    seen: dict[str, list[Piece]] = {name: [] for name in plan.segments}
    for planned in plan.pieces:
        for name in planned.piece.segments:
            seen[name].append(planned.piece)
    return RenderedKomposition(
        final=final,
        frames=plan.frames,
        duration=plan.duration,
        segments=tuple(_segment(s, seen[s], plan, rows) for s in plan.segments),
        transitions=tuple(rows[p.piece.id] for p in plan.pieces if p.piece.kind == "crossfade"),
        sound=_row("sound", parts.get(plan.sound_fingerprint), _heard(plan)),
        ffmpeg_runs=sum(outcome.ffmpeg_runs for outcome in (*parts.values(), final)),
        seconds=seconds,
        loudness=notes.get("loudness_lufs"),
        true_peak=notes.get("true_peak_db"),
    )


def joined_error(failures: Sequence[tuple[str, MediaAssetsError]]) -> MediaAssetsError:
    """One error that names every part that failed (by id), of the kind that says most."""
    for kind in (DiskFull, Cancelled):
        for _, error in failures:
            if isinstance(error, kind):
                return error
    first = failures[0][1]
    names = ", ".join(name for name, _ in failures)
    message = "; ".join(f"{name}: {error.message}" for name, error in failures)
    if len(failures) == 1:
        message = first.message
    if isinstance(first, FfmpegFailed):
        return FfmpegFailed(
            message, command=first.command, returncode=first.returncode, where=names, hint=first.hint
        )
    return type(first)(message, where=names, hint=first.hint)


def _segment(name: str, seen: Sequence[Piece], plan: KompositionPlan, rows: Mapping[str, Row]) -> Row:
    """What became of the pieces in which a segment is seen; of transitions only where it is all in them."""
    bodies = [piece for piece in seen if piece.kind == "body"] or seen
    parts = [rows[piece.id] for piece in bodies]
    return Row(
        id=name,
        cached=all(row.cached for row in parts),
        seconds=sum(row.seconds for row in parts),
        effects=plan.effects.get(name, ()),
        sources=tuple(dict.fromkeys(source for row in parts for source in row.sources)),
    )


def _heard(plan: KompositionPlan) -> tuple[str, ...]:
    """Ids of what is heard."""
    return tuple(dict.fromkeys(plan.references[name] for name in plan.soundtrack.sources))


def _row(name: str, outcome: Outcome | None, sources: tuple[str, ...]) -> Row:
    cached, seconds = (True, 0.0) if outcome is None else (outcome.cached, outcome.seconds)
    return Row(name, cached, seconds, sources=sources)
