"""SQLite files that hold a database no more: which of them, and what is wrong."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def damaged(folder: Path) -> list[tuple[Path, str]]:
    """Each damaged SQLite file under `folder`, with what SQLite says of it.

    Every page is looked at, so this is for when something went wrong already. A file that is locked or that
    may not be read is not damaged.
    """
    found = ((path, _problem(path)) for path in sorted(folder.rglob("*.db")))
    return [(path, problem) for path, problem in found if problem is not None]


def emptied(folder: Path) -> list[Path]:
    """SQLite files under `folder` without a byte, which SQLite takes for new databases."""
    return [path for path in sorted(folder.rglob("*.db")) if path.stat().st_size == 0]


def _problem(path: Path) -> str | None:
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            ((answer, *_), *_) = opened.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.OperationalError:
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if answer == "ok" else str(answer).replace("\n", " ")
