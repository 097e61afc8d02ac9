"""How long events are kept one by one: what is older is sums of days, of nobody."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from media_assets.analytics import rollups
from media_assets.analytics.connection import Connection, connect, locked
from media_assets.analytics.exporting import export_days
from media_assets.analytics.migrating import rewrite
from media_assets.analytics.publishing import publish_marts
from media_assets.analytics.questions import questions
from media_assets.analytics.schema import KINDS
from media_assets.settings import Settings


@dataclass(frozen=True)
class Retained:
    """What was done.

    Attributes:
        before: days before this one are sums only.
        removed: events that were removed.
        days: exported days that were removed.
    """

    before: date
    removed: int
    days: int


def retain(settings: Settings, today: date | None = None) -> Retained:
    """Remove events that are older than the settings say, once their sums are made.

    Sums of those days keep no person: a column of users is emptied. Killed at any moment, it is finished
    by the next call.

    Raises:
        WarehouseBusy: others have it for too long.
    """
    before = (today or datetime.now(UTC).date()) - timedelta(days=settings.retention_days)
    with connect(settings.warehouse_path) as connection:
        export_days(connection, settings.export_root)
        removed = _remove(connection, before)
    if removed:
        # Deleted rows stay in a database's file until it is written anew.
        with locked(settings.warehouse_path):
            rewrite(settings.warehouse_path)
        with connect(settings.warehouse_path) as connection:
            publish_marts(connection, settings.warehouse_path, settings.marts_path)
    return Retained(before, removed, _remove_days(settings.export_root, before))


def _remove(connection: Connection, before: date) -> int:
    for question in questions().values():
        rollups.refresh(connection, question.rollups)
    removed = 0
    connection.begin()
    try:
        rollups.freeze(connection, before)
        for kind in KINDS:
            connection.execute(
                f"""
                INSERT INTO removed_events
                SELECT writer, count(DISTINCT sequence), max(sequence) FROM {kind.table}
                WHERE "timestamp" < ? AND sequence > 0 GROUP BY writer
                """,  # noqa: S608 - our own names
                [before],
            )
            deleted = connection.execute(f'DELETE FROM {kind.table} WHERE "timestamp" < ?', [before])  # noqa: S608
            removed += int((deleted.fetchone() or (0,))[0])
        _empty_people(connection, before)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return removed


def _empty_people(connection: Connection, before: date) -> None:
    """Take users out of the sums of days before a date."""
    names = sorted({rollup.name for question in questions().values() for rollup in question.rollups})
    rows = connection.execute(
        """
        SELECT table_name, column_name, data_type FROM duckdb_columns()
        WHERE list_contains(?, table_name) AND column_name IN ('user', 'users')
        """,
        [names],
    ).fetchall()
    for table, column, type_ in rows:
        if type_.endswith("[]") or column == "user":
            empty = "[]" if type_.endswith("[]") else "NULL"
            connection.execute(f'UPDATE {table} SET "{column}" = {empty} WHERE day < ?', [before])  # noqa: S608


def _remove_days(root: Path, before: date) -> int:
    old = [path for path in root.glob("day=*") if path.name.removeprefix("day=") < before.isoformat()]
    for path in old:
        shutil.rmtree(path)
    return len(old)
