"""Events as Parquet, a file for each day and kind: what another warehouse loads."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

from duckdb import DuckDBPyConnection as Connection

from media_assets.analytics.schema import KINDS, Event, columns
from media_assets.analytics.staging import quoted
from media_assets.store.files import sync

FILE = "events.parquet"


def export_days(connection: Connection, root: Path) -> int:
    """Write every day of which events came since it was last written; returns how many, by kind.

    A day's file is written beside its place and renamed, so a reader sees the old one or the new one. What
    is killed meanwhile is written by the next call.
    """
    kinds = {kind.kind: kind for kind in KINDS}
    due = connection.execute("SELECT DISTINCT kind, day FROM unexported_days ORDER BY day, kind").fetchall()
    for name, day in due:
        export_day(connection, root, kinds[name], day)
        connection.execute("DELETE FROM unexported_days WHERE kind = ? AND day = ?", [name, day])
    return len(due)


def export_day(connection: Connection, root: Path, kind: type[Event], day: date) -> None:
    """Write one day of one kind; a day without events has no file."""
    target = day_path(root, kind, day)
    bounds = {"start": day, "end": day + timedelta(days=1)}
    found = connection.execute(
        f'SELECT count(*) FROM {kind.table} WHERE "timestamp" >= $start AND "timestamp" < $end',  # noqa: S608
        bounds,
    ).fetchone()
    if not found or not found[0]:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{FILE}.{os.getpid()}.tmp")
    connection.execute(
        f"""
        COPY (
            SELECT {_exported(kind)} FROM {kind.table} AS stored
            WHERE stored."timestamp" >= $start AND stored."timestamp" < $end ORDER BY stored.event_id
        ) TO '{quoted(str(temporary))}' (FORMAT parquet, COMPRESSION zstd)
        """,  # noqa: S608
        bounds,
    )
    sync(temporary)
    temporary.replace(target)


def day_path(root: Path, kind: type[Event], day: date) -> Path:
    """Where a day's events of a kind are."""
    return root / f"day={day.isoformat()}" / f"kind={kind.kind}" / FILE


def _exported(kind: type[Event]) -> str:
    """Columns in types that every reader of Parquet has; a time says that it is in UTC."""
    casts = {
        "UUID": 'CAST(stored."{0}" AS VARCHAR) AS "{0}"',
        "JSON": 'CAST(stored."{0}" AS VARCHAR) AS "{0}"',
        "TIMESTAMP": 'stored."{0}" AT TIME ZONE \'UTC\' AS "{0}"',
    }
    plain = 'stored."{0}"'
    return ", ".join(casts.get(column.type, plain).format(name) for name, column in columns(kind).items())
