"""Key figures: whether workflows succeed, how long they take, what people adopt, and what it costs."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.prices import Prices, prices_of
from media_assets.analytics.questions import retention
from media_assets.analytics.questions.kpi_periods import WINDOW_DAYS, by_week, by_window
from media_assets.analytics.questions.kpi_rollups import (
    PEOPLE,
    PREDICTIONS,
    TEMPLATE_PEOPLE,
    TIMES,
    WORK,
    WORKFLOWS,
)
from media_assets.settings import Settings

ROLLUPS = (WORK, WORKFLOWS, TIMES, TEMPLATE_PEOPLE, PREDICTIONS, PEOPLE)
COLUMNS = ("kpi", "value", "before", "unit", "of", "behind")
_RETAINED_WEEKS = (1, 4)


class Kpi(NamedTuple):
    """A figure: its name, its column in `by_week`, its unit, what it is of, and the column that counts it.

    `unit` is `share` (0 to 1), `seconds`, or another word; `currency` stands for that of the prices.
    """

    name: str
    column: str
    unit: str
    of: str
    counted: str


KPIS = (
    Kpi("workflow success rate", "success_rate", "share", "workflows, jobs, kompositions", "ended"),
    Kpi("time to completion, median", "p50_seconds", "seconds", "those that rendered", "timed"),
    Kpi("time to completion, 95 %", "p95_seconds", "seconds", "those that rendered", "timed"),
    Kpi("template adoption", "adoption", "share", "workflows and jobs", "adoptable"),
    Kpi("people who use templates", "adopters", "share", "people with workflows", "people"),
    Kpi("cache hit rate", "cache_hit_rate", "share", "operations", "events"),
    Kpi("CPU time saved by the cache", "saved_cpu_hours", "hours", "operations", "events"),
    Kpi("CPU time per minute made", "cpu_per_minute", "seconds", "operations", "events"),
    Kpi("error of predictions, median", "prediction_error", "share", "renders predicted", "predicted"),
    Kpi("error of estimates, median", "estimate_error", "share", "renders estimated", "estimated"),
    Kpi("cost", "cost", "currency", "operations", "events"),
    Kpi("cost per operation", "cost_per_operation", "currency", "operations performed", "performed"),
)


def answer(connection: Connection, prices: Prices | None = None) -> pd.DataFrame:
    """The figures of the latest 28 days beside those of the 28 before.

    Columns: kpi; value; before (missing where there is none); unit (`share` is 0 to 1); of (what it is a
    figure of), behind (how many of these there were). Retention is of all weeks, and has no `before`.
    What there is nothing of has no row.
    """
    prices = prices or prices_of(Settings.from_environment())
    windows = by_window(connection, prices).set_index("period")
    rows = [row for kpi in KPIS if (row := _row(windows, kpi, prices)) is not None]
    rows += _retained(retention.answer(connection))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"value": float, "before": float, "behind": "int64"})


def weekly(connection: Connection, prices: Prices | None = None) -> pd.DataFrame:
    """The same figures, and what they are made from, for each week that begins on `period`."""
    return by_week(connection, prices or prices_of(Settings.from_environment()))


def _row(windows: pd.DataFrame, kpi: Kpi, prices: Prices) -> tuple[object, ...] | None:
    if "latest" not in windows.index:
        return None
    values, counts = windows[kpi.column].astype(float), windows[kpi.counted].astype(float)
    value, behind = float(values["latest"]), float(counts["latest"])
    if math.isnan(value) or not behind > 0:
        return None
    before = values.get("before")
    unit = prices.currency if kpi.unit == "currency" else kpi.unit
    return kpi.name, value, before, unit, f"{kpi.of}, {WINDOW_DAYS} days", int(behind)


def _retained(cohorts: pd.DataFrame) -> list[tuple[object, ...]]:
    """The share of people at work again one week, and four weeks, after they came."""
    found = retention.pooled(cohorts).set_index("week")
    return [
        (
            f"retention after {week} week{'s' if week > 1 else ''}",
            found.loc[week, "share"],
            None,
            "share",
            "people",
            int(found["people"][week]),
        )
        for week in _RETAINED_WEEKS
        if week in found.index
    ]
