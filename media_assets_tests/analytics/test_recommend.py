"""Recommendations: what was planted is found, with true reasons; what few people did is not told."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import questions
from media_assets.analytics.questions.recommend import after_one
from media_assets.analytics.recommender.model import Model, learn
from media_assets.analytics.recommender.practice import Practice, read_practice, suggest
from media_assets.analytics.recommender.recommend import Recommendation, recommend
from media_assets.analytics.recommender.uses import ROLLUP, Uses, context_of, following, read_uses
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets_tests.analytics.conftest import synthetic
from media_assets_tests.analytics.doing import do


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(30_000, seed=4, rollups=[ROLLUP]) as connection:
        yield connection


@pytest.fixture(scope="module")
def uses(events: Connection) -> Uses:
    return read_uses(events)


@pytest.fixture(scope="module")
def model(uses: Uses) -> Model:
    return learn(uses, fewest=5)


@pytest.fixture(scope="module")
def practice(events: Connection) -> Practice:
    return read_practice(events, fewest=5)


def learnt(connection: Connection, fewest: int = 5) -> Model:
    refresh(connection, [ROLLUP])
    return learn(read_uses(connection), fewest=fewest)


def ended(connection: Connection) -> dict[tuple[str, str], int]:
    """How many chains ended, by kind and context."""
    refresh(connection, [ROLLUP])
    uses = read_uses(connection)
    ends = uses.rows[uses.rows["operation"] == uses.end]
    return {uses.contexts[at]: times for at, times in zip(ends["context"], ends["times"], strict=True)}


def names(found: list[Recommendation]) -> list[str | None]:
    return [one.operation for one in found]


@pytest.mark.parametrize("kind", PLANTED.chains)
def test_each_planted_chain_is_recommended_step_by_step_to_its_end(model: Model, kind: str) -> None:
    for chain in PLANTED.chains[kind]:
        for place in range(1, len(chain)):
            assert chain[place] in names(recommend(model, chain[:place], kind)), chain[: place + 1]
        assert names(recommend(model, chain, kind))[0] is None, chain


def test_without_operations_the_kind_of_source_tells(model: Model) -> None:
    begun = {kind: {chain[0] for chain in chains} for kind, chains in PLANTED.chains.items()}
    for kind, first in begun.items():
        found = recommend(model, [], kind)
        assert found[0].operation in first
        assert None not in names(found)
        assert re.fullmatch(
            rf"\d+ % of [\d,]+ {kind} chains begin with {found[0].operation}", found[0].reason
        )
    assert recommend(model, [])[0].operation == "trim"


def test_probabilities_sum_to_one_and_are_never_zero(model: Model) -> None:
    for level in model.levels:
        assert np.allclose(level.smoothed.sum(axis=1), 1.0)
        assert (level.smoothed > 0).all()
    unseen = model.common("video", context_of(["volume", "deinterlace", "to_mp3"]))
    assert np.allclose(unseen.sum(), 1.0)


def test_what_was_never_seen_is_told_from_fewer_operations(model: Model) -> None:
    longer = model.common("audio", context_of(["overlay", "denoise_audio", "normalize_audio"]))
    assert model.operations[int(longer[:-1].argmax())] == "to_mp3"
    found = recommend(model, ["overlay", "deinterlace", "normalize_audio"], "audio")
    assert "after normalize_audio, " in found[0].reason


def test_reasons_tell_what_the_events_tell(events: Connection, model: Model) -> None:
    found = {one.operation: one for one in recommend(model, ["trim"], "video")}
    row = events.execute(
        """
        SELECT count(*) FILTER (operation = 'resize' AND previous = 'trim'),
            count(*) FILTER (previous = 'trim'),
            count(*) FILTER (operation = 'trim' AND previous = '' AND success)
        FROM operation_events WHERE source_kind = 'video' AND previous IS NOT NULL
        """
    ).fetchone()
    assert row is not None
    resized, followed, begun = row
    told = re.fullmatch(
        r"after trim at the beginning, (\d+) % of ([\d,]+) video chains went on with resize",
        found["resize"].reason,
    )
    assert told
    # A user's chain that ends here and another's that was never told to begin may differ by a few.
    total = int(told[2].replace(",", ""))
    assert followed <= total == pytest.approx(begun, rel=0.01)
    assert int(told[1]) == pytest.approx(100 * resized / total, abs=0.51)


def test_ones_own_habit_comes_first_and_is_told(events: Connection, model: Model) -> None:
    rows = events.execute(
        """
        SELECT "user", operation, count(*) AS times FROM operation_events
        WHERE previous = 'trim' AND source_kind = 'video' AND "user" IS NOT NULL
            AND operation IN ('stabilize', 'normalize_audio')
        GROUP BY ALL ORDER BY times DESC, "user" LIMIT 3
        """
    ).fetchall()
    assert recommend(model, ["trim"], "video")[0].operation == "resize"
    for user, habit, times in rows:
        found = recommend(model, ["trim"], "video", [user])
        assert found[0].operation == habit
        assert re.search(rf"; you did so in {times} of \d+ times$", found[0].reason)
    together = recommend(model, ["trim"], "video", [rows[0][0], rows[1][0]])
    said = [re.search(r"you did so in (\d+) of", one.reason) for one in together]
    assert max(int(one[1]) for one in said if one) >= max(times for _, _, times in rows[:2])


def test_chains_end_as_often_as_they_were_reached_and_nothing_followed(warehouse: Connection) -> None:
    do(warehouse, "u1", ["trim", "resize", "encode"], times=3)
    do(warehouse, "u1", ["trim"], times=2)
    do(warehouse, "u1", ["trim", "fade"], times=4, fails=True)
    assert ended(warehouse) == {("video", "trim>resize>encode"): 3, ("video", "^>trim"): 2}


def test_a_chain_that_goes_on_later_has_not_ended(warehouse: Connection) -> None:
    do(warehouse, "u1", ["trim", "resize"])
    warehouse.execute("""UPDATE operation_events SET "timestamp" = "timestamp" + INTERVAL 9 DAY
                         WHERE operation = 'resize'""")
    assert ended(warehouse) == {("video", "^>trim>resize"): 1}


def test_what_fewer_than_five_people_did_is_told_to_themselves_alone(warehouse: Connection) -> None:
    for number in range(8):
        do(warehouse, f"u{number}", ["trim", "resize"], times=3)
    for number in range(4):
        do(warehouse, f"u{number}", ["trim", "fade"], times=50)
    model = learnt(warehouse)
    assert "fade" not in names(recommend(model, ["trim"], "video"))
    assert "fade" not in names(recommend(model, ["trim"], "video", ["u7"]))
    found = recommend(model, ["trim"], "video", ["u0"])
    assert (found[0].operation, found[0].reason) == ("fade", "you did so in 50 of 53 times")
    assert "fade" not in set(questions()["recommend"].answer(warehouse)["operation"])
    assert "fade" not in set(after_one(warehouse)["operation"])
    do(warehouse, "u4", ["trim", "fade"])
    assert recommend(learnt(warehouse), ["trim"], "video")[0].operation == "fade"


def test_few_people_are_told_what_they_did(warehouse: Connection) -> None:
    do(warehouse, "u1", ["trim", "resize"], times=3)
    found = recommend(learnt(warehouse), ["trim"], "video")
    assert found[0].operation == "resize"
    assert found[0].reason == "after trim at the beginning, 100 % of 3 video chains went on with resize"


def test_who_opted_out_teaches_nothing(warehouse: Connection) -> None:
    do(warehouse, None, ["trim", "resize"], times=30)
    assert recommend(learnt(warehouse), ["trim"], "video") == []
    assert recommend(learnt(warehouse), []) == []


def test_sums_whose_users_were_taken_away_still_count(warehouse: Connection) -> None:
    for number in range(6):
        do(warehouse, f"u{number}", ["trim", "resize"], times=2)
    learnt(warehouse)
    warehouse.execute("""UPDATE recommendation_days SET "user" = NULL WHERE "user" = 'u0'""")
    model = learn(read_uses(warehouse), fewest=5)
    (found, *_) = recommend(model, ["trim"], "video", ["u0"])
    assert found.reason == "after trim at the beginning, 100 % of 12 video chains went on with resize"


def test_operations_that_are_no_more_are_not_recommended(warehouse: Connection) -> None:
    do(warehouse, "u1", ["trim", "a_gone_operation"], times=9)
    do(warehouse, "u1", ["trim", "resize"])
    assert names(recommend(learnt(warehouse), ["trim"], "video")) == ["resize"]


def test_contexts_are_the_last_three_operations() -> None:
    assert [context_of(chain) for chain in ([], ["a"], ["a", "b"], ["a", "b", "c"], list("abcd"))] == [
        "^",
        "^>a",
        "^>a>b",
        "a>b>c",
        "b>c>d",
    ]
    assert following("^", "a") == "^>a"
    assert following("^>a>b", "c") == "a>b>c"


def test_parameters_are_what_most_people_give(practice: Practice) -> None:
    habits = {(name, key): value for name, given in PLANTED.habits.items() for key, value in given.items()}
    found = {
        (name, one.name): one.value
        for (kind, name), given in practice.usual.items()
        if kind == ""
        for one in given
    }
    assert habits.keys() <= found.keys()
    assert sum(found[key] == value for key, value in habits.items()) > 0.8 * len(habits)
    assert found[("resize", "width")] % 2 == 0


def test_a_median_is_that_of_the_uses(events: Connection, practice: Practice) -> None:
    (told,) = practice.usual[("video", "resize")]
    row = events.execute(
        """
        SELECT quantile_disc(width, 0.5), count(*), avg(CAST(width = ? AS INTEGER)) FROM (
            SELECT CAST(parameters->>'width' AS INTEGER) AS width FROM operation_events
            WHERE operation = 'resize' AND source_kind = 'video' AND success AND "user" IS NOT NULL
        )
        """,
        [told.value],
    ).fetchone()
    assert row is not None
    assert (told.value, told.uses) == row[:2]
    assert told.share == pytest.approx(row[2])


def test_ones_own_parameters_come_first_those_of_the_same_place_before(warehouse: Connection) -> None:
    for number in range(9):
        do(warehouse, f"u{number}", ["resize"], times=9, parameters={"width": 640, "fit": "contain"})
    do(warehouse, "u1", ["trim", "resize"], times=5, parameters={"width": 1280})
    do(warehouse, "u1", ["trim", "resize"], times=9, parameters={"width": 99}, fails=True)
    others, own = (read_practice(warehouse, fewest=5, users=users) for users in ([], ["u1"]))
    assert [(one.name, one.value) for one in suggest(others, "video", "trim", "resize")] == [
        ("fit", "contain"),
        ("width", 640),
    ]
    (mine,) = suggest(own, "video", "trim", "resize")
    assert (mine.name, mine.value, mine.share, mine.reason) == ("width", 1280, 1.0, "yours after trim")
    elsewhere = {one.name: one for one in suggest(own, "video", "fade", "resize")}
    assert (elsewhere["width"].value, elsewhere["width"].reason) == (640, "yours")
    assert suggest(own, "video", "", "volume") == ()


def test_words_of_fewer_than_five_people_are_not_suggested(warehouse: Connection) -> None:
    for number in range(9):
        word = "rare" if number < 4 else "common"
        do(warehouse, f"u{number}", ["crop"], times=9 if number < 4 else 1, parameters={"aspect": word})
    practice = read_practice(warehouse, fewest=5)
    (told,) = practice.usual[("video", "crop")]
    assert (told.value, round(told.share, 3), told.uses) == ("common", 0.122, 41)


def test_the_answer_has_the_three_most_frequent_next_operations(events: Connection) -> None:
    frame = questions()["recommend"].answer(events)
    after = frame[(frame["source_kind"] == "video") & (frame["after"] == "^>trim")]
    assert after["operation"].tolist() == ["resize", "stabilize", "normalize_audio"]
    assert after["place"].tolist() == [1, 2, 3]
    assert frame["times"].is_monotonic_decreasing
