"""How far predictions were off: what was predicted before each render, against what was measured."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.prediction import SAMPLES
from media_assets.analytics.questions.suppressed import suppressed

ROLLUPS = (SAMPLES,)
MOST_ERROR = 0.30
"""The median error of predicted times, as a part of what was measured, above which they are of no use."""
FEWEST = 20
"""Renders with a prediction from which a median says something."""
ALL = "all"

_MEASURED = """
WITH latest AS (
    SELECT * FROM prediction_samples
    WHERE predicted_cpu_seconds > 0
    ORDER BY event_id DESC LIMIT 1000
),
pairs AS (
    SELECT day, operation, "user", 'cpu_seconds' AS quantity, predicted_cpu_seconds AS predicted,
        cpu_seconds AS measured FROM latest
    UNION ALL BY NAME
    SELECT day, operation, "user", 'seconds' AS quantity, predicted_seconds AS predicted,
        seconds AS measured FROM latest
    UNION ALL BY NAME
    SELECT day, operation, "user", 'memory_bytes' AS quantity, predicted_memory_bytes AS predicted,
        memory_bytes AS measured FROM latest
    UNION ALL BY NAME
    SELECT day, operation, "user", 'disk_bytes' AS quantity, predicted_disk_bytes AS predicted,
        disk_bytes AS measured FROM latest
),
errors AS (
    SELECT *, abs(predicted - measured) / measured AS error, predicted / measured AS ratio
    FROM pairs WHERE predicted > 0 AND measured > 0
)
"""
_BY_OPERATION = (
    _MEASURED
    + """
SELECT coalesce(operation, $every) AS operation, quantity, count(*) AS events,
    quantile_cont(error, 0.5) AS error, quantile_cont(error, 0.9) AS error_90,
    quantile_cont(ratio, 0.5) AS ratio, count(DISTINCT "user") AS users
FROM errors GROUP BY GROUPING SETS ((operation, quantity), (quantity))
ORDER BY operation = $every DESC, operation, quantity
"""
)
_TIMES = (
    _MEASURED
    + """
SELECT quantile_cont(error, 0.5), count(*) FROM errors WHERE quantity = 'cpu_seconds'
"""
)
_BY_DAY = (
    _MEASURED
    + """
SELECT day, quantity, quantile_cont(error, 0.5) AS error FROM errors GROUP BY ALL ORDER BY ALL
"""
)


def answer(connection: Connection) -> pd.DataFrame:
    """The errors of the latest thousand renders with a prediction, by operation and over `all`.

    Columns: operation; quantity (`cpu_seconds`, `seconds`, `memory_bytes`, `disk_bytes`); events; error
    and error_90 (median and nine in ten of |predicted - measured| / measured); ratio (median of predicted
    over measured: above 1 is too much).
    """
    return suppressed(connection.execute(_BY_OPERATION, {"every": ALL}).df(), connection)


def by_day(connection: Connection) -> pd.DataFrame:
    """The median error of each day: day, quantity, error."""
    return connection.execute(_BY_DAY).df()


def times_off(connection: Connection) -> tuple[float | None, int]:
    """The median error of predicted CPU-seconds, and of how many renders; None: of none."""
    row = connection.execute(_TIMES).fetchone()
    return (row[0], row[1]) if row else (None, 0)
