"""Whether an operation becomes slower: how long it takes day by day, at equal input.

Times are compared within octaves of work (seconds x megapixels of the input; sound counts as a twentieth of
a megapixel), so that a week of larger files is no slow-down. What adds up are logarithms: durations are
lognormal, and the exponential of their mean logarithm is their middle.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.statistics import deviations, theil_sen
from media_assets.analytics.rollups import Rollup

OCTAVE = (
    "CAST(floor(log2(coalesce(nullif(input_seconds, 0), nullif(output_seconds, 0), 1)"
    " * greatest(coalesce(width * height, 0) / 1e6, 0.05))) AS SMALLINT)"
)
"""The octave of an event's work, in SQL."""
PACES = Rollup(
    "usage_paces",
    "operation_events",
    f"""
    SELECT
        day, operation, {OCTAVE} AS octave, count(*) AS timed,
        sum(ln(duration_ms)) AS logarithms, sum(ln(duration_ms) * ln(duration_ms)) AS squares
    FROM events WHERE outcome = 'rendered' AND duration_ms > 0 GROUP BY ALL
    """,  # noqa: S608 - our own words
)

WINDOW_DAYS = 14
_FEWEST_EVENTS = 3
"""Of a day that counts as a point of the trend."""
_FEWEST_DAYS = 10
_LEAST_CHANGE = 0.1
"""A smaller change over all days is none worth telling of."""
_ALPHA = 0.01
_MONTH_DAYS = 30
_COLUMNS = (
    *("operation", "change", "change_low", "change_high"),
    *("slope", "slope_low", "slope_high", "trend"),
)

# By how much the mean logarithm of a day is off that of all days, octave by octave; and how much single
# events are off it, for the errors.
_DAILY = """
WITH usual AS (
    SELECT operation, octave, sum(logarithms) / sum(timed) AS mean FROM usage_paces GROUP BY ALL
)
SELECT
    operation, day, CAST(sum(timed) AS DOUBLE) AS timed, sum(logarithms - timed * mean) AS off,
    sum(squares - 2 * mean * logarithms + timed * mean * mean) AS squares
FROM usage_paces JOIN usual USING (operation, octave)
GROUP BY ALL ORDER BY ALL
"""


def daily_pace(connection: Connection) -> pd.DataFrame:
    """How long each operation took each day, at equal input.

    Columns: operation, day, timed (events), pace (1 is what the operation takes over all days), off and
    squares (sums of the logarithms' distances from that, and of their squares).
    """
    days = connection.execute(_DAILY).df()
    return days.assign(pace=np.exp(days["off"] / days["timed"]))


def trends(connection: Connection) -> pd.DataFrame:
    """How the time of each operation changed at equal input; a row for each that was rendered.

    Columns: operation; change (time of the latest 14 days divided by that of the 14 before, NaN where
    one has no events), change_low, change_high (95 %); slope (by which share time grows in 30 days,
    Theil and Sen's, on logarithms; NaN under ten days), slope_low, slope_high; trend (`slower` or
    `faster`, where the slope is sure at 1 % for all operations together, and makes a tenth at least
    over the days there are; else nothing).
    """
    days = daily_pace(connection)
    if days.empty:
        return pd.DataFrame({name: pd.Series(dtype=_dtype(name)) for name in _COLUMNS})
    z = deviations(_ALPHA, days["operation"].nunique())
    age = (days["day"].max() - days["day"]).dt.days
    rows = []
    for operation, own in days.groupby("operation"):
        new = own[age[own.index] < WINDOW_DAYS]
        old = own[(age[own.index] >= WINDOW_DAYS) & (age[own.index] < 2 * WINDOW_DAYS)]
        rows.append((operation, *_change(new, old), *_slope(own[own["timed"] >= _FEWEST_EVENTS], z)))
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _change(new: pd.DataFrame, old: pd.DataFrame) -> tuple[float, float, float]:
    """The quotient of two middles, and where it lies with 95 %."""
    if new.empty or old.empty:
        return (math.nan, math.nan, math.nan)
    (one, one_error), (two, two_error) = _mean(new), _mean(old)
    error = deviations(0.05) * math.hypot(one_error, two_error)
    return (math.exp(one - two), math.exp(one - two - error), math.exp(one - two + error))


def _mean(days: pd.DataFrame) -> tuple[float, float]:
    """The mean distance of the days' events from the usual, and its standard error."""
    n, off, squares = (float(days[name].sum()) for name in ("timed", "off", "squares"))
    mean = off / n
    return mean, math.sqrt(max(squares / n - mean * mean, 0.0) / max(n - 1, 1))


def _slope(days: pd.DataFrame, z: float) -> tuple[float, float, float, str]:
    """Growth in 30 days with its interval, and what it is called."""
    if len(days) < _FEWEST_DAYS:
        return (math.nan, math.nan, math.nan, "")
    number = (days["day"] - days["day"].min()).dt.days.to_numpy(dtype=float)
    slope = theil_sen(number, np.log(days["pace"].to_numpy(dtype=float)), z)
    grown = math.expm1(abs(slope.value) * float(np.ptp(number)))
    sure = (slope.low > 0 or slope.high < 0) and grown >= _LEAST_CHANGE
    word = ("slower" if slope.value > 0 else "faster") if sure else ""
    low, value, high = (math.expm1(one * _MONTH_DAYS) for one in (slope.low, slope.value, slope.high))
    return (value, low, high, word)


def _dtype(name: str) -> str:
    return "object" if name in ("operation", "trend") else "float"
