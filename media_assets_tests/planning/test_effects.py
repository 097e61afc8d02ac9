"""A node's recipe plans to the same node again, whatever names and spellings its document used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media_assets.media.hardware import Encoders
from media_assets.operations.registry import operations, read_parameters
from media_assets.planning.effects import changes, made_from, merged, plan_from_recipe, recipe_of
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.specs import OperationSpec
from media_assets_tests.clips import Clips

ENCODERS = Encoders("9.0")


def planned(clips: Clips, *specs: dict[str, Any], **sources: str) -> Plan:
    """A plan over clips, by the names given."""
    found = {name: clips[clip] for name, clip in (sources or {"video": "plain"}).items()}
    return make_plan([OperationSpec.model_validate(spec) for spec in specs], found, ENCODERS)


CHAIN = (
    {"op": "trim", "input": "video", "output": "cut", "start": "00:00:00.5", "duration": "1s"},
    {"op": "scale", "input": "cut", "output": "small", "params": {"width": 80, "height": -2}},
    {"op": "extract_audio", "input": "cut", "output": "sound"},
)


def test_a_recipe_plans_to_the_same_node(clips: Clips) -> None:
    plan = planned(clips, *CHAIN)
    for name, node in plan.nodes.items():
        recipe = recipe_of(plan, name)
        sources = {source.id: source for source in plan.sources.values()}
        again, found = plan_from_recipe(recipe, sources, ENCODERS)
        assert found.recipe == node.recipe
        assert found.clip == node.clip
        assert set(again.nodes) == {n.recipe.id for n in plan.closure([name])}
        assert recipe_of(again, recipe.id) == recipe


def test_a_recipe_does_not_depend_on_names(clips: Clips) -> None:
    renamed = json.loads(json.dumps(CHAIN).replace('"cut"', '"zz"').replace('"video"', '"a"'))
    one, other = planned(clips, *CHAIN), planned(clips, *renamed, a="plain")
    assert recipe_of(one, "small") == recipe_of(other, "small")


def test_plans_that_share_nodes_merge_into_one(clips: Clips) -> None:
    plan = planned(clips, *CHAIN)
    sources = {source.id: source for source in plan.sources.values()}
    parts = [plan_from_recipe(recipe_of(plan, name), sources, ENCODERS)[0] for name in ("small", "sound")]
    whole = merged(parts)
    assert len(whole.nodes) == 3
    assert {n.recipe.fingerprint for n in whole.nodes.values()} == {
        n.recipe.fingerprint for n in plan.nodes.values()
    }
    assert list(whole.nodes) == [n.name for n in whole.closure(list(whole.nodes))]


@pytest.mark.parametrize("name", sorted(operations()))
def test_parameters_of_every_operation_read_back_as_they_are_kept(name: str) -> None:
    kind = operations()[name]
    first = read_parameters(kind, kind.example, "$")
    kept = json.loads(json.dumps(first.model_dump(mode="json", exclude_none=True)))
    again = read_parameters(kind, kept, "$")
    assert again.model_dump(mode="json", exclude_none=True) == kept
    assert OperationSpec(op=name, inputs=["a"], output="b", params=kept).params == kept


def test_changes_name_what_a_fingerprint_is_made_from(clips: Clips) -> None:
    plan = planned(clips, *CHAIN)
    before = made_from(plan, "small", "9.0")
    assert changes(before, before) == []
    after = json.loads(json.dumps(before)) | {"fingerprint": "other", "ffmpeg": "9.1"}
    (source,) = after["sources"].values()
    source["sha256"] = "f" * 64
    after["operations"]["trim"] = "77"
    after["encoder"]["options"]["crf"] = 3
    found = {change.kind: change for change in changes(before, after)}
    assert set(found) == {"source", "operation", "ffmpeg", "encoder"}
    assert found["source"].after == "f" * 64
    assert (found["operation"].subject, found["operation"].after) == ("trim", "77")
    assert found["encoder"].subject == "options.crf"
    assert (found["ffmpeg"].before, found["ffmpeg"].after) == ("9.0", "9.1")
    (unknown,) = changes(before, before | {"fingerprint": "other"})
    assert unknown.kind == "other"
