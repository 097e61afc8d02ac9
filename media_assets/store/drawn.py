"""Pictures that one ffmpeg command draws, kept in the output store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from media_assets.media.run import FfmpegResult
from media_assets.media.verify import read_properties
from media_assets.settings import Settings
from media_assets.store.outputs import Made, Outcome, OutputStore, Recipe


def drawn(
    recipe: Recipe,
    draw: Callable[[Path], FfmpegResult],
    ffmpeg_version: str,
    store: OutputStore,
    settings: Settings,
) -> Outcome:
    """The picture of `recipe` from the store, or as `draw` writes it now.

    Raises:
        FfmpegFailed: it cannot be drawn.
    """

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        target = paths[recipe.fingerprint]
        done = draw(target)
        return {recipe.fingerprint: Made.of([done], read_properties(target, settings), ffmpeg_version)}

    return store.produce([recipe], render)[0]
