"""A person taken out of the warehouse and its segments: events are still counted, of nobody."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from media_assets.analytics import rollups
from media_assets.analytics.connection import Connection
from media_assets.analytics.making import PERSONAL
from media_assets.analytics.questions import questions
from media_assets.analytics.schema import KINDS, Event, columns
from media_assets.analytics.segments import complete_lines, list_segments


def rows_of(connection: Connection, hashes: Collection[str]) -> dict[str, int]:
    """How many rows of each table of events are of one of these hashes; tables without any are left out."""
    found = {}
    for kind in KINDS:
        row = connection.execute(
            f'SELECT count(*) FROM {kind.table} WHERE list_contains(?, "user")',  # noqa: S608 - our own names
            [list(hashes)],
        ).fetchone()
        if row and row[0]:
            found[kind.table] = int(row[0])
    return found


def erase(connection: Connection, hashes: Collection[str]) -> dict[str, int]:
    """Take from every event of these hashes what a person could be known by, all of it or nothing.

    Sums that held them are made again, and their days are exported again by the next `export_days`.
    The bytes stay in the file until it is rewritten.

    Returns:
        {table: rows that were changed or removed}.
    """
    wanted = list(hashes)
    connection.begin()
    try:
        found = rows_of(connection, hashes)
        days: set[object] = set()
        for kind in KINDS:
            days |= _take_from(connection, kind, wanted)
        found |= _removed(connection, wanted)
        rollups.forget(connection, days)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    for question in questions().values():
        rollups.refresh(connection, question.rollups)
    return found


def _take_from(connection: Connection, kind: type[Event], hashes: list[str]) -> set[object]:
    rows = connection.execute(
        f"""
        SELECT DISTINCT CAST("timestamp" AS DATE) FROM {kind.table} WHERE list_contains(?, "user")
        """,  # noqa: S608
        [hashes],
    ).fetchall()
    days = {day for (day,) in rows}
    connection.executemany(
        "INSERT INTO unexported_days VALUES (?, ?)", [(kind.kind, day) for day in sorted(days)]
    ) if days else None
    changed = ", ".join(
        f'"{name}" = {"NULL" if empty is None else repr(json.dumps(empty))}'
        for name, empty in PERSONAL.items()
        if name in columns(kind)
    )
    connection.execute(
        f'UPDATE {kind.table} SET {changed} WHERE list_contains(?, "user")',  # noqa: S608
        [hashes],
    )
    return days


def _removed(connection: Connection, hashes: list[str]) -> dict[str, int]:
    """Rows of all other tables in which one of the hashes stands: sums and answers, made again anyway."""
    events = {kind.table for kind in KINDS}
    rows = connection.execute(
        "SELECT table_name, list(column_name) FROM duckdb_columns() AS c SEMI JOIN duckdb_tables() AS t "
        "ON c.table_oid = t.table_oid WHERE data_type IN ('VARCHAR', 'JSON', 'VARCHAR[]') AND NOT internal "
        "GROUP BY table_name ORDER BY table_name"
    ).fetchall()
    found = {}
    for table, names in rows:
        if table in events:
            continue
        held = " OR ".join(f'contains(CAST("{name}" AS VARCHAR), hash)' for name in names)
        condition = f"EXISTS (SELECT 1 FROM (SELECT unnest(?) AS hash) WHERE {held})"  # noqa: S608
        row = connection.execute(f'SELECT count(*) FROM "{table}" WHERE {condition}', [hashes]).fetchone()  # noqa: S608
        if row and row[0]:
            found[table] = int(row[0])
            connection.execute(f'DELETE FROM "{table}" WHERE {condition}', [hashes])  # noqa: S608
    return found


def blank_segments(connection: Connection, event_root: Path, hashes: Collection[str]) -> int:
    """Take a person out of lines that are loaded, in segments that their writers have not closed yet.

    A line keeps its length and stays an event: what was in it is replaced by less and blanks, so neither
    the writer, who appends, nor the loader, who is beyond it, notices. How many lines.
    """
    offsets = dict(connection.execute("SELECT segment, loaded_bytes FROM segment_offsets").fetchall())
    wanted = [word.encode() for word in hashes]
    changed = 0
    for path in list_segments(event_root):
        try:
            with path.open("r+b") as file:
                for position, line in _loaded_lines(file.read(offsets.get(path.name, 0)), wanted):
                    os.pwrite(file.fileno(), _blanked(line), position)
                    changed += 1
                os.fsync(file.fileno())
        except FileNotFoundError:  # through, and deleted, since it was listed
            continue
    return changed


def _loaded_lines(data: bytes, wanted: list[bytes]) -> Iterator[tuple[int, bytes]]:
    lines, _ = complete_lines(data)
    return ((position, line) for position, line in lines if any(word in line for word in wanted))


def _blanked(line: bytes) -> bytes:
    """The line without what a person could be known by, as long as it was."""
    try:
        document = json.loads(line)
        kept = {name: value for name, value in document.items() if name not in PERSONAL}
        if "parameters" in document:
            kept["parameters"] = {}
        text = json.dumps(kept, separators=(",", ":")).encode()
    except (ValueError, AttributeError):
        text = b""
    return text.ljust(len(line)) if len(text) <= len(line) else b" " * len(line)
