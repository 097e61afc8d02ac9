"""What was planted to fail is found with its conditions, counts and advice; what was not, is not."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from media_assets.analytics import tables
from media_assets.analytics.connection import Connection
from media_assets.analytics.guarding import Guard, guards_for, guards_in, guards_of, keep_guards
from media_assets.analytics.questions import questions
from media_assets.analytics.questions.conditions import Condition
from media_assets.analytics.questions.errors import stages
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets.job_plans import plan_job
from media_assets.settings import Settings
from media_assets_tests.analytics.conftest import synthetic
from media_assets_tests.making import clip

EVENTS = 20_000
ACTIONS = {"odd": "pad_to_even", "prores": "convert_source"}


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    """Events without a planted failure."""
    with synthetic(EVENTS, seed=2, planted=replace(PLANTED, guards=())) as connection:
        yield connection


@pytest.fixture
def changed(events: Connection) -> Iterator[Connection]:
    """Those events, to change as a test likes."""
    events.begin()
    yield events
    events.rollback()


def fail(connection: Connection, condition: str, error: str = "FfmpegFailed") -> None:
    """Let what was performed under a condition fail."""
    connection.execute(
        f"""
        UPDATE operation_events SET outcome = 'failed', success = false, error = ?
        WHERE outcome = 'rendered' AND {condition}
        """,  # noqa: S608
        [error],
    )


def found(connection: Connection) -> list[dict[Hashable, Any]]:
    """The answer, as rows; the sums are made again, whatever transaction is open."""
    with duckdb.connect() as copy:
        tables.create(copy)
        rows = connection.execute("FROM operation_events").df()
        copy.register("rows", rows)
        copy.execute("INSERT INTO operation_events BY NAME FROM rows")
        return questions()["errors"].asked(copy).to_dict("records")


def test_planted_failures_are_found_and_counted(warehouse: Connection) -> None:
    generate(warehouse, EVENTS, seed=1)
    answer = questions()["errors"].asked(warehouse)
    rows = {row["operation"]: row for row in answer.to_dict("records")}
    assert len(answer) == len(rows) == len(PLANTED.guards)
    for guard in PLANTED.guards:
        row = rows[guard.operation]
        (condition,) = json.loads(row["conditions"])
        assert condition["field"] == guard.field
        assert guard.value in (condition["test"], condition["value"])
        # Of those that do not fail some are cached, so they were never performed.
        assert guard.share - 0.02 <= row["high"]
        assert row["low"] <= guard.share / (guard.share + (1 - guard.share) * 0.7)
        assert row["error"] == guard.error
        assert row["action"] == ACTIONS[guard.value]
    resize = rows["resize"]
    counted = warehouse.execute(
        """
        SELECT count(*) FROM operation_events WHERE operation = 'resize' AND outcome <> 'cached'
            AND CAST(parameters->>'width' AS INTEGER) % 2 = 1
            AND "timestamp" >= (SELECT max(CAST("timestamp" AS DATE)) - 89 FROM operation_events)
        """
    ).fetchone()
    assert (resize["events"],) == counted
    wanted = f"resize with odd width: 100% of {resize['events']} fail (FfmpegFailed); pad to even"
    assert resize["suggestion"] == wanted


def test_where_nothing_was_planted_nothing_is_found(events: Connection) -> None:
    assert found(events) == []


def test_two_conditions_that_fail_together_only_are_one_guard(changed: Connection) -> None:
    fail(changed, "operation = 'encode' AND resolution_class = 'uhd' AND source_codec = 'hevc'")
    (row,) = found(changed)
    assert row["operation"] == "encode"
    told = {(one["field"], one["test"]) for one in json.loads(str(row["conditions"]))}
    assert ("source_codec", "is") in told
    # A picture's class, width and height say the same here.
    assert len(told) == 2
    assert {field for field, _ in told} <= {"source_codec", "resolution_class", "width", "height"}
    assert row["failure_rate"] == 1


def test_a_range_of_numbers_is_found(changed: Connection) -> None:
    fail(
        changed,
        "operation = 'trim' AND CAST(json_extract_string(parameters, '$.duration') AS DOUBLE) >= 12",
        "TimeLimitExceeded",
    )
    (row,) = found(changed)
    assert json.loads(str(row["conditions"])) == [
        {"field": "parameters.duration", "test": "at_least", "value": 12.0}
    ]
    assert row["action"] == "raise_time_limit"
    assert "raise the time limit" in str(row["suggestion"])


def test_what_nothing_is_known_against_says_so(changed: Connection) -> None:
    fail(changed, "operation = 'deinterlace' AND hash(event_id) % 5 > 0 AND source_codec = 'h264'")
    fail(changed, "operation = 'crop' AND json_extract_string(parameters, '$.aspect') = '9:16'")
    rows = {row["operation"]: row for row in found(changed)}
    assert rows["crop"]["action"] == ""
    assert str(rows["crop"]["suggestion"]).endswith("no action known")
    assert rows["deinterlace"]["action"] == "convert_source"


def test_a_full_disk_is_no_parameters_fault(changed: Connection) -> None:
    fail(changed, "operation = 'encode' AND resolution_class = 'uhd'", "DiskFull")
    assert found(changed) == []


def test_guards_are_kept_and_apply_to_what_is_about_to_be_done(
    warehouse: Connection, settings: Settings
) -> None:
    assert guards_of(settings) == ()
    generate(warehouse, 10_000, seed=1)
    keep_guards(guards_in(questions()["errors"].asked(warehouse)), settings)
    guards = guards_of(settings)
    for width, applies in ((641, True), (640, False), (None, False), ("641", False), (641.0, False)):
        assert bool(guards_for(guards, "resize", {"width": width}, {})) is applies, width
    assert guards_for(guards, "stabilize", {}, {"source_codec": "prores"})
    assert not guards_for(guards, "stabilize", {}, {})
    assert not guards_for(guards, "encode", {"width": 641}, {"source_codec": "prores"})


def test_a_plan_warns_of_what_mostly_failed(settings: Settings) -> None:
    clip(settings, settings.source_root / "a.mp4")
    path = settings.data_root / "job.json"
    cut = {"op": "trim", "input": "a", "output": "cut", "params": {"start": 0.5, "duration": 1}}
    path.write_text(
        json.dumps(
            {"inputs": [{"id": "a", "source": "a.mp4"}], "operations": [cut], "outputs": [{"id": "cut"}]}
        )
    )
    assert plan_job(path, settings)["warnings"] == []
    short = (Condition("parameters.duration", "at_most", 1.0), Condition("source_codec", "is", "h264"))
    long = (Condition("parameters.duration", "at_least", 3.0),)
    keep_guards([Guard("trim", short, "", "too short"), Guard("trim", long, "", "too long")], settings)
    assert plan_job(path, settings)["warnings"] == [{"node": "cut", "message": "too short"}]


def test_guards_that_cannot_be_read_are_none(settings: Settings) -> None:
    keep_guards([Guard("trim", (), "", "never")], settings)
    (kept,) = (settings.data_root / "warehouse").glob("*.json")
    kept.write_text("[")
    assert guards_of(settings) == ()


CONDITIONS = [
    Condition("parameters.width", "odd"),
    Condition("parameters.flag", "is", "true"),
    Condition("parameters.rate", "is", "0.5"),
    Condition("parameters.word", "is", "a'b"),
    Condition("parameters.rate", "at_least", 0.5),
    Condition("parameters.width", "at_most", 640.0),
    Condition("source_codec", "is", "prores"),
    Condition("height", "odd"),
    Condition("height", "is", "1080"),
    Condition("fps", "at_least", 30.0),
]
EVENTS_GIVEN: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"width": 641, "flag": True, "rate": 0.5, "word": "a'b"}, {"source_codec": "prores", "height": 1080}),
    ({"width": 640, "flag": False, "rate": 0.25, "word": "b"}, {"source_codec": "h264", "height": 1081}),
    ({"width": 641.0, "rate": 7}, {"fps": 60.0, "height": 2}),
    ({"width": "641", "flag": "true"}, {"fps": 24.0}),
    ({"width": -3}, {}),
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda one: one.text)
def test_a_condition_means_the_same_in_sql_and_in_python(
    warehouse: Connection, condition: Condition
) -> None:
    text, values = condition.sql()
    for parameters, media in EVENTS_GIVEN:
        row = warehouse.execute(
            f"""
            SELECT coalesce({text}, false) FROM (
                SELECT CAST(? AS JSON) AS parameters, CAST(? AS VARCHAR) AS source_codec,
                    CAST(? AS BIGINT) AS height, CAST(? AS DOUBLE) AS fps
            )
            """,  # noqa: S608
            [
                *values,
                json.dumps(parameters),
                media.get("source_codec"),
                media.get("height"),
                media.get("fps"),
            ],
        ).fetchone()
        assert row == (condition.holds(parameters, media),), (parameters, media)


def test_advice_is_text_for_people() -> None:
    guard = Guard("resize", (Condition("parameters.width", "odd"),), "pad_to_even", "pad")
    assert [one.text for one in guard.conditions] == ["odd width"]
    assert Condition("fps", "at_least", 60.0).text == "fps from 60 up"
    assert Condition("source_codec", "is", "prores").text == "codec prores"


def test_errors_are_counted_by_stage(warehouse: Connection) -> None:
    for number in range(6):
        warehouse.execute(
            """
            INSERT INTO error_events BY NAME
            SELECT uuidv7() AS event_id, TIMESTAMP '2026-10-01' AS "timestamp", 'w' AS writer,
                ? AS "sequence", 'cli' AS platform, 'linux-x86_64-2' AS machine,
                'probe' AS stage, 'CorruptMedia' AS error, false AS retryable,
                CAST('{}' AS JSON) AS parameters
            """,
            [number],
        )
    assert questions()["errors"].asked(warehouse).empty
    assert stages(warehouse).to_dict("records") == [
        {"stage": "probe", "error": "CorruptMedia", "retryable": False, "errors": 6}
    ]
