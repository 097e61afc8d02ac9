"""Key figures: those of the events, and what was planted of adoption and retention is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.prices import SHIPPED, Prices, prices_of
from media_assets.analytics.questions import costs, histograms, kpi_periods, kpis, questions, retention
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.workflows import PLANTED_WORKFLOWS, derive, let_people_leave
from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets_tests.analytics.conftest import synthetic

PRICES = Prices("EUR", 0.36, 2.0, 10.0, 365.25 / 12, 1.0)
LATE = """
CREATE TEMP VIEW late_{kind}s AS SELECT * FROM {kind}_events
WHERE (SELECT max(CAST("timestamp" AS DATE)) FROM operation_events) - CAST("timestamp" AS DATE) < 28
"""


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(60_000, seed=4) as connection:
        let_people_leave(connection, seed=4)
        derive(connection, seed=4)
        for kind in ("operation", "workflow"):
            connection.execute(LATE.format(kind=kind))
        for name in ("kpis", "retention", "costs"):
            refresh(connection, questions()[name].rollups)
        yield connection


def one(connection: Connection, query: str) -> float:
    row = connection.execute(query).fetchone()
    assert row is not None
    return float(row[0])


def value(table: pd.DataFrame, kpi: str) -> float:
    return float(table.set_index("kpi")["value"][kpi])


def test_figures_of_28_days_are_those_of_the_events(events: Connection) -> None:
    found = kpis.answer(events)
    wanted = {
        "workflow success rate": """
            SELECT count(*) FILTER (outcome = 'done') / count(*) FILTER (outcome <> 'cancelled')
            FROM late_workflows""",
        "template adoption": "SELECT avg((template IS NOT NULL)::INT) FROM late_workflows",
        "people who use templates": """
            SELECT avg(used) FROM (SELECT max((template IS NOT NULL)::INT) AS used FROM late_workflows
            WHERE "user" IS NOT NULL GROUP BY "user")""",
        "cache hit rate": "SELECT avg((outcome = 'cached')::INT) FROM late_operations",
        "CPU time per minute made": """
            SELECT sum(cpu_seconds) * 60 / sum(output_seconds) FILTER (outcome = 'rendered')
            FROM late_operations""",
    }
    for kpi, query in wanted.items():
        assert value(found, kpi) == pytest.approx(one(events, query), rel=1e-9), kpi
    assert found["before"].notna().sum() >= len(wanted)


def test_times_to_completion_are_within_two_percent(events: Connection) -> None:
    found = kpis.answer(events)
    for kpi, share in (("time to completion, median", 0.5), ("time to completion, 95 %", 0.95)):
        exact = one(
            events,
            f"""
            SELECT quantile_disc(duration_ms / 1000, {share}) FROM late_workflows
            WHERE outcome = 'done' AND rendered > 0
            """,  # noqa: S608
        )
        assert abs(value(found, kpi) / exact - 1) <= histograms.ERROR + 1e-9


def test_the_planted_adoption_is_found_week_by_week(events: Connection) -> None:
    weeks = kpis.weekly(events, PRICES)
    first, last = PLANTED_WORKFLOWS.adoption
    full = weeks.iloc[1:-1]
    middle = (pd.to_datetime(full["period"]) - pd.to_datetime(weeks["period"].iloc[0])).dt.days + 3.5
    planted = first + (last - first) * middle / 90
    spread = np.sqrt(planted * (1 - planted) / full["adoptable"])
    assert len(full) >= 10
    assert ((full["adoption"] - planted).abs() < 4 * spread + 0.01).all()
    assert full["adopters"].iloc[-1] > full["adopters"].iloc[0] + 0.2


def test_retention_is_that_of_the_events_and_the_planted_one(events: Connection) -> None:
    raw = events.execute(
        """
        SELECT DISTINCT "user", CAST(date_trunc('week', "timestamp") AS DATE) AS week FROM operation_events
        WHERE "user" IS NOT NULL
        """
    ).df()
    raw["cohort"] = raw.groupby("user")["week"].transform("min")
    raw["later"] = (raw["week"] - raw["cohort"]).dt.days // 7
    sizes = raw.groupby("cohort")["user"].nunique()
    shares = raw.groupby(["cohort", "later"])["user"].nunique()
    found = retention.answer(events)
    last = pd.Timestamp("2026-10-31")
    for cohort, people, week, share in found.to_numpy(dtype=object).tolist():
        assert people == sizes[cohort] >= 5
        assert share == pytest.approx(shares.get((cohort, week), 0) / people)
        assert cohort + pd.Timedelta(days=7 * week + 6) <= last
    together = retention.pooled(found).set_index("week")
    for week, planted in enumerate(PLANTED_WORKFLOWS.retention, start=1):
        spread = np.sqrt(planted * (1 - planted) / together["people"][week])
        # Somebody who is there may do nothing all week, in one week of ten or fewer.
        assert planted - 0.1 - 3 * spread < together["share"][week] < planted + 3 * spread


def test_cohorts_of_fewer_than_five_are_not_shown(warehouse: Connection) -> None:
    generate(warehouse, 3_000, seed=1)
    users = [
        row[0]
        for row in warehouse.execute(
            'SELECT DISTINCT "user" FROM operation_events WHERE "user" IS NOT NULL ORDER BY ALL'
        ).fetchall()
    ]
    for count in (4, 5):
        warehouse.execute("UPDATE operation_events SET \"timestamp\" = TIMESTAMP '2026-10-01 12:00:00'")
        # Of these, some did something a week before all others.
        warehouse.execute(
            """
            UPDATE operation_events SET "timestamp" = "timestamp" - INTERVAL 7 DAY
            WHERE list_contains(?, "user")
            """,
            [users[:count]],
        )
        cohorts = questions()["retention"].asked(warehouse)
        assert (count in set(cohorts["people"])) is (count == 5)


def test_predictions_are_held_against_what_was_measured(warehouse: Connection) -> None:
    generate(warehouse, 4_000, seed=2)
    warehouse.execute("UPDATE operation_events SET expected_cpu_seconds = cpu_seconds * 1.5")
    warehouse.execute(
        "UPDATE operation_events SET predicted_cpu_seconds = cpu_seconds * 0.9 WHERE operation = 'trim'"
    )
    found = questions()["kpis"].asked(warehouse)
    assert value(found, "error of predictions, median") == pytest.approx(0.1, rel=0.021)
    assert value(found, "error of estimates, median") == pytest.approx(0.5, rel=0.021)


def test_costs_are_sums_by_the_price_table(events: Connection) -> None:
    found = costs.answer(events, PRICES).set_index("operation")
    exact = (
        events.execute(
            """
        SELECT operation, sum(cpu_seconds) * 0.0001 AS cpu,
            sum(bytes_written) FILTER (outcome = 'rendered') / 1e9 AS gigabytes,
            count(*) FILTER (outcome <> 'cached') AS performed
        FROM operation_events GROUP BY operation
        """
        )
        .df()
        .set_index("operation")
        .reindex(found.index)
    )
    for name, wanted in (
        ("cpu", exact["cpu"]),
        ("storage", 2 * exact["gigabytes"]),
        ("egress", 10 * exact["gigabytes"]),
        ("per_operation", (exact["cpu"] + 12 * exact["gigabytes"]) / exact["performed"]),
    ):
        assert np.allclose(found[name], wanted), name
    windows = kpi_periods.by_window(events, PRICES).set_index("period")
    assert 0 < windows["cost"]["latest"] + windows["cost"]["before"] < found["cost"].sum()


def test_the_cache_saves_what_rendering_takes_on_average(warehouse: Connection) -> None:
    generate(warehouse, 2_000, seed=3)
    warehouse.execute("UPDATE operation_events SET cpu_seconds = 36 WHERE outcome = 'rendered'")
    found = questions()["costs"].asked(warehouse)
    cached = (found["events"] - found["performed"]).to_numpy()
    assert cached.sum() > 0
    assert np.allclose(found["saved"], cached * 36 / 3600 * prices_of(Settings.from_environment()).cpu_hour)


def test_without_workflows_or_events_there_are_fewer_figures(warehouse: Connection) -> None:
    for name in ("kpis", "retention", "costs"):
        assert questions()[name].asked(warehouse).empty
    assert kpis.weekly(warehouse).empty
    assert kpi_periods.by_type(warehouse).empty
    generate(warehouse, 300, seed=1)
    names = set(questions()["kpis"].asked(warehouse)["kpi"])
    assert "cost" in names
    assert "workflow success rate" not in names


def test_asking_twice_gives_the_same_and_makes_nothing_again(events: Connection) -> None:
    for name in ("kpis", "retention", "costs"):
        question = questions()[name]
        assert set(refresh(events, question.rollups).values()) == {0}
        pd.testing.assert_frame_equal(question.answer(events), question.answer(events))


def test_people_who_leave_are_the_same_each_time_and_other_curves_give_others() -> None:
    def left(curve: tuple[float, ...]) -> float:
        with synthetic(3_000, seed=1) as connection:
            let_people_leave(connection, planted=replace(PLANTED_WORKFLOWS, retention=curve))
            return one(connection, "SELECT count(*) FROM operation_events")

    assert left((0.5,)) == left((0.5,)) < left((1.0,))


def test_prices_of_ones_own_are_read(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(SHIPPED.read_text().replace("cpu_hour: 0.04", "cpu_hour: 1").replace("EUR", "SEK"))
    found = prices_of(replace(settings, prices_path=path))
    assert (found.currency, found.cpu_hour) == ("SEK", 1.0)
    assert prices_of(settings).cpu(3600.0) == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("cpu_hour: [", "cannot be read"),
        ("- 1", "has not exactly"),
        ("cpu_hour: 1", "has not exactly"),
        ("negative", "cpu_hour is not a number from 0 up"),
        ("infinite", "gb_month is not a number from 0 up"),
        ("truth", "gb_egress is not a number from 0 up"),
        ("word", "currency is not a short word"),
    ],
)
def test_what_is_no_price_table_is_told(
    tmp_path: Path, settings: Settings, text: str | None, says: str
) -> None:
    path, shipped = tmp_path / "prices.yaml", SHIPPED.read_text()
    texts = {
        "negative": shipped.replace("cpu_hour: 0.04", "cpu_hour: -1"),
        "infinite": shipped.replace("gb_month: 0.02", "gb_month: .inf"),
        "truth": shipped.replace("gb_egress: 0.08", "gb_egress: yes"),
        "word": shipped.replace("currency: EUR", "currency: 7"),
    }
    if text is not None:
        path.write_text(texts.get(text, text))
    with pytest.raises(BadInput, match=says):
        prices_of(replace(settings, prices_path=path))
