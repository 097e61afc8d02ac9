"""A warehouse with synthetic events of all kinds, and a thousand more of its last day."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from bench.timing import Clock
from media_assets.analytics.connection import Connection, connect
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.workflows import derive

NEW = 1_000

# In the order of their times, as loading puts them; with what was expected and predicted of each, off by
# what a hash says.
_ORDER = """
CREATE TEMP TABLE ordered AS
SELECT * REPLACE (
    cpu_seconds * exp((hash(event_id) % 1000) / 1000 - 0.2) AS expected_cpu_seconds,
    peak_memory_bytes AS expected_memory_bytes,
    bytes_written AS expected_bytes,
    cpu_seconds * exp((hash(event_id) % 999) / 1998 - 0.25) AS predicted_cpu_seconds,
    duration_ms * exp((hash(event_id) % 997) / 1994 - 0.25) AS predicted_ms,
    peak_memory_bytes AS predicted_memory_bytes,
    bytes_written AS predicted_bytes
)
FROM operation_events ORDER BY "timestamp";
TRUNCATE operation_events;
INSERT INTO operation_events BY NAME FROM ordered;
DROP TABLE ordered
"""
_ERRORS = """
INSERT INTO error_events BY NAME
SELECT
    event_id, "timestamp", 'synthetic_errors' AS writer, "sequence", "user", platform, machine, run,
    'operation' AS stage, operation, error, false AS retryable, source_kind, source_codec, output_format,
    size_category, fps, width, height, parameters
FROM operation_events WHERE outcome = 'failed'
"""
# Another variant in the ids' place for it makes them unique, and as late. Chains stay whole.
_MORE = """
INSERT INTO {table} BY NAME
WITH chosen AS (
    SELECT subject FROM operation_events
    WHERE CAST("timestamp" AS DATE) = $day AND subject IS NOT NULL
    GROUP BY subject
    QUALIFY sum(count(*)) OVER (ORDER BY count(*), subject ROWS UNBOUNDED PRECEDING) <= $events
)
SELECT
    * REPLACE (
        CAST(left(CAST(event_id AS VARCHAR), 19) || 'b' || substr(CAST(event_id AS VARCHAR), 21) AS UUID)
            AS event_id,
        'synthetic_more' AS writer,
        run || '_more' AS run
        {more}
    )
FROM {table} WHERE {chosen}
"""
_LAST_DAY = """
SELECT max(day) FROM (
    SELECT CAST("timestamp" AS DATE) AS day FROM operation_events GROUP BY ALL HAVING count(*) >= ?
)
"""
_KEYS = ", subject || '_more' AS subject"
_TABLES = {
    "error_events": ("", "run IN (SELECT replace(subject, 'subject_', 'run_') FROM chosen)"),
    "workflow_events": (_KEYS, "subject IN (FROM chosen)"),
    "operation_events": (_KEYS + ", chain || '_more' AS chain", "subject IN (FROM chosen)"),
}


def measure(path: Path, size: int) -> dict[str, Any]:
    """Fill the warehouse at `path`; what was planted is kept beside it."""
    clock = Clock()
    with connect(path) as connection:
        planted = generate(connection, size)
        derive(connection)
        connection.execute(_ORDER)
        connection.execute(_ERRORS)
        events = {table: _count(connection, table) for table in _TABLES}
    path.with_suffix(".json").write_text(json.dumps(asdict(planted)["abuses"]))
    return clock.told() | {"events": events, "megabytes": round(path.stat().st_size / 1e6, 1)}


def add(connection: Connection) -> int:
    """Put about a thousand operation events more into the last day, with those of workflows and errors."""
    before, given = _count(connection, "operation_events"), {"events": NEW, "day": last_day(connection)}
    for table, (more, chosen) in _TABLES.items():
        statement = _MORE.format(table=table, more=more, chosen=chosen)
        connection.execute(statement, given)
    return _count(connection, "operation_events") - before


def last_day(connection: Connection) -> date:
    """The last day that is no mere end of what began the day before."""
    (row,) = connection.execute(_LAST_DAY, [NEW // 2]).fetchall()
    day: date = row[0]
    return day


def _count(connection: Connection, table: str) -> int:
    (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - our own name
    return int(rows[0])
