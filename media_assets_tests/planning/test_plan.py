"""A request becomes a plan: every problem named with its place, the same names in every process."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_assets.errors import DocumentError
from media_assets.media.hardware import Encoders
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.planning.jobspec import JobSpec, load, parse
from media_assets.planning.plan import Plan, make_plan
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceFacts


def source(name: str = "a.mp4", sha256: str = "a" * 64, seconds: float = 10.0) -> SourceFacts:
    """A video with sound that was never read: plans touch no file."""
    info = MediaInfo(
        kind="video",
        container="mp4",
        size=1,
        duration=seconds,
        videos=(VideoStream(0, "h264", 320, 180),),
        audios=(AudioStream(1, "aac", 48000, 2),),
    )
    return SourceFacts(f"src_{name.replace('.', '_')}", Path(name), name, sha256, info, Stat(1, 0, 0))


def document(*operations: dict[str, Any], outputs: list[str] | None = None) -> dict[str, Any]:
    """A JobSpec on one source called `in`."""
    wanted = outputs or [operations[-1]["output"]]
    return {
        "inputs": [{"id": "in", "source": "a.mp4"}],
        "operations": list(operations),
        "outputs": [{"id": name} for name in wanted],
    }


def trim(**changes: Any) -> dict[str, Any]:
    """A trim of `in` to `cut`."""
    return {"op": "trim", "input": "in", "output": "cut", "params": {"duration": "4s"}, **changes}


def plan(spec: JobSpec, **sources: SourceFacts) -> Plan:
    """The plan of a spec; `in` is a ten-second video."""
    return make_plan(spec.operations, {"in": source(), **sources}, Encoders("9.0"))


def findings(*operations: dict[str, Any]) -> dict[str, str]:
    """What is wrong with these operations, by place."""
    with pytest.raises(DocumentError) as caught:
        plan(parse(document(*operations)))
    return dict(caught.value.findings)


def test_spellings_of_one_request_are_one_plan() -> None:
    spellings = [
        document(trim()),
        {"spec": document(trim())},
        document(trim(input=["in"])),
        document({"op": "trim", "inputs": ["in"], "output": "cut", "duration": 4}),
        document(trim(params={"duration": "00:00:04.000", "start": 0})),
    ]
    assert len({plan(parse(spelling)).nodes["cut"].recipe.id for spelling in spellings}) == 1


def test_a_file_may_be_json_or_yaml(tmp_path: Path) -> None:
    json_file, yaml_file = tmp_path / "job.json", tmp_path / "job.yaml"
    json_file.write_text(parse(document(trim())).model_dump_json())
    yaml_file.write_text(
        "inputs: [{id: in, source: a.mp4}]\n"
        "operations: [{op: trim, input: in, output: cut, params: {duration: 4s}}]\n"
        "outputs: [{id: cut}]\n"
    )
    assert load(json_file) == load(yaml_file)


@pytest.mark.parametrize("text", ["", "[1, 2", "nonsense", "{}", '{"inputs": []}', "\x00"])
def test_a_file_that_is_no_jobspec_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "job.json"
    path.write_text(text)
    with pytest.raises(Exception, match=r"job\.json") as caught:
        load(path)
    assert type(caught.value).__module__ == "media_assets.errors"


def test_a_plan_says_what_comes_out_what_it_is_called_and_what_it_costs() -> None:
    small = {"op": "resize", "input": "cut", "output": "small", "params": {"width": 160}}
    made = plan(parse(document(trim(), small)))
    cut, small_node = made.nodes["cut"], made.nodes["small"]
    assert cut.clip.duration == 4
    assert small_node.clip.picture is not None
    assert (small_node.clip.picture.width, small_node.clip.picture.height) == (160, 90)
    assert (cut.stage, small_node.stage) == (0, 1)
    assert cut.recipe.derived_from == ("src_a_mp4",)
    assert small_node.recipe.derived_from == (cut.recipe.id,)
    assert cut.recipe.file_name.startswith("trim_src_a_mp4_duration4_")


def test_names_follow_what_is_asked_fingerprints_follow_content_too() -> None:
    first = plan(parse(document(trim())))
    other = make_plan(parse(document(trim())).operations, {"in": source(sha256="b" * 64)}, Encoders("9.0"))
    newer = make_plan(parse(document(trim())).operations, {"in": source()}, Encoders("9.1"))
    ids = {p.nodes["cut"].recipe.id for p in (first, other, newer)}
    prints = {p.nodes["cut"].recipe.fingerprint for p in (first, other, newer)}
    assert (len(ids), len(prints)) == (1, 3)


def test_a_change_upstream_changes_what_follows() -> None:
    small = {"op": "resize", "input": "cut", "output": "small", "params": {"width": 160}}
    four = plan(parse(document(trim(), small))).nodes["small"].recipe
    five = plan(parse(document(trim(params={"duration": 5}), small))).nodes["small"].recipe
    assert four.id != five.id
    assert four.fingerprint != five.fingerprint


def test_every_problem_is_found_at_once_with_its_place() -> None:
    found = findings(
        trim(op="trimm"),
        trim(output="b", params={"duration": -1, "strat": 2}),
        {"op": "resize", "input": "nowhere", "output": "c", "params": {"width": 64}},
        trim(output="c"),
    )
    assert "trim" in found["$.operations[0].op"]
    assert "$.operations[1].params.duration" in found
    assert "start" in found["$.operations[1].params.strat"]
    assert "nowhere" in found["$.operations[2].inputs[0]"]
    assert "taken" in found["$.operations[3].output"]


def test_a_cycle_is_named() -> None:
    found = findings(
        {"op": "trim", "input": "b", "output": "a", "params": {"duration": 1}},
        {"op": "trim", "input": "a", "output": "b", "params": {"duration": 1}},
    )
    assert "a → b" in found["$.operations"] or "b → a" in found["$.operations"]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"op": "concatenate", "input": "in", "output": "x"}, "2 or more"),
        ({"op": "trim", "inputs": ["in", "in"], "output": "x", "duration": 1}, "takes 1 inputs"),
        ({"op": "trim", "input": "in", "output": "x", "start": 11}, "beyond the clip's end"),
        (
            {"op": "crossfade_transition", "inputs": ["in", "in"], "output": "x", "duration": 30},
            "too short",
        ),
    ],
)
def test_what_does_not_fit_the_inputs_is_said(operation: dict[str, Any], words: str) -> None:
    assert words in findings(operation)["$.operations[0]"]


@st.composite
def graphs(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Random graphs of operations that fit."""
    operations: list[dict[str, Any]] = []
    names = ["in"]
    for index in range(draw(st.integers(1, 8))):
        op = draw(st.sampled_from(["trim", "resize", "normalize_audio", "concatenate"]))
        count = 2 if op == "concatenate" else 1
        inputs = [draw(st.sampled_from(names)) for _ in range(count)]
        params: dict[str, Any] = {}
        if op == "trim":
            params = {"start": 0, "duration": draw(st.floats(0.5, 20))}
        if op == "resize":
            params = {"width": draw(st.integers(2, 400)), "height": draw(st.integers(2, 400))}
        operations.append({"op": op, "inputs": inputs, "output": f"n{index}", "params": params})
        names.append(f"n{index}")
    return operations


@given(graphs(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_valid_graph_plans_the_same_in_any_order(
    operations: list[dict[str, Any]], shuffle: random.Random
) -> None:
    names = [operation["output"] for operation in operations]
    first = plan(parse(document(*operations, outputs=names)))
    mixed = list(operations)
    shuffle.shuffle(mixed)
    second = plan(parse(document(*mixed, outputs=names)))
    assert {n: first.nodes[n].recipe for n in names} == {n: second.nodes[n].recipe for n in names}
    done: set[str] = {"in"}
    for node in second.nodes.values():
        assert set(node.inputs) <= done
        assert node.stage == max((second.nodes[i].stage + 1 for i in node.inputs if i != "in"), default=0)
        done.add(node.name)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(_ANY | st.fixed_dictionaries({"inputs": _ANY, "operations": _ANY, "outputs": _ANY}))
@settings(max_examples=150, deadline=None)
def test_whatever_is_no_request_is_a_typed_error(value: Any) -> None:
    with pytest.raises(DocumentError):
        plan(parse(value))
