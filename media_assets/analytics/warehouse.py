"""The warehouse: what the loaded events say. Opening and loading it are passed on from here."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from media_assets.analytics.connection import LOCK_SECONDS, Connection, WarehouseBusy, connect
from media_assets.analytics.events import newest, read_events
from media_assets.analytics.loading import LoadReport, load_events
from media_assets.analytics.schema import Record
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
    "store_operation_performance",
    "stored_events",
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
    quantile_cont(seconds, 0.5) FILTER (outcome = 'rendered') AS p50_seconds,
    quantile_cont(seconds, 0.95) FILTER (outcome = 'rendered') AS p95_seconds,
    avg(speed) FILTER (outcome = 'rendered') AS mean_speed,
    sum(cpu_seconds) AS cpu_seconds,
    CAST(sum(output_bytes) AS BIGINT) AS output_bytes
FROM operation_events
GROUP BY operation
ORDER BY count DESC, operation
"""


def operation_statistics(connection: Connection) -> pd.DataFrame:
    """What each operation did and cost, the most frequent first.

    Columns: operation; count, rendered, cached, failed (events); success_rate, cache_hit_rate (of all,
    0 to 1); p50_seconds, p95_seconds (wall, interpolated) and mean_speed (1 is realtime), all three
    over rendered ones, NaN without any; cpu_seconds and output_bytes (sums over all).
    """
    return connection.execute(_STATISTICS).df()


def store_operation_performance(connection: Connection) -> pd.DataFrame:
    """Replace the table `operation_performance` by the statistics of now; returns them."""
    statistics = operation_statistics(connection)
    connection.execute("CREATE OR REPLACE TABLE operation_performance AS " + _STATISTICS)
    return statistics


def events_version(connection: Connection) -> tuple[int, str]:
    """How many events are loaded, and a version that changes exactly when events are added."""
    row = connection.execute(
        "SELECT count(*), CAST(max(event_id) AS VARCHAR) FROM operation_events"
    ).fetchone()
    count, latest = row if row else (0, None)
    return count, f"{count}:{latest}"


def lost_sequences(connection: Connection) -> pd.DataFrame:
    """Writers of which an event is missing: writer, last (highest number loaded), missing (how many).

    A writer numbers its events 1, 2, 3…; one left out as a duplicate is not missing.
    """
    return connection.execute(
        """
        SELECT
            writer,
            max(sequence) AS last,
            max(sequence) - count(DISTINCT sequence) AS missing
        FROM (
            SELECT writer, sequence FROM operation_events
            UNION ALL SELECT writer, sequence FROM duplicate_events
        )
        WHERE sequence > 0
        GROUP BY writer
        HAVING missing > 0
        ORDER BY writer
        """
    ).df()


def stored_events(connection: Connection, last: int) -> list[Record]:
    """The newest `last` loaded events, newest first, in the form they were written in."""
    cursor = connection.execute(
        """
        SELECT * REPLACE (
            CAST(event_id AS VARCHAR) AS event_id,
            strftime("timestamp", '%Y-%m-%dT%H:%M:%S.%f+00:00') AS "timestamp"
        )
        FROM operation_events AS stored
        ORDER BY stored."timestamp" DESC, stored.event_id DESC
        LIMIT ?
        """,
        [max(last, 0)],
    )
    names = [column[0] for column in cursor.description or []]
    return [_decoded(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


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


def _decoded(record: dict[str, Any]) -> Record:
    return {**record, "parameters": json.loads(record["parameters"])}
