"""What is wrong with a request is said with its place, and nothing odd in one breaks the planner."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.planning.jobspec import load, parse
from media_assets.settings import Settings
from media_assets_tests.clips import Clips, made, planned, run

SOURCE = [{"id": "a", "source": "a.mp4"}]
TRIM = {"op": "trim", "input": "a", "output": "x"}


def _findings(document: Any) -> dict[str, str]:
    with pytest.raises(DocumentError) as caught:
        parse(document)
    return dict(caught.value.findings)


def test_names_that_are_taken_twice_or_made_by_nothing() -> None:
    document = {
        "inputs": SOURCE * 2,
        "operations": [{**TRIM, "output": "teaser"}],
        "outputs": [{"id": "teaser"}, {"id": "teaser"}, {"id": "taeser"}],
    }
    found = _findings(document)
    assert set(found) == {"$.inputs[1].id", "$.outputs[1].id", "$.outputs[2].id"}
    assert "teaser" in found["$.outputs[2].id"]


def test_every_problem_of_form_is_found_at_once() -> None:
    found = _findings({"inputs": [{"id": ""}], "operations": [{"op": 1, "output": "a/b"}], "outputs": []})
    assert set(found) == {
        "$.inputs[0].id",
        "$.inputs[0].source",
        "$.operations[0].op",
        "$.operations[0].inputs",
        "$.operations[0].output",
        "$.outputs",
    }


@pytest.mark.parametrize("params", [[1], "x", 3, {"start": 2}])
def test_parameters_beside_op_never_hide_or_break_those_in_params(params: Any) -> None:
    operation = {**TRIM, "start": 1, "params": params}
    found = _findings({"inputs": SOURCE, "operations": [operation], "outputs": [{"id": "x"}]})
    assert all(place.startswith("$.operations[0]") for place in found)


@pytest.mark.parametrize("name", ["deep.json", "deep.yaml"])
def test_a_document_nested_too_deeply_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("[" * 50_000)
    with pytest.raises(BadInput, match=r"nested too deeply|not a JSON or YAML"):
        load(tmp_path / name)


def test_one_operation_under_two_names_is_one_output(clips: Clips, settings: Settings) -> None:
    sources = {"a": clips["silent"]}
    outputs = made(settings, sources, {**TRIM, "start": 0.5}, {**TRIM, "start": "500ms", "output": "y"})
    assert outputs["x"] == outputs["y"]


def test_a_node_that_the_plan_does_not_make_is_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(BadInput, match="makes no 'y'"):
        run(settings, planned(settings, {"a": clips["silent"]}, TRIM), "y")


def test_a_fingerprint_covers_what_was_read_from_the_source(clips: Clips, settings: Settings) -> None:
    """Filters are built from what probing said: another answer for the same bytes is another output."""
    source = clips["silent"]
    retitled = replace(source, info=replace(source.info, title="Holiday"))
    longer = replace(source, info=replace(source.info, duration=2.5))
    plans = [planned(settings, {"a": s}, TRIM).nodes["x"] for s in (source, retitled, longer)]
    first, same, other = (node.recipe.fingerprint for node in plans)
    assert first == same != other
    assert len({node.recipe.id for node in plans}) == 1


def test_a_plan_reads_as_json_does(clips: Clips, settings: Settings) -> None:
    document = json.loads(json.dumps({**TRIM, "start": 0.5}))
    one = planned(settings, {"a": clips["silent"]}, document).nodes["x"]
    assert one.recipe.parameters == {"start": 0.5}
