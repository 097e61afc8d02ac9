"""Thumbnails of sources and outputs, kept in the output store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from media_assets import ids
from media_assets.errors import MediaAssetsError
from media_assets.media import binaries
from media_assets.media.info import MediaInfo
from media_assets.media.preview import thumbnail
from media_assets.media.probe import probe
from media_assets.media.run import FfmpegResult
from media_assets.settings import Settings
from media_assets.store.drawn import drawn
from media_assets.store.outputs import Outcome, Output, OutputStore, Recipe
from media_assets.store.sources import SourceFacts

WIDTH = 320
_VERSION = 1


def make_thumbnail(source: SourceFacts, store: OutputStore, settings: Settings) -> Outcome:
    """A JPEG, 320 pixels wide, of a source; found in the store when its content was seen before.

    Raises:
        FfmpegFailed: the source cannot be decoded.
    """
    return _make(source.id, source.path, source.sha256, lambda: source.info, store, settings)


def preview_of(output: Output, store: OutputStore, settings: Settings) -> Path | None:
    """The same of an output; None where no picture can be made, which is no reason to fail the output."""
    try:
        return _make(
            output.recipe.id,
            output.path,
            output.content_hash,
            lambda: probe(output.path, settings),
            store,
            settings,
        ).output.path
    except MediaAssetsError:
        return None


def _make(
    origin: str,
    path: Path,
    sha256: str,
    info: Callable[[], MediaInfo],
    store: OutputStore,
    settings: Settings,
) -> Outcome:
    version = binaries.ffmpeg(settings).version
    effect = ids.effect_id("thumbnail", [origin], {"width": WIDTH})
    recipe = Recipe(
        id=effect,
        fingerprint=ids.fingerprint(
            {"thumbnail": _VERSION, "width": WIDTH, "source": sha256, "ffmpeg": version}
        ),
        operation="thumbnail",
        parameters={"width": WIDTH},
        derived_from=(origin,),
        file_name=ids.output_name("thumbnail", [origin], {}, effect[-16:-8], "jpg"),
    )

    def draw(target: Path) -> FfmpegResult:
        return thumbnail(path, info(), target, settings, WIDTH)

    return drawn(recipe, draw, version, store, settings)
