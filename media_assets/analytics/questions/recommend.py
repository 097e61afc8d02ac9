"""Question: what is done next, after what, by how many people."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.recommender.uses import ROLLUP

ROLLUPS = (ROLLUP,)

COLUMNS = ("source_kind", "after", "operation", "times", "share", "place")
_PLACES = 3

_NEXT = """
WITH followed AS (
    SELECT
        source_kind, context, operation, CAST(sum(times) AS BIGINT) AS times,
        count(DISTINCT nullif("user", '')) AS users
    FROM recommendation_days WHERE source_kind <> '' GROUP BY ALL
)
SELECT
    source_kind, context AS after, operation, times,
    times / sum(times) OVER (PARTITION BY source_kind, context) AS share, users
FROM followed ORDER BY times DESC, source_kind, after, operation
"""

_AFTER_ONE = """
WITH followed AS (
    SELECT
        split_part(context, '>', -1) AS after, operation, sum(times) AS times,
        count(DISTINCT nullif("user", '')) AS users
    FROM recommendation_days GROUP BY ALL
)
SELECT after, operation, times / sum(times) OVER (PARTITION BY after) AS share, users
FROM followed ORDER BY after, operation
"""


def answer(connection: Connection) -> pd.DataFrame:
    """The three operations that most often follow, the most frequent first.

    Columns: source_kind; after (up to three operations, joined by `>`; `^` is the beginning); operation;
    times; share (of all that followed there, 0 to 1); place (1 to 3).
    """
    shown = suppressed(connection.execute(_NEXT).df(), connection)
    shown["place"] = shown.groupby(["source_kind", "after"]).cumcount() + 1
    return shown[shown["place"] <= _PLACES].reset_index(drop=True)[list(COLUMNS)]


def after_one(connection: Connection) -> pd.DataFrame:
    """What follows one operation, whatever the source: after (`^` is the beginning), operation, share."""
    return suppressed(connection.execute(_AFTER_ONE).df(), connection)
