"""Costs: what each operation costs by the price table, and what the cache saved."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.prices import Prices, prices_of
from media_assets.analytics.questions.kpi_rollups import WORK
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.rollups import Rollup
from media_assets.settings import Settings

ROLLUPS: tuple[Rollup, ...] = (WORK,)

SAVED = """
means AS (
    SELECT operation, resolution_class, sum(rendered_cpu_seconds) / nullif(sum(rendered), 0) AS mean
    FROM kpi_work GROUP BY ALL
),
any_means AS (
    SELECT operation, sum(rendered_cpu_seconds) / nullif(sum(rendered), 0) AS mean
    FROM kpi_work GROUP BY ALL
),
work AS (
    SELECT kpi_work.*, cached * coalesce(means.mean, any_means.mean, 0) AS saved_cpu_seconds
    FROM kpi_work JOIN means USING (operation, resolution_class) JOIN any_means USING (operation)
)
"""
"""The table `work`: sums with the CPU-seconds that what came from the store would have taken.

A cached output would have taken what a rendered one of its operation and resolution takes on average.
"""

_BY_OPERATION = f"""
WITH {SAVED}
SELECT
    operation, CAST(sum(events) AS BIGINT) AS events, CAST(sum(events - cached) AS BIGINT) AS performed,
    sum(cpu_seconds) AS cpu_seconds, sum(saved_cpu_seconds) AS saved_cpu_seconds,
    sum(made_seconds) AS made_seconds, CAST(sum(bytes_written) AS DOUBLE) AS bytes_written,
    len(list_distinct(flatten(list(users)))) AS users
FROM work GROUP BY ALL ORDER BY operation
"""  # noqa: S608 - our own words


def answer(connection: Connection, prices: Prices | None = None) -> pd.DataFrame:
    """Cost of each operation, the dearest first; amounts are in the currency of the price table.

    Columns: operation; events; performed (those that did not come from the store); cpu, storage, egress,
    cost (their sum); per_operation (cost divided by performed), per_minute (by minutes of media made);
    saved (what the CPU time of cached ones would have cost).
    """
    prices = prices or prices_of(Settings.from_environment())
    sums = suppressed(connection.execute(_BY_OPERATION).df(), connection)
    table = sums[["operation", "events", "performed"]].assign(
        cpu=prices.cpu(sums["cpu_seconds"].astype(float)),
        storage=prices.storage(sums["bytes_written"].astype(float)),
        egress=prices.egress(sums["bytes_written"].astype(float)),
        saved=prices.cpu(sums["saved_cpu_seconds"].astype(float)),
    )
    cost = table["cpu"] + table["storage"] + table["egress"]
    minutes = sums["made_seconds"].astype(float) / 60
    table.insert(6, "cost", cost)
    table.insert(7, "per_operation", cost / table["performed"].astype(float).where(table["performed"] > 0))
    table.insert(8, "per_minute", cost / minutes.where(minutes > 0))
    return table.sort_values(["cost", "operation"], ascending=[False, True], ignore_index=True)
