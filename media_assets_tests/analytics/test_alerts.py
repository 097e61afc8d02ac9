"""An alert for each episode, suspensions where they are switched on, and all of it undone by a command."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from typer.testing import CliRunner

from media_assets import cli
from media_assets.analytics import alerts
from media_assets.analytics.keyring import add_key
from media_assets.analytics.origin import hashes_of, keyring_of
from media_assets.analytics.standing import (
    Suspended,
    is_suspended,
    refuse_suspended,
    standing_of,
    standing_path,
)
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.warehouse import connect
from media_assets.defs.analytics.abuse import abuse_definitions, abuse_scores, abuse_sensor
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.errors import BadInput
from media_assets.settings import Settings

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
ANN, BOB = "u_test_" + "a" * 32, "u_test_" + "b" * 32
REASONS = "4,012 operations in one hour, usual 12, z 23.1"


@pytest.fixture
def on(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, suspend="on", key_path=tmp_path / "keys" / "analytics.key", user="ann")


def found(settings: Settings, *hours: tuple[str, float, float], now: datetime = NOW) -> None:
    """What the asset found: user, hours ago, score."""
    rows = [
        (user, (now - timedelta(hours=ago)).replace(tzinfo=None, minute=0), score, f"{REASONS} {score:g}")
        for user, ago, score in hours
    ]
    alerts.keep_scores(settings, pd.DataFrame(rows, columns=["user", "hour", "score", "reasons"]))


def told(entries: list[alerts.Entry]) -> list[tuple[str, str]]:
    return [(entry.user, entry.action) for entry in entries]


def test_an_episode_raises_one_alert_with_its_worst_hour(settings: Settings) -> None:
    found(settings, (ANN, 5, 6.0), (ANN, 4, 9.0), (BOB, 3, 7.0), (BOB, 60, 30.0))
    (ann, bob) = alerts.raise_alerts(settings, NOW)
    assert (ann.user, ann.score, ann.hour) == (ANN, 9.0, "2026-11-20T07:00:00+00:00")
    assert ann.reasons == f"{REASONS} 9"
    assert (bob.user, bob.action, bob.by) == (BOB, "alerted", "detector")
    assert alerts.raise_alerts(settings, NOW) == []
    found(settings, (ANN, 6, 5.5), (ANN, 4, 9.0), (ANN, 1, 12.0), (BOB, 3, 7.0))
    assert alerts.raise_alerts(settings, NOW) == []
    assert alerts.read_log(settings) == [ann, bob]
    assert is_suspended(settings, ANN) is None


def test_abuse_that_goes_on_is_told_daily(settings: Settings) -> None:
    found(settings, *((ANN, ago, 6.0) for ago in range(47)))
    hours = [entry.hour for entry in alerts.raise_alerts(settings, NOW)]
    assert hours == ["2026-11-18T14:00:00+00:00", "2026-11-19T14:00:00+00:00"]


def test_switched_on_it_suspends_and_what_was_lifted_stays_lifted_for_a_while(on: Settings) -> None:
    now = datetime.now(UTC)
    found(on, (ANN, 5, 9.0), now=now)
    assert told(alerts.raise_alerts(on, now)) == [(ANN, "alerted"), (ANN, "suspended")]
    assert is_suspended(on, BOB) is None
    with pytest.raises(Suspended, match="4,012 operations in one hour") as refused:
        refuse_suspended(on, ANN)
    assert refused.value.hint is not None
    assert f"abuse lift {ANN}" in refused.value.hint
    alerts.lift(on, [ANN], timedelta(days=7))
    assert is_suspended(on, ANN) is None
    assert alerts.raise_alerts(on, now) == []
    for days, actions in ((6, ["alerted"]), (8, ["alerted", "suspended"])):
        found(on, (ANN, 1, 8.0), now=now + timedelta(days=days))
        assert [one.action for one in alerts.raise_alerts(on, now + timedelta(days=days))] == actions
    assert is_suspended(on, ANN) is not None


def test_a_flag_that_the_log_has_is_put_in_force_after_a_stop_in_between(on: Settings) -> None:
    found(on, (ANN, 5, 9.0))
    alerts.raise_alerts(on, NOW)
    standing_path(on, ANN).unlink()
    assert is_suspended(on, ANN) is None
    assert alerts.raise_alerts(on, NOW) == []
    assert is_suspended(on, ANN) is not None


@pytest.mark.parametrize("text", ["", "[]", '{"state": "exempt"}'])
def test_a_damaged_flag_suspends_until_it_is_lifted(on: Settings, text: str) -> None:
    standing_path(on, ANN).parent.mkdir(parents=True)
    standing_path(on, ANN).write_text(text)
    with pytest.raises(Suspended, match="cannot be read"):
        refuse_suspended(on, ANN)
    alerts.lift(on, [ANN])
    refuse_suspended(on, ANN)


def test_a_line_that_was_torn_costs_no_other(settings: Settings) -> None:
    alerts.suspend(settings, [ANN], "by hand")
    (path,) = (settings.metadata_root / "alerts").glob("*.ndjson")
    with path.open("ab") as file:
        file.write(b'{"at": "2026-')
    alerts.suspend(settings, [BOB], "by hand")
    assert told(alerts.read_log(settings)) == [(ANN, "suspended"), (BOB, "suspended")]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"hours": 3}', '{"hours": [{}]}', '{"hours": [{"user": "../../x"}]}']
)
def test_damaged_scores_raise_nothing(settings: Settings, text: str) -> None:
    found(settings)
    alerts.scores_path(settings).write_text(text)
    assert alerts.raise_alerts(settings, NOW) == []


def test_two_daemons_raise_each_alert_once(on: Settings) -> None:
    found(on, *((f"u_test_{number:032x}", 3, 7.0) for number in range(20)))
    both = [threading.Thread(target=alerts.raise_alerts, args=(on, NOW)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    log = alerts.read_log(on)
    assert len(log) == len({(entry.user, entry.action) for entry in log}) == 40


def test_a_new_key_frees_nobody(on: Settings) -> None:
    keyring = keyring_of(on)
    assert keyring is not None
    (before,) = hashes_of("ann", keyring)
    alerts.suspend(on, [before], "by hand")
    add_key(on.key_file, on.data_root)
    assert is_suspended(on) is not None
    assert is_suspended(replace(on, user="bob")) is None


def test_nothing_is_left_of_who_is_forgotten(on: Settings) -> None:
    found(on, (ANN, 5, 9.0), (BOB, 5, 9.0))
    alerts.raise_alerts(on, NOW)
    assert alerts.forget_alerts(on, [ANN]) == 3
    assert told(alerts.read_log(on)) == [(BOB, "alerted"), (BOB, "suspended")]
    everything = b"".join(path.read_bytes() for path in on.metadata_root.rglob("*") if path.is_file())
    assert ANN.encode() not in everything.replace(standing_path(on, ANN).read_bytes(), b"")


# The command line


@pytest.fixture
def command(on: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setenv("MEDIA_ASSETS_DATA", str(on.data_root))
    monkeypatch.setenv("MEDIA_ASSETS_USER", "ann")
    monkeypatch.setenv("MEDIA_ASSETS_KEY_FILE", str(on.key_file))
    yield Settings.from_environment()


def run(*words: str) -> dict[str, list[dict[str, object]]]:
    done = CliRunner().invoke(cli.app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    shown: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return shown


def test_whoever_is_suspended_is_refused_and_can_lift_it_himself(command: Settings, tmp_path: Path) -> None:
    job = tmp_path / "job.json"
    job.write_text("{}")
    run("abuse", "suspend", "ann", "--reason", "too many renders")
    for words in (
        ["run", str(job)],
        ["workflow", "run", "any"],
        ["komposition", "render", str(job)],
        ["komposition", "preview", str(job)],
        ["komposition", "watch", str(job)],
        ["analyze", "sources"],
        ["analyze", "beats", str(job)],
        ["analyze", "content", str(job)],
    ):
        with pytest.raises(Suspended, match="too many renders"):
            CliRunner().invoke(cli.app, words, catch_exceptions=False)
    (held,) = run("abuse", "list")["users"]
    assert (held["state"], held["reasons"]) == ("suspended", "too many renders")
    (lifted,) = run("abuse", "lift", str(held["user"])[:20], "--days", "3")["log"]
    assert (lifted["action"], lifted["by"], lifted["user"]) == ("lifted", "operator", held["user"])
    assert [entry["action"] for entry in run("abuse", "show", "ann")["log"]] == ["suspended", "lifted"]
    assert is_suspended(command) is None


@pytest.mark.parametrize("user", ["u_", "u_zz", "u_nobody_0"])
def test_a_hash_of_nobody_is_refused(command: Settings, user: str) -> None:
    alerts.suspend(command, [ANN, BOB], "by hand")
    with pytest.raises(BadInput, match="hashes begin so"):
        CliRunner().invoke(cli.app, ["abuse", "lift", user], catch_exceptions=False)
    assert is_suspended(command, ANN) is not None


# Dagster


def test_the_asset_finds_the_sensor_tells_and_suspends_and_no_page_names_anybody(
    command: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_SUSPEND", "on")
    with connect(command.warehouse_path) as connection:
        planted = generate(connection, 15_000, seed=2, days=40)
        connection.execute(
            """
            UPDATE operation_events SET "timestamp" = "timestamp" + (
                SELECT CAST($now AS TIMESTAMP) - max("timestamp") FROM operation_events
                WHERE "user" IN (SELECT unnest($abusers)) AND bytes_written > 5e9
            )
            """,
            {"now": datetime.now(UTC).replace(tzinfo=None), "abusers": list(planted.abuses)},
        )
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [abuse_scores], instance=instance, resources={"warehouse_db": WarehouseResource()}
        )
        (made,) = result.asset_materializations_for_node("abuse_scores")
        skipped = abuse_sensor(dg.build_sensor_context(instance=instance))
        again = abuse_sensor(dg.build_sensor_context(instance=instance))
    pages = f"{made.metadata} {skipped} {again}"
    assert "u_synthetic" not in pages
    assert "bytes_written | 24" in pages
    assert "data:image/svg+xml" in pages
    assert "abuse list" in str(skipped)
    assert "nothing new" in str(again)
    log = alerts.read_log(command)
    culprits = {user for user, measure in planted.abuses.items() if measure == "bytes_written"}
    assert culprits <= {entry.user for entry in log} <= set(planted.abuses)
    assert {standing_of(command, user).state for user in culprits} == {"suspended"}  # type: ignore[union-attr]
    assert run("analytics", "abuse")["hours"]


def test_the_definitions_hold_and_the_sensor_runs() -> None:
    resources = dg.Definitions(resources={"warehouse_db": WarehouseResource()})
    definitions = dg.Definitions.merge(abuse_definitions(), resources)
    dg.Definitions.validate_loadable(definitions)
    assert abuse_sensor.default_status is dg.DefaultSensorStatus.RUNNING
    node = definitions.resolve_asset_graph().get(abuse_scores.key)
    assert (node.pools, node.group_name) == ({"warehouse"}, "analytics")
