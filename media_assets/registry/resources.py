"""The kinds of resources as data: where each lives, for how long, and who keeps track of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings

Lifetime = Literal["kept", "versioned", "replaceable", "until loaded"]


@dataclass(frozen=True)
class ResourceType:
    """A kind of files.

    Attributes:
        kind: its name.
        location: the folder under the data root.
        pattern: which files under it, as `Path.match` reads it.
        lifetime: `kept` until its owner removes it, `versioned`, `until loaded`, or `replaceable`: it can
            be made again, so it may go when unused for long or over a quota.
        tracked: where it is on record.
    """

    kind: str
    location: str
    pattern: str
    lifetime: Lifetime
    tracked: str


RESOURCE_TYPES = (
    ResourceType("source", "source", "*", "kept", "source_file in Dagster, metadata/sources"),
    ResourceType("source record", "metadata/sources", "src_*.json", "kept", "itself"),
    ResourceType("rejection", "metadata/rejected", "src_*.json", "kept", "itself"),
    ResourceType("document", "kompositions", "*", "kept", "komposition_plan in Dagster"),
    ResourceType("saved workflow", "workflows", "*", "kept", "itself; its assets in Dagster"),
    ResourceType("document version", "metadata/documents", "*", "versioned", "versions.json beside it"),
    ResourceType("plan", "metadata/plans", "komp_*.json", "kept", "komposition_plan in Dagster"),
    ResourceType("analysis", "metadata/analyses", "*.json", "replaceable", "itself, by content"),
    ResourceType("partition record", "metadata/recorded", "*.json", "kept", "itself, beside Dagster"),
    ResourceType("fetched record", "metadata/fetched", "*.json", "kept", "itself"),
    ResourceType("index", "metadata", "*.json", "replaceable", "nowhere: it is derived, and made anew"),
    ResourceType("recipe", "effects", "effect_*.json", "kept", "effect_recipe in Dagster"),
    ResourceType("thumbnail", "store", "thumbnail_*", "replaceable", "sidecar, thumbnail in Dagster"),
    ResourceType("screenshot", "store", "screenshot_*", "replaceable", "sidecar, screenshots in Dagster"),
    ResourceType("komposition part", "store", "komposition_*", "replaceable", "sidecar"),
    ResourceType("komposition", "store", "komp_*", "replaceable", "sidecar, komposition_video in Dagster"),
    ResourceType("effect output", "store", "*", "replaceable", "sidecar, effect_output in Dagster"),
    ResourceType("sidecar", "store", "sidecar.json", "replaceable", "itself"),
    ResourceType("quarantine", "store/quarantine", "*", "replaceable", "nowhere: it waits to be looked at"),
    ResourceType("unfinished", "store/pending", "*", "replaceable", "the process that writes it"),
    ResourceType("published output", "output", "*", "versioned", "Dagster; a second name of a stored file"),
    ResourceType("event", "events", "*.ndjson", "until loaded", "itself, then the warehouse"),
    ResourceType("warehouse", "warehouse", "*", "kept", "operation_events in Dagster"),
    ResourceType("report", "reports", "*.html", "replaceable", "dashboard in Dagster"),
    ResourceType("event log", "dagster_home", "*", "kept", "Dagster"),
)
"""Of types that share a folder, a file counts as the most exact one; of patterns, the longest is that."""


@dataclass(frozen=True)
class Amount:
    """How much there is of a kind; a file that has two names counts as bytes once."""

    type: ResourceType
    count: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """As `resources --json` prints it."""
        return asdict(self.type) | {"count": self.count, "bytes": self.bytes}


def amounts(settings: Settings) -> tuple[Amount, ...]:
    """How many files there are of each kind, and their bytes.

    Raises:
        MediaAssetsError: a folder cannot be read.
    """
    counts = {kind.kind: [0, 0] for kind in RESOURCE_TYPES}
    seen: set[tuple[int, int]] = set()
    for place in dict.fromkeys(kind.location.split("/")[0] for kind in RESOURCE_TYPES):
        for path, stat in _files(settings.data_root / place):
            found = type_of(path.relative_to(settings.data_root))
            if found is None:
                continue
            counts[found.kind][0] += 1
            if (stat.st_dev, stat.st_ino) not in seen:
                seen.add((stat.st_dev, stat.st_ino))
                counts[found.kind][1] += stat.st_size
    return tuple(Amount(kind, *counts[kind.kind]) for kind in RESOURCE_TYPES)


def type_of(path: Path) -> ResourceType | None:
    """The kind of a file, from its path under the data root; None for locks and what is half written."""
    if path.name.startswith(".") or path.suffix == ".lock" or path.is_relative_to("store/locks"):
        return None
    fitting = [
        kind for kind in RESOURCE_TYPES if path.is_relative_to(kind.location) and path.match(kind.pattern)
    ]
    return max(fitting, key=lambda kind: (len(kind.location), len(kind.pattern)), default=None)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Every file below, links not followed; what goes meanwhile is passed over."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise MediaAssetsError(f"it cannot be read: {error.strerror}", where=str(folder)) from None
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path), entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
