"""Small files on disk, written whole or not at all, and JSON documents among them."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from media_assets.errors import disk_errors

_OURS, _ANYBODYS = 0o600, 0o644


def write_json(path: Path, document: Any) -> None:
    """Write a document that only its owner reads, and its folder if that is missing; see `write_bytes`.

    Raises:
        DiskFull, DiskRefused: there is no room, or no permission; the document before is as it was.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, json.dumps(document, indent=1, ensure_ascii=False).encode(), _OURS)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it there: a reader sees the old one or the new one.

    It has the permissions of the one it replaces; a new one is for all to read.
    """
    _replace(path, data, path.stat().st_mode & 0o777 if path.exists() else _ANYBODYS)


def sync(path: Path) -> None:
    """Make the content of a file, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in `path`, or None when the file is missing or is not one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _replace(path: Path, data: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
