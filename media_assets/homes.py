"""What is wrong with Dagster's home when it cannot be worked with: damaged, full, or not to be written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from media_assets.errors import DiskFull, DiskRefused, MediaAssetsError, disk_error
from media_assets.settings import Settings
from media_assets.store.databases import damaged, emptied

_DAMAGED = ("file is not a database", "disk image is malformed", "malformed database schema")
_FULL = ("database or disk is full",)
_REFUSED = ("attempt to write a readonly database", "unable to open database file", "disk I/O error")
# Of the index that SQLite keeps beside its log.
_ROOM_BYTES = 32 << 10
# Those that Dagster has from its first moment; the one of a run is empty while it is being made.
_ALWAYS = ("runs.db", "index.db", "schedules.db")


class DamagedHome(MediaAssetsError):
    """Dagster's home cannot be opened; what it held can be rebuilt."""


def check_home(settings: Settings) -> None:
    """Look for databases that SQLite would take for new ones, though there are records of what they held.

    Raises:
        DamagedHome: there is one.
    """
    found = [path for path in emptied(settings.dagster_home) if path.name in _ALWAYS]
    if found and any((settings.metadata_root / "recorded").rglob("*.json")):
        raise _damaged_home([(path, "it is empty") for path in found], settings)


@contextlib.contextmanager
def telling_damage(settings: Settings) -> Iterator[None]:
    """Tell what became of Dagster's home in words: which file, and what helps.

    Raises:
        DamagedHome, DiskFull, DiskRefused: instead of what Dagster and its database said of that.
    """
    try:
        yield
    except DamagedHome:
        raise
    except Exception as error:
        told = _told(error, settings)
        if told is None:
            raise
        raise told from error


def is_damage(error: Exception) -> bool:
    """Whether a database says that it is damaged."""
    return any(words in str(error) for words in _DAMAGED)


def _told(error: Exception, settings: Settings) -> MediaAssetsError | None:
    if is_damage(error) or not isinstance(error, MediaAssetsError | OSError):
        found = damaged(settings.dagster_home)
        if found or (isinstance(error, DatabaseError) and is_damage(error)):
            return _damaged_home(found, settings)
    if isinstance(error, DatabaseError):
        return _refusal(str(error), settings.dagster_home)
    return disk_error(error) if isinstance(error, OSError) else None


def _damaged_home(found: list[tuple[Path, str]], settings: Settings) -> DamagedHome:
    told = "; ".join(f"{path.relative_to(settings.dagster_home)}: {problem}" for path, problem in found)
    return DamagedHome(
        "a database of Dagster's is damaged" + (f" ({told})" if told else ""),
        where=str(found[0][0] if found else settings.dagster_home),
        hint="stop Dagster; `media-assets recover --anew` rebuilds it from what is on disk",
    )


def _refusal(words: str, home: Path) -> MediaAssetsError | None:
    refused = any(text in words for text in _REFUSED)
    if any(text in words for text in _FULL) or (refused and _is_full(home)):
        return DiskFull("no space is left", where=str(home), hint="free some space and run again")
    if refused:
        return DiskRefused(
            f"Dagster's database cannot be written: {_reason(home)}",
            where=str(home),
            hint="check the permissions, and whether the disk is full or mounted read-only",
        )
    return None


def _is_full(home: Path) -> bool:
    """Whether a database has no room to be opened, which SQLite tells as an I/O error."""
    found = os.statvfs(home)
    return not found.f_flag & os.ST_RDONLY and found.f_bavail * found.f_frsize < _ROOM_BYTES


def _reason(home: Path) -> str:
    """Why nothing can be written under `home`, as far as the system tells."""
    flags = os.statvfs(home).f_flag
    if flags & os.ST_RDONLY:
        return os.strerror(errno.EROFS)
    allowed = all(os.access(path, os.W_OK) for path in [home, *home.rglob("*")])
    return os.strerror(errno.EIO if allowed else errno.EACCES)
