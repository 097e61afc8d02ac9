"""Backups of a data root, its warehouse among them, while it is in use."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from media_assets.analytics.connection import WarehouseBusy, connect
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.forgetting import forget_again, note_backup
from media_assets.settings import Settings
from media_assets.store import backup as archive

_WAIT_SECONDS = 30.0


def backup(settings: Settings, path: Path, *, force: bool = False) -> archive.BackedUp:
    """Write a backup to `path`.

    Args:
        force: also where there is a file of that name; it is replaced once the new one is whole.

    Raises:
        BadInput: there is a file already; MediaAssetsError: something cannot be read or written.
    """
    if path.exists() and not force:
        raise BadInput("there is a file already", where=str(path), hint="give another name, or --force")
    done = archive.backup(settings, path, lambda target: copy_warehouse(settings, target))
    note_backup(settings, path)
    return done


def restore(settings: Settings, path: Path, *, force: bool = False) -> archive.Restored:
    """Put a backup back, while nobody has the warehouse open.

    Raises:
        DamagedBackup, HomeInUse: see there. WarehouseBusy: something is loading events.
    """
    lock = settings.warehouse_path.with_name(settings.warehouse_path.name + ".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=_WAIT_SECONDS):
            done = archive.restore(settings, path, force=force)
    except Timeout as error:
        raise WarehouseBusy(
            "the warehouse is in use", where=str(lock.parent), hint="stop Dagster, then restore"
        ) from error
    # A backup from before somebody was forgotten brings nobody back.
    forget_again(settings)
    return done


def copy_warehouse(settings: Settings, target: Path) -> bool:
    """Copy the warehouse as it is at one moment; False where nothing was ever loaded.

    Raises:
        WarehouseBusy: a load takes too long; MediaAssetsError: the file is damaged.
    """
    if not settings.warehouse_path.exists():
        return False
    try:
        with connect(settings.warehouse_path) as connection:
            # What was committed is in the file then, and nobody else may open it meanwhile.
            connection.execute("CHECKPOINT")
            shutil.copyfile(settings.warehouse_path, target)
    except duckdb.Error as error:
        raise MediaAssetsError(
            f"the warehouse cannot be read: {error}",
            where=str(settings.warehouse_path),
            hint="move it away: what it holds is lost, but nothing else is",
        ) from error
    return True
