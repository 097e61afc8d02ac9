"""A plan as people and programs see it; estimates and what corrects them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from media_assets.analytics import estimates, rollups, warehouse
from media_assets.analytics.events import read_events, writer_for
from media_assets.analytics.outcomes import Place, log_result
from media_assets.analytics.questions import prediction
from media_assets.errors import DocumentError
from media_assets.job_plans import plan_job
from media_assets.media.run import commands_started
from media_assets.operations.registry import operations
from media_assets.planning.estimates import (
    bits_per_pixel,
    expected_cpu_seconds,
    job_estimate,
    node_estimate,
)
from media_assets.planning.execute import execute
from media_assets.planning.learnt import QUANTITIES, Curve, Factors, Influence
from media_assets.planning.report import mermaid, tree
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.analytics.telling import new_event
from media_assets_tests.clips import Clips, planned
from media_assets_tests.making import clip

OPERATIONS: list[dict[str, Any]] = [
    {"op": "trim", "input": "a", "output": "cut", "params": {"start": 0.5, "duration": "2s"}},
    {"op": "scale", "input": "cut", "output": "small", "params": {"width": 80}},
    {"op": "to_mp3", "input": "cut", "output": "sound"},
]
JOB = {
    "inputs": [{"id": "a", "source": "a.mp4"}],
    "operations": OPERATIONS,
    "outputs": [{"id": "small", "destination": "small.webm"}, {"id": "sound"}],
}


@pytest.fixture
def job(settings: Settings) -> Path:
    clip(settings, settings.source_root / "a.mp4")
    path = settings.data_root / "job.json"
    path.write_text(json.dumps(JOB, indent=1))
    return path


def test_a_plan_says_what_each_node_will_be(job: Path, settings: Settings) -> None:
    document = plan_job(job, settings)
    nodes = {node["name"]: node for node in document["nodes"]}
    assert set(nodes) == {"cut", "small", "sound", "small.encoded"}
    assert nodes["small"]["expected"]["width"] == 80
    assert nodes["small"]["expected"]["duration"] == 2.0
    assert nodes["sound"]["extension"] == "mp3"
    assert nodes["small.encoded"]["extension"] == "webm"
    assert document["stages"] == [["cut"], ["small", "sound"], ["small.encoded"]]
    assert document["outputs"] == {"small": "small.encoded", "sound": "sound"}
    assert ["a", "cut"] in document["edges"]
    assert document["groups"] == [["small.encoded", "sound"]]
    assert document["estimate"]["cpu_seconds"] > 0
    assert json.loads(json.dumps(document)) == document


def test_a_plan_starts_no_ffmpeg_and_makes_no_output(job: Path, settings: Settings) -> None:
    before = commands_started()
    plan_job(job, settings)
    assert commands_started() == before
    assert list(OutputStore(settings)) == []


def test_what_the_store_has_is_said(job: Path, settings: Settings) -> None:
    assert "in the store" not in tree(plan_job(job, settings))
    source = SourceCatalogue(settings).facts("a.mp4")
    (result,) = execute(
        planned(settings, {"a": source}, *OPERATIONS), ["sound"], OutputStore(settings), settings
    )
    assert result.error is None
    document = plan_job(job, settings)
    assert [node["name"] for node in document["nodes"] if node["cached"]] == ["sound"]
    assert document["groups"] == [["small.encoded"]]
    assert "sound: to_mp3 → 2.00 s, in the store" in tree(document)


def test_a_tree_leads_from_what_is_wanted_to_the_sources(job: Path, settings: Settings) -> None:
    drawn = tree(plan_job(job, settings))
    assert drawn.splitlines()[0] == "small:"
    assert "└─ small: resize → 80x44 2.00 s" in drawn
    assert drawn.count("src_a_mp4 (160x90 3.") == 2


def test_mermaid_names_every_node_and_edge(job: Path, settings: Settings) -> None:
    drawn = mermaid(plan_job(job, settings))
    assert drawn.startswith("flowchart LR\n")
    assert drawn.count(" --> ") == 4
    assert "class n" in drawn


def test_what_does_not_hold_is_said_with_its_line(job: Path, settings: Settings) -> None:
    broken = {**JOB, "operations": [{**OPERATIONS[0], "params": {"start": 99}}, *OPERATIONS[1:]]}
    job.write_text(json.dumps(broken, indent=1))
    with pytest.raises(DocumentError, match=r"operations\[0\].*line \d+.*beyond the clip's end"):
        plan_job(job, settings)


def test_more_work_is_estimated_to_cost_more(clips: Clips, settings: Settings) -> None:
    def cost(*documents: Mapping[str, Any]) -> float:
        plan = planned(settings, {"in": clips["plain"]}, *documents)
        return expected_cpu_seconds(plan, list(plan.nodes)[-1:])

    small = {"op": "resize", "input": "in", "output": "out", "params": {"width": 64}}
    large = {**small, "params": {"width": 1920}}
    part = {"op": "trim", "input": "in", "output": "out", "params": {"end": 0.5}}
    whole = {"op": "trim", "input": "in", "output": "out", "params": {}}
    slow = {"op": "encode", "input": "in", "output": "out", "params": {"speed": "veryslow"}}
    assert cost(small) < cost(large)
    assert cost(part) < cost(whole) < cost(slow)


def test_every_operation_has_an_estimate(clips: Clips, settings: Settings) -> None:
    for name, kind in operations().items():
        if kind.takes.fewest == 1 and "video" in kind.takes.kinds:
            document = {"op": name, "input": "in", "output": "out", "params": dict(kind.example)}
            plan = planned(settings, {"in": clips["plain"]}, document)
            found = node_estimate(plan, plan.nodes["out"], 2)
            assert 0 < found.seconds <= found.cpu_seconds, name
            assert found.memory_bytes > 0, name
            assert found.disk_bytes > 0, name


def test_events_correct_the_estimates(clips: Clips, settings: Settings) -> None:
    """A machine on which trims take three times what the shipped speeds say, and all else twice."""
    writer, detail = writer_for(settings), bits_per_pixel(clips["plain"].info)
    for index in range(7):
        for name, factor in (("trim", 3.0), ("resize", 2.0), ("flip", 2.0)):
            cpu = 100.0 if index == 0 else factor  # one render on a busy machine does not count
            writer.append(
                new_event(
                    name,
                    f"effect_{name}_{index:016x}",
                    "rendered",
                    cpu_seconds=cpu,
                    expected_cpu_seconds=1.0,
                    source_bits_per_pixel=detail,
                )
            )
    assert estimates.factors_of(settings) == Factors()
    with warehouse.connect(settings.warehouse_path) as connection:
        warehouse.load_events(connection, settings.event_root)
        rollups.refresh(connection, prediction.ROLLUPS)
        estimates.keep_factors(prediction.learnt(connection), settings)
    factors = estimates.factors_of(settings)
    document = {"op": "trim", "input": "in", "output": "out", "params": {"end": 1}}
    plan = planned(settings, {"in": clips["plain"]}, document)
    plain, fitted = (job_estimate(plan, ["out"], 2, known).cpu_seconds for known in (None, factors))
    assert fitted == pytest.approx(3 * plain, rel=0.05)
    other = planned(settings, {"in": clips["plain"]}, {"op": "reverse", "input": "in", "output": "out"})
    plain, fitted = (job_estimate(other, ["out"], 2, known).cpu_seconds for known in (None, factors))
    assert fitted == pytest.approx(2 * plain, rel=0.05)


def test_a_plan_says_what_it_knows_its_times_from(job: Path, settings: Settings) -> None:
    assert "s (shipped speeds)" in tree(plan_job(job, settings))
    writer = writer_for(settings)
    for index in range(41):
        writer.append(
            new_event(
                "to_mp3",
                f"effect_to_mp3_{index:016x}",
                "rendered",
                seconds=6.0 + index / 10,
                cpu_seconds=4.0,
                expected_cpu_seconds=1.0,
            )
        )
    with warehouse.connect(settings.warehouse_path) as connection:
        warehouse.load_events(connection, settings.event_root)
        rollups.refresh(connection, prediction.ROLLUPS)
        estimates.keep_factors(prediction.learnt(connection), settings)
    document = plan_job(job, settings)
    (sound,) = [node["estimate"] for node in document["nodes"] if node["name"] == "sound"]
    assert sound["low_seconds"] < sound["seconds"] < sound["high_seconds"]
    assert sound["events"] == 41
    drawn = tree(document)
    assert "learnt from 41 events)" in drawn
    assert "learnt from other operations)" in drawn


def test_what_was_expected_is_kept_with_what_was_measured(clips: Clips, settings: Settings) -> None:
    document = {"op": "flip", "input": "in", "output": "out"}
    plan = planned(settings, {"in": clips["plain"]}, document)
    (result,) = execute(plan, ["out"], OutputStore(settings), settings)
    assert result.outcome is not None
    notes = result.outcome.output.made.notes
    assert notes["expected_cpu_seconds"] == pytest.approx(expected_cpu_seconds(plan, ["out"]), abs=1e-3)


def test_the_event_of_a_render_has_what_its_plan_predicted(clips: Clips, settings: Settings) -> None:
    traits = tuple(
        Influence(trait, slope=0.5, centre=-1.0, least=-20.0, most=20.0)
        for trait in ("detail (given)", "pixels (given)", "fps (given)", "contrast")
    )
    named = Influence("source_codec (given)", {"h264": 0.3})
    curve = Curve(0.1, 2.0, (*traits, named), 0.8, 1.3, 30)
    factors = Factors({quantity: {"color_correction": curve} for quantity in QUANTITIES})
    estimates.keep_factors(factors, settings)
    plan = planned(
        settings,
        {"in": clips["plain"]},
        {"op": "trim", "input": "in", "output": "cut", "params": {"end": 1}},
        {"op": "color_correction", "input": "cut", "output": "out", "params": {"contrast": 1.3}},
    )
    said = node_estimate(plan, plan.nodes["out"], 2, factors)
    (result,) = execute(plan, ["out"], OutputStore(settings), settings)
    log_result(Place(settings, None, "in"), plan, result, wanted=[plan.nodes["out"].recipe.id], told=set())
    (event,) = [one for one in read_events(settings.event_root, 9) if one["outcome"] == "rendered"]
    assert event["predicted_cpu_seconds"] == pytest.approx(said.cpu_seconds, rel=0.01)
    assert event["predicted_ms"] == pytest.approx(1000 * said.seconds, rel=0.01)
    assert event["predicted_memory_bytes"] == pytest.approx(said.memory_bytes, rel=0.01)
    assert event["predicted_bytes"] == pytest.approx(said.disk_bytes, rel=0.01)
