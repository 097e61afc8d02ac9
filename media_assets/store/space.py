"""Room on disk: what is about to be written is held against what is free, before anything is begun."""

from __future__ import annotations

import shutil
from pathlib import Path

from media_assets.errors import DiskFull
from media_assets.settings import Settings

LEAST_PART = 0.25
"""What of an estimated size is needed at the least. Estimates know nothing of what a picture shows: three
quarters of some 1,900 H.264 files that were made are larger than a quarter of theirs. What is refused would
hardly have fitted; what is not may still fill the disk, and then loses nothing."""

_HINT = "free some space (see `media-assets clean --dry-run`), or lower MEDIA_ASSETS_RESERVE_BYTES"
_RESERVE_BYTES = 256 << 20
_RESERVE_PART = 0.05


def check_room(folder: Path, needed: float, settings: Settings, *, where: str | None = None) -> None:
    """See that `needed` bytes fit into the file system of `folder`, with the reserve besides.

    Each asks for itself: two that begin at one moment may both find room that is enough for one only.

    Args:
        folder: where is to be written; it need not be there yet.
        needed: bytes.
        where: what they are for.

    Raises:
        DiskFull: they do not fit.
    """
    nearest = next((path for path in (folder, *folder.parents) if path.exists()), None)
    if nearest is None:
        return
    usage = shutil.disk_usage(nearest)
    reserve = reserved(usage.total, settings)
    if needed + reserve > usage.free:
        raise DiskFull(
            f"about {_size(needed)} are needed, and {_size(reserve)} are to stay free; "
            f"{_size(usage.free)} are free on the disk of {nearest}",
            where=where,
            hint=_HINT,
        )


def check_render(estimated: float, settings: Settings, *, where: str | None = None) -> None:
    """See that files of an estimated size may fit into the store.

    Args:
        estimated: bytes, by the planner.
        where: what is to be rendered.

    Raises:
        DiskFull: not even a quarter of them fits.
    """
    check_room(settings.store_root, estimated * LEAST_PART, settings, where=where)


def reserved(total: int, settings: Settings) -> int:
    """Bytes that stay free on a disk of `total` bytes: for Dagster's records, events, other programs."""
    if settings.reserve_bytes is not None:
        return settings.reserve_bytes
    return min(_RESERVE_BYTES, int(total * _RESERVE_PART))


def _size(count: float) -> str:
    if count < 10_000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"
