"""A connection to the warehouse, a DuckDB file that one process at a time may open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from media_assets.errors import MediaAssetsError

Connection = duckdb.DuckDBPyConnection

LOCK_SECONDS = 120.0
"""How long `connect` waits for another process to close the warehouse."""

# No primary key: its index costs 0.6 s a load at ten million events and doubles the file.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS operation_events (
    event_id UUID NOT NULL,
    "timestamp" TIMESTAMP NOT NULL,
    operation VARCHAR NOT NULL,
    effect VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    success BOOLEAN NOT NULL,
    fingerprint VARCHAR,
    asset VARCHAR,
    partition VARCHAR,
    run_id VARCHAR,
    error VARCHAR,
    seconds DOUBLE NOT NULL,
    cpu_seconds DOUBLE NOT NULL,
    peak_memory_bytes BIGINT NOT NULL,
    ffmpeg_runs BIGINT NOT NULL,
    input_seconds DOUBLE NOT NULL,
    output_seconds DOUBLE NOT NULL,
    output_bytes BIGINT NOT NULL,
    speed DOUBLE,
    parameters JSON NOT NULL,
    writer VARCHAR NOT NULL,
    sequence BIGINT NOT NULL
);
ALTER TABLE operation_events ADD COLUMN IF NOT EXISTS expected_cpu_seconds DOUBLE DEFAULT 0;
CREATE TABLE IF NOT EXISTS segment_offsets (segment VARCHAR NOT NULL, loaded_bytes BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS duplicate_events (event_id UUID NOT NULL, writer VARCHAR, sequence BIGINT);
CREATE TABLE IF NOT EXISTS rejected_lines (
    segment VARCHAR NOT NULL, "offset" BIGINT NOT NULL, line VARCHAR NOT NULL, reason VARCHAR NOT NULL
);
"""


class WarehouseBusy(MediaAssetsError):
    """Another process held the warehouse for longer than the caller would wait."""


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool = False,
    timeout: float = LOCK_SECONDS,
    config: Mapping[str, Any] | None = None,
) -> Iterator[Connection]:
    """The warehouse at `path`, for one process at a time, closed at the end in any case.

    A lock on a file beside it is held for the whole life of the connection: DuckDB reads the file's
    header before it locks, and may so overwrite a commit made between the two.

    Args:
        path: the DuckDB file; made, with its folder and tables, unless `read_only`.
        read_only: refuse to change anything.
        timeout: seconds to wait for others.
        config: DuckDB settings.

    Raises:
        WarehouseBusy: others held it longer than `timeout`.
        MediaAssetsError: `read_only`, and nothing was ever loaded.
        duckdb.IOException: the file is no DuckDB file.
    """
    if read_only and not path.exists():
        raise MediaAssetsError("there is no warehouse yet", where=str(path), hint="load events first")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=timeout)
    except Timeout as error:
        raise WarehouseBusy(
            f"in use by another process for {timeout:g} seconds",
            where=str(path),
            hint="wait for the load that is running, or end it",
        ) from error
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=dict(config or {}))
        try:
            if not read_only:
                connection.execute(_SCHEMA)
            yield connection
        finally:
            connection.close()
    finally:
        lock.release()
