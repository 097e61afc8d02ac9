"""How far a job is: over all of its commands, by the frames each is expected to give."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from media_assets.operations.clip import Clip


@dataclass(frozen=True)
class JobProgress:
    """How far a job is.

    Attributes:
        fraction: of the whole job, 0…1; it never goes back.
        frames: pictures (or seconds of sound) made so far, of `total_frames`.
        frames_per_second: since the start; 0 until something was made.
        seconds_left: at that speed; None until there is one.
    """

    fraction: float
    frames: float
    total_frames: float
    frames_per_second: float
    seconds_left: float | None


Listener = Callable[[JobProgress], None]


def frames_of(clip: Clip) -> float:
    """What a clip counts for: its pictures, or its seconds of sound; at least one."""
    seconds = clip.duration or 0.0
    return max(1.0, seconds * float(clip.picture.fps) if clip.picture else seconds)


class Meter:
    """Adds up what the groups of a job report, from any thread."""

    def __init__(self, weights: Mapping[str, float], listener: Listener | None) -> None:
        self._weights = weights
        self._fractions = dict.fromkeys(weights, 0.0)
        self._listener = listener
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def report(self, group: str, fraction: float) -> None:
        """Note that `group` is at `fraction` (0…1) and tell the listener."""
        if self._listener is None:
            return
        with self._lock:
            self._fractions[group] = max(self._fractions[group], min(1.0, fraction))
            total = sum(self._weights.values()) or 1.0
            frames = sum(weight * self._fractions[name] for name, weight in self._weights.items())
            elapsed = time.monotonic() - self._started
            speed = frames / elapsed if elapsed > 0 else 0.0
            left = (total - frames) / speed if speed > 0 else None
            self._listener(JobProgress(frames / total, frames, total, speed, left))


def weights(groups: Sequence[Sequence[str]], clips: Mapping[str, Clip]) -> dict[str, float]:
    """What each group counts for, by its first name."""
    return {names[0]: sum(frames_of(clips[name]) for name in names) for names in groups}
