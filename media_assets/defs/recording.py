"""What every body does with an outcome: one event, and the metadata a person wants to see."""

from __future__ import annotations

import base64
import contextlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from media_assets.analytics.outcomes import Place
from media_assets.errors import MediaAssetsError
from media_assets.media.info import MediaInfo
from media_assets.settings import Settings
from media_assets.store.outputs import Outcome, Output


def place_of(
    context: dg.AssetExecutionContext,
    settings: Settings,
    asset: dg.AssetKey,
    partition: str,
    workflow: str | None = None,
) -> Place:
    """Where events of a partition's operations come from."""
    return Place(
        settings, asset.to_user_string(), partition, context.run_id, dict(context.run.tags), workflow
    )


def output_metadata(
    outcome: Outcome, preview: Path | None = None, published: Path | None = None
) -> dict[str, dg.MetadataValue]:
    """What the UI shows of an output, with its preview and the readable name it was given."""
    output: Output = outcome.output
    made, found = output.made, output.made.properties
    still = found.video in ("mjpeg", "png") and found.frames == 1
    speed = f"{found.duration / made.seconds:.1f} x realtime" if made.seconds and found.duration else None
    shown: dict[str, Any] = {
        "preview": picture(preview) if preview else None,
        "output": dg.MetadataValue.path(str(published)) if published else None,
        "path": dg.MetadataValue.path(str(output.path)),
        "duration": None if still else found.duration,
        "size": found.size,
        "resolution": f"{found.width}x{found.height}" if found.width else None,
        "fps": None if still else found.fps,
        "frames": found.frames,
        "codec": " + ".join(codec for codec in (found.video, found.audio) if codec),
        "cached": outcome.cached,
        "seconds": round(outcome.seconds, 3),
        "render_seconds": round(made.seconds, 3),
        "speed": speed,
        "effect": output.recipe.id,
        "fingerprint": output.recipe.fingerprint,
        "content_hash": output.content_hash,
        "derived_from": dg.MetadataValue.json(list(output.recipe.derived_from)),
        "parameters": dg.MetadataValue.json(dict(output.recipe.parameters)),
        "command": dg.MetadataValue.md(_commands(made.commands)) if made.commands else None,
    } | dict(made.notes)
    return as_metadata(shown)


def source_metadata(relative: str, sha256: str, info: MediaInfo) -> dict[str, dg.MetadataValue]:
    """What the UI shows of a source."""
    video = info.videos[0] if info.videos else None
    audio = info.audios[0] if info.audios else None
    return as_metadata(
        {
            "path": relative,
            "kind": info.kind,
            "duration": info.duration,
            "size": info.size,
            "resolution": f"{video.display_width}x{video.display_height}" if video else None,
            "fps": str(video.fps) if video and video.fps else None,
            "codec": " + ".join(stream.codec for stream in (video, audio) if stream),
            "rotation": video.rotation if video and video.rotation else None,
            "hdr": video.hdr if video else None,
            "sound": f"{audio.sample_rate} Hz, {audio.channels} channels" if audio else None,
            "sha256": sha256,
            "warnings": dg.MetadataValue.json(list(info.warnings)) if info.warnings else None,
            "probe": dg.MetadataValue.json(info.to_json()),
        }
    )


def as_values(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    """Dagster's values as plain ones."""
    return {name: item.value for name, item in metadata.items()}


def as_metadata(values: Mapping[str, Any]) -> dict[str, dg.MetadataValue]:
    """Plain values as Dagster's; None and empty text are left out."""
    metadata: dict[str, dg.MetadataValue] = {}
    for name, value in values.items():
        if value is None or value == "":
            continue
        if isinstance(value, dg.MetadataValue):
            metadata[name] = value
        elif isinstance(value, bool):
            metadata[name] = dg.MetadataValue.bool(value)
        elif isinstance(value, int):
            metadata[name] = dg.MetadataValue.int(value)
        elif isinstance(value, float):
            metadata[name] = dg.MetadataValue.float(value)
        elif isinstance(value, str):
            metadata[name] = dg.MetadataValue.text(value)
        else:
            metadata[name] = dg.MetadataValue.json(value)
    return metadata


def picture(path: Path) -> dg.MetadataValue:
    """A small JPEG, shown inside the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    return dg.MetadataValue.md(f"![preview](data:image/jpeg;base64,{data})")


class Failures:
    """Collects what went wrong with single partitions, so that the others go on."""

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._context = context
        self._found: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def catching(self, partition: str) -> Iterator[None]:
        """Keep a domain error of `partition` for the end; anything else is a defect and passes."""
        try:
            yield
        except MediaAssetsError as error:
            self.add(partition, error)

    def add(self, partition: str, error: MediaAssetsError) -> None:
        """Note one failed partition."""
        self._found.append((partition, f"{error.code}: {error}"))
        self._context.log.error(f"{partition}: {error.code}: {error}")

    @property
    def found(self) -> list[tuple[str, str]]:
        """Each failed partition, and why: what a later step of the run can take over."""
        return list(self._found)

    def take_over(self, found: Iterable[tuple[str, str]]) -> None:
        """Count what an earlier step of the run found, which it did not fail for."""
        self._found += found

    def raise_if_any(self, total: int) -> None:
        """Fail the step, naming every failed partition; what succeeded is recorded already.

        Raises:
            dagster.Failure: at least one partition failed.
        """
        if self._found:
            rows = "\n".join(f"| {key} | {_cell(text)} |" for key, text in self._found)
            table = f"| partition | why |\n| --- | --- |\n{rows}"
            names = ", ".join(key for key, _ in self._found[:5])
            raise dg.Failure(
                f"{len(self._found)} of {total} partitions failed: {names}; first: {self._found[0][1]}",
                metadata={
                    "failed": dg.MetadataValue.md(table),
                    # By partition, for sensors: they tell why they do not ask for it at once.
                    "reasons": dg.MetadataValue.json(dict(self._found)),
                },
                allow_retries=False,
            )


def _commands(commands: tuple[tuple[str, ...], ...]) -> str:
    return "\n\n".join(f"```\n{shlex.join(command)}\n```" for command in commands)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
