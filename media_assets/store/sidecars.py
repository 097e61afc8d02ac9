"""What a sidecar tells of an output: what it was to be, what making it took, and where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_assets.media.run import FfmpegResult
from media_assets.media.verify import Properties


@dataclass(frozen=True)
class Recipe:
    """What an output is to be.

    Attributes:
        id: the effect's name, which depends on no content.
        fingerprint: what its content depends on; the cache key.
        operation: the operation's name.
        parameters: its parameters as JSON values.
        derived_from: ids of the inputs.
        file_name: the name of the output inside its folder.
    """

    id: str
    fingerprint: str
    operation: str
    parameters: Mapping[str, Any]
    derived_from: tuple[str, ...]
    file_name: str


@dataclass(frozen=True)
class Made:
    """What a renderer reports of one output it wrote.

    Attributes:
        properties: the verified media properties.
        commands: every ffmpeg command it took, program first.
        own_runs: how many of the commands count for this output, where several outputs share them;
            None for all.
        seconds, cpu_seconds: this output's share of their wall-clock and CPU time.
        peak_memory_bytes: the largest resident set of them.
        ffmpeg_version: of the program used.
        notes: measured values worth keeping (loudness, warnings).
    """

    properties: Properties
    commands: tuple[tuple[str, ...], ...] = ()
    own_runs: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    ffmpeg_version: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        runs: Sequence[FfmpegResult],
        properties: Properties,
        ffmpeg_version: str,
        notes: Mapping[str, Any] | None = None,
        *,
        share: int = 1,
        own_runs: int | None = None,
    ) -> Made:
        """One of `share` outputs that the same commands made; their time is shared out evenly."""
        return cls(
            properties=properties,
            commands=tuple(run.command for run in runs),
            own_runs=own_runs,
            seconds=sum(run.seconds for run in runs) / share,
            cpu_seconds=sum(run.cpu_seconds for run in runs) / share,
            peak_memory_bytes=max(run.peak_memory_bytes for run in runs),
            ffmpeg_version=ffmpeg_version,
            notes=notes or {},
        )


@dataclass(frozen=True)
class Output:
    """A stored output: where it is, and its sidecar."""

    path: Path
    content_hash: str
    recipe: Recipe
    made: Made
    created: str


@dataclass(frozen=True)
class Outcome:
    """An output that was asked for: found (`cached`) or made now, and the seconds it took to get."""

    output: Output
    cached: bool
    seconds: float

    @property
    def ffmpeg_runs(self) -> int:
        """Commands run now for this output."""
        if self.cached:
            return 0
        made = self.output.made
        return len(made.commands) if made.own_runs is None else made.own_runs


def from_sidecar(document: dict[str, Any], folder: Path) -> Output:
    """The output that a sidecar in `folder` is about.

    Raises:
        KeyError, TypeError, ValueError: the document is no sidecar, or names a file elsewhere.
    """
    names = ("id", "fingerprint", "operation", "parameters", "file_name")
    recipe = Recipe(derived_from=tuple(document["derived_from"]), **{n: document[n] for n in names})
    plain_name(recipe.id)
    made = dict(document["made"])
    made["properties"] = Properties(**made["properties"])
    made["commands"] = tuple(tuple(command) for command in made["commands"])
    return Output(
        path=folder / plain_name(recipe.file_name),
        content_hash=document["content_hash"],
        recipe=recipe,
        made=Made(**made),
        created=document["created"],
    )


def plain_name(name: str) -> str:
    """`name`, once it is one that leads nowhere else: what names files after it may be written to.

    Raises:
        ValueError: it is none.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is no plain name")
    return name
