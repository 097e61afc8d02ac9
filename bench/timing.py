"""Times and ratios of paired runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def timed(work: Callable[[], object]) -> float:
    """Seconds on the clock that `work` takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started


def ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """The median of the paired ratios."""
    return round(statistics.median(a / b for a, b in zip(some, others, strict=True)), 4)
