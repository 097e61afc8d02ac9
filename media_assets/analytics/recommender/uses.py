"""How often each operation followed which others, and how often nothing did, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.rollups import Rollup

ORDER = 3
"""Operations before one that it is told from."""

START = "^"
"""Stands before the first operation of a chain."""

# The last three operations before one, with the start of the chain where there are fewer.
ROLLUP = Rollup(
    "recommendation_days",
    "operation_events",
    """
    SELECT
        day, "user", source_kind,
        CASE
            WHEN previous = '' THEN '^'
            WHEN previous LIKE '%>%>%' THEN regexp_extract(previous, '[^>]+>[^>]+>[^>]+$')
            ELSE '^>' || previous
        END AS context,
        operation, times, done
    FROM (
        SELECT
            day, coalesce("user", '') AS "user", coalesce(source_kind, '') AS source_kind, previous,
            operation, count(*) AS times, count(*) FILTER (success) AS done
        FROM events WHERE previous IS NOT NULL AND position > 0 GROUP BY ALL
    )
    """,
)

_CODES = """
CREATE OR REPLACE TEMP TABLE recommendation_steps AS
SELECT
    CAST(row_number() OVER (ORDER BY source_kind, context, operation) - 1 AS INTEGER) AS step,
    source_kind, context, operation
FROM (SELECT DISTINCT source_kind, context, operation FROM recommendation_days);
CREATE OR REPLACE TEMP TABLE recommendation_users AS
SELECT CAST(row_number() OVER (ORDER BY "user") - 1 AS INTEGER) AS code, "user"
FROM (
    SELECT DISTINCT coalesce("user", '') AS "user" FROM recommendation_days
    WHERE $users::VARCHAR[] IS NULL OR list_contains($users::VARCHAR[], "user")
)
"""

_USES = """
SELECT
    CAST(len(list_filter($bounds::DATE[], lambda bound: bound <= day)) AS BIGINT) AS period,
    CAST(code AS BIGINT) AS "user", CAST(step AS BIGINT) AS step,
    CAST(sum(times) AS BIGINT) AS times, CAST(sum(done) AS BIGINT) AS done
FROM recommendation_days
JOIN recommendation_steps USING (source_kind, context, operation)
JOIN recommendation_users ON recommendation_users."user" = coalesce(recommendation_days."user", '')
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Uses:
    """What followed what, how often: a row for each period, user, context and operation.

    Attributes:
        operations: names, in order; the number after the last stands for the end of a chain.
        contexts: kind of source, and up to three operations before joined by `>`, `^` at the start.
        users: keyed hashes; an empty one stands for all whose are not known.
        rows: columns period, user, context, operation (all numbers) and times.
    """

    operations: tuple[str, ...]
    contexts: tuple[tuple[str, str], ...]
    users: tuple[str, ...]
    rows: pd.DataFrame

    @property
    def end(self) -> int:
        """The number that stands for the end of a chain."""
        return len(self.operations)

    def before(self, period: int) -> Uses:
        """Those of the periods before one."""
        return replace(self, rows=self.rows[self.rows["period"] < period])


def read_uses(
    connection: Connection, bounds: Sequence[date] = (), users: Sequence[str] | None = None
) -> Uses:
    """The sums of the rollup, which must be fresh.

    A chain's end is never told: how often one ended in a context is how often it was reached, by an
    operation that succeeded, less how often anything followed, within a period.

    Args:
        bounds: first days of the periods after the first one, in order.
        users: whose; those of all without.
    """
    for statement in _CODES.split(";"):
        given = {"users": None if users is None else list(users)} if "$users" in statement else {}
        connection.execute(statement, given)
    steps = connection.execute("FROM recommendation_steps ORDER BY step").fetchall()
    people = connection.execute('SELECT "user" FROM recommendation_users ORDER BY code').fetchall()
    found = connection.execute(_USES, {"bounds": list(bounds)}).fetchnumpy()
    operations = tuple(sorted({operation for _, _, _, operation in steps}))
    before = [(kind, context) for _, kind, context, _ in steps]
    after = [(kind, following(context, operation)) for _, kind, context, operation in steps]
    contexts = tuple(sorted({*before, *after}))
    place = {context: number for number, context in enumerate(contexts)}
    number = {name: number for number, name in enumerate(operations)}
    step = np.asarray(found["step"], dtype=np.int64)

    def coded(codes: list[int]) -> np.ndarray:
        return np.array(codes, dtype=np.int64)[step]

    followed = pd.DataFrame(
        {
            "period": np.asarray(found["period"], dtype=np.int64),
            "user": np.asarray(found["user"], dtype=np.int64),
            "context": coded([place[one] for one in before]),
            "operation": coded([number[operation] for _, _, _, operation in steps]),
            "times": np.asarray(found["times"], dtype=np.int64),
        }
    )
    reached = followed.assign(
        context=coded([place[one] for one in after]), times=np.asarray(found["done"], dtype=np.int64)
    )
    ends = _ends(followed, reached).assign(operation=len(operations))
    rows = pd.concat([followed, ends[list(followed.columns)]], ignore_index=True)
    return Uses(operations, contexts, tuple(user for (user,) in people), rows)


def following(context: str, operation: str) -> str:
    """The context after an operation was done in one."""
    words = [*context.split(">"), operation]
    return ">".join(words[-ORDER:])


def context_of(chain: Sequence[str]) -> str:
    """The context at the end of a chain of operations."""
    return ">".join([START, *chain][-ORDER:])


def shortened(context: str, order: int) -> str:
    """The last `order` words of a context."""
    return ">".join(context.split(">")[-order:]) if order else ""


def _ends(followed: pd.DataFrame, reached: pd.DataFrame) -> pd.DataFrame:
    keys = ["period", "user", "context"]
    both = pd.concat([reached, followed.assign(times=-followed["times"])], ignore_index=True)
    left = both.groupby(keys)["times"].sum().reset_index()
    return left.loc[left["times"] > 0]
