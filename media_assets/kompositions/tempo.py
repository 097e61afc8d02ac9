"""Where positions of a timeline lie in seconds: an even grid, or the beats of the music."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Tempo:
    """Positions of a timeline in seconds, exactly.

    Attributes:
        unit: seconds in one unit: 60 / bpm for beats, 1 for seconds.
        beats: seconds of positions 0, 1, 2 …, where they are those of music; empty for an even grid.
            Positions between beats are spread evenly; after the last, every beat lasts `unit`.
    """

    unit: Fraction
    beats: tuple[Fraction, ...] = ()

    def seconds(self, position: Fraction) -> Fraction:
        """The time of a position of at least 0."""
        if not self.beats:
            return position * self.unit
        before = min(math.floor(position), len(self.beats) - 1)
        start, beyond = self.beats[before], position - before
        after = before + 1
        step = self.beats[after] - start if after < len(self.beats) else self.unit
        return start + beyond * step
