"""Records that are written together are what single ones would be, and none that was made is lost."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from media_assets.defs.records import Records
from media_assets.defs.versions import described, record, seen
from media_assets.settings import Settings
from media_assets.store.journal import Journal

MADE, FAILS = dg.AssetKey("made"), dg.AssetKey("fails")
KEYS = ["one", "two", "three"]
LIKE = {"data_version": "v", "code_version": "1"}


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster on a home of its own, with a data root beside it."""
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(tmp_path / "data"))
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}")
    with dg.DagsterInstance.local_temp(str(home)) as opened:
        yield opened


@dg.multi_asset(specs=[dg.AssetSpec(MADE, skippable=True)], name="made")
def made(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Records one partition at once, the others together."""
    record(context, described(MADE, KEYS[0], **LIKE, inputs={}, metadata={}))
    with Records(context, set_name="set") as records:
        for key in KEYS[1:]:
            records.add(described(MADE, key, **LIKE, inputs={}, metadata={}))
        assert set(seen(context.instance, MADE, KEYS)) == {KEYS[0]}  # they wait
    yield from ()


@dg.multi_asset(specs=[dg.AssetSpec(FAILS, skippable=True)], name="fails")
def fails(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """Fails after two."""
    with Records(context, set_name="set") as records:
        for key in KEYS[:2]:
            records.add(described(FAILS, key, **LIKE, inputs={}, metadata={}))
        raise ValueError("on purpose")
    yield from ()


def test_they_are_logged_as_a_single_record_is(instance: dg.DagsterInstance) -> None:
    result = dg.materialize([made], instance=instance)
    assert set(seen(instance, MADE, KEYS)) == set(KEYS)
    assert instance.get_dynamic_partitions("set") == KEYS[1:]
    entries = {
        entry.dagster_event.partition: entry
        for entry in instance.all_logs(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        if entry.dagster_event is not None
    }
    assert set(entries) == set(KEYS)
    single, together = entries[KEYS[0]], entries[KEYS[1]]
    for name in ("level", "user_message", "run_id", "step_key", "job_name"):
        assert getattr(together, name) == getattr(single, name), name
    assert single.dagster_event is not None
    assert together.dagster_event is not None
    for name in ("step_handle", "node_handle", "step_kind_value", "logging_tags", "message", "pid"):
        assert getattr(together.dagster_event, name) == getattr(single.dagster_event, name), name
    kept = {entry.partition for entry in Journal(Settings.from_environment())}
    assert kept == set(KEYS)


def test_what_was_made_before_a_failure_is_on_record(instance: dg.DagsterInstance) -> None:
    assert not dg.materialize([fails], instance=instance, raise_on_error=False).success
    assert set(seen(instance, FAILS, KEYS)) == set(KEYS[:2])
    assert instance.get_dynamic_partitions("set") == KEYS[:2]
