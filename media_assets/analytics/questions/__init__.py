"""What the events are asked: a module a question, each found by being here.

A question's module has `ROLLUPS`, the sums by day that it reads, and `answer(connection)`, which gives
its main table from them. Everything about all questions (refreshing, timing, tests) goes through this.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.rollups import Rollup, refresh


@dataclass(frozen=True)
class Question:
    """A question: its name, the rollups it reads, and what answers it from those."""

    name: str
    rollups: tuple[Rollup, ...]
    answer: Callable[[Connection], pd.DataFrame]

    def asked(self, connection: Connection) -> pd.DataFrame:
        """The answer of now: the rollups are brought up to the events first."""
        refresh(connection, self.rollups)
        return self.answer(connection)


@cache
def questions() -> dict[str, Question]:
    """Every question there is, by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(loaded, "ROLLUPS"):
            found[module.name] = Question(module.name, tuple(loaded.ROLLUPS), loaded.answer)
    return found
