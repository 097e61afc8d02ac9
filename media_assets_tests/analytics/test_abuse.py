"""Abuse is found where it was planted, and hardly anywhere else; what is little or usual is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import abuse
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.judging import judge
from media_assets.settings import Settings

SETTINGS = Settings.from_environment(environment={})
START = datetime(2026, 10, 1)


def found(connection: Connection, settings: Settings = SETTINGS, days: int = 400) -> pd.DataFrame:
    refresh(connection, abuse.ROLLUPS)
    windows = abuse.windows(connection, days=days)
    return abuse.alarming(windows, abuse.usual(windows, settings), settings.abuse_z)


def add(
    connection: Connection,
    user: str,
    hours: Mapping[float, int],
    cpu: float = 1.0,
    outcome: str = "rendered",
) -> None:
    """So many operations each so many hours after `START`."""
    connection.execute(
        """
        INSERT INTO operation_events BY NAME
        SELECT
            uuidv7() AS event_id, "timestamp", 'a-writer' AS writer, 1 AS "sequence", $user AS "user",
            'trim' AS operation, $outcome AS outcome, $outcome <> 'failed' AS success,
            $cpu AS cpu_seconds, 1000 AS bytes_written, 'cli' AS platform,
            'linux-x86_64-2' AS machine, 10.0 AS duration_ms
        FROM (SELECT unnest($at::TIMESTAMP[]) AS "timestamp", unnest($counts::INTEGER[]) AS times),
            range(times)
        """,
        {
            "at": [START + timedelta(hours=hour) for hour in hours],
            "counts": list(hours.values()),
            "user": user,
            "outcome": outcome,
            "cpu": cpu,
        },
    )


def everybody(connection: Connection, users: int = 8) -> None:
    """Ordinary work: three to six operations in each of thirty hours, on thirty days."""
    for number in range(users):
        hours = {24.0 * day + 9 + number % 3: 3 + (day + number) % 4 for day in range(30)}
        add(connection, f"u_test_{number:032x}", hours)


@pytest.mark.parametrize("seed", [4, 5])
def test_planted_abusers_are_found_by_what_they_did_and_others_are_not(seed: int) -> None:
    with duckdb.connect() as connection:
        tables.create(connection)
        planted = generate(connection, 40_000, seed=seed)
        judged = judge(connection, planted, SETTINGS)
    assert set(judged.planted) == set(abuse.MEASURES)
    assert judged.found == judged.planted
    assert judged.users > 50
    assert judged.false_users <= 0.01 * judged.users
    assert judged.false_hours <= 0.01 * judged.hours


def test_a_burst_is_told_in_words_with_what_is_usual(warehouse: Connection) -> None:
    everybody(warehouse)
    add(warehouse, "u_test_" + "0" * 32, {700.5: 4012}, cpu=0.0)
    row = abuse.told(found(warehouse)).iloc[0]
    assert (row["user"], row["hour"]) == ("u_test_" + "0" * 32, START + timedelta(hours=700))
    assert row["reasons"].startswith("4,012 operations in one hour, usual 5, own 4, z ")
    assert row["score"] > 10
    assert f"z {row['score']:.1f}" in row["reasons"]


def test_windows_roll_over_midnight_and_end_with_the_hour(warehouse: Connection) -> None:
    everybody(warehouse)
    add(warehouse, "u_test_" + "f" * 32, {718.5: 50, 719.5: 50, 720.5: 50, 723.5: 50, 725.5: 50, 743.5: 50})
    windows = found(warehouse)
    own = windows[(windows["user"] == "u_test_" + "f" * 32) & (windows["measure"] == "operations")]
    six, day = (
        dict(zip(part["hour"], part["value"].round(), strict=True))
        for part in (own[own["hours"] == 6], own[own["hours"] == 24])
    )
    at = {hour: START + timedelta(hours=hour) for hour in (719, 720, 723, 725, 743)}
    assert six == {at[719]: 100, at[720]: 150, at[723]: 200, at[725]: 150}
    assert day[at[725]] == 250
    assert day[at[743]] == 200  # 24 hours before 744:00 begin at 720:00
    assert own["own_usual"].isna().all()


def test_failures_and_costs_are_abuse_of_their_own(warehouse: Connection) -> None:
    everybody(warehouse)
    add(warehouse, "u_test_" + "a" * 32, {650.0: 30}, outcome="failed")
    add(warehouse, "u_test_" + "b" * 32, {651.0: 8}, cpu=2000.0)
    windows = found(warehouse)
    assert set(zip(windows["user"].str[-1], windows["measure"], strict=True)) == {
        ("a", "failures"),
        ("b", "cpu_seconds"),
    }


def test_who_always_does_much_is_no_abuser(warehouse: Connection) -> None:
    everybody(warehouse)
    busy = "u_test_" + "c" * 32
    add(warehouse, busy, {24.0 * day + 10: 300 for day in range(9)})
    assert set(found(warehouse)["user"]) == {busy}
    add(warehouse, busy, {24.0 * day + 10: 300 for day in range(9, 30)})
    assert found(warehouse).empty
    add(warehouse, busy, {650.0: 30_000})
    windows = found(warehouse)
    assert set(windows[windows["hours"] == 1]["hour"]) == {START + timedelta(hours=650)}


def test_little_is_no_abuse_however_unusual(warehouse: Connection) -> None:
    everybody(warehouse)
    add(warehouse, "u_test_" + "d" * 32, {650.0: 99})
    assert found(warehouse).empty
    lower = replace(SETTINGS, abuse_operations=50.0)
    assert set(found(warehouse, lower)["measure"]) == {"operations"}
    assert found(warehouse, replace(lower, abuse_z=12.0)).empty


def test_few_users_are_compared_with_nobody(warehouse: Connection) -> None:
    everybody(warehouse, users=4)
    add(warehouse, "u_test_" + "0" * 32, {650.0: 5000})
    assert found(warehouse).empty
    assert not found(warehouse, replace(SETTINGS, fewest_users=4)).empty


def test_old_abuse_is_not_looked_for_again(warehouse: Connection) -> None:
    everybody(warehouse)
    add(warehouse, "u_test_" + "e" * 32, {5.0: 5000, 700.0: 5000})
    assert found(warehouse)["hour"].nunique() == 2
    assert set(found(warehouse, days=28)["hour"]) == {START + timedelta(hours=700)}


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("operations", 4012.0, "4,012"),
        ("cpu_seconds", 0.4, "0"),
        ("bytes_written", 0.0, "0 B"),
        ("bytes_written", 1.5e9, "1.5 GB"),
        ("bytes_written", 5e15, "5,000 TB"),
    ],
)
def test_amounts_read_as_people_write_them(measure: str, value: float, text: str) -> None:
    assert abuse.amount(measure, value) == text


def test_without_events_there_is_no_abuse(warehouse: Connection) -> None:
    refresh(warehouse, abuse.ROLLUPS)
    assert list(abuse.answer(warehouse).columns) == ["user", "hour", "score", "reasons"]
    windows = abuse.windows(warehouse)
    assert abuse.limits(abuse.usual(windows, SETTINGS)).empty
    assert abuse.distances(windows, []).empty
