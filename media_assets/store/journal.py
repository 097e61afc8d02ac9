"""What was last recorded of every partition, as small documents: Dagster's view outlives its home.

One JSON document per asset and partition under `data/metadata/recorded/`, replaced as a whole each time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        event: the event itself in Dagster's own form.
    """

    asset: str
    partition: str | None
    at: float
    tags: Mapping[str, str]
    metadata: Mapping[str, Any]
    event: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is on disk; tags and metadata are in the event too, and are read from there."""
        return {"asset": self.asset, "partition": self.partition, "at": self.at} | {
            "tags": dict(self.tags),
            "metadata": dict(self.metadata),
            "event": dict(self.event),
        }


class Journal:
    """The entries of a data root."""

    def __init__(self, settings: Settings) -> None:
        self.root = settings.metadata_root / "recorded"

    def put(self, entry: Entry) -> None:
        """Keep an entry in the place of the one before."""
        write_json(self._path(entry.asset, entry.partition), entry.to_json())

    def get(self, asset: str, partition: str | None) -> Entry | None:
        """The entry of a partition; None where there is none, or a damaged one."""
        return _read(self._path(asset, partition))

    def remove(self, asset: str, partition: str | None) -> None:
        """Forget a partition."""
        self._path(asset, partition).unlink(missing_ok=True)

    def damaged(self) -> list[Path]:
        """Documents that hold no entry."""
        return [path for path in self._paths() if _read(path) is None]

    def __iter__(self) -> Iterator[Entry]:
        """Every whole entry, the oldest first."""
        found = (_read(path) for path in self._paths())
        return iter(sorted((entry for entry in found if entry is not None), key=lambda e: e.at))

    def _paths(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.json") if not path.name.startswith("."))

    def _path(self, asset: str, partition: str | None) -> Path:
        return self.root / asset / f"{_WHOLE if partition is None else partition}.json"


def _read(path: Path) -> Entry | None:
    document = read_json(path)
    try:
        return None if document is None else Entry(**document)
    except TypeError:
        return None
