"""Use and speed: how often, how well and how fast each operation goes, by day, format and resolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.histograms import bucket_of, percentiles
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.questions.usage_parameters import PARAMETERS
from media_assets.analytics.questions.usage_trend import PACES, trends
from media_assets.analytics.rollups import Rollup
from media_assets.errors import BadInput

DIMENSIONS = ("operation", "day", "output_format", "resolution_class")
_SHARES = {"p50_seconds": 0.5, "p95_seconds": 0.95}
_SUMS = (
    *("events", "rendered", "cached", "failed", "fused", "succeeded"),
    *("cpu_seconds", "rendered_seconds", "made_seconds", "bytes_written"),
)

# People are kept as numbers made from their pseudonyms, up to 32 a row: enough to tell whether a sum of
# rows is of few. Users are made distinct first, which costs a third of a list of distinct ones.
DAYS = Rollup(
    "usage_days",
    "operation_events",
    """
    , by_user AS (
        SELECT
            day, operation, coalesce(output_format, 'none') AS output_format,
            coalesce(resolution_class, 'none') AS resolution_class, "user",
            count(*) AS events,
            count(*) FILTER (outcome = 'rendered') AS rendered,
            count(*) FILTER (outcome = 'cached') AS cached,
            count(*) FILTER (outcome = 'failed') AS failed,
            count(*) FILTER (outcome = 'fused') AS fused,
            count(*) FILTER (success) AS succeeded,
            sum(cpu_seconds) AS cpu_seconds,
            coalesce(sum(duration_ms) FILTER (outcome = 'rendered'), 0) / 1000 AS rendered_seconds,
            coalesce(sum(output_seconds) FILTER (outcome = 'rendered'), 0) AS made_seconds,
            sum(bytes_written) AS bytes_written
        FROM events GROUP BY ALL
    )
    SELECT
        day, operation, output_format, resolution_class,
        CAST(sum(events) AS BIGINT) AS events, CAST(sum(rendered) AS BIGINT) AS rendered,
        CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(failed) AS BIGINT) AS failed,
        CAST(sum(fused) AS BIGINT) AS fused, CAST(sum(succeeded) AS BIGINT) AS succeeded,
        sum(cpu_seconds) AS cpu_seconds, sum(rendered_seconds) AS rendered_seconds,
        sum(made_seconds) AS made_seconds, CAST(sum(bytes_written) AS BIGINT) AS bytes_written,
        list_slice(list_sort(list(md5_number_lower("user")) FILTER ("user" IS NOT NULL)), 1, 32) AS users
    FROM by_user GROUP BY ALL
    """,
)
TIMES = Rollup(
    "usage_times",
    "operation_events",
    f"""
    SELECT
        day, operation, coalesce(output_format, 'none') AS output_format,
        coalesce(resolution_class, 'none') AS resolution_class,
        {bucket_of("duration_ms / 1000")} AS bucket, count(*) AS events
    FROM events WHERE outcome = 'rendered' AND duration_ms > 0 GROUP BY ALL
    """,  # noqa: S608 - our own words
)
ROLLUPS = (DAYS, TIMES, PACES, PARAMETERS)

_SUMMED = """
SELECT
    {keys},
    CAST(sum(events) AS BIGINT) AS events, CAST(sum(rendered) AS BIGINT) AS rendered,
    CAST(sum(cached) AS BIGINT) AS cached, CAST(sum(failed) AS BIGINT) AS failed,
    CAST(sum(fused) AS BIGINT) AS fused, CAST(sum(succeeded) AS BIGINT) AS succeeded,
    sum(cpu_seconds) AS cpu_seconds, sum(rendered_seconds) AS rendered_seconds,
    sum(made_seconds) AS made_seconds, CAST(sum(bytes_written) AS DOUBLE) AS bytes_written,
    len(list_distinct(flatten(list(users)))) AS users
FROM usage_days GROUP BY {keys}
"""
_HISTOGRAM = """
SELECT {keys}, bucket, CAST(sum(events) AS BIGINT) AS events FROM usage_times GROUP BY {keys}, bucket
"""


def answer(connection: Connection) -> pd.DataFrame:
    """What `used` says by operation, with the trend of each, the most frequent first.

    Further columns: change, change_low, change_high (time of the latest 14 days divided by that of the
    14 before), slope, slope_low, slope_high (share by which time grows in 30 days), trend (`slower`,
    `faster` or nothing). See `usage_trend`.
    """
    table = used(connection, ("operation",))
    table = table.merge(trends(connection), on="operation", how="left")
    return table.assign(trend=table["trend"].fillna(""))


def used(connection: Connection, by: Sequence[str] = ("operation",)) -> pd.DataFrame:
    """Counts, shares, times and costs, from the rollups as they are.

    Args:
        by: what the rows are for: some of `operation`, `day`, `output_format`, `resolution_class`.

    Returns:
        The columns of `by`; events, rendered, cached, failed, fused; success_rate and cache_hit_rate (of
        all, 0 to 1); p50_seconds and p95_seconds of rendered ones (within 2 %), realtime (seconds made
        per second), cpu_hours, bytes_written. What there is none of is missing.

    Raises:
        BadInput: a column that there are no sums by.
    """
    keys = list(dict.fromkeys(by))
    if not keys or (unknown := [key for key in keys if key not in DIMENSIONS]):
        raise BadInput(
            f"no sums by {', '.join(unknown) if keys else 'nothing'}",
            where="usage",
            hint=f"by {', '.join(DIMENSIONS)}",
        )
    named = ", ".join(keys)  # of the four above, so no text of anybody's
    sums = connection.execute(_SUMMED.format(keys=named)).df()
    shown = suppressed(sums, connection)
    times = percentiles(connection.execute(_HISTOGRAM.format(keys=named)).df(), keys, _SHARES)
    table = shown.merge(times.drop(columns="timed"), on=keys, how="left")
    events = table["events"].to_numpy(dtype=float)
    took = table["rendered_seconds"].to_numpy(dtype=float)
    table = table.assign(
        success_rate=table["succeeded"] / events,
        cache_hit_rate=table["cached"] / events,
        realtime=np.divide(table["made_seconds"], took, out=np.full(len(took), np.nan), where=took > 0),
        cpu_hours=table["cpu_seconds"] / 3600,
    )
    order = (["day"] if "day" in keys else []) + ["events", *(key for key in keys if key != "day")]
    table = table.sort_values(order, ascending=[key != "events" for key in order], ignore_index=True)
    rates = ["success_rate", "cache_hit_rate", "p50_seconds", "p95_seconds", "realtime", "cpu_hours"]
    return table[[*keys, *_SUMS[:5], *rates, "bytes_written"]]
