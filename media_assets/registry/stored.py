"""What a node of the graph takes from an output in the store: its cost, its file and its sidecar."""

from __future__ import annotations

from pathlib import Path

from media_assets.registry.graph import Cost
from media_assets.store.outputs import SIDECAR, Output


def cost_of(output: Output | None, key: str | None = None) -> Cost:
    """What making an output took; nothing is known where it is not in the store."""
    if output is None:
        return Cost(key=key)
    size = output.made.properties.size
    return Cost(output.made.cpu_seconds, size, "measured", output.recipe.fingerprint)


def stored_at(output: Output | None, root: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file and the sidecar of an output under the data root."""
    if output is None:
        return (), ()
    path = output.path.relative_to(root)
    return (path.as_posix(),), (path.with_name(SIDECAR).as_posix(),)
