"""Templates, proposed: chains that are whole requests, frequent, successful and steady, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import sequences
from media_assets.analytics.rollups import Rollup

LEAST_SHARE = 0.01
"""Of the requests for its kinds of source; half of it makes a candidate, and keeps what was offered."""
FEWEST_REQUESTS = 20
LEAST_SUCCESS = 0.7
LEAST_WHOLE = 0.5
LEAST_WEEKS = 3
WEEKS = 4
_CLOSED = 0.9
_KIND_SHARE = 0.1
_CONFIDENCE = 1.96

PARAMETERS = Rollup(
    "template_parameters",
    "operation_events",
    """
    SELECT day, previous, operation, CAST(parameters AS VARCHAR) AS parameters, count(*) AS uses
    FROM events
    WHERE chain IS NOT NULL AND success AND position BETWEEN 1 AND 6 AND previous IS NOT NULL
    GROUP BY ALL
    """,
)
USES = Rollup(
    "template_uses",
    "workflow_events",
    """
    SELECT day, coalesce(template, workflow) AS name, count(*) AS uses,
        count(*) FILTER (WHERE success) AS succeeded
    FROM events WHERE coalesce(template, workflow) IS NOT NULL GROUP BY ALL
    """,
)
ROLLUPS = (*sequences.ROLLUPS, PARAMETERS, USES)

# Histories that begin at the source. What was not gone on with, and did not fail, was a whole request.
_WHOLE = """
WITH newest AS (SELECT max(day) AS day FROM sequence_requests),
steps AS (
    SELECT day, source_kind, position, previous, chains - carried AS tried, failed,
        string_split(concat_ws('>', nullif(previous, ''), operation), '>') AS steps
    FROM sequence_steps WHERE position <= $longest + 1
),
histories AS MATERIALIZED (
    SELECT steps, array_to_string(steps, '>') AS sequence, sum(tried) AS tried, sum(failed) AS failed,
        count(DISTINCT (newest.day - steps.day) // 7)
            FILTER (WHERE newest.day - steps.day < 7 * $weeks AND tried > failed) AS weeks
    FROM steps, newest WHERE position = len(steps) AND position <= $longest GROUP BY ALL
),
further AS (
    SELECT previous, position - 1 AS length, sum(tried) AS tried FROM steps WHERE position > 1 GROUP BY ALL
),
kinds AS (
    SELECT sequence, list(source_kind ORDER BY source_kind) FILTER (WHERE tried >= $kind_share * every)
        AS kinds
    FROM (
        SELECT *, sum(tried) OVER (PARTITION BY sequence) AS every FROM (
            SELECT array_to_string(steps, '>') AS sequence, source_kind, sum(tried) AS tried FROM steps
            WHERE position = len(steps) AND source_kind IN ('video', 'audio', 'image') GROUP BY ALL
        )
    ) GROUP BY ALL
)
SELECT h.sequence, coalesce(kinds.kinds, []) AS kinds,
    CAST(greatest(h.tried - h.failed - coalesce(further.tried, 0), 0) AS BIGINT) AS requests,
    CAST(h.tried - h.failed AS BIGINT) AS reached, CAST(h.weeks AS BIGINT) AS weeks
FROM histories AS h
LEFT JOIN further ON further.length = len(h.steps)
    AND further.previous = array_to_string(h.steps[-5:], '>')
LEFT JOIN kinds ON kinds.sequence = h.sequence
WHERE list_contains($sequences, h.sequence)
"""

_REQUESTS = """
SELECT source_kind, CAST(sum(requests) AS BIGINT) AS requests
FROM sequence_requests WHERE source_kind IS NOT NULL GROUP BY ALL
"""

_USED = """
SELECT parameters, CAST(sum(uses) AS BIGINT) AS uses FROM template_parameters
WHERE previous = ? AND operation = ? GROUP BY ALL ORDER BY uses DESC, parameters
"""

_USES = """
SELECT name, CAST(sum(uses) AS BIGINT) AS uses, CAST(sum(succeeded) AS BIGINT) AS succeeded,
    max(day) AS last_use
FROM template_uses GROUP BY ALL ORDER BY name
"""


def answer(connection: Connection) -> pd.DataFrame:
    """Chains that could become templates, the most frequent first; a part of an as frequent one is none.

    Columns: sequence (`a>b>c`), length, kinds (of sources), requests (that were this chain and nothing
    else, and succeeded), share (of the requests for these kinds), whole (of those that got to its end,
    how many stopped there), success_rate, success_low (its lower bound, Wilson's, 95 %), seconds
    (median), weeks (of the last four in which it was run), trend, fit (it may be offered), reasons (what
    speaks against it, or for it), users.
    """
    found = sequences.answer(connection, support=LEAST_SHARE / 10, fewest=FEWEST_REQUESTS // 2)
    whole = connection.execute(
        _WHOLE,
        {
            "longest": sequences.LONGEST,
            "weeks": WEEKS,
            "kind_share": _KIND_SHARE,
            "sequences": list(found["sequence"]),
        },
    ).df()
    asked = dict(connection.execute(_REQUESTS).fetchall())
    merged = found.merge(whole, on="sequence", how="inner")
    frame = pd.DataFrame(
        {
            "sequence": merged["sequence"].astype(object),
            "length": merged["length"],
            "chains": merged["chains"],
            "kinds": [tuple(kinds) for kinds in merged["kinds"]],
            "requests": merged["requests"].astype("int64"),
            "whole": merged["requests"] / merged["reached"].clip(lower=1),
            "success_rate": merged["success_rate"].astype(float),
            "success_low": [
                wilson_low(float(rate), float(count))
                for rate, count in zip(merged["success_rate"], merged["chains"], strict=True)
            ],
            "seconds": merged["seconds"].astype(float),
            "weeks": merged["weeks"].astype("int64"),
            "trend": merged["trend"],
            "users": merged["users"],
        }
    )
    totals = [sum(asked.get(kind, 0) for kind in kinds) for kinds in frame["kinds"]]
    frame.insert(
        5,
        "share",
        [
            requests / total if total else 0.0
            for requests, total in zip(frame["requests"], totals, strict=True)
        ],
    )
    frame = frame[np.array(_worth_telling(frame), dtype=bool)].reset_index(drop=True)
    reasons = [_against(row) for row in frame.to_dict("records")]
    frame["fit"] = [not against for against in reasons]
    frame["reasons"] = ["; ".join(against) for against in reasons]
    users = frame.pop("users")
    return frame.drop(columns="chains").assign(users=users)


def uses_of_step(connection: Connection, operations: Sequence[str], step: int) -> pd.DataFrame:
    """The parameters given to one operation (by its place, from 0) of a chain: parameters, uses."""
    return connection.execute(_USED, [">".join(operations[:step][-5:]), operations[step]]).df()


def uses(connection: Connection) -> pd.DataFrame:
    """How often each workflow ran: name (its template's, if it has one), uses, succeeded, last_use."""
    return connection.execute(_USES).df()


def wilson_low(rate: float, count: float, z: float = _CONFIDENCE) -> float:
    """The lower bound of a rate that was seen `count` times (Wilson, 1927); 0 without any.

    >>> round(wilson_low(0.9, 100), 3)
    0.826
    """
    if count <= 0:
        return 0.0
    middle = rate + z * z / (2 * count)
    spread = z * math.sqrt(rate * (1 - rate) / count + z * z / (4 * count * count))
    return max(0.0, (middle - spread) / (1 + z * z / count))


def _worth_telling(frame: pd.DataFrame) -> list[bool]:
    """Frequent enough for a candidate, a request of its own, and no part of an as frequent longer one."""
    rows = list(zip(frame["sequence"], frame["chains"], strict=True))
    enough = (
        (frame["requests"] >= FEWEST_REQUESTS // 2)
        & (frame["share"] >= LEAST_SHARE / 2)
        & (frame["whole"] >= LEAST_WHOLE)
    )
    return [
        bool(good)
        and not any(
            len(longer) > len(sequence) and f">{sequence}>" in f">{longer}>" and others >= _CLOSED * chains
            for longer, others in rows
        )
        for good, (sequence, chains) in zip(enough, rows, strict=True)
    ]


def _against(row: Mapping[Any, Any]) -> list[str]:
    """What speaks against offering it."""
    requests, share, low, weeks = (row[name] for name in ("requests", "share", "success_low", "weeks"))
    found = []
    if requests < FEWEST_REQUESTS or share < LEAST_SHARE:
        found.append(f"not frequent: {requests:.0f} requests, {share:.1%}")
    if low < LEAST_SUCCESS:
        found.append(f"fails too often: of a hundred, {low * 100:.0f} may be all that succeed")
    if weeks < LEAST_WEEKS:
        found.append(f"not steady: run in {weeks:.0f} of the last {WEEKS} weeks")
    if row["trend"] == "falling":
        found.append("fewer and fewer use it")
    return found
