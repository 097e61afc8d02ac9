"""What comparing unchanged sources with their records costs beside listing them."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

from bench.timing import timed
from media_assets.settings import Settings
from media_assets.store.sources import SourceCatalogue


def measure(settings: Settings, count: int, runs: int) -> dict[str, Any]:
    """Milliseconds a file of a rescan over `os.scandir` and `stat` alone: the first, the median of pairs.

    Raises:
        RuntimeError: something is taken to have changed.
    """
    catalogue = SourceCatalogue(settings)
    bare, ours = [], []
    for number in range(runs + 1):
        # Each is first in turn.
        works = [lambda: _listed(settings.source_root), lambda: _rescan(catalogue, count)]
        order = (0, 1) if number % 2 else (1, 0)
        taken = {which: timed(works[which]) for which in order}
        bare.append(taken[0])
        ours.append(taken[1])
    over = [(mine - theirs) * 1000 / count for mine, theirs in zip(ours, bare, strict=True)]
    return {
        "bare_ms_a_file": round(statistics.median(bare[1:]) * 1000 / count, 5),
        "first_ms_a_file_over_bare": round(over[0], 5),
        "ms_a_file_over_bare": round(statistics.median(over[1:]), 5),
    }


def _listed(folder: Path) -> int:
    """List a folder and take each file's `stat`, nothing else."""
    found = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found += _listed(Path(entry.path))
            else:
                entry.stat()
                found += 1
    return found


def _rescan(catalogue: SourceCatalogue, count: int) -> None:
    changes = catalogue.changes()
    if changes.unread or changes.removed or changes.growing or len(changes.on_disk) != count:
        raise RuntimeError(f"{len(changes.unread)} of {count} unchanged files are taken for changed")
