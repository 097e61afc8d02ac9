"""Which parameters' values make an operation slow, or make it fail, told from its other events.

Nothing is looked for in particular: each value of each parameter is compared with the rest of its
operation, and a difference counts only if it is sure for all comparisons together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.statistics import deviations, newcombe
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.questions.usage_trend import OCTAVE
from media_assets.analytics.rollups import Rollup

# Numbers of many digits are rounded to two, or each would have a row of its own. The rows without
# a parameter are the operation's whole. DuckDB may try what stands behind an OR or AND first, so each
# part of a condition must hold for any value.
PARAMETERS = Rollup(
    "usage_parameters",
    "operation_events",
    f"""
    , performed AS (
        SELECT
            day, operation, CAST(parameters AS VARCHAR) AS given, outcome, "user", {OCTAVE} AS octave,
            CASE WHEN outcome = 'rendered' AND duration_ms > 0 THEN ln(duration_ms) END AS took
        FROM events WHERE outcome IN ('rendered', 'failed')
    ), by_set AS (
        SELECT
            day, operation, given, octave, "user", count(*) AS events,
            count(*) FILTER (outcome = 'failed') AS failed, count(took) AS timed,
            coalesce(sum(took), 0) AS logarithms, coalesce(sum(took * took), 0) AS squares
        FROM performed GROUP BY ALL
    ), alike AS (
        SELECT
            day, operation, given, octave,
            sum(events) AS events, sum(failed) AS failed, sum(timed) AS timed,
            sum(logarithms) AS logarithms, sum(squares) AS squares,
            list_slice(
                list_sort(list(md5_number_lower("user")) FILTER ("user" IS NOT NULL)), 1, 32
            ) AS users
        FROM by_set GROUP BY ALL
    ), each AS (
        SELECT * EXCLUDE given, '' AS "key", CAST('""' AS JSON) AS "value" FROM alike
        UNION ALL BY NAME
        SELECT
            * EXCLUDE given,
            unnest(map_entries(from_json(given, '"MAP(VARCHAR, JSON)"')), recursive := true)
        FROM alike
    ), numbered AS (
        SELECT
            *, CASE WHEN len("value") >= 5 AND json_type("value") IN ('DOUBLE', 'UBIGINT', 'BIGINT')
                THEN nullif(TRY_CAST("value"->>'$' AS DOUBLE), 0) END AS number
        FROM each
    ), spelt AS (
        SELECT
            *, coalesce(
                CAST(round(number, CAST(1 - floor(log10(abs(number))) AS INTEGER)) AS VARCHAR),
                "value"->>'$'
            ) AS spelt
        FROM numbered
    )
    SELECT
        day, operation, "key" AS parameter, spelt AS "value", octave, CAST(sum(events) AS BIGINT) AS events,
        CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(timed) AS BIGINT) AS timed,
        sum(logarithms) AS logarithms, sum(squares) AS squares,
        list_slice(list_sort(list_distinct(flatten(list(users)))), 1, 32) AS users
    FROM spelt GROUP BY ALL
    """,  # noqa: S608 - our own words
)

FEWEST_EVENTS = 20
_KEYS = ["operation", "parameter", "value"]
_ALPHA = 0.01
_SLOWER = 1.1
"""Times as long as the others, at the least, with all its uncertainty."""
_MORE_FAILING = 0.02
"""Share by which more of them fail, at the least, with all its uncertainty."""

_SUMMED = """
SELECT
    operation, parameter, "value", CAST(sum(events) AS DOUBLE) AS events,
    CAST(sum(failed) AS DOUBLE) AS failed
FROM usage_parameters GROUP BY ALL ORDER BY ALL
"""
_PEOPLE = """
SELECT operation, parameter, "value", len(list_distinct(flatten(list(users)))) AS users
FROM usage_parameters SEMI JOIN found USING (operation, parameter, "value") GROUP BY ALL
"""
# Within an octave of work a value's mean is compared with that of the rest, and weighs what both have of
# events; `spread` is how much events of the operation are off the means of their octaves.
_TIMED = """
WITH own AS (
    SELECT operation, parameter, "value", octave, sum(timed) AS n, sum(logarithms) AS logarithms
    FROM usage_parameters GROUP BY ALL
), whole AS (
    SELECT operation, octave, sum(timed) AS n, sum(logarithms) AS logarithms, sum(squares) AS squares
    FROM usage_parameters WHERE parameter = '' GROUP BY ALL HAVING sum(timed) > 0
), spread AS (
    SELECT
        operation,
        sum(squares - logarithms * logarithms / n) / greatest(sum(n) - count(*), 1) AS variance
    FROM whole GROUP BY ALL
), octaves AS (
    SELECT
        own.operation, own.parameter, own."value", own.n, whole.n - own.n AS other_n,
        own.n * (whole.n - own.n) / whole.n AS weight,
        own.logarithms / own.n - (whole.logarithms - own.logarithms) / (whole.n - own.n) AS difference
    FROM own JOIN whole USING (operation, octave)
    WHERE own.parameter <> '' AND own.n > 0 AND whole.n > own.n
)
SELECT
    operation, parameter, "value", CAST(sum(n) AS BIGINT) AS events,
    sum(weight * difference) / sum(weight) AS difference,
    sqrt(greatest(any_value(variance), 0) / sum(weight)) AS error
FROM octaves JOIN spread USING (operation)
GROUP BY ALL HAVING sum(n) >= $fewest AND sum(other_n) >= $fewest
ORDER BY ALL
"""


def slow_parameters(connection: Connection) -> pd.DataFrame:
    """Values that go with longer times at equal input, the slowest first.

    Columns: operation, parameter, value, events (timed), ratio (of their middle time to that of the
    operation's other events of the same octave of work), low, high (sure at 1 % for all comparisons).
    """
    table = connection.execute(_TIMED, {"fewest": FEWEST_EVENTS}).df()
    error = deviations(_ALPHA, len(table)) * table["error"]
    table = table.assign(
        ratio=np.exp(table["difference"]),
        low=np.exp(table["difference"] - error),
        high=np.exp(table["difference"] + error),
    )
    found = table[table["low"] >= _SLOWER].sort_values("ratio", ascending=False, kind="stable")
    return _shown(connection, found[[*_KEYS, "events", "ratio", "low", "high"]])


def failing_parameters(connection: Connection) -> pd.DataFrame:
    """Values that go with failures, the most failing first.

    Columns: operation, parameter, value, events (performed, so neither cached nor fused), failed,
    failure_rate, others_rate, difference, low, high (sure at 1 % for all comparisons, Newcombe's).
    """
    table = _beside_others(connection.execute(_SUMMED).df())
    n, rest = (table[name].to_numpy(dtype=float) for name in ("events", "other_events"))
    hits, missed = (table[name].to_numpy(dtype=float) for name in ("failed", "other_failed"))
    between = newcombe(hits, n, missed, rest, deviations(_ALPHA, len(table)))
    table = table.assign(
        failure_rate=hits / n,
        others_rate=missed / rest,
        difference=hits / n - missed / rest,
        low=between.low,
        high=between.high,
    ).astype({"events": "int64", "failed": "int64"})
    found = table[table["low"] >= _MORE_FAILING].sort_values(
        ["difference", "events"], ascending=False, kind="stable"
    )
    counts = [*_KEYS, "events", "failed", "failure_rate", "others_rate"]
    return _shown(connection, found[[*counts, "difference", "low", "high"]])


def _shown(connection: Connection, found: pd.DataFrame) -> pd.DataFrame:
    """What enough people gave; who did is looked up for what was found only."""
    connection.register("found", found[_KEYS])
    try:
        people = connection.execute(_PEOPLE).df()
    finally:
        connection.unregister("found")
    return suppressed(found.merge(people, on=_KEYS, how="left"), connection)


def _beside_others(table: pd.DataFrame) -> pd.DataFrame:
    """Values with enough events, and beside them, as `other_…`, the rest of their operation."""
    sums = ["events", "failed"]
    whole = table[table["parameter"] == ""].groupby("operation")[sums].sum()
    table = table[table["parameter"] != ""].reset_index(drop=True)
    rest = whole.reindex(table["operation"])[sums].reset_index(drop=True) - table[sums]
    table = table.join(rest.add_prefix("other_"))
    enough = (table["events"] >= FEWEST_EVENTS) & (table["other_events"] >= FEWEST_EVENTS)
    return table[enough].reset_index(drop=True)
