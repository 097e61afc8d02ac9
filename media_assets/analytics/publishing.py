"""The marts: a copy of the warehouse that anybody may read at any time, replaced after each load."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection
from media_assets.errors import MediaAssetsError
from media_assets.store.files import sync


def publish_marts(connection: Connection, warehouse: Path, marts: Path) -> None:
    """Copy the warehouse, without what only loading needs, and put the copy in the marts' place at once.

    Whoever has the old marts open goes on reading them.

    Args:
        connection: to the warehouse, from `connect`, with nothing uncommitted.
    """
    connection.execute("CHECKPOINT")
    temporary = marts.with_name(f".{marts.name}.{os.getpid()}.tmp")
    # The file is whole after a checkpoint, and the connection's lock keeps others from writing.
    shutil.copyfile(warehouse, temporary)
    try:
        with duckdb.connect(str(temporary)) as copy:
            for name in tables.PRIVATE:
                copy.execute(f"DROP TABLE IF EXISTS {name}")
        sync(temporary)
        temporary.replace(marts)
    finally:
        temporary.unlink(missing_ok=True)
        temporary.with_name(f"{temporary.name}.wal").unlink(missing_ok=True)


_CLOSED = {"enable_external_access": False, "lock_configuration": True}


@contextlib.contextmanager
def read_marts(marts: Path) -> Iterator[Connection]:
    """A connection to the marts that can neither change them nor reach any other file.

    Raises:
        MediaAssetsError: nothing was published yet.
    """
    if not marts.exists():
        raise MediaAssetsError(
            "nothing was loaded yet", where=str(marts), hint="`media-assets analytics` loads the events"
        )
    with duckdb.connect(str(marts), read_only=True, config={**_CLOSED}) as connection:
        yield connection
