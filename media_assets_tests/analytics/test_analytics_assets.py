from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from media_assets.analytics.events import EventWriter
from media_assets.analytics.segments import list_segments
from media_assets.analytics.warehouse import connect
from media_assets.defs.analytics.events import (
    WarehouseResource,
    analytics_definitions,
    events_are_fresh,
    hourly_analytics,
    no_events_lost,
    operation_events,
    operation_performance,
    tables_are_as_documented,
)
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event

CHECKS = [no_events_lost, events_are_fresh, tables_are_as_documented]
ASSETS = [operation_events, operation_performance, *CHECKS]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def writer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> EventWriter:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))
    return EventWriter(settings.event_root)


def materialize(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    result = dg.materialize(ASSETS, instance=instance, resources={"warehouse_db": WarehouseResource()})
    assert result.success
    return result


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (found,) = result.asset_materializations_for_node(asset)
    return {name: item.value for name, item in found.metadata.items()}


def version(result: dg.ExecuteInProcessResult, asset: str) -> str:
    (found,) = result.asset_materializations_for_node(asset)
    assert found.tags
    return found.tags["dagster/data_version"]


def failed(result: dg.ExecuteInProcessResult) -> list[str]:
    found = result.get_asset_check_evaluations()
    assert len(found) == len(CHECKS)
    return [one.check_name for one in found if not one.passed]


def test_materializing_loads_events_and_refreshes_the_figures(
    instance: dg.DagsterInstance, writer: EventWriter, settings: Settings
) -> None:
    writer.append(new_event("trim", "effect_trim_1", "rendered", seconds=2.0))
    writer.append(new_event("trim", "effect_trim_1", "cached"))
    result = materialize(instance)
    events = metadata(result, "operation_events")
    assert (events["loaded"], events["duplicates"], events["malformed"], events["total"]) == (2, 0, 0, 2)
    table = str(events["last_events"]).splitlines()
    assert len(table) == 4
    assert "| operation | trim | cached |" in table[2]
    (row,) = metadata(result, "operation_performance")["statistics"]
    assert (row["operation"], row["count"], row["cached"], row["p50_seconds"]) == ("trim", 2, 1, 2.0)
    assert row["mean_speed"] is None
    assert failed(result) == []
    with connect(settings.warehouse_path) as connection:
        assert connection.table("operation_performance").df()["count"].tolist() == [2]


def test_without_events_the_assets_materialize_and_nothing_new_changes_no_version(
    instance: dg.DagsterInstance, writer: EventWriter
) -> None:
    empty = materialize(instance)
    assert metadata(empty, "operation_events")["total"] == 0
    assert failed(empty) == []
    writer.append(new_event("trim", "effect_trim_1", "rendered"))
    one, same = materialize(instance), materialize(instance)
    for asset in ("operation_events", "operation_performance"):
        assert version(empty, asset) != version(one, asset) == version(same, asset)


def test_the_check_fails_when_an_event_is_missing(
    instance: dg.DagsterInstance, writer: EventWriter, settings: Settings
) -> None:
    for number in range(3):
        writer.append(new_event("trim", f"effect_trim_{number}", "rendered"))
    writer.close()
    (path,) = list_segments(settings.event_root)
    lines = path.read_bytes().splitlines(True)
    path.write_bytes(lines[0] + lines[2])
    result = materialize(instance)
    assert failed(result) == ["no_events_lost"]
    (found,) = [one for one in result.get_asset_check_evaluations() if not one.passed]
    assert found.metadata["missing"].value == 1


def test_the_resource_takes_another_path_and_settings(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "other.duckdb"
    resource = WarehouseResource(database=str(path), connection_config={"threads": 1})
    with resource.get_connection() as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)
    assert path.exists()


def test_the_definitions_hold_and_the_schedule_runs_hourly() -> None:
    definitions = analytics_definitions()
    dg.Definitions.validate_loadable(definitions)
    assert hourly_analytics.cron_schedule == "0 * * * *"
    assert hourly_analytics.default_status is dg.DefaultScheduleStatus.RUNNING
    graph = definitions.resolve_asset_graph()
    for asset in (operation_events, operation_performance):
        assert graph.get(asset.key).pools == {"warehouse"}
        assert graph.get(asset.key).group_name == "analytics"
    selected = hourly_analytics.job.selection.resolve(graph)  # type: ignore[union-attr]
    assert selected == {operation_events.key, operation_performance.key}
