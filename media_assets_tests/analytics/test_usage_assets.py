"""Use, speed and errors as Dagster and the command line show them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from media_assets.analytics.connection import connect
from media_assets.analytics.guarding import guards_of
from media_assets.analytics.synthetic.generate import generate
from media_assets.cli import app
from media_assets.defs.analytics.errors import operation_errors
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.defs.analytics.usage import operation_usage
from media_assets.settings import Settings

PICTURE = "data:image/svg+xml;base64,"


@pytest.fixture
def loaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))
    with connect(settings.warehouse_path) as connection:
        generate(connection, 5_000, seed=1)
    yield settings


def materialized(asset: dg.AssetsDefinition, instance: dg.DagsterInstance) -> dg.AssetMaterialization:
    result = dg.materialize([asset], instance=instance, resources={"warehouse_db": WarehouseResource()})
    (found,) = result.asset_materializations_for_node(asset.key.path[-1])
    return found


def version(event: dg.AssetMaterialization) -> str:
    assert event.tags
    return event.tags["dagster/data_version"]


def test_an_asset_shows_tables_and_plots_and_changes_with_its_figures(loaded: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        usage = materialized(operation_usage, instance)
        shown = {name: str(entry.value) for name, entry in usage.metadata.items()}
        assert "| trim |" in shown["operations"]
        assert all(PICTURE in shown[name] for name in ("Time", "Pace", "Success"))
        errors = materialized(operation_errors, instance)
        assert "resize with odd width: 100% of" in str(errors.metadata["guards"].value)
        assert PICTURE in str(errors.metadata["What fails"].value)
        assert [guard.operation for guard in guards_of(loaded)] == ["resize", "stabilize"]
        assert version(materialized(operation_errors, instance)) == version(errors)
        with connect(loaded.warehouse_path) as connection:
            connection.execute(
                """
                INSERT INTO operation_events SELECT * REPLACE (uuidv7() AS event_id) FROM operation_events
                WHERE outcome = 'rendered' AND "user" IS NOT NULL LIMIT 1
                """
            )
        assert version(materialized(operation_usage, instance)) != version(usage)


def ran(*words: str) -> Any:
    result = CliRunner().invoke(app, ["analytics", *words, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_commands_give_the_same_as_json(loaded: Settings) -> None:
    usage = ran("usage")
    assert set(usage) == {"operations", "slow_parameters", "failing_parameters"}
    assert usage["operations"][0]["operation"] == "trim"
    days = ran("usage", "--by", "day")["usage"]
    assert [row["day"] for row in days] == sorted({row["day"] for row in days})
    assert 80 < len(days) <= 91
    (guard, *_) = ran("errors")["guards"]
    assert guard["conditions"] == [{"field": "parameters.width", "test": "odd", "value": ""}]
    assert guards_of(loaded)[0].suggestion == guard["suggestion"]


def test_commands_show_tables(loaded: Settings) -> None:
    for words in (["usage"], ["usage", "--by", "output_format"], ["errors"]):
        result = CliRunner().invoke(app, ["analytics", *words])
        assert result.exit_code == 0, result.output
        assert "events" in result.stdout
