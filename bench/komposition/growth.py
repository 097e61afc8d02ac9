"""How time and memory grow with the number of segments."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.komposition.document import MUSIC, Sources, compiled, fresh
from media_assets.kompositions.render import render
from media_assets.settings import Settings

SEGMENTS = (10, 50, 200)
_SAMPLED_SECONDS = 0.02


def measure(settings: Settings, sources: Sources, folder: Path) -> dict[str, Any]:
    """Seconds and peak memory (MB) of all processes by number of segments, from nothing."""
    seconds, peaks, joins = {}, {}, {}
    for count in SEGMENTS:
        there, store = fresh(settings, folder / "growth")
        planned, wanted = compiled(there, sources, _many(count))
        started = time.monotonic()
        with Memory() as memory:
            finished = render(planned, wanted, there, store)
        seconds[str(count)] = round(time.monotonic() - started, 3)
        peaks[str(count)] = round(memory.peak / 1e6, 1)
        joins[str(count)] = round(finished.final.seconds, 3)
    few, many = str(SEGMENTS[0]), str(SEGMENTS[-1])
    grown = (seconds[many] / SEGMENTS[-1]) / (seconds[few] / SEGMENTS[0])
    return {
        "seconds_by_segments": seconds,
        "join_seconds_by_segments": joins,
        "peak_megabytes_by_segments": peaks,
        "segment_at_200_to_at_10": round(grown, 4),
        "memory_at_200_to_at_10": round(peaks[many] / peaks[few], 4),
    }


def _many(count: int) -> dict[str, Any]:
    """Half a second of the talking head for each segment, all different, heard under music."""
    return {
        "version": 1,
        "output": {"width": 640, "height": 360, "fps": 30},
        "segments": [
            {"source": "talk.mp4", "in_point": 12.0 * index / count, "duration": 0.5, "gain_db": -6}
            for index in range(count)
        ],
        "music": {"source": MUSIC, "gain_db": -3, "loop": True},
        "loudness": {"target_lufs": -14, "true_peak_db": -1},
    }


class Memory:
    """The most bytes that this process and all that it starts hold at a time, above what it held before."""

    def __init__(self) -> None:
        self.peak = 0
        self._process = psutil.Process(os.getpid())
        self._before = self._process.memory_info().rss
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLED_SECONDS):
            family = [self._process, *self._process.children(recursive=True)]
            self.peak = max(self.peak, sum(map(_resident, family)) - self._before)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def peak_of(work: Callable[[], object]) -> float:
    """Peak memory (MB) of what `work` starts."""
    with Memory() as memory:
        work()
    return round(memory.peak / 1e6, 1)
