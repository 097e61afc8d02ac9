"""Screenshots of the scenes of a source, and pictures that show an analysis, kept in the output store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from media_assets import ids
from media_assets.errors import MediaAssetsError
from media_assets.media import binaries
from media_assets.media.analysis.scenes import Scene
from media_assets.media.run import FfmpegResult
from media_assets.media.stills import MOST_TILES, contact_sheet, still, waveform
from media_assets.settings import Settings
from media_assets.store.content import Content
from media_assets.store.drawn import drawn
from media_assets.store.outputs import Outcome, Output, OutputStore, Recipe, publish
from media_assets.store.sidecars import plain_name
from media_assets.store.sources import SourceFacts

WIDTH = 1280
MOST_SCENES = 300
"""Of a file with more scenes, the longest ones have a screenshot."""
_VERSION = 1
_PATTERN = "scene_*.jpg"


def make_screenshots(
    source: SourceFacts, content: Content, store: OutputStore, settings: Settings
) -> dict[int, Outcome]:
    """A JPEG of the middle of each scene of a video, by the scene's number from 1.

    Raises:
        FfmpegFailed: the source cannot be decoded there.
    """
    found = content.picture.scenes if content.picture is not None and content.kind == "video" else ()
    chosen = sorted(
        sorted(range(len(found)), key=lambda at: _length(found[at]), reverse=True)[:MOST_SCENES]
    )

    def one(at: int) -> Outcome:
        moment = round((found[at].start + found[at].end) / 2, 3)

        def draw(path: Path) -> FfmpegResult:
            return still(source.path, source.info, moment, path, settings, width=WIDTH)

        return _made("screenshot", {"at": moment, "width": WIDTH}, source, store, settings, draw)

    with ThreadPoolExecutor(settings.workers) as pool:
        return {at + 1: outcome for at, outcome in zip(chosen, pool.map(one, chosen), strict=True)}


def folder_of(source: str, settings: Settings) -> Path:
    """Where the screenshots of a source id are published."""
    return settings.output_root / "screenshots" / source


def publish_screenshots(source: str, made: Mapping[int, Outcome], settings: Settings) -> list[Path]:
    """Give them their readable names, and remove those of what is no scene any more."""
    folder = folder_of(source, settings)
    wanted = {folder / f"scene_{number:03d}.jpg": outcome for number, outcome in made.items()}
    for path, outcome in wanted.items():
        publish(outcome.output.path, path)
    for path in folder.glob(_PATTERN):
        if path not in wanted:
            path.unlink(missing_ok=True)
    return list(wanted)


def forget_screenshots(sources: Iterable[str], settings: Settings) -> None:
    """Remove what was published of sources that are gone; anything else in the folder stays."""
    for source in sources:
        try:
            folder = folder_of(plain_name(source), settings)
        except ValueError:
            continue  # no id of a source: nothing of it was ever published
        for path in folder.glob(_PATTERN):
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not there, or holds something else
            folder.rmdir()


def sheet_of(
    source: SourceFacts, content: Content, store: OutputStore, settings: Settings
) -> Output | None:
    """A small picture of up to twelve scenes, or of moments of a video that has fewer than four.

    None where there is no picture, or none can be made, which is no reason to fail.
    """
    picture = content.picture
    if picture is None:
        return None
    moments = _moments(picture.scenes, picture.seconds if content.kind == "video" else 0.0)

    def draw(path: Path) -> FfmpegResult:
        return contact_sheet(source.path, source.info, moments, path, settings)

    return _optional("contact_sheet_preview", {"at": moments}, source, store, settings, draw)


def waveform_of(
    source: SourceFacts, content: Content, store: OutputStore, settings: Settings
) -> Output | None:
    """A small picture of the sound; None where there is none, or it cannot be made."""
    if content.sound is None:
        return None

    def draw(path: Path) -> FfmpegResult:
        return waveform(source.path, source.info, path, settings)

    return _optional("waveform_preview", {}, source, store, settings, draw)


def _moments(scenes: Sequence[Scene], seconds: float) -> list[float]:
    """The middles of scenes, evenly chosen; of a video with few scenes, of even parts of it."""
    middles = [round((scene.start + scene.end) / 2, 3) for scene in scenes]
    if not seconds:
        return middles[:1] or [0.0]
    if len(middles) < 4:
        parts = 8 if seconds >= 4 else 4
        return [round(seconds * (part + 0.5) / parts, 3) for part in range(parts)]
    if len(middles) <= MOST_TILES:
        return middles
    return [middles[round(at * (len(middles) - 1) / (MOST_TILES - 1))] for at in range(MOST_TILES)]


def _length(scene: Scene) -> float:
    return scene.end - scene.start


def _optional(
    operation: str,
    parameters: Mapping[str, Any],
    source: SourceFacts,
    store: OutputStore,
    settings: Settings,
    draw: Callable[[Path], FfmpegResult],
) -> Output | None:
    try:
        return _made(operation, parameters, source, store, settings, draw).output
    except MediaAssetsError:
        return None


def _made(
    operation: str,
    parameters: Mapping[str, Any],
    source: SourceFacts,
    store: OutputStore,
    settings: Settings,
    draw: Callable[[Path], FfmpegResult],
) -> Outcome:
    """A JPEG from the store, or drawn now."""
    version = binaries.ffmpeg(settings).version
    effect = ids.effect_id(operation, [source.id], parameters)
    key = {operation: _VERSION, "parameters": parameters, "source": source.sha256, "ffmpeg": version}
    name = ids.output_name(operation, [source.id], {}, effect[-16:-8], "jpg")
    recipe = Recipe(effect, ids.fingerprint(key), operation, parameters, (source.id,), name)
    return drawn(recipe, draw, version, store, settings)
