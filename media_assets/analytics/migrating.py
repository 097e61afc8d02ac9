"""A warehouse of the first schema, made into one of today, once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb

from media_assets.analytics import tables
from media_assets.analytics.schema import OperationEvent, first
from media_assets.analytics.staging import Stage, quoted

_CHUNK = 50_000
_OLD = "operation_events_of_the_first_schema"


def needed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the tables are those of the first schema."""
    found = connection.execute(
        "SELECT count(*) FROM duckdb_columns()"
        " WHERE table_name = 'operation_events' AND column_name = 'effect'"
    ).fetchone()
    return bool(found and found[0])


def migrate(connection: duckdb.DuckDBPyConnection, pseudonym: first.Pseudonym | None) -> int:
    """Replace the old table by today's, names hashed, in one transaction; returns how many events.

    Args:
        pseudonym: what names are hashed with; they are dropped without.
    """
    connection.begin()
    try:
        connection.execute(f"ALTER TABLE operation_events RENAME TO {_OLD}")
        tables.create(connection)
        moved = _moved(connection, pseudonym)
        connection.execute(f"DROP TABLE {_OLD}")
        connection.execute("DROP TABLE IF EXISTS operation_performance")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return moved


def rewrite(path: Path) -> None:
    """Write the warehouse anew: what was deleted is still in the file of a database.

    Nobody else may have it open: the caller holds its lock.
    """
    temporary = path.with_name(f".{path.name}.rewriting")
    temporary.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{quoted(str(path))}' AS old (READ_ONLY)")
        connection.execute(f"ATTACH '{quoted(str(temporary))}' AS new")
        connection.execute("COPY FROM DATABASE old TO new")
    shutil.copymode(path, temporary)
    temporary.replace(path)


def _moved(connection: duckdb.DuckDBPyConnection, pseudonym: first.Pseudonym | None) -> int:
    found = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [_OLD]
    ).fetchall()
    names = [name for (name,) in found]
    total, last = 0, -1
    stage = Stage(connection, pseudonym)
    while True:
        rows = connection.execute(
            f"SELECT rowid, * FROM {_OLD} WHERE rowid > ? ORDER BY rowid LIMIT {_CHUNK}",  # noqa: S608
            [last],
        ).fetchall()
        if not rows:
            return total
        last = rows[-1][0]
        lines = [_line(dict(zip(names, row[1:], strict=True)), pseudonym) for row in rows]
        stage.put(lines)
        stage.find_repeated(OperationEvent)
        total += stage.store(OperationEvent)


def _line(old: dict[str, Any], pseudonym: first.Pseudonym | None) -> str:
    document = {
        **old,
        "event_id": str(old["event_id"]),
        "timestamp": old["timestamp"].isoformat(timespec="microseconds") + "+00:00",
        "parameters": json.loads(old["parameters"]),
    }
    return json.dumps(dict(first.converted(document, pseudonym)))
