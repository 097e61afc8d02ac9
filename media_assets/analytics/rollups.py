"""Rollups: sums by day, made again only for days whose events changed, from which questions are answered.

An answer over a year costs what its days' sums cost, and a thousand new events cost their day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

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
WITH wanted AS (SELECT unnest($names) AS rollup, unnest($codes) AS code)
SELECT rollup, list(day ORDER BY day) FROM (
    SELECT rollup, day FROM (
        SELECT rollup, code, event_days.* FROM wanted, event_days
        EXCEPT SELECT rollup, code, day, events, latest FROM rollup_days
    )
    UNION
    SELECT rollup, day FROM rollup_days SEMI JOIN wanted USING (rollup)
    WHERE day NOT IN (SELECT day FROM event_days)
)
WHERE day >= coalesce((SELECT max(day) FROM rollup_horizon), CAST('0001-01-01' AS DATE))
GROUP BY rollup
"""

_OTHERS = """
SELECT DISTINCT rollup FROM rollup_days
WHERE (rollup, code) NOT IN (SELECT (unnest($names), unnest($codes))) AND list_contains($names, rollup)
"""

_TOLD = """
DELETE FROM rollup_days WHERE list_contains($names, rollup) AND day IN (SELECT day FROM stale_days);
INSERT INTO rollup_days
SELECT rollup, day, events, latest, code
FROM event_days SEMI JOIN stale_days USING (day), (SELECT unnest($names) AS rollup, unnest($codes) AS code)
"""


# The bounds let DuckDB skip blocks of other days, which a semi join does not.
_EVENTS = """
SELECT *, CAST("timestamp" AS DATE) AS day FROM {source}
WHERE "timestamp" >= CAST($first AS TIMESTAMP)
    AND "timestamp" < CAST($last AS TIMESTAMP) + INTERVAL 1 DAY
    AND CAST("timestamp" AS DATE) IN (SELECT day FROM stale_days)
"""

_STALE_EVENTS = """
SELECT CAST(coalesce(sum(events), 0) AS BIGINT) FROM event_days SEMI JOIN stale_days USING (day)
"""
MOST_TAKEN = 200_000
"""Events that are held at once: about 100 MB."""


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
    """Bring rollups up to their events, those of one table of events together, in a transaction.

    What is asked of all of them is asked once: with a thousand new events, knowing which days changed
    takes longer than summing these.

    Returns:
        {rollup: days that were made again}.
    """
    connection.execute(_TABLES)
    refreshed: dict[str, int] = {}
    distinct = {rollup.name: rollup for rollup in rollups}
    for source, of_source in groupby(sorted(distinct.values(), key=_source), key=_source):
        connection.execute(_DAYS.format(source=source))
        connection.begin()
        try:
            refreshed |= _refresh(connection, list(of_source))
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
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


def _refresh(connection: Connection, rollups: list[Rollup]) -> dict[str, int]:
    """Those of one source, whose days are in `event_days`."""
    named = _named(rollups)
    for (name,) in connection.execute(_OTHERS, named).fetchall():
        _put_aside(connection, name)
        connection.execute("DELETE FROM rollup_days WHERE rollup = ?", [name])
    found = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    there = {name for (name,) in found}
    for rollup in rollups:
        if rollup.name not in there:
            _make_table(connection, rollup)
    stale: dict[str, list[date]] = dict(connection.execute(_STALE, named).fetchall())
    alike: dict[tuple[date, ...], list[Rollup]] = {}
    for rollup in rollups:
        alike.setdefault(tuple(stale.get(rollup.name, ())), []).append(rollup)
    for days, of_days in alike.items():
        if days:
            _make_again(connection, days, of_days)
    return {rollup.name: len(stale.get(rollup.name, ())) for rollup in rollups}


def _make_again(connection: Connection, days: tuple[date, ...], rollups: list[Rollup]) -> None:
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE stale_days AS SELECT unnest(?::DATE[]) AS day", [list(days)]
    )
    bounds = {"first": days[0], "last": days[-1]}
    events = _EVENTS.format(source=rollups[0].source)
    taken = len(rollups) > 1 and _few(connection)
    if taken:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE stale_events AS {events}", bounds)
    for rollup in rollups:
        connection.execute(f"DELETE FROM {rollup.name} WHERE day IN (SELECT day FROM stale_days)")  # noqa: S608
        connection.execute(
            f"""
            INSERT INTO {rollup.name} BY NAME
            WITH events AS ({"FROM stale_events" if taken else events})
            {rollup.select}
            """,
            {} if taken else bounds,
        )
    if taken:
        connection.execute("DROP TABLE stale_events")
    named = _named(rollups)
    for statement in _TOLD.split(";"):
        connection.execute(statement, named if "$codes" in statement else {"names": named["names"]})


def _few(connection: Connection) -> bool:
    """Whether the events of the stale days are so few that they are better read once for all rollups."""
    (row,) = connection.execute(_STALE_EVENTS).fetchall()
    return int(row[0]) <= MOST_TAKEN


def _named(rollups: list[Rollup]) -> dict[str, list[str]]:
    return {"names": [one.name for one in rollups], "codes": [one.code for one in rollups]}


def _source(rollup: Rollup) -> str:
    return rollup.source


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
