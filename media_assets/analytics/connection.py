"""A connection to the warehouse, a DuckDB file that one process at a time may open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from media_assets.analytics import migrating, origin, tables
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings

Connection = duckdb.DuckDBPyConnection

LOCK_SECONDS = 120.0
"""How long `connect` waits for another process to close the warehouse."""


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
    with locked(path, timeout):
        connection = duckdb.connect(str(path), read_only=read_only, config=dict(config or {}))
        try:
            if migrating.needed(connection):
                connection = _migrated(connection, path, read_only, dict(config or {}))
            if not read_only:
                tables.create(connection)
            yield connection
        finally:
            connection.close()


@contextmanager
def locked(path: Path, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep every other process from the warehouse at `path`.

    Raises:
        WarehouseBusy: others held it longer than `timeout`.
    """
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
        yield
    finally:
        lock.release()


def _migrated(connection: Connection, path: Path, read_only: bool, config: dict[str, Any]) -> Connection:
    """The connection after a warehouse of the first schema was brought to this one.

    Raises:
        MediaAssetsError: it may only be read.
    """
    if read_only:
        raise MediaAssetsError("the warehouse is of an older version", where=str(path), hint="load events")
    migrating.migrate(connection, origin.first_pseudonym(Settings.from_environment()))
    connection.close()
    migrating.rewrite(path)
    return duckdb.connect(str(path), config=config)
