"""Records of thousands of partitions are asked for in portions, and once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from media_assets.defs.reporting import report
from media_assets.defs.versions import Edge, described, out_of_date, recorded, seen

UPPER, LOWER = dg.AssetKey("upper"), dg.AssetKey("lower")
KEYS = [f"part{number:05d}" for number in range(1200)]
MANY = 260_000
"""More than any build of SQLite takes in one query."""


@pytest.fixture(scope="module")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster home with a record of each partition of an asset, and of what is made from it."""
    home = tmp_path_factory.mktemp("prototype")
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        _put(instance, UPPER, KEYS, "first")
        inputs = seen(instance, UPPER, KEYS)
        events = [
            described(
                LOWER, key, data_version="l", code_version="1", inputs={UPPER: inputs[key]}, metadata={}
            )
            for key in KEYS
        ]
        report(instance, [(event, time.time()) for event in events])
    return home


@pytest.fixture
def home(prototype: Path, tmp_path: Path) -> Path:
    """A copy of that home."""
    return shutil.copytree(prototype, tmp_path / "home")


@pytest.fixture
def instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster on that home."""
    with dg.DagsterInstance.local_temp(str(home)) as opened:
        yield opened


def _put(instance: dg.DagsterInstance, asset: dg.AssetKey, keys: list[str], version: str) -> None:
    events = [
        described(asset, key, data_version=version, code_version="1", inputs={}, metadata={})
        for key in keys
    ]
    report(instance, [(event, time.time()) for event in events])


def test_more_keys_than_one_query_takes(instance: dg.DagsterInstance) -> None:
    keys = [*KEYS, *(f"none{number}" for number in range(MANY - len(KEYS)))]
    assert set(seen(instance, UPPER, keys)) == set(KEYS)
    assert set(recorded(instance, LOWER, keys)) == set(KEYS)
    assert out_of_date(instance, LOWER, "1", [Edge(UPPER)], keys) == {}


def test_a_few_keys_are_told_as_all_are(instance: dg.DagsterInstance) -> None:
    some = KEYS[100:700]  # more than one portion, fewer than make it keep all
    asked = seen(instance, UPPER, some)
    kept = seen(instance, UPPER, KEYS)
    assert asked == {key: kept[key] for key in some}
    assert seen(instance, UPPER, some) == asked


def test_what_was_made_from_what_is_as_dagster_tells_it(instance: dg.DagsterInstance) -> None:
    found = recorded(instance, LOWER, KEYS)
    for key in (KEYS[0], KEYS[-1]):
        chosen = dg.AssetRecordsFilter(LOWER, asset_partitions=[key])
        (record,) = instance.fetch_materializations(chosen, limit=1).records
        tags = record.event_log_entry.tags or {}
        assert found[key].data_version == tags["dagster/data_version"] == "l"
        assert found[key].code_version == tags["dagster/code_version"] == "1"
        assert found[key].inputs == {UPPER: tags["dagster/input_data_version/upper"]} == {UPPER: "first"}


def test_a_new_record_is_seen_beside_those_that_are_kept(instance: dg.DagsterInstance) -> None:
    before = seen(instance, UPPER, KEYS)
    assert out_of_date(instance, LOWER, "1", [Edge(UPPER)], KEYS) == {}
    _put(instance, UPPER, [KEYS[7], "another"], "second")
    after = seen(instance, UPPER, [*KEYS, "another"])
    assert {key for key in after if after[key] != before.get(key)} == {KEYS[7], "another"}
    assert after[KEYS[7]].data_version == after["another"].data_version == "second"
    assert set(out_of_date(instance, LOWER, "1", [Edge(UPPER)], KEYS)) == {KEYS[7]}


def test_a_record_without_a_version_takes_the_place_of_the_one_before(instance: dg.DagsterInstance) -> None:
    assert KEYS[7] in seen(instance, UPPER, KEYS)
    instance.report_runless_asset_event(dg.AssetMaterialization(UPPER, partition=KEYS[7]))
    assert set(KEYS) - set(seen(instance, UPPER, KEYS)) == {KEYS[7]}


def test_records_of_a_wiped_asset_are_gone(instance: dg.DagsterInstance) -> None:
    assert set(seen(instance, UPPER, KEYS)) == set(KEYS)
    instance.wipe_assets([UPPER])
    assert seen(instance, UPPER, KEYS) == {}
    _put(instance, UPPER, KEYS[:1], "second")
    assert set(seen(instance, UPPER, KEYS)) == set(KEYS[:1])


def test_a_home_in_the_place_of_another_is_read_anew(home: Path) -> None:
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        assert set(seen(instance, UPPER, KEYS)) == set(KEYS)
    home.rename(home.with_name("aside"))
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        _put(instance, UPPER, KEYS[:2], "other")
        found = seen(instance, UPPER, KEYS)
    assert set(found) == set(KEYS[:2])
    assert {record.data_version for record in found.values()} == {"other"}
