"""How fast a komposition renders, changes and grows, against other ways to the same video.

Runs are paired and alternate, so that a busy machine is busy for both. The hand-written command may use all
cores as ffmpeg likes.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.komposition import growth, quality
from bench.komposition.document import (
    CROSSFADED,
    PLAIN,
    Sources,
    document,
    fresh,
    has_footage,
    make_sources,
    ours,
    preview,
)
from bench.komposition.rivals import by_hand, by_moviepy, one_by_one
from bench.timing import ratio, timed
from media_assets.settings import Settings

PARTS = ("hand", "changed", "preview", "apart", "moviepy", "quality", "growth")
SLOW = {"apart": one_by_one, "moviepy": by_moviepy}
SLOW_RUNS = 2
"""Pairs of what takes several times as long: its ratios are far from their aims' noise."""
CHANGES: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "changed": lambda number: document(moved=PLAIN[number % len(PLAIN)]),
    "crossfaded_changed": lambda number: document(moved=CROSSFADED[number % len(CROSSFADED)]),
    "music_changed": lambda _: document(gain_db=-4),
    "unchanged": lambda _: document(),
}


def run(runs: int = 5, parts: Sequence[str] = PARTS) -> dict[str, Any]:
    """Measure those parts; medians in seconds, ratios pair by pair."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings.from_environment(data=folder / "data")
        sources = make_sources(settings)
        times = _Times(settings, sources, folder)
        for number in range(runs if set(parts) - {"quality", "growth"} else 0):
            times.round(number, parts)
        found = {"runs": runs, "workers": settings.workers, "footage": has_footage(), **times.to_json()}
        if "quality" in parts:
            found |= quality.measure(settings, sources, folder)
        if "growth" in parts:
            found |= growth.measure(settings, sources, folder)
            found["peak_megabytes_by_hand"] = growth.peak_of(lambda: by_hand(settings, sources, folder))
    return found


class _Times:
    """Seconds of all that was measured, and of the cold render each is paired with."""

    def __init__(self, settings: Settings, sources: Sources, folder: Path) -> None:
        self._settings = settings
        self._sources = sources
        self._folder = folder
        self._pairs: dict[str, list[tuple[float, float]]] = {}
        self._cold: list[float] = []

    def round(self, number: int, parts: Sequence[str]) -> None:
        """A cold render, and each part that is asked for beside it."""
        there, store = fresh(self._settings, self._folder / "cold")

        def cold() -> None:
            ours(there, store, self._sources, document())

        others = self._others(number, parts)
        # What is slow comes after; of the two that are alike, each is first in turn.
        first = others[:1] if number % 2 and "hand" in parts else []
        before = [(name, timed(work)) for name, work in first]
        self._cold.append(timed(cold))
        after = [(name, timed(work)) for name, work in others[len(first) :]]
        for name, seconds in [*before, *after]:
            self._note(name, seconds)
        if "changed" in parts:
            for name, make in CHANGES.items():
                changed = make(number)
                self._note(name, timed(partial(ours, there, store, self._sources, changed)))
        shutil.rmtree(there.data_root)

    def _others(self, number: int, parts: Sequence[str]) -> list[tuple[str, Callable[[], object]]]:
        """What else is to be measured in a round, by name."""
        given = (self._settings, self._sources, self._folder)
        found: list[tuple[str, Callable[[], object]]] = []
        if "hand" in parts:
            found.append(("hand", lambda: by_hand(*given)))
        if "preview" in parts:
            found.append(("preview", self._preview))
        for name, make in SLOW.items():
            if name in parts and number < SLOW_RUNS:
                found.append((name, partial(make, *given)))
        return found

    def _preview(self) -> None:
        there, store = fresh(self._settings, self._folder / "preview")
        ours(there, store, self._sources, preview())

    def _note(self, name: str, seconds: float) -> None:
        self._pairs.setdefault(name, []).append((seconds, self._cold[-1]))

    def to_json(self) -> dict[str, Any]:
        """Medians in seconds, and the median of each ratio."""
        seconds = {name: [taken for taken, _ in pairs] for name, pairs in self._pairs.items()}
        if self._cold:
            seconds["cold"] = self._cold
        found: dict[str, Any] = {
            "median_seconds": {
                name: round(statistics.median(values), 4) for name, values in seconds.items()
            }
        }
        for name, pairs in self._pairs.items():
            taken, cold = zip(*pairs, strict=True)
            if name in ("hand", *SLOW):
                found[f"cold_to_{name}"] = ratio(cold, taken)
            else:
                found[f"{name}_to_cold"] = ratio(taken, cold)
        return found
