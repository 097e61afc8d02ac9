"""Reads the metadata of a tree with random ids, whatever exact form they were written in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_RANDOM = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])")
_GROUPS = ("source_files", "generated_files", "files", "sources", "file_map")
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Entry:
    """What metadata say of one file.

    Attributes:
        id: its random id; name: what it was called; file: the last part of its path.
        sha256: of its content, where that was noted.
        derived_from: ids of what it was made from; of a generated file at least one, if only `unknown`.
    """

    id: str
    name: str | None
    file: str | None
    sha256: str | None
    derived_from: tuple[str, ...]


class Entries:
    """The entries of a tree, found by a file's name or the random id in it."""

    def __init__(self, entries: Mapping[str, Entry]) -> None:
        self._entries = entries
        self._by_file = {entry.file: entry for entry in entries.values() if entry.file}
        self._by_digits = {m: e for e in entries.values() for m in _RANDOM.findall(e.id)}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def of(self, path: Path) -> Entry | None:
        """What is said of a file."""
        for key in (path.stem, path.name):
            if key in self._entries:
                return self._entries[key]
        if path.name in self._by_file:
            return self._by_file[path.name]
        found = [self._by_digits[m] for m in _RANDOM.findall(path.stem) if m in self._by_digits]
        return found[0] if len(found) == 1 else None


def read_entries(folder: Path) -> Entries:
    """What every `*registry*.json` and `*metadata*.json` of a tree says of its files.

    Raises:
        BadInput: one of them is not JSON, or larger than 64 MiB.
    """
    found: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*.json")):
        words = path.name.lower()
        if path.is_symlink() or not path.is_file() or not ("registry" in words or "metadata" in words):
            continue
        for entry in _entries(_document(path)):
            found.setdefault(entry.id, entry)
    return Entries(found)


def _document(path: Path) -> Any:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"it is larger than {_MOST_BYTES} bytes", where=str(path))
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"it is not JSON: {error}", where=str(path), hint="mend it or move it away"
        ) from None
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=str(path)) from None


def _entries(document: Any) -> Iterator[Entry]:
    if not isinstance(document, dict):
        return
    groups = {name: document[name] for name in _GROUPS if isinstance(document.get(name), dict | list)}
    for name, members in (groups or {"files": document}).items():
        pairs = members.items() if isinstance(members, dict) else ((None, member) for member in members)
        for key, value in pairs:
            entry = _entry(key, value, generated=name == "generated_files")
            if entry is not None:
                yield entry


def _entry(key: str | None, value: Any, *, generated: bool) -> Entry | None:
    fields = {"path": value} if isinstance(value, str) else value
    if not isinstance(fields, dict):
        return None
    identifier = key or _text(fields, "file_id", "id")
    path = _text(fields, "path", "file_path", "filename", "file")
    if not identifier or (key is not None and path is None and not _RANDOM.search(key)):
        return None
    checksum = _SHA256.fullmatch(_text(fields, "checksum", "sha256", "hash", "content_hash") or "")
    parents = _list(fields, "derived_from", "source_file_ids", "parents", "inputs")
    return Entry(
        identifier,
        _text(fields, "original_name", "originalName", "original_filename", "name"),
        path.replace("\\", "/").rsplit("/", 1)[-1] if path else None,
        checksum[1] if checksum else None,
        parents or (("unknown",) if generated else ()),
    )


def _text(fields: Mapping[str, Any], *names: str) -> str | None:
    return next(
        (fields[name] for name in names if isinstance(fields.get(name), str) and fields[name]), None
    )


def _list(fields: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    for name in names:
        value = fields.get(name)
        if isinstance(value, list) and value:
            return tuple(map(str, value))
    return ()
