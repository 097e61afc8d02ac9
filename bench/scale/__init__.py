"""How figures grow with the number of sources: rescans, ticks with nothing to do, pages, ingest, memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.scale.apart import measured
from bench.scale.home import populate
from media_assets.settings import Settings

PARTS = ("rescan", "tick", "pages", "ingest")
SIZES = (1_000, 10_000, 100_000)
_LARGEST = {"pages": 10_000, "ingest": 10_000}
"""Sources that a part takes at most: reading 100,000 files would take most of an hour."""


def run(runs: int = 5, parts: Sequence[str] = PARTS, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Measure those parts at those numbers of sources, each in a process of its own."""
    made: dict[str, float] = {}
    found: dict[str, Any] = {part: {} for part in parts} | {"home_made_in_seconds": made}
    for size in sizes:
        wanted = [part for part in parts if size <= _LARGEST.get(part, size)]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if set(wanted) - {"ingest"}:
                started = time.monotonic()
                populate(Settings.from_environment(folder / "home"), size)
                made[str(size)] = round(time.monotonic() - started, 1)
            for part in wanted:
                root = folder / ("ingest" if part == "ingest" else "home")
                found[part][str(size)] = measured(part, root, size, runs)
    return found | _aimed(found)


def _aimed(found: dict[str, Any]) -> dict[str, float]:
    """The figures that there are aims for."""
    places = {
        "rescan_100k_ms_a_file": ("rescan", "100000", "ms_a_file_over_bare"),
        "tick_10k_seconds": ("tick", "10000", "seconds"),
        "slowest_page_10k_seconds": ("pages", "10000", "slowest_page_seconds"),
        "ingest_last_to_first": ("ingest", "10000", "last_to_first"),
    }
    taken = {
        name: found.get(part, {}).get(size, {}).get(figure) for name, (part, size, figure) in places.items()
    }
    return {name: value for name, value in taken.items() if value is not None}
