"""Retention: of the people who came in a week, how many were at work again in each week after it."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.kpi_rollups import PEOPLE
from media_assets.analytics.questions.suppressed import withheld

ROLLUPS = (PEOPLE,)
COLUMNS = ("cohort", "people", "week", "share")

# A week that is not over says nothing yet, neither of who came nor of who came again.
_COHORTS = """
WITH weeks AS (
    SELECT DISTINCT "user", CAST(date_trunc('week', day) AS DATE) AS week
    FROM retention_people WHERE "user" IS NOT NULL
),
newest AS (SELECT max(day) AS day FROM retention_people),
firsts AS (SELECT "user", min(week) AS cohort FROM weeks GROUP BY ALL),
sizes AS (SELECT cohort, count(*) AS people FROM firsts GROUP BY ALL),
active AS (
    SELECT cohort, (week - cohort) // 7 AS week, count(*) AS active
    FROM weeks JOIN firsts USING ("user") GROUP BY ALL
),
grid AS (
    SELECT cohort, people, unnest(range((newest.day - cohort + 1) // 7)) AS week FROM sizes, newest
)
SELECT cohort, people, CAST(week AS BIGINT) AS week, coalesce(active, 0) / people AS share,
    people AS users
FROM grid LEFT JOIN active USING (cohort, week) ORDER BY cohort, week
"""


def answer(connection: Connection) -> pd.DataFrame:
    """Weekly cohorts: cohort (a Monday), people (who came then), week (0, 1, …), share (active in it).

    Only weeks that are over, and cohorts of people enough to be shown, however few use the installation.
    """
    return withheld(connection.execute(_COHORTS).df())[list(COLUMNS)]


def pooled(cohorts: pd.DataFrame) -> pd.DataFrame:
    """All cohorts of an `answer` together: week, people (whose week that was, and is over), share.

    The first cohort of all is left out where there are others: most of it came before the first event.
    """
    later = cohorts[cohorts["cohort"] > cohorts["cohort"].min()]
    chosen = later if not later.empty else cohorts
    weighed = chosen.assign(active=chosen["share"] * chosen["people"])
    sums = weighed.groupby("week", as_index=False)[["people", "active"]].sum()
    return sums.assign(share=sums["active"] / sums["people"])[["week", "people", "share"]]
