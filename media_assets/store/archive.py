"""The archive of a backup: a gzipped tar with a manifest of hashes, held against what a backup may hold."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from pathlib import Path, PurePosixPath
from typing import Any

from media_assets import ids
from media_assets.errors import BadInput, disk_error
from media_assets.settings import Settings
from media_assets.store.space import check_room

FORMAT = 1
MANIFEST = "manifest.json"
HOME, SIDECARS, EVENTS, WAREHOUSE = "dagster_home", "sidecars", "events", "warehouse"
"""Folders of an archive that are not called as in the data root, or are filled in their own way."""


class DamagedBackup(BadInput):
    """The file is no backup, or not the bytes that were written; nothing was changed."""


def add(archive: tarfile.TarFile, name: str, content: bytes | Path) -> str:
    """Add a file of that content, or of a copy that nobody writes to; returns its SHA-256."""
    info = tarfile.TarInfo(name)
    info.mode, info.mtime = 0o644, int(time.time())
    if isinstance(content, Path):
        info.size = content.stat().st_size
        with content.open("rb") as file:
            archive.addfile(info, file)
        return ids.hash_file(content)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))
    return hashlib.sha256(content).hexdigest()


def extract(path: Path, staged: Path, settings: Settings) -> dict[str, Any]:
    """Unpack an archive and hold every file against the manifest.

    Raises:
        DamagedBackup: it does not hold. DiskFull, DiskRefused: it cannot be unpacked here.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if not member.isfile() or not _is_safe(member.name):
                    raise DamagedBackup(f"it holds {member.name!r}, which no backup does", where=str(path))
                check_room(staged, member.size, settings, where=str(path))
                archive.extract(member, staged, filter="data")
        manifest: dict[str, Any] = json.loads((staged / MANIFEST).read_text())
        if manifest["format"] != FORMAT:
            raise DamagedBackup("it is of another version of this program", where=str(path))
        files: dict[str, str] = manifest["files"]
    except OSError as error:
        told = disk_error(error, path)
        raise told or DamagedBackup(f"it is no whole backup: {error}", where=str(path)) from None
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DamagedBackup(f"it is no whole backup: {error}", where=str(path)) from None
    for name, sha256 in files.items():
        file = staged / name
        if not _is_safe(name) or not file.is_file() or ids.hash_file(file) != sha256:
            raise DamagedBackup(f"{name} in it is damaged", where=str(path), hint="take another backup")
    return manifest


def _is_safe(name: str) -> bool:
    """Whether a name stays in one of the folders that backups have."""
    if name == MANIFEST:
        return True
    parts = PurePosixPath(name).parts
    tops = (HOME, SIDECARS, EVENTS, WAREHOUSE, "kompositions", "effects", "metadata")
    return len(parts) > 1 and parts[0] in tops and ".." not in parts and not name.startswith("/")
