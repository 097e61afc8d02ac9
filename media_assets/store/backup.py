"""One file that holds all of a data root but its media, taken while it is in use, and its way back.

A gzipped tar: Dagster's home (each SQLite database by SQLite's own backup), the warehouse, waiting events,
documents and their versions, recipes, records, and the sidecars of outputs; with a manifest of hashes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from media_assets import ids
from media_assets.errors import BadInput, DiskFull, MediaAssetsError, disk_error, disk_errors
from media_assets.settings import Settings
from media_assets.store.archive import (
    FORMAT,
    HOME,
    MANIFEST,
    SIDECARS,
    WAREHOUSE,
    DamagedBackup,
    add,
    extract,
)
from media_assets.store.layout import SIDECAR, output_folder, sidecars
from media_assets.store.space import check_room

__all__ = ["BackedUp", "DamagedBackup", "HomeInUse", "Restored", "backup", "restore"]

_SQLITE = b"SQLite format 3\x00"
# How far what is in a backup can be packed at the most: records of partitions, many alike.
_MOST_PACKED = 20
_FREE = "free some space, or set TMPDIR to a folder of another disk"
_SKIPPED = (".lock", ".tmp", "-wal", "-shm", "-journal")
# What sensors remember of the home they run in, and what is derived from other records.
_MARKS = ("partitions.stamp", "effects.json")


class HomeInUse(BadInput):
    """There is a Dagster home already; restoring would take its place."""


@dataclass(frozen=True)
class BackedUp:
    """What a backup holds: files by their folder, and the bytes of the archive."""

    path: Path
    files: dict[str, int]
    size: int
    seconds: float


@dataclass(frozen=True)
class Restored:
    """What came back.

    Attributes:
        files: by their folder. sidecars: of outputs that had none and whose file is there.
        aside: where what was replaced is now, or None.
        missing: fingerprints of outputs whose files are not in the store: `verify --repair` makes them.
    """

    files: dict[str, int]
    sidecars: int
    aside: Path | None
    missing: tuple[str, ...]
    created: str
    seconds: float


def backup(settings: Settings, path: Path, copy_warehouse: Callable[[Path], bool]) -> BackedUp:
    """Write a backup beside its place and rename it there.

    Args:
        copy_warehouse: writes a consistent copy of the warehouse to a path; False where there is none.

    Raises:
        MediaAssetsError: a database cannot be copied, or the file cannot be written.
        DiskFull: there is no room for it.
    """
    started = time.monotonic()
    manifest: dict[str, str] = {}
    _check_room(settings, path)
    with disk_errors(path), tempfile.TemporaryDirectory(prefix="media-assets-backup-") as folder:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            with tarfile.open(temporary, "w:gz", compresslevel=3) as archive:
                for name, data in _members(settings, Path(folder), copy_warehouse):
                    manifest[name] = add(archive, name, data)
                document = {"format": FORMAT, "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
                add(archive, MANIFEST, json.dumps(document | {"files": manifest}, indent=1).encode())
            temporary.replace(path)
        except OSError as error:
            told = disk_error(error, path)
            raise told or MediaAssetsError(
                f"it cannot be written: {error.strerror}", where=str(path)
            ) from error
        finally:
            temporary.unlink(missing_ok=True)
    return BackedUp(path, _counted(manifest), path.stat().st_size, time.monotonic() - started)


def restore(settings: Settings, path: Path, *, force: bool = False) -> Restored:
    """Put a backup back; what it replaces is moved aside, nothing is deleted.

    Args:
        force: also where there is a Dagster home already.

    Raises:
        DamagedBackup: the file is none, or damaged. HomeInUse: see `force`. DiskFull: no room for it.
    """
    started = time.monotonic()
    if not path.is_file():
        raise BadInput("there is no such file", where=str(path))
    if not force and settings.dagster_home.is_dir() and any(settings.dagster_home.iterdir()):
        raise HomeInUse(
            "there is a Dagster home already",
            where=str(settings.dagster_home),
            hint="stop Dagster and give --force: what is there is put aside",
        )
    settings.data_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=settings.data_root) as folder:
        staged = Path(folder)
        manifest = extract(path, staged, settings)
        aside = _Aside(settings.data_root / f"replaced-{time.time_ns()}")
        if settings.dagster_home.exists():
            aside.take(settings.dagster_home, settings.data_root)
        for name in manifest["files"]:
            if not name.startswith(f"{SIDECARS}/"):
                _place(staged / name, settings.data_root / name, settings.data_root, aside)
        for mark in _MARKS:
            (settings.metadata_root / mark).unlink(missing_ok=True)
        sidecars, missing = _restore_sidecars(staged / SIDECARS, settings)
    return Restored(
        _counted(manifest["files"]),
        sidecars,
        aside.root if aside.root.exists() else None,
        tuple(missing),
        manifest["created"],
        time.monotonic() - started,
    )


def _check_room(settings: Settings, path: Path) -> None:
    """See that a backup may fit beside `path`, and a copy of each database where copies are made.

    Raises:
        DiskFull: it cannot.
    """
    roots = (settings.dagster_home, settings.komposition_root, settings.workflow_root, settings.effect_root)
    whole = sum(_size(file) for root in (*roots, settings.metadata_root) for file in _files(root))
    check_room(path.absolute().parent, whole / _MOST_PACKED, settings, where=str(path))
    databases = [_size(file) for file in _files(settings.dagster_home) if file.suffix == ".db"]
    copies = max(databases, default=0) + _size(settings.warehouse_path)
    check_room(Path(tempfile.gettempdir()), copies, settings, where="copies of databases")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _members(
    settings: Settings, scratch: Path, copy_warehouse: Callable[[Path], bool]
) -> Iterator[tuple[str, bytes | Path]]:
    """Name and content (or a copy) of each file; records after the event log, so that none is older."""
    for path in _files(settings.dagster_home):
        name = f"{HOME}/{path.relative_to(settings.dagster_home).as_posix()}"
        with contextlib.suppress(FileNotFoundError):  # a run's database that was deleted meanwhile
            yield name, _sqlite(path, scratch) if _is_sqlite(path) else path.read_bytes()
    documents = (settings.komposition_root, settings.workflow_root)
    for root in (*documents, settings.effect_root, settings.metadata_root):
        for path in _files(root):
            with contextlib.suppress(FileNotFoundError):
                yield path.relative_to(settings.data_root).as_posix(), path.read_bytes()
    for sidecar in sidecars(settings.store_root):
        with contextlib.suppress(FileNotFoundError):
            yield f"{SIDECARS}/{sidecar.parent.name}.json", sidecar.read_bytes()
    # Events before the warehouse: one that is loaded in between is in both, and is loaded once.
    for path in _files(settings.event_root):
        with contextlib.suppress(FileNotFoundError):
            data = path.read_bytes()
            yield path.relative_to(settings.data_root).as_posix(), data[: data.rfind(b"\n") + 1]
    copy = scratch / "warehouse"
    if copy_warehouse(copy):
        yield f"{WAREHOUSE}/{settings.warehouse_path.name}", copy


def _files(root: Path) -> list[Path]:
    """Regular files under `root`, but for locks and what is being written."""
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.name.endswith(_SKIPPED)
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def _is_sqlite(path: Path) -> bool:
    if path.suffix == ".db":  # one that is damaged is told, not kept
        return True
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _sqlite(path: Path, scratch: Path) -> Path:
    """A database as it is at one moment, whoever writes to it."""
    copy = scratch / "copy.db"
    copy.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(path, timeout=60)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise DiskFull("no space is left for a copy of it", where=str(path), hint=_FREE) from error
        hint = "`recover --anew` makes a new home from what is on disk"
        raise MediaAssetsError(
            f"the database cannot be read: {error}", where=str(path), hint=hint
        ) from error
    return copy


class _Aside:
    """Where what is replaced goes, under the path that it had."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def take(self, path: Path, data_root: Path) -> None:
        target = self.root / path.relative_to(data_root)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


def _place(staged: Path, target: Path, data_root: Path, aside: _Aside) -> None:
    if target.is_file():
        if ids.hash_file(target) == ids.hash_file(staged):
            return
        aside.take(target, data_root)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_relative_to(data_root / "effects"):
        staged.chmod(0o444)  # as recipes are
    staged.rename(target)


def _restore_sidecars(staged: Path, settings: Settings) -> tuple[int, list[str]]:
    """Give outputs that are there the sidecars they lack; returns how many, and which outputs are gone."""
    restored, missing = 0, []
    for sidecar in sorted(staged.glob("*.json")):
        folder = output_folder(settings.store_root, sidecar.stem)
        if not folder.is_dir():
            missing.append(sidecar.stem)
        elif not (folder / SIDECAR).exists():
            shutil.move(sidecar, folder / SIDECAR)
            restored += 1
    return restored, missing


def _counted(files: dict[str, str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in files:
        top = name.split("/", 1)[0]
        counts[top] = counts.get(top, 0) + 1
    return counts
