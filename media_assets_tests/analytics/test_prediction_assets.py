"""Predictions as assets: learnt for the planner, held against what was measured; a check warns."""

from __future__ import annotations

import dagster as dg
import pytest
from typer.testing import CliRunner

from media_assets.analytics.estimates import factors_of
from media_assets.analytics.events import EventWriter
from media_assets.cli import app
from media_assets.defs.analytics.events import WarehouseResource, operation_events
from media_assets.defs.analytics.prediction import prediction_errors, predictions, predictions_hold
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event

ASSETS = [operation_events, predictions, prediction_errors, predictions_hold]


@pytest.mark.parametrize(("said", "holds"), [(4.4, True), (6.0, False)])
def test_errors_of_what_was_predicted_are_checked(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, said: float, holds: bool
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))
    writer = EventWriter(settings.event_root)
    for number in range(25):
        writer.append(
            new_event(
                "trim",
                f"effect_trim_{number}",
                "rendered",
                seconds=3.0,
                cpu_seconds=4.0,
                expected_cpu_seconds=1.0 + number / 10,
                predicted_cpu_seconds=said,
            )
        )
    writer.close()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(ASSETS, instance=instance, resources={"warehouse_db": WarehouseResource()})
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (holds, dg.AssetCheckSeverity.WARN)
    assert check.metadata["median_error"].value == pytest.approx(abs(said - 4.0) / 4.0)
    (made,) = result.asset_materializations_for_node("predictions")
    assert "data:image/svg+xml" in str([item.value for item in made.metadata.values()])
    assert factors_of(settings).events("trim") == 25
    if holds:
        shown = CliRunner().invoke(app, ["analytics", "prediction", "--json"])
        assert shown.exit_code == 0, shown.output
        assert '"operation": "trim"' in shown.stdout
