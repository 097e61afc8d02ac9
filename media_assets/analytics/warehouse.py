"""The warehouse: what the loaded events say. Opening and loading it are passed on from here."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pandas as pd

from media_assets.analytics.connection import LOCK_SECONDS, Connection, WarehouseBusy, connect
from media_assets.analytics.events import newest, read_events
from media_assets.analytics.loading import LoadReport, load_events
from media_assets.analytics.schema import KINDS, Record, columns
from media_assets.analytics.segments import list_segments
from media_assets.settings import Settings

__all__ = [
    "LOCK_SECONDS",
    "Connection",
    "LoadReport",
    "WarehouseBusy",
    "connect",
    "events_version",
    "last_events",
    "load_events",
    "lost_sequences",
    "operation_statistics",
    "schema_problems",
    "store_operation_performance",
    "stored_events",
    "waiting_seconds",
]

# Times and speeds are of rendered operations only: a cache hit takes milliseconds, and a failure
# stops anywhere, so either would hide what the work itself takes.
_STATISTICS = """
SELECT
    operation,
    count(*) AS count,
    count(*) FILTER (outcome = 'rendered') AS rendered,
    count(*) FILTER (outcome = 'cached') AS cached,
    count(*) FILTER (outcome = 'failed') AS failed,
    avg(CAST(success AS INTEGER)) AS success_rate,
    count(*) FILTER (outcome = 'cached') / count(*) AS cache_hit_rate,
    quantile_cont(duration_ms / 1000, 0.5) FILTER (outcome = 'rendered') AS p50_seconds,
    quantile_cont(duration_ms / 1000, 0.95) FILTER (outcome = 'rendered') AS p95_seconds,
    avg(speed) FILTER (outcome = 'rendered') AS mean_speed,
    sum(cpu_seconds) AS cpu_seconds,
    CAST(sum(bytes_written) AS BIGINT) AS bytes_written
FROM operation_events
WHERE outcome <> 'fused'
GROUP BY operation
ORDER BY count DESC, operation
"""


def operation_statistics(connection: Connection) -> pd.DataFrame:
    """What each operation did and cost, the most frequent first.

    Columns: operation; count, rendered, cached, failed (events); success_rate, cache_hit_rate (of all,
    0 to 1); p50_seconds, p95_seconds (wall, interpolated) and mean_speed (1 is realtime), all three
    over rendered ones, NaN without any; cpu_seconds and bytes_written (sums over all).
    """
    return connection.execute(_STATISTICS).df()


def store_operation_performance(connection: Connection) -> pd.DataFrame:
    """Replace the table `operation_performance` by the statistics of now; returns them."""
    statistics = operation_statistics(connection)
    connection.execute("CREATE OR REPLACE TABLE operation_performance AS " + _STATISTICS)
    return statistics


def events_version(connection: Connection) -> tuple[int, str]:
    """How many events are loaded, and a version that changes exactly when events come or go."""
    total, parts = 0, []
    for kind in KINDS:
        row = connection.execute(
            f"SELECT count(*), CAST(max(event_id) AS VARCHAR) FROM {kind.table}"  # noqa: S608 - our own names
        ).fetchone()
        count, latest = row if row else (0, None)
        total += count
        parts.append(f"{count}:{latest}")
    return total, " ".join(parts)


def lost_sequences(connection: Connection) -> pd.DataFrame:
    """Writers of which an event is missing: writer, last (highest number loaded), missing (how many).

    A writer numbers its events 1, 2, 3… over all kinds; one left out as a duplicate, or removed since, is
    not missing.
    """
    loaded = " UNION ALL ".join(
        f"SELECT writer, sequence FROM {table}"  # noqa: S608 - our own names
        for table in (*(kind.table for kind in KINDS), "duplicate_events")
    )
    return connection.execute(
        f"""
        WITH loaded AS (
            SELECT writer, max(sequence) AS last, count(DISTINCT sequence) AS events
            FROM ({loaded}) WHERE sequence > 0 GROUP BY writer
            UNION ALL SELECT writer, last, removed FROM removed_events
        )
        SELECT writer, max(last) AS last, CAST(max(last) - sum(events) AS BIGINT) AS missing
        FROM loaded GROUP BY writer HAVING missing > 0 ORDER BY writer
        """  # noqa: S608
    ).df()


def stored_events(connection: Connection, last: int) -> list[Record]:
    """The newest `last` loaded events of all kinds, newest first, in the form they were written in."""
    found: list[Record] = []
    for kind in KINDS:
        cursor = connection.execute(
            f"""
            SELECT * REPLACE (
                CAST(event_id AS VARCHAR) AS event_id,
                strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%f+00:00') AS "timestamp"
            )
            FROM {kind.table} AS stored
            ORDER BY stored."timestamp" DESC, stored.event_id DESC
            LIMIT ?
            """,  # noqa: S608
            [max(last, 0)],
        )
        names = [column[0] for column in cursor.description or []]
        rows = (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
        found += [_decoded({"kind": kind.kind, **row}) for row in rows]
    return newest(found, last)


def waiting_seconds(connection: Connection, event_root: Path) -> list[float]:
    """For each segment that is not loaded to its end: how many seconds ago its last event was written.

    A segment is followed by a new one after ten minutes, so no event in it is much older.
    """
    offsets = dict(connection.execute("SELECT segment, loaded_bytes FROM segment_offsets").fetchall())
    found = []
    for path in list_segments(event_root):
        with contextlib.suppress(FileNotFoundError):
            state = path.stat()
            if state.st_size > offsets.get(path.name, 0):
                found.append(time.time() - state.st_mtime)
    return found


def schema_problems(connection: Connection) -> list[str]:
    """Where the tables differ from the schema: a column too many, too few, or of another type."""
    problems = []
    for kind in KINDS:
        rows = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ?", [kind.table]
        ).fetchall()
        found, wanted = dict(rows), {name: column.type for name, column in columns(kind).items()}
        problems += [f"{kind.table} has no {name}" for name in wanted if name not in found]
        problems += [f"{kind.table}.{name} is in no schema" for name in found if name not in wanted]
        problems += [
            f"{kind.table}.{name} is {found[name]}, not {type_}"
            for name, type_ in wanted.items()
            if name in found and found[name] != type_
        ]
    return problems


def last_events(settings: Settings, last: int) -> list[Record]:
    """The newest `last` events, loaded or not, newest first; nothing is loaded or changed.

    Raises:
        WarehouseBusy: a load held the warehouse for too long.
    """
    # Segments first: what a load moves meanwhile is then seen in both places, not in none.
    found = {record["event_id"]: record for record in read_events(settings.event_root, last)}
    if settings.warehouse_path.exists():
        with connect(settings.warehouse_path, read_only=True) as connection:
            found |= {record["event_id"]: record for record in stored_events(connection, last)}
    return newest(found.values(), last)


def _decoded(record: Record) -> Record:
    if "parameters" in record:
        return {**record, "parameters": json.loads(record["parameters"])}
    return record
