"""What is tracked: outputs as their sidecars tell them, whose files they are, what is made from what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.settings import Settings
from media_assets.store.journal import Entry
from media_assets.store.sidecars import plain_name

Place = tuple[str, str | None]
"""An asset, and its partition."""


@dataclass(frozen=True)
class Stored:
    """An output as its sidecar tells it; nothing of the file itself was looked at.

    Attributes:
        used: when it was last asked for, in seconds since the epoch.
    """

    folder: Path
    id: str
    operation: str
    path: Path
    size: int
    content_hash: str
    derived_from: tuple[str, ...]
    used: float


def read_stored(sidecar: Path) -> Stored:
    """What a sidecar says.

    Raises:
        FileNotFoundError: it is gone. ValueError, KeyError, TypeError: it does not hold.
    """
    document = json.loads(sidecar.read_text())
    return Stored(
        folder=sidecar.parent,
        id=plain_name(document["id"]),
        operation=document["operation"],
        path=sidecar.parent / plain_name(document["file_name"]),
        size=int(document["made"]["properties"]["size"]),
        content_hash=document["content_hash"],
        derived_from=tuple(document["derived_from"]),
        used=sidecar.stat().st_mtime,
    )


class Dependants:
    """What is made from each source and output, as sidecars and records have it."""

    def __init__(self, stored: Iterable[Stored], tracked: Iterable[Entry]) -> None:
        self._uses: dict[str, set[str]] = {}
        self._origins: dict[str, set[str]] = {}
        for one in stored:
            self._add(one.derived_from, one.id)
        for entry in tracked:
            origins = entry.metadata.get("derived_from") or ()
            self._add(map(str, origins), str(entry.metadata.get("effect") or entry.partition))

    def of(self, identifier: str) -> tuple[str, ...]:
        """Ids of all that is made from it, at any depth."""
        return _reached(identifier, self._uses)

    def origins(self, identifiers: Iterable[str]) -> set[str]:
        """Those ids, and the ids of all that they are made from, at any depth."""
        return {origin for one in identifiers for origin in (one, *_reached(one, self._origins))}

    def _add(self, origins: Iterable[str], made: str) -> None:
        for origin in origins:
            self._uses.setdefault(origin, set()).add(made)
            self._origins.setdefault(made, set()).add(origin)


def _reached(identifier: str, links: Mapping[str, set[str]]) -> tuple[str, ...]:
    found: set[str] = set()
    waiting = [identifier]
    while waiting:
        for other in links.get(waiting.pop(), ()):
            if other not in found and other != identifier:
                found.add(other)
                waiting.append(other)
    return tuple(sorted(found))


def expected(entry: Entry, settings: Settings) -> Iterator[tuple[str, Path | None]]:
    """The content hash of each file of a record, and the readable name that it was published under."""
    metadata = entry.metadata
    for name, content_hash in _files(entry).items():
        folder = metadata.get("folder")
        yield content_hash, _here(f"{folder}/{name}", settings) if folder else None
    if "content_hash" not in metadata:
        return
    yield str(metadata["content_hash"]), _here(metadata.get("output"), settings)
    renditions = _renditions(entry)
    for name, path in (metadata.get("renditions") or {}).items():
        if name in renditions:
            yield str(renditions[name]["content_hash"]), _here(path, settings)


def users_of(tracked: Iterable[Entry]) -> dict[str, tuple[Place, ...]]:
    """Partitions by the content hash of each of their files."""
    found: dict[str, list[Place]] = {}
    for entry in tracked:
        renditions = (one.get("content_hash") for one in _renditions(entry).values())
        for content_hash in (entry.metadata.get("content_hash"), *renditions, *_files(entry).values()):
            if content_hash:
                found.setdefault(str(content_hash), []).append((entry.asset, entry.partition))
    return {content_hash: tuple(places) for content_hash, places in found.items()}


def tells_files(entry: Entry) -> bool:
    """Whether a record says which outputs are its partition's."""
    return "content_hash" in entry.metadata or "files" in entry.metadata


def _files(entry: Entry) -> dict[str, str]:
    """Content hashes by name, where a partition is of many small files."""
    files = entry.metadata.get("files")
    return {str(name): str(one) for name, one in files.items()} if isinstance(files, dict) else {}


def _renditions(entry: Entry) -> dict[str, Any]:
    return (entry.metadata.get("result") or {}).get("renditions") or {}


def _here(path: Any, settings: Settings) -> Path | None:
    """A published name on record; where the data root was moved since, the same name under it now."""
    if not path:
        return None
    found, folder = Path(str(path)), settings.output_root.name
    if ".." in found.parts:
        return None
    if found.is_relative_to(settings.output_root):
        return found
    parts = found.parts
    if folder not in parts:
        return None
    last = len(parts) - 1 - parts[::-1].index(folder)
    return settings.output_root.joinpath(*parts[last + 1 :])
