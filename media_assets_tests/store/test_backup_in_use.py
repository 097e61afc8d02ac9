"""A backup that is taken while everything is written holds all that was acknowledged before it began."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from media_assets.analytics.connection import connect
from media_assets.analytics.events import EventWriter
from media_assets.analytics.loading import load_events
from media_assets.backing_up import backup, restore
from media_assets.defs.journal import keep
from media_assets.defs.reporting import report
from media_assets.kompositions.versions import keep as keep_version
from media_assets.kompositions.versions import versions
from media_assets.settings import Settings
from media_assets.store.journal import Journal
from media_assets_tests.analytics.telling import new_event

ASSET = dg.AssetKey("counted")
KOMPOSITION = "komp_counted"


@dataclass
class Said:
    """What writers said was written: ids of events, and the last number that is in every kind of file."""

    events: list[str] = field(default_factory=list)
    number: int = 0
    enough: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)


def test_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    settings, said, taken = Settings.from_environment(tmp_path / "used"), Said(), []
    with home(settings) as instance:
        workers = [
            threading.Thread(target=unless_it_fails, args=(said, work))
            for work in (lambda: write(settings, instance, said), lambda: load(settings, said))
        ]
        for worker in workers:
            worker.start()
        for name in ("first", "second"):
            said.enough.clear()
            assert said.enough.wait(60)
            before = (said.number, list(said.events))
            taken.append((before, backup(settings, tmp_path / f"{name}.tar.gz").path))
        said.stop.set()
        for worker in workers:
            worker.join()
    assert said.number > taken[-1][0][0]  # writers went on to the end
    for (number, events), file in taken:
        there = Settings.from_environment(tmp_path / file.name.removesuffix(".tar.gz"))
        restore(there, file)
        with home(there) as instance:
            (record,) = instance.fetch_materializations(ASSET, limit=1).records
        logged = int((record.event_log_entry.tags or {})[DATA_VERSION_TAG])
        entry = Journal(there).get("counted", "one")
        assert entry is not None
        kept = int(entry.tags[DATA_VERSION_TAG])
        assert number <= logged <= kept + 1  # the log is copied first: at most one was on its way
        assert len(versions(KOMPOSITION, there)) >= number
        with connect(there.warehouse_path) as connection:
            load_events(connection, there.event_root)
            rows = connection.execute("SELECT CAST(event_id AS VARCHAR) FROM operation_events").fetchall()
        found = Counter(event for (event,) in rows)
        assert set(events) <= set(found) <= set(said.events)
        assert set(found.values()) == {1}


def home(settings: Settings) -> dg.DagsterInstance:
    """An instance on the data root's home."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    (settings.dagster_home / "dagster.yaml").touch()
    return dg.DagsterInstance.local_temp(str(settings.dagster_home))


def unless_it_fails(said: Said, work: Callable[[], None]) -> None:
    """Work until told to stop; whoever waits is not kept waiting if it fails."""
    try:
        work()
    finally:
        said.stop.set()


def write(settings: Settings, instance: dg.DagsterInstance, said: Said) -> None:
    """Count up in the event log, the records, a document and the events, in that order."""
    writer = EventWriter(settings.event_root, roll_bytes=2_000)
    document = settings.komposition_root / "counted.json"
    document.parent.mkdir(parents=True)
    while not said.stop.is_set():
        number = said.number + 1
        made = dg.AssetMaterialization(ASSET, partition="one", tags={DATA_VERSION_TAG: str(number)})
        report(instance, [(made, float(number))])
        keep(made, settings, float(number))
        document.write_text(f'{{"number": {number}}}')
        keep_version(document, KOMPOSITION, settings)
        event = writer.append(new_event("trim", f"effect_trim_{number:016x}", "rendered", seconds=1.0))
        said.events.append(event.event_id)
        said.number = number
        if number % 5 == 0:
            said.enough.set()
    writer.close()


def load(settings: Settings, said: Said) -> None:
    """Load events into the warehouse again and again."""
    while not said.stop.wait(0.02):
        with connect(settings.warehouse_path) as connection:
            load_events(connection, settings.event_root)
