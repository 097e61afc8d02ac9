"""Sequences: which operations follow one another, how often, how well, how long, and whether that changes.

A sequence is two to six operations that follow one another directly in a chain (what one request does
to one source). Each event tells what came before it, so the sequences that end at an event are the ends
of its history: histories are counted by day, and only distinct histories are taken apart.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.sequence_rollups import (
    BUCKET,
    MOST_USERS,
    REQUESTS,
    STEPS,
    TIMES,
    USERS,
)

LONGEST = 6
LEAST_SUPPORT = 0.005
FEWEST_CHAINS = 5
MOST_ROWS = 300
PERIOD_DAYS = 14
SIGNIFICANT = 0.05

ROLLUPS = (REQUESTS, STEPS, USERS, TIMES)

# The sequences that end at each history; one that was in the history before is no further chain's.
_GRAMS = """
WITH newest AS (SELECT max(day) AS day FROM sequence_requests),
histories AS (
    SELECT previous, operation, position,
        sum(steps.chains) AS chains, sum(carried) AS carried, sum(failed) AS failed,
        coalesce(sum(steps.chains) FILTER (WHERE steps.day > newest.day - $days), 0) AS latest,
        coalesce(sum(steps.chains) FILTER (
            WHERE steps.day <= newest.day - $days AND steps.day > newest.day - 2 * $days), 0) AS earlier
    FROM sequence_steps AS steps, newest GROUP BY ALL
),
split AS (
    SELECT *, string_split(concat_ws('>', nullif(previous, ''), operation), '>') AS steps FROM histories
),
sized AS (SELECT *, unnest(range(1, len(steps) + 1)) AS length FROM split),
grams AS MATERIALIZED (
    SELECT * FROM (
        SELECT *, array_to_string(steps[-length:], '>') AS sequence,
            position - length + 1 AS start FROM sized
    ) WHERE NOT contains('>' || previous || '>', '>' || sequence || '>')
)
"""

_ANSWER = """
, asked AS (
    SELECT CAST(coalesce(sum(requests), 0) AS BIGINT) AS requests,
        coalesce(sum(requests) FILTER (WHERE r.day > newest.day - $days), 0) AS latest,
        coalesce(sum(requests) FILTER (
            WHERE r.day <= newest.day - $days AND r.day > newest.day - 2 * $days), 0) AS earlier
    FROM sequence_requests AS r, newest
),
sums AS MATERIALIZED (
    SELECT sequence, length, CAST(sum(chains) AS BIGINT) AS chains, sum(latest) AS latest,
        sum(earlier) AS earlier,
        1 - sum(failed) / greatest(sum(chains) - sum(carried), 1) AS passing
    FROM grams GROUP BY ALL
),
frequent AS MATERIALIZED (
    SELECT sums.*, string_split(sequence, '>') AS steps FROM sums, asked
    WHERE length >= 2 AND chains >= greatest($fewest, $support * requests)
    ORDER BY chains DESC, sequence LIMIT $most
),
starts AS (
    SELECT sequence, arg_max(start, (chains, -start)) AS position FROM (
        SELECT sequence, start, sum(chains) AS chains FROM grams SEMI JOIN frequent USING (sequence)
        GROUP BY ALL
    ) GROUP BY ALL
),
prefixes AS (
    SELECT sequence, array_to_string(steps[:size], '>') AS prefix FROM (
        SELECT sequence, steps, unnest(range(1, length + 1)) AS size FROM frequent
    )
),
success AS (
    SELECT prefixes.sequence, product(sums.passing) AS success_rate
    FROM prefixes JOIN sums ON sums.sequence = prefixes.prefix GROUP BY ALL
),
whole AS MATERIALIZED (
    SELECT steps, sum(chains) AS chains FROM split WHERE position = len(steps) GROUP BY ALL
),
ended AS MATERIALIZED (
    SELECT '<' || array_to_string(whole.steps, '><') || '>' AS path,
        any_value(whole.chains) - coalesce(sum(further.chains), 0) AS chains
    FROM whole LEFT JOIN whole AS further
        ON len(further.steps) = len(whole.steps) + 1 AND further.steps[:-2] = whole.steps
    GROUP BY whole.steps
),
loose AS (
    SELECT sequence, sum(ended.chains) AS chains
    FROM frequent, ended
    WHERE ended.chains > 0 AND replace(ended.path, '_', '-')
        LIKE '%<' || replace(replace(sequence, '_', '-'), '>', '>%<') || '>%'
    GROUP BY ALL
),
timed AS (
    SELECT sequence, bucket, sum(chains) AS chains FROM sequence_times
    SEMI JOIN frequent USING (sequence) GROUP BY ALL
),
middles AS (
    SELECT sequence, bucket,
        sum(chains) OVER (PARTITION BY sequence ORDER BY bucket) AS below,
        sum(chains) OVER (PARTITION BY sequence) AS every
    FROM timed
),
times AS (
    SELECT sequence, pow($bucket, min(bucket) + 0.5) / 1000 AS seconds
    FROM middles WHERE below * 2 >= every GROUP BY ALL
),
known AS (
    SELECT previous, operation, list_distinct(flatten(list(users))) AS users
    FROM sequence_users GROUP BY ALL
),
people AS (
    SELECT sequence, len(list_distinct(flatten(list(known.users)))) AS users
    FROM (SELECT DISTINCT sequence, previous, operation FROM grams SEMI JOIN frequent USING (sequence))
    JOIN known USING (previous, operation) GROUP BY ALL
)
SELECT f.sequence, CAST(f.length AS BIGINT) AS length, f.chains,
    f.chains / asked.requests AS support,
    coalesce(loose.chains, 0) / asked.requests AS loose_support,
    f.chains / greatest(before.chains, f.chains) AS confidence,
    (f.chains / greatest(before.chains, f.chains)) / (last.chains / asked.requests) AS lift,
    success.success_rate, times.seconds, CAST(starts.position AS BIGINT) AS position,
    f.latest / nullif(asked.latest, 0) AS latest_support,
    f.earlier / nullif(asked.earlier, 0) AS earlier_support,
    CAST(f.latest AS BIGINT) AS latest, CAST(f.earlier AS BIGINT) AS earlier,
    CAST(asked.latest AS BIGINT) AS latest_requests, CAST(asked.earlier AS BIGINT) AS earlier_requests,
    least(coalesce(people.users, 0), $users) AS users
FROM frequent AS f
CROSS JOIN asked
JOIN sums AS before ON before.sequence = array_to_string(f.steps[:-2], '>')
JOIN sums AS last ON last.sequence = f.steps[-1]
JOIN success ON success.sequence = f.sequence
JOIN starts ON starts.sequence = f.sequence
LEFT JOIN loose ON loose.sequence = f.sequence
LEFT JOIN times ON times.sequence = f.sequence
LEFT JOIN people ON people.sequence = f.sequence
ORDER BY f.chains DESC, f.sequence
"""

_POSITIONS = """
, reached AS (
    SELECT position, sum(chains) AS chains FROM histories GROUP BY ALL
)
SELECT sequence, CAST(start AS BIGINT) AS position, CAST(sum(grams.chains) AS BIGINT) AS chains,
    sum(grams.chains) / any_value(reached.chains) AS share
FROM grams JOIN reached ON reached.position = grams.position
WHERE list_contains($sequences, sequence)
GROUP BY sequence, start ORDER BY sequence, start
"""

_WEEKS = """
WITH newest AS (SELECT max(day) AS day FROM sequence_requests),
wanted AS (SELECT unnest($sequences) AS sequence),
histories AS (SELECT DISTINCT previous, operation FROM sequence_steps),
ends AS (
    SELECT previous, operation, sequence FROM histories, wanted
    WHERE ends_with('>' || concat_ws('>', nullif(previous, ''), operation), '>' || sequence)
        AND NOT contains('>' || previous || '>', '>' || sequence || '>')
),
asked AS (
    SELECT (newest.day - r.day) // 7 AS ago, sum(requests) AS requests
    FROM sequence_requests AS r, newest GROUP BY ALL
),
had AS (
    SELECT (newest.day - steps.day) // 7 AS ago, sequence, sum(chains) AS chains
    FROM sequence_steps AS steps JOIN ends USING (previous, operation), newest GROUP BY ALL
)
SELECT newest.day - CAST(7 * ago AS INTEGER) AS week, wanted.sequence,
    coalesce(had.chains, 0) / asked.requests AS support
FROM asked CROSS JOIN wanted CROSS JOIN newest LEFT JOIN had USING (ago, sequence)
ORDER BY wanted.sequence, week
"""


def answer(
    connection: Connection,
    *,
    support: float = LEAST_SUPPORT,
    fewest: int = FEWEST_CHAINS,
    most: int = MOST_ROWS,
    days: int = PERIOD_DAYS,
) -> pd.DataFrame:
    """The frequent sequences, the most frequent first.

    Columns: sequence (`a>b>c`), length, chains (that contain it), support (their share of all chains),
    loose_support (the share in which its operations come in this order within the first six, with others
    between them or not), confidence (of the chains with all but its last operation, the share that has
    the last one next), lift (confidence over the share of all chains that have the last operation),
    success_rate (of the whole: the product of what each step passes after those before it), seconds (the
    median time of all its steps together, within 2 %; of chains that succeeded), position (where it
    mostly starts; 1 is first), latest_support and earlier_support (of the last `days` and of as many
    before), change (their ratio), q_value, trend (`rising`, `falling` or ``), users (up to 32).

    Args:
        support, fewest: share of the chains, and number of them, that a sequence needs.
        most: rows.
        days: of a period.
    """
    frame = connection.execute(
        _GRAMS + _ANSWER,
        {
            "days": days,
            "support": support,
            "fewest": fewest,
            "most": most,
            "bucket": BUCKET,
            "users": MOST_USERS,
        },
    ).df()
    compared = _changes(frame)
    users = compared.pop("users")
    counts = ["latest", "earlier", "latest_requests", "earlier_requests"]
    return compared.drop(columns=counts).assign(users=users.astype("int64"))


def by_position(connection: Connection, sequences: list[str]) -> pd.DataFrame:
    """Where in chains the sequences start.

    Columns: sequence, position (of its first operation), chains, share (of the chains that are long
    enough to have something where it ends).
    """
    return connection.execute(_GRAMS + _POSITIONS, {"days": PERIOD_DAYS, "sequences": sequences}).df()


def by_week(connection: Connection, sequences: list[str]) -> pd.DataFrame:
    """How frequent the sequences were in each week.

    Columns: week (its last day; the newest ends with the newest event), sequence, support.
    """
    return connection.execute(_WEEKS, {"sequences": sequences}).df()


def _changes(frame: pd.DataFrame) -> pd.DataFrame:
    """With change, q_value and trend: two proportions are compared, and all tests are corrected at once.

    The test is the pooled two-proportion z test; the correction is Benjamini and Hochberg's (1995).
    """
    hits, before = frame["latest"].to_numpy(float), frame["earlier"].to_numpy(float)
    latest, earlier = (frame[f"{name}_requests"].to_numpy(float) for name in ("latest", "earlier"))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (hits + before) / (latest + earlier)
        spread = np.sqrt(pooled * (1 - pooled) * (1 / latest + 1 / earlier))
        z = (hits / latest - before / earlier) / spread
        change = (hits / latest) / (before / earlier)
    chance = np.array([math.erfc(abs(one) / math.sqrt(2)) if math.isfinite(one) else 1.0 for one in z])
    q_value = _corrected(chance)
    trend = np.where(q_value >= SIGNIFICANT, "", np.where(z > 0, "rising", "falling"))
    return frame.assign(change=change, q_value=q_value, trend=trend.astype(object))


def _corrected(chances: np.ndarray) -> np.ndarray:
    """The false discovery rate at which each would be taken for true."""
    order = np.argsort(-chances, kind="stable")
    count = len(chances)
    scaled = chances[order] * count / (count - np.arange(count))
    corrected = np.empty(count)
    corrected[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return corrected
