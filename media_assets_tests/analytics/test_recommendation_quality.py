"""Recommendations are better than simpler ones on what came later, and what makes them worse is seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.recommender import history
from media_assets.analytics.recommender.evaluation import (
    COMMON,
    LAST,
    OURS,
    POPULAR,
    VARIANTS,
    Evaluation,
    evaluate,
    window_bounds,
)
from media_assets.analytics.recommender.uses import ROLLUP
from media_assets.analytics.rollups import refresh
from media_assets_tests.analytics.conftest import synthetic
from media_assets_tests.analytics.doing import do

NOW = datetime(2026, 11, 2, 12)


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(30_000, seed=5, rollups=[ROLLUP]) as connection:
        yield connection


@pytest.fixture(scope="module")
def evaluation(events: Connection) -> Evaluation:
    return evaluate(events, fewest=5)


def of(frame: pd.DataFrame, variant: str, kind: str = "all") -> pd.Series[float]:
    (row,) = frame[(frame["variant"] == variant) & (frame["kind"] == kind)].to_dict("records")
    return pd.Series(row)


@pytest.mark.parametrize("kind", ["all", "video", "audio", "image"])
def test_ours_beat_the_most_popular_and_the_last_one(evaluation: Evaluation, kind: str) -> None:
    popular, last, common, ours = (of(evaluation.whole, variant, kind) for variant in VARIANTS)
    for measure in ("hit_1", "hit_3", "mrr") if kind == "all" else ("hit_1", "mrr"):
        assert popular[measure] < last[measure] < ours[measure]
    assert popular["hit_1"] < last["hit_1"] < common["hit_1"]
    assert ours["gain"] > 2 * ours["gain_error"] > 0
    assert ours["gain"] == pytest.approx(ours["mrr"] - last["mrr"])
    assert ours["bits"] < last["bits"] < popular["bits"]
    assert ours["ends_told"] > max(ours["ends"], 1 - ours["ends"])


def test_ones_own_history_tells_more_of_what_comes_first(evaluation: Evaluation) -> None:
    common, ours = of(evaluation.whole, COMMON), of(evaluation.whole, OURS)
    assert ours["hit_1"] > common["hit_1"] + 0.01
    assert ours["bits"] < common["bits"]


def test_windows_are_weeks_up_to_the_last_day(events: Connection, evaluation: Evaluation) -> None:
    bounds = window_bounds(events)
    row = events.execute('SELECT max(CAST("timestamp" AS DATE)) FROM operation_events').fetchone()
    assert row is not None
    assert bounds[-1] == row[0] - timedelta(days=6)
    assert {(b - a).days for a, b in pairwise(bounds)} == {7}
    assert sorted(set(evaluation.windows["window"])) == bounds[1:]


def test_nothing_of_a_window_is_known_when_it_is_told(events: Connection, evaluation: Evaluation) -> None:
    last = max(evaluation.windows["window"])
    events.execute("BEGIN")
    try:
        events.execute("UPDATE recommendation_days SET operation = 'volume' WHERE day >= ?", [last])
        changed = evaluate(events, fewest=5).windows
    finally:
        events.execute("ROLLBACK")
    before, now = (
        frame[frame["window"] < last].reset_index(drop=True) for frame in (evaluation.windows, changed)
    )
    pd.testing.assert_frame_equal(before, now)
    assert of(changed[changed["window"] == last], OURS)["hit_1"] < 0.1


def test_an_evaluation_is_the_same_again(events: Connection, evaluation: Evaluation) -> None:
    again = evaluate(events, fewest=5)
    pd.testing.assert_frame_equal(evaluation.whole, again.whole)
    assert again.weight == evaluation.weight


@pytest.mark.parametrize("days", [0, 1, 2, 3, 8])
def test_few_days_are_evaluated_as_far_as_they_go(warehouse: Connection, days: int) -> None:
    for day in range(days):
        do(warehouse, "u1", ["trim", "resize"], at=datetime(2026, 10, 1 + day, 9))
    refresh(warehouse, [ROLLUP])
    found = evaluate(warehouse, fewest=5)
    assert len(set(found.windows["window"])) == max(0, min(days - 2, 4))
    if days > 2:
        assert of(found.whole, OURS)["hit_1"] == 1.0


def test_evaluations_are_kept_once_and_a_fall_is_seen(
    warehouse: Connection, evaluation: Evaluation
) -> None:
    history.remember(warehouse, evaluation, NOW)
    history.remember(warehouse, evaluation, NOW + timedelta(hours=1))
    assert len(history.past_evaluations(warehouse)) == len(VARIANTS)
    assert history.learnt_weight(warehouse) == evaluation.weight
    assert history.problems(warehouse) == []
    history.remember(warehouse, changed(evaluation, mrr=-0.1), NOW + timedelta(hours=2))
    (problem,) = history.problems(warehouse)
    assert "fell by 0.100 within 7 days" in problem
    history.remember(warehouse, changed(evaluation, mrr=-0.11), NOW + timedelta(days=8))
    assert history.problems(warehouse) == []


def test_to_be_worse_than_the_last_one_is_seen(warehouse: Connection, evaluation: Evaluation) -> None:
    gain = of(evaluation.whole, OURS)["gain"]
    history.remember(warehouse, changed(evaluation, gain=-gain - 0.05), NOW)
    (problem,) = history.problems(warehouse)
    assert problem == "the most frequent after the last operation does better: 1 / rank is 0.050 higher"
    few = changed(evaluation, gain=-gain - 0.05, operations=99 - of(evaluation.whole, OURS)["operations"])
    history.remember(warehouse, few, NOW + timedelta(hours=1))
    assert history.problems(warehouse) == []


def changed(evaluation: Evaluation, **by: float) -> Evaluation:
    whole = evaluation.whole.copy()
    for name, difference in by.items():
        whole[name] = whole[name] + difference
    return Evaluation(evaluation.windows, whole, evaluation.weight)


def test_baselines_are_what_they_say(events: Connection, evaluation: Evaluation) -> None:
    """The most popular operation of each kind, counted again by a query of its own."""
    first = min(evaluation.windows["window"])
    window = evaluation.windows[evaluation.windows["window"] == first]
    row = events.execute(
        """
        WITH popular AS (
            SELECT source_kind, mode(operation) AS operation FROM operation_events
            WHERE previous IS NOT NULL AND "timestamp" < $first GROUP BY ALL
        )
        SELECT avg(CAST(told.operation = popular.operation AS INTEGER)), count(*)
        FROM operation_events AS told JOIN popular USING (source_kind)
        WHERE previous IS NOT NULL AND "timestamp" >= $first
            AND "timestamp" < CAST($first AS DATE) + INTERVAL 7 DAY
        """,
        {"first": first},
    ).fetchone()
    assert row is not None
    popular = of(window, POPULAR)
    assert popular["operations"] == row[1]
    assert popular["hit_1"] == pytest.approx(row[0])
    assert of(window, LAST)["gain"] == 0
