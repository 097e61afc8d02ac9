"""Recommendations as they are asked for: for a chain, a source or an effect; and as assets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from media_assets.analytics.connection import connect
from media_assets.analytics.origin import hashes_of, keyring_of
from media_assets.analytics.recommender.asking import Done, done_to
from media_assets.cli import app
from media_assets.defs.analytics.events import WarehouseResource, analytics_definitions
from media_assets.defs.analytics.recommend import (
    recommendation_definitions,
    recommendation_quality,
    recommendations,
    recommendations_hold,
)
from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets.store.recipes import EffectRecipe, RecipeStore, Step, UnknownEffect
from media_assets_tests.analytics.doing import do
from media_assets_tests.making import ingested, make

EFFECT = "effect_normalize_audio_00112233445566ff"
TRIMMED = "effect_trim_0011223344556677"


@pytest.fixture
def root(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(settings.data_root))
    return settings.data_root


@pytest.fixture
def known(settings: Settings, root: Path) -> Path:
    """A data root whose warehouse knows what nine people did, and that one of them does other things."""
    keyring = keyring_of(settings)
    assert keyring
    with connect(settings.warehouse_path) as connection:
        for number in range(9):
            day = datetime(2026, 10, 1 + number, 9)
            given = {"bitrate": "192k"}
            do(connection, f"u{number}", ["trim", "normalize_audio"], times=4, kind="audio", at=day)
            chain = ["trim", "normalize_audio", "to_mp3"]
            do(connection, f"u{number}", chain, times=6, kind="audio", at=day, parameters=given)
        (mine,) = hashes_of("somebody", keyring)
        do(connection, mine, ["trim", "normalize_audio", "fade"], times=20, kind="audio")
    return root


def told(*words: str) -> Any:
    done = CliRunner().invoke(app, ["recommend", *words, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_chain_is_told_its_next_operation_with_parameters_and_reason(known: Path) -> None:
    found = told("--kind", "audio", "--after", "trim", "--after", "normalize_audio")
    assert (found["after"], found["kind"]) == (["trim", "normalize_audio"], "audio")
    first, *_ = found["recommendations"]
    assert first["operation"] == "to_mp3"
    assert first["reason"] == (
        "after trim and normalize_audio at the beginning, 49 % of 110 audio chains went on with to_mp3"
    )
    (bitrate,) = first["parameters"]
    assert (bitrate["name"], bitrate["value"], bitrate["share"], bitrate["uses"]) == (
        *("bitrate", "192k"),
        *(1.0, 54),
    )
    ends = [one for one in found["recommendations"] if one["operation"] is None]
    assert "33 % of 110 audio chains ended" in ends[0]["reason"]


def test_another_person_is_told_another_operation_and_hers_alone(known: Path) -> None:
    words = ("--kind", "audio", "--after", "trim", "--after", "normalize_audio")
    mine = told(*words, "--user", "somebody")["recommendations"][0]
    assert (mine["operation"], mine["reason"]) == ("fade", "you did so in 20 of 20 times")
    assert "fade" not in [one["operation"] for one in told(*words)["recommendations"]]


def test_the_table_has_a_line_for_each(known: Path) -> None:
    done = CliRunner().invoke(app, ["recommend", "--after", "trim", "--kind", "audio"])
    assert done.exit_code == 0
    assert "normalize_audio" in done.stdout
    assert "100 %" in done.stdout


def test_without_events_nothing_is_recommended(root: Path) -> None:
    done = CliRunner().invoke(app, ["recommend", "--after", "trim"])
    assert done.exit_code == 0
    assert "Nothing was learnt yet" in done.output
    assert told() == {"after": [], "kind": None, "recommendations": []}


def test_unknown_operations_and_ids_are_told(root: Path) -> None:
    wrong = CliRunner().invoke(app, ["recommend", "--after", "rezise"])
    assert isinstance(wrong.exception, BadInput)
    assert "resize" in str(wrong.exception.hint)
    both = CliRunner().invoke(app, ["recommend", EFFECT, "--after", "trim"])
    assert isinstance(both.exception, BadInput)
    for reference in ("nothing.mp4", EFFECT, "../x", "0123"):
        with pytest.raises(UnknownEffect, match="no source; and as an effect"):
            done_to(Settings.from_environment(), reference)


def test_what_was_done_to_an_effect_is_looked_up(settings: Settings) -> None:
    tone = make(settings, settings.source_root / "tone.wav", "-f", "lavfi", "-i", "sine=f=220:d=1")
    source = ingested(settings, tone).id
    steps = (
        Step("trim", (source,), TRIMMED, {"duration": 1.0}),
        Step("normalize_audio", (TRIMMED,), EFFECT, {}),
    )
    RecipeStore(settings).put(EffectRecipe(EFFECT, {source: "tone.wav"}, steps))
    whole = Done(("trim", "normalize_audio"), "audio")
    assert done_to(settings, "tone.wav") == done_to(settings, source) == Done((), "audio")
    assert done_to(settings, EFFECT) == done_to(settings, EFFECT[-16:-4]) == whole
    assert done_to(settings, "data/output/normalize_audio_tone_00112233.wav") == whole
    (settings.metadata_root / "sources" / f"{source}.json").unlink()
    assert done_to(settings, EFFECT) == Done(("trim", "normalize_audio"), "")


def test_the_quality_is_told(known: Path) -> None:
    done = CliRunner().invoke(app, ["analytics", "recommendations", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["quality"]
    assert [row["variant"] for row in rows if row["kind"] == "all"] == [
        *("most popular", "after the last one"),
        *("without own history", "recommended"),
    ]
    assert "most popular" in CliRunner().invoke(app, ["analytics", "recommendations"]).stdout


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def made(instance: dg.DagsterInstance, asset: str) -> tuple[str, Mapping[str, Any]]:
    """Materialize all; the data version and the metadata of an asset."""
    chosen = [recommendations, recommendation_quality, recommendations_hold]
    result = dg.materialize(chosen, instance=instance, resources={"warehouse_db": WarehouseResource()})
    (found,) = result.asset_materializations_for_node(asset)
    assert found.tags
    values = {name: item.value for name, item in found.metadata.items()}
    (check,) = result.get_asset_check_evaluations()
    return found.tags["dagster/data_version"], values | {"check": check}


def test_the_assets_show_tables_and_plots_and_a_fall_fails_the_check(
    instance: dg.DagsterInstance, known: Path, settings: Settings
) -> None:
    version, metadata = made(instance, "recommendations")
    assert "| audio | ^ | trim |" in str(metadata["recommendations"])
    assert "data:image/svg+xml" in str(metadata["What follows an operation"])
    assert "fade" not in str(metadata["recommendations"])
    again, _ = made(instance, "recommendations")
    assert again == version
    _, quality = made(instance, "recommendation_quality")
    assert "| recommended | all |" in str(quality["quality"])
    assert "data:image/svg+xml" in str(quality["Right at the first place"])
    assert quality["check"].passed
    with connect(settings.warehouse_path) as connection:
        connection.execute(
            """
            INSERT INTO recommendation_evaluations
            SELECT * REPLACE (evaluated - to_hours(1) AS evaluated, 1.5 AS mrr)
            FROM recommendation_evaluations
            """
        )
    _, quality = made(instance, "recommendation_quality")
    assert not quality["check"].passed
    assert "fell by" in str(quality["check"].metadata["problems"].value)


def test_the_definitions_hold() -> None:
    definitions = dg.Definitions.merge(analytics_definitions(), recommendation_definitions())
    graph = definitions.resolve_asset_graph()
    for asset in (recommendations, recommendation_quality):
        assert graph.get(asset.key).pools == {"warehouse"}
        assert graph.get(asset.key).group_name == "analytics"
        assert {key.to_user_string() for key in graph.get(asset.key).parent_keys} == {"operation_events"}
