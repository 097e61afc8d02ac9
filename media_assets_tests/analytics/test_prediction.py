"""Planted costs are found within their noise, parameters that matter are found, and errors are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection
from media_assets.analytics.estimates import factors_of, keep_factors, predictions
from media_assets.analytics.fitting import Measured, fitted, shrunk
from media_assets.analytics.influences import found_influences
from media_assets.analytics.questions import prediction, prediction_error
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets.planning.learnt import EVERY, Curve, Factors, Influence
from media_assets.settings import Settings
from media_assets_tests.analytics.conftest import synthetic


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(12_000, seed=3, rollups=prediction.ROLLUPS) as connection:
        yield connection


@pytest.fixture(scope="module")
def factors(events: Connection) -> Factors:
    return prediction.learnt(events)


def learnt_from(connection: Connection) -> Factors:
    refresh(connection, prediction.ROLLUPS)
    return prediction.learnt(connection)


def made_up(
    count: int, fixed: float, rate: float, noise: float, seed: int = 1, **parameters: float
) -> Measured:
    """Measurements of fixed + rate x scale, times e to the sum of parameters that are 0, 1 or 2."""
    chance = np.random.default_rng(seed)
    scales = np.exp(chance.uniform(-1, 3, count))
    traits = [{name: int(chance.integers(3)) for name in parameters} for _ in range(count)]
    shift = np.array([sum(parameters[name] * value for name, value in its.items()) for its in traits])
    values = (fixed + rate * scales) * np.exp(shift + chance.normal(0, noise, count))
    return Measured(scales, values, traits)


def test_planted_costs_are_found_within_their_noise(factors: Factors) -> None:
    for operation, cost in PLANTED.costs.items():
        if operation == PLANTED.slowed:
            continue
        curve = factors.unplanned["seconds"][operation]
        for work in (5.0, 20.0, 200.0):
            planted = (cost.fixed + cost.rate * work) / 1000
            assert curve.at(work, {}).value == pytest.approx(planted, rel=0.2), (operation, work)


def test_what_became_slower_is_predicted_as_slow_as_it_is_now(factors: Factors) -> None:
    cost = PLANTED.costs[PLANTED.slowed]
    now = PLANTED.slowdown * (cost.fixed + cost.rate * 30) / 1000
    curve = factors.unplanned["seconds"][PLANTED.slowed]
    assert curve.at(30.0, {}).value == pytest.approx(now, rel=0.2)


def test_four_of_five_measurements_are_in_the_range(factors: Factors) -> None:
    """Of renders that the curves were not learnt from."""
    inside, total = 0, 0
    with duckdb.connect() as later:
        tables.create(later)
        generate(later, 2_000, seed=9)
        rows = later.execute("FROM operation_events WHERE outcome = 'rendered'").df().to_dict("records")
    for row in rows:
        if row["operation"] != PLANTED.slowed:
            found = predictions(factors, row["operation"], json.loads(row["parameters"]), _numbers(row))
            inside += found["seconds"].low <= row["duration_ms"] / 1000 <= found["seconds"].high
            total += 1
    assert 0.74 < inside / total < 0.86


def _numbers(row: dict[object, object]) -> dict[str, object]:
    return {str(name): None if value != value else value for name, value in row.items()}


def test_a_line_is_found_through_noise_and_outliers() -> None:
    measured = made_up(200, 2.0, 0.5, 0.2)
    measured.values[::20] *= 8.0  # the machine was busy
    curve = fitted({"resize": measured}, alike=False)["resize"]
    assert curve.fixed == pytest.approx(2.0, rel=0.2)
    assert curve.rate == pytest.approx(0.5, rel=0.15)


def test_few_measurements_are_drawn_to_what_all_operations_say() -> None:
    """Nine operations take twice what was expected; of a tenth, five renders took six times as long."""
    many = {f"op{n}": made_up(40, 0.0, 2.0, 0.3, seed=n) for n in range(9)}
    curves = fitted({**many, "rare": made_up(5, 0.0, 6.0, 0.3, seed=50)}, alike=True)
    assert 2.0 < curves["rare"].at(5.0, {}).value / 5.0 < 6.0
    assert curves["op1"].at(5.0, {}).value == pytest.approx(10.0, rel=0.15)
    assert curves[EVERY].at(5.0, {}).value == pytest.approx(10.0, rel=0.2)


def test_groups_that_do_not_differ_are_all_alike() -> None:
    assert shrunk(np.array([1.0, 1.1, 0.9]), 1.0, np.full(3, 5)) == pytest.approx([1.0, 1.0, 1.0])
    apart = shrunk(np.array([0.0, 5.0, 10.0]), 0.1, np.full(3, 50))
    assert apart == pytest.approx([0.0, 5.0, 10.0], abs=0.05)


def test_the_parameters_that_matter_are_found_and_others_are_not() -> None:
    measured = made_up(150, 0.0, 1.0, 0.1, crf=-0.4, preset=0.3, colour=0.0)
    curve = fitted({"encode": measured}, alike=False)["encode"]
    assert {one.trait for one in curve.influences} == {"crf", "preset"}
    low, high = (curve.at(10.0, {"crf": crf, "preset": 1}).value for crf in (2, 0))
    assert high / low == pytest.approx(np.exp(0.8), rel=0.1)


def test_nothing_is_found_where_there_is_nothing() -> None:
    chance = np.random.default_rng(2)
    found = 0
    for _ in range(40):
        errors = chance.normal(0, 0.3, 60)
        traits = [{f"p{n}": int(chance.integers(4)) for n in range(6)} for _ in errors]
        found += len(found_influences(errors, traits))
    assert found <= 4


def test_what_is_given_is_never_told_by_its_name() -> None:
    """Seven sources that differ for no reason that any number of theirs tells."""
    chance = np.random.default_rng(5)
    which = np.arange(140) % 7
    errors = chance.normal(0, 0.5, 7)[which] + chance.normal(0, 0.05, 140)
    details = chance.permutation(7)
    found = found_influences(errors, [{"detail (given)": float(details[n])} for n in which])
    assert all(not one.levels for one in found)


def test_an_influence_goes_no_further_than_anybody_has_been() -> None:
    slope = Influence("crf", slope=-0.1, centre=20, least=18, most=30)
    assert slope.of({"crf": 51}) == slope.of({"crf": 30}) == pytest.approx(-1.0)
    assert slope.of({}) == slope.of({"crf": "high"}) == 0.0


def test_what_is_kept_for_the_planner_is_what_was_learnt(factors: Factors, settings: Settings) -> None:
    assert factors_of(settings) == Factors()
    keep_factors(factors, settings)
    assert factors_of(settings) == factors
    settings.predictions_path.write_text("{damaged")
    assert factors_of(settings) == Factors()


def test_only_events_of_the_latest_machine_count(warehouse: Connection) -> None:
    generate(warehouse, 2_000, seed=4)
    warehouse.execute(
        """
        UPDATE operation_events SET machine = 'darwin-arm64-8', duration_ms = duration_ms * 10
        WHERE "timestamp" < (SELECT quantile_cont("timestamp", 0.4) FROM operation_events)
        """
    )
    cost, curve = PLANTED.costs["encode"], learnt_from(warehouse).unplanned["seconds"]["encode"]
    assert curve.at(20.0, {}).value == pytest.approx((cost.fixed + cost.rate * 20) / 1000, rel=0.35)


def test_errors_are_those_of_predicted_against_measured(
    warehouse: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_FEWEST_USERS", "1")
    generate(warehouse, 1_000, seed=4)
    assert prediction_error.times_off(warehouse_with_samples(warehouse)) == (None, 0)
    warehouse.execute(
        """
        UPDATE operation_events SET predicted_cpu_seconds = 1.25 * cpu_seconds,
            predicted_ms = 0.5 * duration_ms, predicted_bytes = bytes_written
        WHERE outcome = 'rendered'
        """
    )
    warehouse.execute("DELETE FROM rollup_days")
    table = prediction_error.answer(warehouse_with_samples(warehouse))
    every = table[table["operation"] == prediction_error.ALL].set_index("quantity")
    assert every["error"].to_dict() == pytest.approx(
        {"cpu_seconds": 0.25, "seconds": 0.5, "disk_bytes": 0.0}
    )
    assert every["ratio"]["cpu_seconds"] == pytest.approx(1.25)
    error, renders = prediction_error.times_off(warehouse)
    assert error == pytest.approx(0.25)
    assert renders == every["events"]["cpu_seconds"]


def warehouse_with_samples(connection: Connection) -> Connection:
    refresh(connection, prediction.ROLLUPS)
    return connection


def test_without_events_nothing_is_learnt(warehouse: Connection) -> None:
    assert learnt_from(warehouse) == Factors()
    assert prediction.answer(warehouse).empty
    assert prediction_error.answer(warehouse).empty


def test_a_warehouse_from_before_gets_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "old.duckdb"
    with duckdb.connect(str(path)) as connection:
        tables.create(connection)
        connection.execute("ALTER TABLE operation_events DROP COLUMN predicted_ms")
    with duckdb.connect(str(path)) as connection:
        tables.create(connection)
        connection.execute("SELECT predicted_ms FROM operation_events")


def test_a_curve_is_never_below_nothing() -> None:
    curve = Curve(fixed=-1.0, rate=1.0)
    assert curve.base(0.5) > 0
