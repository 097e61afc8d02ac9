"""Dagster's home rebuilt from what is on disk, and the drill that shows that it could be."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from media_assets.defs import journal
from media_assets.defs.komposition_sensor import sync_documents
from media_assets.defs.partitions import EFFECTS, SOURCES
from media_assets.defs.resources import MediaResource
from media_assets.defs.source_sensor import sync_workflows
from media_assets.defs.sources import SOURCE_FILE, source_record
from media_assets.session import Session
from media_assets.settings import Settings
from media_assets.statuses import statuses
from media_assets.store.journal import Entry, Journal
from media_assets.store.recipes import RecipeStore
from media_assets.store.recovery import Orphan, by_fingerprint, orphans, put_aside, rebuild
from media_assets.store.sources import SourceCatalogue

_MARKS = ("partitions.stamp", "effects.json")


@dataclass
class Recovered:
    """What recovery did, or would do.

    Attributes:
        records: records on disk, by asset; reported: those that Dagster did not have.
        partitions: keys in each set of partitions.
        rebuilt: outputs that have their sidecar again; quarantined: (path, reason) of what was put aside.
        damaged: records that cannot be read; unknown: assets that have records and no definition.
    """

    dry_run: bool
    records: dict[str, int] = field(default_factory=dict)
    reported: int = 0
    partitions: dict[str, int] = field(default_factory=dict)
    rebuilt: list[str] = field(default_factory=list)
    quarantined: list[tuple[str, str]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As `recover --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Drill:
    """A recovery into a scratch home, held against the home there is.

    Attributes:
        compared: partitions; seconds: what rebuilding took.
        differences: asset, partition, its status, and the status after recovery.
    """

    compared: int
    reported: int
    seconds: float
    differences: tuple[tuple[str, str | None, str, str], ...]


def set_home_aside(settings: Settings) -> Path | None:
    """Move a Dagster home that is damaged, so that a new one is made; None where there is none."""
    if not settings.dagster_home.exists():
        return None
    target = settings.data_root / f"dagster_home.aside-{time.time_ns()}"
    settings.dagster_home.rename(target)
    return target


def survey(settings: Settings) -> Recovered:
    """What `recover` would find, changing nothing."""
    entries, damaged = _entries(settings)
    found = Recovered(True, records=_counted(entries), damaged=damaged)
    records = by_fingerprint(entries)
    for orphan in orphans(settings):
        known = orphan.path.name in records
        reason = f"{orphan.reason}; a record tells what it is" if known else orphan.reason
        found.quarantined.append((_relative(orphan, settings), reason))
    return found


def recover(session: Session) -> Recovered:
    """Rebuild sidecars, partitions and the event log from what is on disk; what is there already stays."""
    settings = session.settings
    entries, damaged = _entries(settings)
    found = Recovered(False, records=_counted(entries), damaged=damaged)
    records = by_fingerprint(entries)
    for orphan in orphans(settings):
        if rebuild(orphan, records, settings):
            found.rebuilt.append(_relative(orphan, settings))
        else:
            found.quarantined.append((_relative(orphan, settings), orphan.reason))
            put_aside(orphan.path, orphan.reason, settings)
    fill(session.instance, session.graph, settings, found, entries)
    for name in _MARKS:  # what sensors remember of the home that is gone
        (settings.metadata_root / name).unlink(missing_ok=True)
    return found


def fill(
    instance: dg.DagsterInstance,
    graph: AssetGraph,
    settings: Settings,
    found: Recovered,
    entries: Iterable[Entry],
) -> None:
    """Give an instance the partitions and records that it has not got."""
    media = MediaResource(data_root=str(settings.data_root))
    instance.add_dynamic_partitions(str(SOURCES.name), list(_sources(media.sources, entries)))
    sync_workflows(instance, media.sources)
    sync_documents(instance, media)
    instance.add_dynamic_partitions(str(EFFECTS.name), list(RecipeStore(settings)))
    definitions = {graph.get(key).partitions_def for key in graph.get_all_asset_keys()}
    names = {str(d.name) for d in definitions if isinstance(d, dg.DynamicPartitionsDefinition)}
    found.partitions = {name: len(instance.get_dynamic_partitions(name)) for name in sorted(names)}
    found.reported, found.unknown = journal.replay(instance, entries, graph)


def drill(instance: dg.DagsterInstance, graph: AssetGraph, settings: Settings) -> Drill:
    """Recover into a scratch home and compare every partition's status with that of the home there is."""
    before = statuses(instance, graph)
    started = time.monotonic()
    found = Recovered(True)
    with (
        _scratch_home() as folder,
        dg.DagsterInstance.local_temp(folder) as scratch,
    ):
        fill(scratch, graph, settings, found, _entries(settings)[0])
        seconds = time.monotonic() - started
        after = statuses(scratch, graph)
    # What a run made meanwhile is no difference.
    still = statuses(instance, graph)
    before = {place: status for place, status in before.items() if still.get(place) == status}
    after = {place: status for place, status in after.items() if place in before or place not in still}
    places = sorted(before.keys() | after.keys(), key=lambda place: (place[0], place[1] or ""))
    differences = tuple(
        (*place, before.get(place, "none"), after.get(place, "none"))
        for place in places
        if before.get(place) != after.get(place)
    )
    return Drill(len(places), found.reported, seconds, differences)


@contextlib.contextmanager
def _scratch_home() -> Iterator[str]:
    """A home for a while, with an empty configuration: without one, Dagster warns."""
    with tempfile.TemporaryDirectory(prefix="media-assets-drill-") as folder:
        (Path(folder) / "dagster.yaml").touch()
        yield folder


def _sources(catalogue: SourceCatalogue, entries: Iterable[Entry]) -> Iterator[str]:
    """Sources on record, in the order in which they were read."""
    versions = catalogue.versions()
    order = [e.partition for e in entries if e.asset == SOURCE_FILE.to_user_string() and e.partition]
    return (key for key in dict.fromkeys([*order, *sorted(versions)]) if key in versions)


def _entries(settings: Settings) -> tuple[list[Entry], list[str]]:
    """Every record on disk, or of a source without one what its own says; and which are damaged."""
    entries, damaged = Journal(settings).read()
    asset = SOURCE_FILE.to_user_string()
    known = {entry.partition for entry in entries if entry.asset == asset}
    for facts in SourceCatalogue(settings):
        if facts.id not in known:
            entries.append(journal.entry_of(source_record(facts), time.time()))
    return entries, [path.relative_to(settings.data_root).as_posix() for path in damaged]


def _counted(entries: Iterable[Entry]) -> dict[str, int]:
    return dict(sorted(Counter(entry.asset for entry in entries).items()))


def _relative(orphan: Orphan, settings: Settings) -> str:
    return str(orphan.path.relative_to(settings.data_root))
