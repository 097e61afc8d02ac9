"""Whatever graph is asked for: it plans the same every time, or is refused with a typed error."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media_assets.errors import BadInput, DocumentError
from media_assets.media.hardware import Encoders
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.operations.clip import Clip
from media_assets.operations.registry import operations
from media_assets.planning.commands import groups, render_arguments
from media_assets.planning.estimates import job_estimate
from media_assets.planning.jobspec import parse
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.specs import OperationSpec
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceFacts

MACHINE = Encoders("9.0")
_PICTURE = VideoStream(0, "h264", 320, 180, fps=Fraction(30), pixel_format="yuv420p", duration=8.0)
_SOUND = AudioStream(1, "aac", 48_000, 2, duration=8.0)
_STILL = VideoStream(0, "png", 320, 180, fps=Fraction(25), pixel_format="rgba", has_alpha=True)
_INFOS = {
    "talk": MediaInfo("video", "mov,mp4", 1000, 8.0, videos=(_PICTURE,), audios=(_SOUND,)),
    "silent": MediaInfo("video", "mov,mp4", 1000, 8.0, videos=(_PICTURE,)),
    "song": MediaInfo("audio", "flac", 1000, 8.0, audios=(_SOUND,)),
    "logo": MediaInfo("image", "png_pipe", 1000, videos=(_STILL,)),
    "teal": MediaInfo("lut", "cube", 1000),
    "words": MediaInfo("subtitle", "srt", 1000),
    "face": MediaInfo("font", "ttf", 1000),
}
SOURCES = {
    name: SourceFacts(f"src_{name}", Path("/nowhere") / name, name, "0" * 64, info, Stat(1, 1, 1))
    for name, info in _INFOS.items()
}


def _fitting(pick: random.Random, clips: Mapping[str, Clip], name: str) -> list[str] | None:
    """Inputs that an operation takes, from what there is; None where there are none."""
    kind = operations()[name]
    rule = kind.takes
    count = rule.minimum + (pick.randrange(3) if rule.maximum is None else 0)
    wanted: list[tuple[frozenset[Any], frozenset[Any]]] = [(rule.kinds, rule.needs)] * count
    wanted += [(slot.kinds, slot.needs) for slot in rule.slots if slot.required]
    chosen = []
    for kinds, needs in wanted:
        fits = [
            n
            for n, clip in clips.items()
            if clip.kind in kinds
            and (n in _INFOS or not kind.opens)
            and all((clip.picture if need == "video" else clip.sound) is not None for need in needs)
        ]
        if not fits:
            return None
        chosen.append(pick.choice(fits))
    return chosen


def graph(seed: int) -> list[dict[str, Any]]:
    """Operations that fit one another, from a seed."""
    pick = random.Random(seed)
    clips = {name: Clip.of(info) for name, info in _INFOS.items()}
    made: list[dict[str, Any]] = []
    for number in range(pick.randrange(1, 9)):
        name = pick.choice(sorted(operations()))
        inputs = _fitting(pick, clips, name)
        if inputs is None:
            continue
        kind = operations()[name]
        document = {"op": name, "inputs": inputs, "output": f"n{number}", "params": dict(kind.example)}
        spec = OperationSpec.model_validate(document)
        parameters = kind.parameters.model_validate(kind.example)
        try:
            clips[spec.output] = kind.expect([clips[n] for n in spec.inputs], parameters)
        except BadInput:
            continue  # such as a part beyond the end of what came before
        made.append(document)
    return made


def planned(documents: list[dict[str, Any]]) -> Plan:
    return make_plan([OperationSpec.model_validate(d) for d in documents], SOURCES, MACHINE)


def identities(plan: Plan) -> dict[str, tuple[str, str]]:
    return {name: (node.recipe.id, node.recipe.fingerprint) for name, node in plan.nodes.items()}


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_valid_graph_always_plans_and_always_the_same(seed: int) -> None:
    documents = graph(seed)
    plan = planned(documents)
    assert len(plan.nodes) == len(documents)
    place = {name: index for index, name in enumerate(plan.nodes)}
    for node in plan.nodes.values():
        assert all(place[name] < place[node.name] for name in node.inputs if name in place)
        assert all(plan.nodes[name].stage < node.stage for name in node.inputs if name in place)
        assert node.clip.duration is None or node.clip.duration > 0
    shuffled = [{key: d[key] for key in reversed(list(d))} for d in documents]
    random.Random(seed).shuffle(shuffled)
    again = planned(json.loads(json.dumps(shuffled)))
    assert identities(again) == identities(plan)
    assert list(again.nodes) == list(plan.nodes)
    names = list(plan.nodes)
    assert sorted(name for group in groups(plan, names) for name in group) == sorted(names)
    cost = job_estimate(plan, names, 2)
    assert cost.cpu_seconds >= 0
    assert cost.memory_bytes >= 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_valid_graph_without_measuring_becomes_commands(seed: int) -> None:
    plan = planned(graph(seed))
    for names in groups(plan, list(plan.nodes)):
        nodes = plan.closure(names)
        # What measures needs its pass first, and a LUT is read to see of which kind it is.
        if not any(node.operation.measures or "teal" in node.inputs for node in nodes):
            arguments = render_arguments(plan, {name: Path("/out") / name for name in names}, {})
            assert sum(word.startswith("file:/out/") for word in arguments) == len(names)


def test_ids_do_not_depend_on_the_process() -> None:
    """Hash seeds differ from process to process; ids do not."""
    program = (
        "import json; from media_assets_tests.planning.test_properties import *;"
        "print(json.dumps([identities(planned(graph(seed))) for seed in range(12)]))"
    )
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment
        )
        found.add(done.stdout)
    here = json.dumps([identities(planned(graph(seed))) for seed in range(12)])
    assert found == {here + "\n"}


def _unknown_operation(documents: list[dict[str, Any]], pick: random.Random) -> None:
    pick.choice(documents)["op"] = "trimm"


def _undefined_input(documents: list[dict[str, Any]], pick: random.Random) -> None:
    pick.choice(documents)["inputs"] = ["nothing"]


def _duplicate_output(documents: list[dict[str, Any]], pick: random.Random) -> None:
    documents.append(dict(pick.choice(documents)))


def _cycle(documents: list[dict[str, Any]], pick: random.Random) -> None:
    chosen = pick.choice(documents)
    chosen["inputs"] = [chosen["output"], *chosen["inputs"][1:]]


def _unknown_parameter(documents: list[dict[str, Any]], pick: random.Random) -> None:
    chosen = pick.choice(documents)
    chosen["params"] = {**chosen["params"], "no_such_parameter": 1}


def _absurd_parameter(documents: list[dict[str, Any]], pick: random.Random) -> None:
    chosen = pick.choice(documents)
    names = list(operations()[chosen["op"]].parameters.model_fields)
    if not names:
        chosen["op"] = "nothing"
        return
    absurd = pick.choice([{"a": 1}, [[1]], float("1e300"), "\0", -(10**30)])
    chosen["params"] = {**chosen["params"], pick.choice(names): absurd}


def _wrong_kind(documents: list[dict[str, Any]], pick: random.Random) -> None:
    chosen = pick.choice(documents)
    chosen["inputs"] = ["face", *chosen["inputs"][1:]]


def _too_many(documents: list[dict[str, Any]], pick: random.Random) -> None:
    chosen = pick.choice(documents)
    chosen["op"], chosen["params"], chosen["inputs"] = "trim", {}, ["talk"] * 3


SPOILERS = [
    _unknown_operation,
    _undefined_input,
    _duplicate_output,
    _cycle,
    _unknown_parameter,
    _absurd_parameter,
    _wrong_kind,
    _too_many,
]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda f: f.__name__)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_a_spoilt_graph_is_refused_with_places(spoil: Any, seed: int) -> None:
    documents = graph(seed) or [{"op": "trim", "inputs": ["talk"], "output": "n0", "params": {"end": 2}}]
    pick = random.Random(seed)
    spoil(documents, pick)
    with pytest.raises(DocumentError) as caught:
        planned(documents)
    assert caught.value.findings
    assert all(place.startswith("$.operations") and text for place, text in caught.value.findings)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_job_of_a_valid_graph_parses(seed: int) -> None:
    documents = graph(seed)
    if not documents:
        return
    used = {name for document in documents for name in document["inputs"]}
    ends = [d["output"] for d in documents if d["output"] not in used]
    job = {
        "inputs": [{"id": name, "source": name} for name in sorted(used & set(_INFOS))],
        "operations": documents,
        "outputs": [{"id": name} for name in ends],
    }
    assert [spec.output for spec in parse(job).operations] == [d["output"] for d in documents]
