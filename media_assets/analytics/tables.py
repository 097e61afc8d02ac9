"""The tables of the warehouse: one for each kind of event, as its schema says, and what loading keeps."""

from __future__ import annotations

import duckdb

from media_assets.analytics.schema import KINDS, Event, columns

_LOADING = """
CREATE TABLE IF NOT EXISTS segment_offsets (segment VARCHAR NOT NULL, loaded_bytes BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS duplicate_events (event_id UUID NOT NULL, writer VARCHAR, sequence BIGINT);
CREATE TABLE IF NOT EXISTS rejected_lines (
    segment VARCHAR NOT NULL, "offset" BIGINT NOT NULL, line VARCHAR NOT NULL, reason VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS removed_events (
    writer VARCHAR NOT NULL, removed BIGINT NOT NULL, last BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS unexported_days (kind VARCHAR NOT NULL, day DATE NOT NULL);
"""

_VIEWS = """
CREATE OR REPLACE VIEW operations AS
SELECT
    event_id, "timestamp", CAST("timestamp" AS DATE) AS day, operation, outcome, success, error,
    duration_ms / 1000 AS seconds, cpu_seconds, peak_memory_bytes, bytes_read, bytes_written, ffmpeg_runs,
    input_seconds, output_seconds, speed, parameters, workflow, asset, chain, position, previous,
    output, subject, source_kind, source_codec, output_format, size_category, fps, resolution_class,
    width, height, "user", platform, machine, run
FROM operation_events;
CREATE OR REPLACE VIEW workflows AS
SELECT
    event_id, "timestamp", CAST("timestamp" AS DATE) AS day, workflow, type, template, outcome, success,
    error, operations, rendered, cached, failed, duration_ms / 1000 AS seconds, cpu_seconds, bytes_written,
    subject, "user", platform, machine, run
FROM workflow_events;
CREATE OR REPLACE VIEW errors AS
SELECT
    event_id, "timestamp", CAST("timestamp" AS DATE) AS day, stage, operation, error, retryable,
    source_kind, source_codec, output_format, size_category, fps, width, height, parameters, workflow,
    "user", platform, machine, run
FROM error_events;
"""

VIEWS = ("operations", "workflows", "errors")
"""Views for people, of the events that are in the tables."""

PRIVATE = ("segment_offsets", "duplicate_events", "rejected_lines", "removed_events", "unexported_days")
"""Tables that only loading reads; a published copy has none of them."""


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, columns and views that are not there yet."""
    # No primary key: its index costs 0.6 s a load at ten million events and doubles the file.
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()"
    )
    there = {name for (name,) in found.fetchall()}
    for kind in KINDS:
        if kind.table in there:
            _add_columns(connection, kind)
    if {*PRIVATE, *VIEWS, *(kind.table for kind in KINDS)} <= there:
        return
    for kind in KINDS:
        connection.execute(_definition(kind))
    connection.execute(_LOADING)
    connection.execute(_VIEWS)


def _definition(kind: type[Event]) -> str:
    rows = [
        f'    "{name}" {column.type}{"" if column.nullable else " NOT NULL"}{_default(column.default)}'
        for name, column in columns(kind).items()
    ]
    return f"CREATE TABLE IF NOT EXISTS {kind.table} (\n" + ",\n".join(rows) + "\n)"


def _add_columns(connection: duckdb.DuckDBPyConnection, kind: type[Event]) -> None:
    """Give a table of an older release the columns that events have since: nobody told them before."""
    found = connection.execute(
        "SELECT column_name FROM duckdb_columns()"
        " WHERE table_name = ? AND database_name = current_database()",
        [kind.table],
    )
    there = {name for (name,) in found.fetchall()}
    for name, column in columns(kind).items():
        if name not in there and column.nullable:
            connection.execute(f'ALTER TABLE {kind.table} ADD COLUMN "{name}" {column.type}')


def _default(value: object) -> str:
    if value is None:
        return ""
    return f" DEFAULT '{value}'" if isinstance(value, str) else f" DEFAULT {value}"
