"""Rollups: sums by day, made again only for days whose events changed, from which questions are answered.

An answer over a year costs what its days' sums cost, and a thousand new events cost their day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from media_assets.analytics.connection import Connection

_TABLES = """
CREATE TABLE IF NOT EXISTS rollup_days (
    rollup VARCHAR NOT NULL, day DATE NOT NULL, events BIGINT NOT NULL, latest UUID NOT NULL,
    code VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS rollup_horizon (day DATE NOT NULL)
"""

_DAYS = """
CREATE OR REPLACE TEMP TABLE event_days AS
SELECT CAST("timestamp" AS DATE) AS day, count(*) AS events, max(event_id) AS latest
FROM {source} GROUP BY ALL
"""

# What is older than the horizon is frozen: its events are gone, and its sums are all there is.
_STALE = """
CREATE OR REPLACE TEMP TABLE stale_days AS
SELECT day FROM (
    SELECT day FROM (
        SELECT * FROM event_days
        EXCEPT SELECT day, events, latest FROM rollup_days WHERE rollup = $name AND code = $code
    )
    UNION
    SELECT day FROM rollup_days WHERE rollup = $name AND day NOT IN (SELECT day FROM event_days)
)
WHERE day >= coalesce((SELECT max(day) FROM rollup_horizon), CAST('0001-01-01' AS DATE))
"""


@dataclass(frozen=True)
class Rollup:
    """Sums of a table of events, one or more rows for each day.

    Attributes:
        name: the table; its first column is `day`.
        source: the table of events, which has `timestamp` and `event_id`.
        select: what gives the rows from `events`, the source's rows of the days asked for, with a
            column `day`. Rows of one day must depend on that day alone.
    """

    name: str
    source: str
    select: str

    @property
    def code(self) -> str:
        """Changes with what is asked: rows made by another question are made again."""
        return hashlib.sha256(f"{self.source}\n{self.select}".encode()).hexdigest()[:16]


def refresh(connection: Connection, rollups: Iterable[Rollup]) -> dict[str, int]:
    """Bring each rollup up to its events, a day at a time or all at once, each in a transaction.

    Returns:
        {rollup: days that were made again}.
    """
    connection.execute(_TABLES)
    refreshed = {}
    source = ""
    for rollup in sorted(rollups, key=lambda rollup: rollup.source):
        if rollup.source != source:
            source = rollup.source
            connection.execute(_DAYS.format(source=source))
        refreshed[rollup.name] = _refresh(connection, rollup)
    return refreshed


def forget(connection: Connection, days: Iterable[object] | None = None) -> None:
    """Have days made again at the next refresh, although no event was added: rows were changed.

    Args:
        days: dates; all days without.
    """
    connection.execute(_TABLES)
    if days is None:
        connection.execute("DELETE FROM rollup_days")
        return
    chosen = list(days)
    if chosen:
        connection.execute(
            "UPDATE rollup_days SET events = -1 WHERE list_contains(?::DATE[], day)", [chosen]
        )


def freeze(connection: Connection, before: date) -> None:
    """Leave sums of days before a date as they are from now on, whatever becomes of their events."""
    connection.execute(_TABLES)
    connection.execute("DELETE FROM rollup_horizon")
    connection.execute("INSERT INTO rollup_horizon VALUES (?)", [before])


def _refresh(connection: Connection, rollup: Rollup) -> int:
    name, source, select = rollup.name, rollup.source, rollup.select
    connection.execute(_STALE, {"name": name, "code": rollup.code})
    row = connection.execute("SELECT count(*), min(day), max(day) FROM stale_days").fetchone()
    if row is None or not row[0]:
        _make_table(connection, rollup)
        return 0
    connection.begin()
    try:
        if not _of_this_code(connection, rollup):
            _put_aside(connection, name)
            connection.execute("DELETE FROM rollup_days WHERE rollup = ?", [name])
        _make_table(connection, rollup)
        connection.execute(f"DELETE FROM {name} WHERE day IN (SELECT day FROM stale_days)")  # noqa: S608
        # The bounds let DuckDB skip blocks of other days, which a semi join does not.
        connection.execute(
            f"""
            INSERT INTO {name} BY NAME
            WITH events AS (
                SELECT *, CAST("timestamp" AS DATE) AS day FROM {source}
                WHERE "timestamp" >= CAST($first AS TIMESTAMP)
                    AND "timestamp" < CAST($last AS TIMESTAMP) + INTERVAL 1 DAY
                    AND CAST("timestamp" AS DATE) IN (SELECT day FROM stale_days)
            )
            {select}
            """,  # noqa: S608 - our own names
            {"first": row[1], "last": row[2]},
        )
        connection.execute(
            "DELETE FROM rollup_days WHERE rollup = ? AND day IN (SELECT day FROM stale_days)", [name]
        )
        connection.execute(
            """
            INSERT INTO rollup_days
            SELECT ?, day, events, latest, ? FROM event_days WHERE day IN (SELECT day FROM stale_days)
            """,
            [name, rollup.code],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return int(row[0])


def _of_this_code(connection: Connection, rollup: Rollup) -> bool:
    found = connection.execute(
        "SELECT 1 FROM rollup_days WHERE rollup = ? AND code <> ? LIMIT 1", [rollup.name, rollup.code]
    ).fetchone()
    return found is None


def _put_aside(connection: Connection, name: str) -> None:
    """Remove sums that another question gave; those whose events are gone stay under another name."""
    tables = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone()
    horizon = connection.execute("SELECT max(day) FROM rollup_horizon").fetchone()
    if tables is None:
        return
    before = horizon[0] if horizon else None
    frozen = f"SELECT 1 FROM {name} WHERE day < ? LIMIT 1"  # noqa: S608 - our own names
    if before is not None and connection.execute(frozen, [before]).fetchone():
        kept = f"{name}_until_{before:%Y%m%d}"
        rows = f"SELECT * FROM {name} WHERE day < ?"  # noqa: S608
        connection.execute(f"CREATE OR REPLACE TABLE {kept} AS {rows}", [before])
    connection.execute(f"DROP TABLE {name}")


def _make_table(connection: Connection, rollup: Rollup) -> None:
    connection.execute(
        f"""
        CREATE TABLE IF NOT EXISTS {rollup.name} AS
        WITH events AS (SELECT *, CAST("timestamp" AS DATE) AS day FROM {rollup.source} WHERE false)
        {rollup.select}
        LIMIT 0
        """  # noqa: S608
    )
