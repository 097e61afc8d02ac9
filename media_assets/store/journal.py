"""What was last recorded of every partition, as small documents: Dagster's view outlives its home.

One JSON document per asset and partition under `data/metadata/recorded/`, replaced as a whole each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from media_assets.errors import UnsafePath
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

_WHOLE = "_whole"


@dataclass(frozen=True)
class Entry:
    """The last record of a partition.

    Attributes:
        asset: the key, its parts joined by `/`.
        partition: None where the asset has none.
        at: seconds since the epoch.
        tags: data version, code version and input provenance, as Dagster names them.
        metadata: plain values that say where the files are: `fingerprint`, `content_hash`, `output`, ….
        event: the event itself in Dagster's own form, as JSON: as text it takes a quarter of the memory.
    """

    asset: str
    partition: str | None
    at: float
    tags: Mapping[str, str]
    metadata: Mapping[str, Any]
    event: str

    def to_json(self) -> dict[str, Any]:
        """As it is on disk; tags and metadata are in the event too, and are read from there."""
        return {"asset": self.asset, "partition": self.partition, "at": self.at} | {
            "tags": dict(self.tags),
            "metadata": dict(self.metadata),
            "event": json.loads(self.event),
        }


_ENTRY = TypeAdapter(Entry)


class Journal:
    """The entries of a data root."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.metadata_root / "recorded"

    def put(self, entry: Entry) -> None:
        """Keep an entry in the place of the one before.

        Raises:
            UnsafePath: no file can be named after the partition.
        """
        path = self._path(entry.asset, entry.partition)
        if path is None:
            raise UnsafePath("a record cannot be named so", where=ascii(f"{entry.asset} {entry.partition}"))
        write_json(path, entry.to_json())

    def get(self, asset: str, partition: str | None) -> Entry | None:
        """The entry of a partition; None where there is none, or a damaged one."""
        path = self._path(asset, partition)
        return None if path is None else self._read(path)

    def remove(self, asset: str, partition: str | None) -> None:
        """Forget a partition."""
        path = self._path(asset, partition)
        if path is not None:
            path.unlink(missing_ok=True)

    def read(self) -> tuple[list[Entry], list[Path]]:
        """Every whole entry, the oldest first, and the documents that hold none."""
        found, damaged = [], []
        for path in self._paths():
            entry = self._read(path)
            if entry is None:
                damaged.append(path)
            else:
                found.append(entry)
        return sorted(found, key=lambda entry: entry.at), damaged

    def damaged(self) -> list[Path]:
        """Documents that hold no entry."""
        return self.read()[1]

    def __iter__(self) -> Iterator[Entry]:
        """Every whole entry, the oldest first."""
        return iter(self.read()[0])

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.json") if not path.name.startswith("."))

    def _path(self, asset: str, partition: str | None) -> Path | None:
        """Where an entry is kept; None for names that lead elsewhere: anybody may make a partition."""
        name = _WHOLE if partition is None else partition
        if "/" in name or "\0" in name + asset or not {"", ".", ".."}.isdisjoint([name, *asset.split("/")]):
            return None
        return self.root / asset / f"{name}.json"

    def _read(self, path: Path) -> Entry | None:
        """The entry in `path`, if it is one, and the one that belongs there."""
        document = read_json(path)
        try:
            if document is None or self._path(document["asset"], document["partition"]) != path:
                return None
            return _ENTRY.validate_python(document | {"event": json.dumps(document["event"])})
        except (KeyError, TypeError, ValueError, AttributeError):
            return None
