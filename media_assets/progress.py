"""Progress of long work, from wherever it is done to whoever shows it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

Listener = Callable[[str, float, str], None]
"""Called with what is being done, how much of it is (0…1), and a word on it (speed, time left)."""

_listeners: list[Listener] = []
_SHORT_SECONDS = 0.2


def report(task: str, fraction: float, detail: str = "") -> None:
    """Tell every listener of this process; nothing happens when there is none."""
    for listener in list(_listeners):
        listener(task, min(1.0, max(0.0, fraction)), detail)


@contextlib.contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Pass reports to `listener` meanwhile; it may be called from several threads."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


class Pace:
    """Reports a rendering of `seconds` of footage with its speed; call it with the fraction done."""

    def __init__(self, task: str, seconds: float) -> None:
        self._task = task
        self._seconds = seconds
        self._started = time.monotonic()

    def __call__(self, fraction: float) -> None:
        """Tell how far it is: 2.0x is twice as fast as it plays."""
        elapsed = time.monotonic() - self._started
        # What comes from the store takes no time, and has no speed.
        speed = fraction * self._seconds / elapsed if elapsed > _SHORT_SECONDS else 0.0
        report(self._task, fraction, f"{speed:.1f}x" if speed else "")
