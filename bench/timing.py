"""Times and ratios of paired runs."""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def timed(work: Callable[[], object]) -> float:
    """Seconds on the clock that `work` takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """The median of the paired ratios."""
    return round(statistics.median(a / b for a, b in zip(some, others, strict=True)), 4)


class Clock:
    """Begins when it is made; tells the time since, and that of this process's threads on all cores."""

    def __init__(self) -> None:
        self._started = time.monotonic(), time.process_time()

    def told(self) -> dict[str, float]:
        """seconds (on the clock) and cpu_seconds."""
        clock, cpu = self._started
        return {
            "seconds": round(time.monotonic() - clock, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
        }


def peak_megabytes() -> float:
    """The most memory this process has held so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # the counter of `resource` begins with what the parent held
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
