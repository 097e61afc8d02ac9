"""Past evaluations of recommendations, in the warehouse: what a change that makes them worse is seen by."""

from __future__ import annotations

from datetime import datetime, timedelta

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.recommender.evaluation import OURS, Evaluation
from media_assets.analytics.recommender.model import WEIGHT

ENOUGH = 100
"""Operations to be told from which on an evaluation says something."""

MARGIN = 0.03
"""By how much the mean of 1 / rank may fall, beside what chance does."""

SINCE = timedelta(days=7)
"""How far back evaluations are compared with."""

_TABLE = """
CREATE TABLE IF NOT EXISTS recommendation_evaluations (
    evaluated TIMESTAMP NOT NULL, variant VARCHAR NOT NULL, operations BIGINT NOT NULL,
    hit_1 DOUBLE NOT NULL, hit_3 DOUBLE NOT NULL, mrr DOUBLE NOT NULL,
    gain DOUBLE NOT NULL, gain_error DOUBLE NOT NULL, weight DOUBLE NOT NULL
)
"""

_OURS = """
SELECT evaluated, operations, mrr, gain, gain_error FROM recommendation_evaluations
WHERE variant = ? ORDER BY evaluated
"""


def remember(connection: Connection, evaluation: Evaluation, now: datetime) -> None:
    """Keep an evaluation, without kinds; one that gives what the last one gave is not kept again.

    Args:
        now: in UTC, without a zone.
    """
    connection.execute(_TABLE)
    whole = evaluation.whole[evaluation.whole["kind"] == "all"]
    columns = ["variant", "operations", "hit_1", "hit_3", "mrr", "gain", "gain_error"]
    rows = whole[columns].assign(weight=evaluation.weight).sort_values("variant", ignore_index=True)
    if rows.empty or rows.equals(_last(connection)):
        return
    connection.executemany(
        "INSERT INTO recommendation_evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [[now, *row] for row in rows.astype(object).to_numpy().tolist()],
    )


def learnt_weight(connection: Connection) -> float:
    """Uses of one's own that weigh as much as everybody's, as the last evaluation told."""
    connection.execute(_TABLE)
    row = connection.execute(
        "SELECT weight FROM recommendation_evaluations ORDER BY evaluated DESC LIMIT 1"
    ).fetchone()
    return float(row[0]) if row else WEIGHT


def past_evaluations(connection: Connection) -> pd.DataFrame:
    """All that were kept, the oldest first: evaluated, variant, operations, hit_1, hit_3, mrr and so on."""
    connection.execute(_TABLE)
    return connection.execute("FROM recommendation_evaluations ORDER BY evaluated, variant").df()


def problems(connection: Connection) -> list[str]:
    """What is wrong with recommendations, in words: worse than the simplest ones, or than they were.

    Nothing is said of fewer than `ENOUGH` operations.
    """
    connection.execute(_TABLE)
    rows = connection.execute(_OURS, [OURS]).fetchall()
    if not rows or rows[-1][1] < ENOUGH:
        return []
    now, operations, mrr, gain, error = rows[-1]
    found = []
    if gain < -2 * error:
        found.append(
            f"the most frequent after the last operation does better: 1 / rank is {-gain:.3f} higher"
        )
    before = [row[2] for row in rows[:-1] if row[1] >= ENOUGH and row[0] >= now - SINCE]
    # The standard error of a mean of numbers between 0 and 1 is at most half of 1 / root of their count.
    fallen = max(before, default=0.0) - mrr
    if fallen > MARGIN + operations**-0.5:
        found.append(f"the mean of 1 / rank fell by {fallen:.3f} within {SINCE.days} days, to {mrr:.3f}")
    return found


def _last(connection: Connection) -> pd.DataFrame:
    return connection.execute(
        """
        SELECT * EXCLUDE (evaluated) FROM recommendation_evaluations
        WHERE evaluated = (SELECT max(evaluated) FROM recommendation_evaluations) ORDER BY variant
        """
    ).df()
