"""The proof that a hash is nowhere: every file's bytes, and what is inside compressed tables."""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterator
from pathlib import Path

import duckdb

from media_assets.analytics.staging import quoted
from media_assets.errors import disk_errors

_TABLES = """
SELECT table_name, list(column_name) FROM duckdb_columns() AS c SEMI JOIN duckdb_tables() AS t
ON c.table_oid = t.table_oid WHERE NOT internal GROUP BY table_name
"""


def files_holding(root: Path, hashes: Collection[str]) -> list[Path]:
    """Files under `root` in whose bytes, or in whose rows, one of the hashes stands.

    Bytes are searched in every file. Parquet and DuckDB files are compressed, so theirs are queried too; a
    database that another process has open for writing is opened by nobody else, and named if it cannot be
    read: what cannot be looked at is not clean.
    """
    wanted = [word.encode() for word in hashes]
    return [path for path in _files(root) if _in_bytes(path, wanted) or _in_rows(path, hashes)]


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _in_bytes(path: Path, wanted: list[bytes]) -> bool:
    with disk_errors(path):
        try:
            with path.open("rb") as file:
                if path.stat().st_size == 0:
                    return False
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                    return any(mapped.find(word) >= 0 for word in wanted)
        except (FileNotFoundError, ValueError):  # gone, or emptied, since it was listed
            return False


def _in_rows(path: Path, hashes: Collection[str]) -> bool:
    try:
        if path.suffix == ".parquet":
            with duckdb.connect() as connection:
                return _holds(connection, f"read_parquet('{quoted(str(path))}')", ["user"], hashes)
        if path.suffix == ".duckdb":
            with duckdb.connect(str(path), read_only=True) as connection:
                tables = connection.execute(_TABLES).fetchall()
                return any(_holds(connection, f'"{table}"', names, hashes) for table, names in tables)
    except duckdb.Error:
        return path.exists()
    return False


def _holds(
    connection: duckdb.DuckDBPyConnection, source: str, names: list[str], hashes: Collection[str]
) -> bool:
    held = " OR ".join(f'contains(CAST("{name}" AS VARCHAR), hash)' for name in names)
    row = connection.execute(
        f"SELECT 1 FROM {source}, (SELECT unnest(?) AS hash) WHERE {held} LIMIT 1",  # noqa: S608
        [list(hashes)],
    ).fetchone()
    return row is not None
