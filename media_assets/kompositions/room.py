"""How many bytes rendering a komposition puts on disk, by estimate."""

from __future__ import annotations

from collections.abc import Collection

from media_assets.kompositions.plan import KompositionPlan
from media_assets.planning.estimates import picture_bytes, sound_bytes
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.space import check_render


def check_room_for(
    plan: KompositionPlan,
    settings: Settings,
    store: OutputStore,
    parts: Collection[str] | None = None,
) -> None:
    """See that what is missing of a komposition may fit into the store, before anything is rendered.

    Args:
        parts: fingerprints of the only parts that are wanted; without them all, and the whole file.

    Raises:
        DiskFull: it cannot fit.
    """
    pixels = plan.output.width * plan.output.height
    lengths = {piece.fingerprint: piece.piece.frames for piece in plan.pieces}
    missing = [f for f in lengths if (parts is None or f in parts) and not store.has(f)]
    needed = picture_bytes(pixels * sum(lengths[f] for f in missing))
    if (parts is None or plan.sound_fingerprint in parts) and not store.has(plan.sound_fingerprint):
        needed += sound_bytes(float(plan.duration))
    if parts is None:
        # The whole is a copy of its pieces.
        needed += picture_bytes(pixels * plan.frames) + sound_bytes(float(plan.duration))
    check_render(needed, settings, where=plan.id)
