"""Records reported at once leave in Dagster's databases what records reported one by one do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from media_assets.defs import reporting
from media_assets.defs.reporting import Event, report

# Assets have their own numbers and times of creation, which nothing refers to.
TABLES = {
    "event_logs": "*",
    "asset_event_tags": "*",
    "asset_keys": "asset_key, last_materialization, last_run_id, last_materialization_timestamp, tags",
}


def test_the_rows_are_those_of_records_that_are_stored_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "_AT_ONCE", 3)  # several batches, one of them with both kinds of event
    found = []
    for name in ("at_once", "one_by_one"):
        with home(tmp_path / name) as instance:
            if name == "at_once":
                assert report(instance, events()) == len(events())
            else:
                for event, at in events():
                    instance.event_log_storage.store_event(reporting._entry(event, at))
            found.append(rows(tmp_path / name))
            records = instance.fetch_materializations(dg.AssetKey("made"), limit=10).records
            assert [(r.storage_id, r.partition_key, r.timestamp) for r in records] == [
                (7, "b", 70.25),
                (5, "a", 50.0),
                (3, "b", 30.0),
                (1, "a", 10.5),
            ]
    assert found[0] == found[1]
    assert len(found[0]["index event_logs"]) == len(events()) == len(found[0]["runless event_logs"])
    assert found[0]["index asset_event_tags"]


def home(folder: Path) -> dg.DagsterInstance:
    """A new instance."""
    folder.mkdir()
    (folder / "dagster.yaml").touch()
    return dg.DagsterInstance.local_temp(str(folder))


def events() -> list[tuple[Event, float]]:
    """Of two assets in turn, with versions and pointers, the later ones not the newest."""
    made, seen = dg.AssetKey("made"), dg.AssetKey(["seen", "from outside"])
    tags = {"dagster/data_version": "v", "dagster/input_event_pointer/seen": "4", "free": "text"}
    return [
        (dg.AssetMaterialization(made, partition="a", metadata={"n": 1}, tags=tags), 10.5),
        (
            dg.AssetObservation(
                seen, partition="a", metadata={"ü|": dg.MetadataValue.json([1])}, tags=tags
            ),
            20.0,
        ),
        (dg.AssetMaterialization(made, partition="b", tags={}), 30.0),
        (dg.AssetObservation(made, description="both kinds of one asset"), 25.0),
        (dg.AssetMaterialization(made, partition="a", description="again", tags=tags), 50.0),
        (dg.AssetObservation(seen, partition="b", tags=tags), 60.0),
        (dg.AssetMaterialization(made, partition="b", tags=tags), 70.25),
        (dg.AssetObservation(made), 5.0),
    ]


def rows(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the index, and of the log of what has no run."""
    found = {}
    for name, path in (("index", _only(folder, "index.db")), ("runless", _only(folder, ".db"))):
        with closing(sqlite3.connect(path)) as connection:
            for table, columns in TABLES.items():
                query = f"SELECT {columns} FROM {table} ORDER BY 1, 2"  # noqa: S608 - names of this file
                found[f"{name} {table}"] = connection.execute(query).fetchall()
    return found


def _only(folder: Path, name: str) -> Path:
    (path,) = (path for path in folder.rglob("*.db") if path.name == name)
    return path
