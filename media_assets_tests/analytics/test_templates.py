"""Templates are what people run often and well as a whole, named, drafted, and followed once adopted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
import yaml

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import questions, templates
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets.analytics.templating import lifecycle
from media_assets.analytics.templating.adoptions import Adoption
from media_assets.analytics.templating.drafting import Undraftable, draft, habits_of
from media_assets.analytics.templating.lifecycle import Use, next_state
from media_assets.analytics.templating.naming import FAMILIES, LONGEST_NAME, named
from media_assets.components.saved import parse_saved
from media_assets.operations.registry import operations
from media_assets_tests.analytics.conftest import synthetic
from media_assets_tests.analytics.test_sequences import add

PODCAST = "trim>denoise_audio>normalize_audio>to_mp3"
TODAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(25_000, seed=2) as connection:
        yield connection


@pytest.fixture(scope="module")
def table(events: Connection) -> pd.DataFrame:
    return lifecycle.update(events, [], reserved=["web_preview"]).set_index("sequence")


def steady(connection: Connection, chain: tuple[str, ...], **how: Any) -> None:
    """Requests for a chain in each of four weeks."""
    for week in range(4):
        add(connection, chain, 10, f"{TODAY - timedelta(days=7 * week)}", **how)


def test_planted_chains_are_proposed_as_wholes_and_their_parts_are_not(events: Connection) -> None:
    found = questions()["templates"].asked(events).set_index("sequence")
    planted = {">".join(chain): kind for kind, chains in PLANTED.chains.items() for chain in chains}
    frequent = found[found["share"] >= 0.03]
    assert set(frequent.index) == set(planted)
    assert {name: (kind,) for name, kind in planted.items()} == frequent["kinds"].to_dict()
    guarded = {guard.operation for guard in PLANTED.guards if guard.operation == "resize"}
    for name, row in frequent.iterrows():
        assert row["fit"] or guarded & set(str(name).split(">")), row["reasons"]
        assert not row["fit"] or row["success_low"] > templates.LEAST_SUCCESS


def test_every_document_is_a_workflow_with_what_most_people_used(table: pd.DataFrame) -> None:
    offered = table[table["state"] == "offered"]
    assert len(offered) >= 3
    for sequence, row in offered.iterrows():
        component = parse_saved(row["document"].encode(), row["name"], "draft")
        assert [one.op for one in component.operations] == str(sequence).split(">")
        assert component.template == row["name"]
        assert list(component.takes.kind) == list(row["kinds"])
        for one in component.operations:
            for name, habit in PLANTED.habits.get(one.op, {}).items():
                kind = operations()[one.op].parameters.model_fields
                assert one.params.get(name, kind[name].default) == habit, (sequence, name)


def test_drafts_tell_how_far_people_differ(table: pd.DataFrame) -> None:
    document = str(table.loc[PODCAST, "document"])
    assert table.loc[PODCAST, "name"] == "podcast_enhancement"
    (strength,) = [line for line in document.splitlines() if "strength:" in line]
    assert re.search(r"strength: 14.0 in \d+% of uses, (8|14) to (20|30) in most", strength)
    assert yaml.safe_load(document)["attributes"]["automation"] == "manual"


def test_what_its_events_cannot_tell_is_no_template(table: pd.DataFrame) -> None:
    row = table.loc["trim>normalize_audio>subtitles>encode"]
    assert row["state"] == "candidate"
    assert row["reasons"] == "subtitles takes 2 inputs, and only one is known"


def test_asking_again_changes_nothing(events: Connection, table: pd.DataFrame) -> None:
    again = lifecycle.update(events, [], reserved=["web_preview"]).set_index("sequence")
    pd.testing.assert_frame_equal(again, table)


def test_what_few_people_do_is_never_told(warehouse: Connection) -> None:
    steady(warehouse, ("trim", "fade"), users=4)
    steady(warehouse, ("crop", "resize"), user="u_other_", users=5)
    found = lifecycle.update(warehouse, [])
    assert list(found["sequence"]) == ["crop>resize"]


def test_every_operation_has_a_family() -> None:
    families = [name for members in FAMILIES.values() for name in members]
    assert sorted(families) == sorted(operations())


def test_names_tell_what_is_done_and_are_never_taken_twice() -> None:
    assert named(PODCAST.split(">"), ["audio"], {}) == "podcast_enhancement"
    assert named(["speed"], ["video"], {}) == "video_retiming"
    taken: dict[str, list[str]] = {}
    for chain in (["resize"], ["resize", "fade_in"], ["resize", "pad"], ["resize", "resize"], ["resize"]):
        taken[named(chain, ["video", "image"], taken)] = chain
    assert len(taken) == 5
    assert all(len(name) <= LONGEST_NAME for name in taken)


def habits(kind: str, *uses: tuple[str, int]) -> dict[str, object]:
    step = habits_of(kind, pd.DataFrame(uses, columns=["parameters", "uses"]))
    return {name: habit.value for name, habit in step.habits.items()}


def test_numbers_are_medians_and_words_the_most_frequent() -> None:
    assert habits("resize", ('{"width":640}', 3), ('{"width":1280}', 2), ('{"width":4000}', 2)) == {
        "width": 1280
    }
    assert habits("to_mp3", ('{"bitrate":"128k"}', 3), ('{"bitrate":"320k"}', 2)) == {"bitrate": "128k"}


def test_parameters_that_do_not_hold_together_give_way_to_a_whole_set() -> None:
    found = habits(
        "trim",
        ('{"start":9,"end":20}', 5),
        ('{"start":9,"duration":3}', 4),
        ('{"start":9,"duration":4}', 4),
    )
    assert found in ({"start": 9, "duration": 3}, {"start": 9, "duration": 4}, {"start": 9, "end": 20})


@pytest.mark.parametrize("kind", ["nothing_like_it", "concatenate", "text"])
def test_a_step_that_cannot_be_drafted_says_why(kind: str) -> None:
    with pytest.raises(Undraftable):
        habits_of(kind, pd.DataFrame({"parameters": ["{}"], "uses": [3]}))


def test_a_draft_holds_an_operation_twice() -> None:
    step = habits_of("fade", pd.DataFrame({"parameters": ['{"fade_in":0.5}'], "uses": [3]}))
    component = parse_saved(
        draft("video_fading", ["video"], [step, step], "Twice.").encode(), "video_fading", "x"
    )
    assert [(one.inputs, one.output) for one in component.operations] == [
        (["source"], "fade"),
        (["fade"], "fade_2"),
    ]


FIT = {
    "fit": True,
    "reasons": "",
    "requests": 90,
    "share": 0.2,
    "success_rate": 0.9,
    "success_low": 0.8,
    "trend": "",
    "weeks": 4,
}
WEAK = FIT | {"fit": False, "reasons": "fails too often", "success_low": 0.5}
WEAKER = FIT | {"fit": False, "reasons": "not frequent", "share": 0.009}
LONG_AGO = TODAY - timedelta(days=60)


@pytest.mark.parametrize(
    ("prior", "proposal", "adopted", "use", "state"),
    [
        (None, FIT, None, Use(), "offered"),
        (None, WEAK, None, Use(), "candidate"),
        ("candidate", None, None, Use(), None),
        ("candidate", FIT, None, Use(), "offered"),
        ("offered", WEAKER, None, Use(), "offered"),
        ("offered", WEAK, None, Use(), "retired"),
        ("offered", WEAKER | {"trend": "falling"}, None, Use(), "retired"),
        ("offered", None, None, Use(), "retired"),
        ("retired", None, None, Use(), "retired"),
        ("retired", WEAK, None, Use(), "retired"),
        ("retired", FIT, None, Use(), "offered"),
        ("offered", FIT, TODAY, Use(), "adopted"),
        ("adopted", FIT, LONG_AGO, Use(), "retired"),
        ("adopted", None, LONG_AGO, Use(5, 5, TODAY), "adopted"),
        ("adopted", FIT, LONG_AGO, Use(10, 6, TODAY), "retired"),
        ("retired", FIT, LONG_AGO, Use(30, 29, TODAY), "adopted"),
        ("adopted", WEAK, None, Use(), "retired"),
    ],
)
def test_what_becomes_of_a_template(
    prior: str | None, proposal: dict[str, Any] | None, adopted: date | None, use: Use, state: str | None
) -> None:
    ended = next_state(prior, proposal, adopted, use, TODAY)
    assert (ended[0] if ended else None) == state
    assert ended is None or ended[1]


def test_uses_of_an_adopted_template_are_counted_and_bad_ones_retire_it(warehouse: Connection) -> None:
    steady(warehouse, ("trim", "fade"), users=9)
    (offered,) = lifecycle.update(warehouse, []).to_dict("records")
    assert (offered["name"], offered["state"]) == ("video_fading", "offered")
    adoption = [Adoption("video_fading", "trim>fade", TODAY)]
    ran = """
        INSERT INTO workflow_events BY NAME
        SELECT uuidv7() AS event_id, CAST(? AS TIMESTAMP) AS "timestamp", 'cli' AS platform,
            'm-m-1' AS machine, 'mine' AS workflow, 'video_fading' AS template, 'workflow' AS type,
            'done' AS outcome, ? AS success
        FROM range(?)
    """
    warehouse.execute(ran, [str(TODAY), True, 9])
    (row,) = lifecycle.update(warehouse, adoption).to_dict("records")
    assert (row["state"], row["uses"], row["use_success"]) == ("adopted", 9, 1.0)
    assert (row["last_use"].date(), row["adopted"].date()) == (TODAY, TODAY)
    warehouse.execute(ran, [str(TODAY), False, 20])
    (row,) = lifecycle.update(warehouse, adoption).to_dict("records")
    assert (row["state"], row["uses"], row["reasons"]) == ("retired", 29, "only 31% of 29 uses succeed")


def test_a_name_stays_although_others_come_and_the_warehouse_is_lost(warehouse: Connection) -> None:
    steady(warehouse, ("trim", "fade"), users=9)
    lifecycle.update(warehouse, [])
    steady(warehouse, ("fade", "trim"), users=9)
    steady(warehouse, ("fade", "trim"), user="u_more_", users=9)
    names = lifecycle.update(warehouse, []).set_index("sequence")["name"].to_dict()
    assert names["trim>fade"] == "video_fading" != names["fade>trim"]
    warehouse.execute("DROP TABLE templates")
    adopted = [Adoption(names["fade>trim"], "fade>trim", TODAY)]
    assert lifecycle.update(warehouse, adopted).set_index("sequence")["name"].to_dict() == names
