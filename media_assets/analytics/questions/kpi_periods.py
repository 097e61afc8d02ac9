"""Key figures by period: a row for each week, or for the latest 28 days and the 28 before."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.prices import Prices
from media_assets.analytics.questions.costs import SAVED
from media_assets.analytics.questions.histograms import percentiles
from media_assets.analytics.questions.suppressed import suppressed, withheld

WINDOW_DAYS = 28
_ENDS = {"p50_seconds": 0.5, "p95_seconds": 0.95}

_DAYS = """
CREATE OR REPLACE TEMP TABLE kpi_days AS
SELECT DISTINCT day FROM (SELECT day FROM kpi_work UNION ALL SELECT day FROM kpi_workflows)
"""
_WEEKS = """
CREATE OR REPLACE TEMP TABLE kpi_periods AS
SELECT day, CAST(date_trunc('week', day) AS DATE) AS period FROM kpi_days
"""
_WINDOWS = """
CREATE OR REPLACE TEMP TABLE kpi_periods AS
SELECT day, CASE WHEN newest - day < $days THEN 'latest' ELSE 'before' END AS period
FROM kpi_days, (SELECT max(day) AS newest FROM kpi_days) WHERE newest - day < 2 * $days
"""

_WORK = f"""
WITH {SAVED}
SELECT
    period, CAST(sum(events) AS DOUBLE) AS events, CAST(sum(events - cached) AS DOUBLE) AS performed,
    CAST(sum(cached) AS DOUBLE) AS cached, sum(cpu_seconds) AS cpu_seconds,
    sum(made_seconds) / 60 AS made_minutes, sum(saved_cpu_seconds) / 3600 AS saved_cpu_hours,
    sum(bytes_written) AS bytes_written, len(list_distinct(flatten(list(users)))) AS users
FROM work JOIN kpi_periods USING (day) GROUP BY ALL ORDER BY period
"""  # noqa: S608 - our own words
_WORKFLOWS = """
SELECT
    period, CAST(sum(events) AS DOUBLE) AS workflows, CAST(sum(done) AS DOUBLE) AS done,
    CAST(sum(done + failed) AS DOUBLE) AS ended,
    CAST(coalesce(sum(events) FILTER (type <> 'komposition'), 0) AS DOUBLE) AS adoptable,
    CAST(coalesce(sum(events) FILTER (type <> 'komposition' AND templated), 0) AS DOUBLE) AS templated,
    len(list_distinct(flatten(list(users)))) AS users
FROM kpi_workflows JOIN kpi_periods USING (day) GROUP BY ALL ORDER BY period
"""
_TIMES = """
SELECT period, bucket, CAST(sum(events) AS BIGINT) AS events
FROM kpi_workflow_times JOIN kpi_periods USING (day) GROUP BY ALL
"""
_ADOPTERS = """
SELECT period, CAST(count(*) AS DOUBLE) AS people,
    avg(CAST(templated AS DOUBLE)) AS adopters, count(*) AS users
FROM (
    SELECT period, "user", bool_or(templated) AS templated
    FROM kpi_template_people JOIN kpi_periods USING (day) WHERE "user" IS NOT NULL GROUP BY ALL
) GROUP BY ALL ORDER BY period
"""
_PREDICTIONS = """
SELECT period, bucket, CAST(sum(events) AS BIGINT) AS events,
    len(list_distinct(flatten(list(users)))) AS users
FROM kpi_predictions JOIN kpi_periods USING (day) WHERE learnt = $learnt GROUP BY ALL
"""
_PREDICTED_BY = """
SELECT period, len(list_distinct(flatten(list(users)))) AS users
FROM kpi_predictions JOIN kpi_periods USING (day) WHERE learnt = $learnt GROUP BY ALL
"""
_BY_TYPE = """
SELECT
    type, CAST(sum(events) AS BIGINT) AS events, CAST(sum(done) AS BIGINT) AS done,
    CAST(sum(failed) AS BIGINT) AS failed, sum(done) / nullif(sum(done + failed), 0) AS success_rate,
    len(list_distinct(flatten(list(users)))) AS users
FROM kpi_workflows GROUP BY ALL ORDER BY type
"""
_TIMES_BY_TYPE = """
SELECT type, bucket, CAST(sum(events) AS BIGINT) AS events FROM kpi_workflow_times GROUP BY ALL
"""


def by_week(connection: Connection, prices: Prices) -> pd.DataFrame:
    """A row for each week, the oldest first; `period` is its Monday. The last one may not be over.

    Columns: those that `kpis.KPIS` names, and the sums that they come from.
    """
    connection.execute(_DAYS)
    connection.execute(_WEEKS)
    return _by_period(connection, prices)


def by_window(connection: Connection, prices: Prices) -> pd.DataFrame:
    """The same for the `latest` 28 days and the 28 `before`."""
    connection.execute(_DAYS)
    connection.execute(_WINDOWS, {"days": WINDOW_DAYS})
    return _by_period(connection, prices)


def by_type(connection: Connection) -> pd.DataFrame:
    """Over all days: type (`workflow`, `job`, `komposition`), events, done, failed, success_rate, times."""
    table = suppressed(connection.execute(_BY_TYPE).df(), connection)
    times = percentiles(connection.execute(_TIMES_BY_TYPE).df(), ["type"], _ENDS)
    return table.merge(times.drop(columns="timed"), on="type", how="left")


def _by_period(connection: Connection, prices: Prices) -> pd.DataFrame:
    parts = (
        _work(connection, prices),
        _workflows(connection),
        withheld(connection.execute(_ADOPTERS).df()),
        _off(connection, "prediction_error", "predicted", learnt=True),
        _off(connection, "estimate_error", "estimated", learnt=False),
    )
    merged = reduce(lambda one, other: one.merge(other, on="period", how="outer"), parts)
    return merged.sort_values("period", ignore_index=True)


def _work(connection: Connection, prices: Prices) -> pd.DataFrame:
    table = suppressed(connection.execute(_WORK).df(), connection)
    cost = (
        prices.cpu(table["cpu_seconds"])
        + prices.storage(table["bytes_written"])
        + prices.egress(table["bytes_written"])
    )
    return table.assign(
        cache_hit_rate=_ratio(table["cached"], table["events"]),
        cpu_per_minute=_ratio(table["cpu_seconds"], table["made_minutes"]),
        cpu_hours=table["cpu_seconds"] / 3600,
        cost=cost,
        cost_per_operation=_ratio(cost, table["performed"]),
    ).drop(columns="cpu_seconds")


def _workflows(connection: Connection) -> pd.DataFrame:
    table = suppressed(connection.execute(_WORKFLOWS).df(), connection)
    times = percentiles(connection.execute(_TIMES).df(), ["period"], _ENDS)
    return table.assign(
        success_rate=_ratio(table["done"], table["ended"]),
        adoption=_ratio(table["templated"], table["adoptable"]),
    ).merge(times, on="period", how="left")


def _off(connection: Connection, name: str, counted: str, *, learnt: bool) -> pd.DataFrame:
    """The median error of what was predicted by one of the two ways, and of how many."""
    given = {"learnt": learnt}
    shown = suppressed(connection.execute(_PREDICTED_BY, given).df(), connection)
    histogram = connection.execute(_PREDICTIONS, given).df()
    found = percentiles(histogram, ["period"], {name: 0.5}).rename(columns={"timed": counted})
    return found[found["period"].isin(shown["period"])].astype({counted: float})


def _ratio(part: pd.Series[float], whole: pd.Series[float]) -> pd.Series[float]:
    """One divided by the other; missing where there is nothing to divide by."""
    divided: pd.Series[float] = part.astype(float) / whole.astype(float).replace(0.0, np.nan)
    return divided
