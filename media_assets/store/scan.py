"""What lies under the source root, from directory entries and stat alone: no file is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from media_assets.ids import source_id

# A tick asks for the same names again and again; an id costs more than the `stat` of its file.
_id = lru_cache(maxsize=1 << 18)(source_id)

_UNFINISHED = (".part", ".crdownload", ".download", ".tmp", ".partial", "~")


@dataclass(frozen=True, slots=True)
class Stat:
    """What tells whether a file is still the one that was read: bytes, ns since the epoch, inode."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Found:
    """A file under the source root.

    Attributes:
        id: its source id.
        relative: its path under the root, with `/`.
        stat: its state now.
        problem: why it cannot be a source whatever it holds, or None.
    """

    id: str
    relative: str
    stat: Stat
    problem: str | None = None


def scan(root: Path) -> dict[str, Found]:
    """Every candidate under `root` by source id.

    Hidden files and those that browsers and copy programs name as unfinished are passed over; links
    that lead out of the root, special files and names that are not text are found with a problem.
    """
    return {found.id: found for found in _walk(root, root, "")}


def look(root: Path, relative: str) -> Found | None:
    """The one file at `relative` under `root`, or None when it is not there.

    A path that leaves `root`, as written or through a link to a folder, is found with a problem; nothing is
    said of what lies there.
    """
    path = root / relative
    if not _is_below(root, relative):
        identifier = source_id(relative.encode("utf-8", "replace").decode())
        return Found(identifier, relative, Stat(0, 0, 0), "its path leaves the source folder")
    try:
        status = path.stat()
    except (OSError, ValueError):  # ValueError is how Python tells what can be no path
        return None
    return Found(source_id(relative), relative, _stat(status), _problem(path, root, relative))


def _is_below(root: Path, relative: str) -> bool:
    """Whether a path stays under `root`: as it is written, and by its folders, none of which is a link."""
    parts = relative.split("/")
    if not {"..", ".", ""}.isdisjoint(parts):
        return False
    try:
        return not any((root / "/".join(parts[:end])).is_symlink() for end in range(1, len(parts)))
    except (OSError, ValueError):
        return True  # there is no such folder


def _walk(folder: Path, root: Path, under: str) -> Iterator[Found]:
    """What lies in `folder`; `under` is its path under the root and a `/`, or nothing for the root."""
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        if folder == root:
            raise
        relative = under.removesuffix("/")
        words = f"it is a folder that cannot be read: {error.strerror}"
        yield Found(source_id(relative), relative, _stat(folder.stat()), words)
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
            continue
        relative = under + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), root, f"{relative}/")
            continue
        try:
            status = entry.stat()
        except OSError:  # removed meanwhile, or a link to nothing
            if not entry.is_symlink():
                continue
            status = entry.stat(follow_symlinks=False)
        problem = _problem(Path(entry.path), root, relative) if _is_odd(entry, relative) else None
        yield Found(_id(relative), relative, _stat(status), problem)


def _is_odd(entry: os.DirEntry[str], relative: str) -> bool:
    return not entry.is_file(follow_symlinks=False) or not _is_text(relative)


def _problem(path: Path, root: Path, relative: str) -> str | None:
    if not _is_text(relative):
        return "its name is not valid UTF-8"
    if path.is_symlink():
        try:
            target = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError is how Python 3.11 tells a loop
            return "it is a link to nothing"
        if not target.is_relative_to(root.resolve()):
            return "it is a link that leads out of the source folder"
        if target.is_dir():
            return "it is a link to a folder"
    return None if path.is_file() else "it is not a regular file"


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _stat(status: os.stat_result) -> Stat:
    return Stat(status.st_size, status.st_mtime_ns, status.st_ino)
