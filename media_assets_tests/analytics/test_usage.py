"""Use and speed: sums that are those of the events, percentiles within 2 %, planted slow-downs found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import histograms, questions, usage, usage_plots
from media_assets.analytics.questions.statistics import newcombe, theil_sen, wilson
from media_assets.analytics.questions.usage_parameters import failing_parameters, slow_parameters
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets.errors import BadInput
from media_assets_tests.analytics.conftest import synthetic

EVENTS = 40_000


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(EVENTS, seed=3, rollups=usage.ROLLUPS) as connection:
        yield connection


@pytest.mark.parametrize("by", [("operation",), ("operation", "day"), usage.DIMENSIONS])
def test_figures_are_those_of_the_events(
    events: Connection, by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_FEWEST_USERS", "1")
    named = ", ".join(by)
    # Rows of nobody who is known are of too few people to be shown.
    whole = events.execute(
        f"""
        WITH named AS (
            SELECT * REPLACE (
                coalesce(output_format, 'none') AS output_format,
                coalesce(resolution_class, 'none') AS resolution_class
            ) FROM operations
        )
        SELECT {named}, count(*) AS events, avg(CAST(success AS DOUBLE)) AS success_rate,
            avg(CAST(outcome = 'cached' AS DOUBLE)) AS cache_hit_rate,
            quantile_disc(seconds, 0.5) FILTER (outcome = 'rendered') AS p50_seconds,
            quantile_disc(seconds, 0.95) FILTER (outcome = 'rendered') AS p95_seconds,
            sum(output_seconds) FILTER (outcome = 'rendered') / sum(seconds) FILTER (outcome = 'rendered')
                AS realtime,
            sum(cpu_seconds) / 3600 AS cpu_hours, CAST(sum(bytes_written) AS DOUBLE) AS bytes_written
        FROM named GROUP BY {named} HAVING count("user") > 0
        """  # noqa: S608
    ).df()
    found = usage.used(events, by)
    both = found.merge(whole, on=list(by), suffixes=("", "_whole"))
    assert len(both) == len(found) == len(whole)
    for name in ("events", "success_rate", "cache_hit_rate", "realtime", "cpu_hours", "bytes_written"):
        assert np.allclose(both[name], both[f"{name}_whole"], rtol=1e-9, equal_nan=True), name
    for name in ("p50_seconds", "p95_seconds"):
        off = (both[name] / both[f"{name}_whole"] - 1).abs()
        assert (off.dropna() <= histograms.ERROR + 1e-9).all()
        assert both[name].isna().equals(both[f"{name}_whole"].isna())


def test_the_slow_down_is_found_and_no_other(events: Connection) -> None:
    table = usage.answer(events).set_index("operation")
    assert table["trend"][table["trend"] != ""].to_dict() == {PLANTED.slowed: "slower"}
    # It began 22 days before the end, so the 14 days before the latest 14 have some of it.
    assert 1 < table["change_low"][PLANTED.slowed] < table["change"][PLANTED.slowed] < PLANTED.slowdown
    assert table["slope_low"][PLANTED.slowed] > 0


def test_what_became_faster_is_told() -> None:
    with synthetic(20_000, seed=104, planted=replace(PLANTED, slowed="encode", slowdown=0.5)) as connection:
        table = questions()["usage"].asked(connection).set_index("operation")
    assert table["trend"][table["trend"] != ""].to_dict() == {"encode": "faster"}


def test_larger_files_are_no_slow_down() -> None:
    with synthetic(15_000, seed=5, planted=replace(PLANTED, slowdown=1.0)) as connection:
        connection.execute(
            """
            DELETE FROM operation_events
            WHERE "timestamp" > TIMESTAMP '2026-09-15' AND input_seconds * width * height < 30e6
            """
        )
        times = connection.execute(
            """
            SELECT "timestamp" > TIMESTAMP '2026-09-15' AS late, median(duration_ms) FROM operation_events
            WHERE operation = 'encode' AND outcome = 'rendered' GROUP BY ALL ORDER BY ALL
            """
        ).fetchall()
        assert times[1][1] > 1.3 * times[0][1]
        table = questions()["usage"].asked(connection)
    assert set(table["trend"]) == {""}


def test_failing_parameters_are_found_and_none_is_slow(events: Connection) -> None:
    failing = failing_parameters(events)
    assert set(zip(failing["operation"], failing["parameter"], failing["value"], strict=True)) == {
        ("resize", "width", "1281"),
        ("resize", "width", "853"),
    }
    assert (failing["failure_rate"] == 1).all()
    assert slow_parameters(events).empty


def test_a_slow_value_is_found_with_its_ratio(warehouse: Connection) -> None:
    generate(warehouse, 20_000, seed=6)
    warehouse.execute(
        """
        UPDATE operation_events SET duration_ms = duration_ms * 3
        WHERE operation = 'encode' AND (parameters->>'video_codec') = 'vp9' AND outcome = 'rendered'
        """
    )
    questions()["usage"].asked(warehouse)
    (row,) = slow_parameters(warehouse).to_dict("records")
    assert (row["operation"], row["parameter"], row["value"]) == ("encode", "video_codec", "vp9")
    assert row["low"] < 3 < row["high"]
    assert row["ratio"] == pytest.approx(3, rel=0.1)


GIVEN: list[tuple[dict[str, object], str]] = [
    ({"a": 0}, "0"),
    ({"a": 0.0}, "0.0"),
    ({"a": 1281}, "1281"),
    ({"a": -0.123456}, "-0.12"),
    ({"a": 123456}, "120000.0"),
    ({"a": 9223372036854775807}, "9.2e+18"),
    ({"a": 1e300}, "1e+300"),
    ({"a": "longword"}, "longword"),
    ({"a": True}, "true"),
]


def test_any_value_has_its_row(warehouse: Connection) -> None:
    for number, (parameters, _) in enumerate([*GIVEN, ({}, "")]):
        warehouse.execute(
            """
            INSERT INTO operation_events BY NAME
            SELECT uuidv7() AS event_id, TIMESTAMP '2026-10-01' AS "timestamp", 'w' AS writer,
                ? AS "sequence", 'cli' AS platform, 'linux-x86_64-2' AS machine, 'trim' AS operation,
                'rendered' AS outcome, true AS success, CAST(? AS JSON) AS parameters, 5.0 AS duration_ms
            """,
            [number, json.dumps(parameters)],
        )
    assert questions()["usage"].asked(warehouse)["events"].tolist() == [len(GIVEN) + 1]
    rows = warehouse.execute('SELECT parameter, "value", events FROM usage_parameters').fetchall()
    assert sorted(rows) == sorted([("", "", len(GIVEN) + 1), *(("a", spelt, 1) for _, spelt in GIVEN)])


def test_what_few_people_did_is_not_shown(warehouse: Connection) -> None:
    generate(warehouse, 5_000, seed=7)
    warehouse.execute(
        """
        UPDATE operation_events SET operation = 'rare'
        WHERE operation = 'trim'
            AND "user" IN (SELECT DISTINCT "user" FROM operation_events ORDER BY 1 LIMIT 4)
        """
    )
    shown = questions()["usage"].asked(warehouse)
    assert "rare" not in set(shown["operation"])
    assert "trim" in set(shown["operation"])


def test_who_is_alone_sees_what_he_did(warehouse: Connection) -> None:
    generate(warehouse, 500, seed=8)
    warehouse.execute(
        """UPDATE operation_events SET "user" = 'u_synthetic_00000000000000000000000000000000'"""
    )
    assert questions()["usage"].asked(warehouse)["events"].sum() == len(
        warehouse.execute("FROM operation_events").fetchall()
    )


def test_plots_show_the_operations(events: Connection) -> None:
    drawn = usage_plots.drawn(events, usage.answer(events))
    assert set(drawn) == {"Time", "Pace", "Success"}
    assert all(len(svg) < 150_000 and PLANTED.slowed in svg for svg in drawn.values())


def test_without_events_there_is_an_empty_answer_and_plots_of_nothing(warehouse: Connection) -> None:
    table = questions()["usage"].asked(warehouse)
    assert table.empty
    assert slow_parameters(warehouse).empty
    assert failing_parameters(warehouse).empty
    assert usage_plots.drawn(warehouse, table)


@pytest.mark.parametrize("by", [(), ("user",), ("operation", "1; DROP TABLE usage_days")])
def test_sums_by_something_else_are_refused(warehouse: Connection, by: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="no sums by"):
        usage.used(warehouse, by)


def test_percentiles_are_whole_events_as_ordered() -> None:
    values = np.array([1.0, 2.0, 4.0, 800.0])
    buckets = np.ceil(np.log(values) / np.log(histograms.GROWTH)).astype(int)
    table = pd.DataFrame({"key": "a", "bucket": buckets, "events": 1})
    found = histograms.percentiles(table, ["key"], {"p25": 0.25, "p50": 0.5, "p95": 0.95}).iloc[0]
    assert found["timed"] == 4
    assert list(found[["p25", "p50", "p95"]]) == [pytest.approx(v, rel=0.0201) for v in (1.0, 2.0, 800.0)]


def test_intervals_are_those_of_the_papers() -> None:
    # Newcombe 1998, table II, method 10: 56/70 against 48/80, and 9/10 against 3/10.
    hits, of, other_hits, other_of = np.array([[56, 9], [70, 10], [48, 3], [80, 10]], dtype=float)
    difference = newcombe(hits, of, other_hits, other_of, 1.96)
    assert np.round(difference.low, 4).tolist() == [0.0524, 0.1705]
    assert np.round(difference.high, 4).tolist() == [0.3339, 0.8090]
    # Newcombe 1998, two-sided intervals for the single proportion, method 3: 81/263 and 0/20.
    share = wilson(np.array([81.0, 0.0]), np.array([263.0, 20.0]), 1.959964)
    assert np.round(share.low, 4).tolist() == [0.2553, 0.0]
    assert np.round(share.high, 4).tolist() == [0.3662, 0.1611]


def test_a_trend_is_not_moved_by_a_few_bad_days() -> None:
    days = np.arange(30.0)
    values = 0.1 * days
    values[[3, 17, 25]] += 50
    slope = theil_sen(days, values, 2.58)
    assert slope.value == pytest.approx(0.1)
    assert slope.low > 0
