"""A data root that was worked on, and what its registry says before and after things change."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from media_assets.actions import Actions
from media_assets.cli import app
from media_assets.components.loaded import loaded_workflow, remember
from media_assets.defs.journal import mark_lost
from media_assets.errors import BadInput
from media_assets.jobs import run_job
from media_assets.kompositions import plan as plan_module
from media_assets.registry.documents import (
    DEPENDENCY_GRAPH,
    FILE_REGISTRY,
    dependency_graph,
    file_registry,
)
from media_assets.registry.graph import ancestors, descendants, find
from media_assets.registry.questions import Impact
from media_assets.session import Session
from media_assets.settings import Settings
from media_assets.tracing import Registry, impact, registry, why
from media_assets_tests.defs.conftest import put, write_document
from media_assets_tests.making import clip

# One worker makes the story, which costs some seconds.
pytestmark = pytest.mark.xdist_group("registry")
RED, BLUE = "src_red_mp4", "src_blue_mp4"
KOMPOSITION = ("komposition_plan", "komposition_video")
SQUARE = [{"id": "square", "width": 90, "height": 90}]


@dataclass(frozen=True)
class Story:
    """What was asked and answered, in order.

    Attributes:
        effect: a trim of the red clip.
        first, again: the registry of what was made, read twice.
        before, after: answers of `why` while all is current, and after a source and the document changed;
            pending: an answer while the source was changed but not read again.
        touched: what a change of the red clip touches; estimated: the same once files were cleaned away.
        refused: what was said to questions that have no answer.
    """

    root: Path
    effect: str
    first: Registry
    again: Registry
    before: dict[str, dict[str, Any]]
    pending: dict[str, Any]
    after: dict[str, dict[str, Any]]
    touched: Impact
    estimated: Impact
    refused: list[str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    root = tmp_path_factory.mktemp("registry")
    settings = replace(Settings.from_environment(root), settle_seconds=0.05)
    for name, color in (("red.mp4", "red"), ("blue.mp4", "blue"), ("green.mp4", "green")):
        made = clip(settings, root / "made" / name, seconds=1.2, size="96x54", picture=f"color=c={color}")
        if name != "green.mp4":
            put(root, name, made.read_bytes())
    cuts = [("red.mp4", 0.0), ("blue.mp4", 0.1)]
    document = write_document(root, "both.json", cuts, renditions=SQUARE)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DAGSTER_HOME", "MEDIA_ASSETS_DATA"):
            patch.setenv(name, "")
        with Session(settings) as session:
            yield _told(Actions(session), root, document)


def _told(actions: Actions, root: Path, document: Path) -> Story:
    actions.ingest()
    actions.run_workflow("web_preview", [RED])
    actions.render_komposition(document)
    (effect,) = {output.effect for output in run_job(actions, _job(root)).outputs}
    asked = [
        ("effect_output", effect),
        ("web_preview/small", RED),
        ("web_preview/teaser", BLUE),
        ("thumbnail", RED),
        ("komposition_plan", "komp_both"),
        ("komposition_video", "komp_both"),
    ]
    first = registry(actions)
    again = registry(actions)
    before = {asset: why(actions, asset, key) for asset, key in asked}
    touched = impact(actions, "red.mp4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "RENDER_VERSION", 999)
        before |= {f"new {asset}": why(actions, asset, "komp_both") for asset in KOMPOSITION}
    put(root, "red.mp4", (root / "made" / "green.mp4").read_bytes())
    pending = why(actions, "thumbnail", RED)
    _edited(document)
    plan = why(actions, "komposition_plan", "komp_both")
    actions.ingest()
    after = {asset: why(actions, asset, key) for asset, key in asked} | {"plan": plan}
    for asset in ("web_preview/small", "effect_output"):
        shutil.rmtree(root / Path(before[asset]["files"][0]).parent)
    estimated = impact(actions, RED)
    mark_lost(actions.session.instance, actions.settings, {("thumbnail", BLUE): "it was cleaned"})
    after["lost"] = why(actions, "thumbnail", BLUE)
    document.write_text("{")
    after["spoilt"] = why(actions, "komposition_plan", "komp_both")
    with _wider():
        after["wider"] = why(actions, "web_preview/small", RED)
    refused = []
    for asset, key in (("nothing", RED), ("thumbnail", "src_gone"), ("thumbnail", None)):
        with pytest.raises(BadInput) as error:
            why(actions, asset, key)
        refused.append(str(error.value))
    return Story(root, effect, first, again, before, pending, after, touched, estimated, refused)


def _job(root: Path) -> Path:
    document = {
        "inputs": [{"id": "a", "source": "red.mp4"}],
        "operations": [{"op": "trim", "input": "a", "output": "cut", "start": 0.3, "duration": 0.5}],
        "outputs": [{"id": "cut"}],
    }
    path = root / "job.json"
    path.write_text(json.dumps(document))
    return path


def _edited(document: Path) -> None:
    content = json.loads(document.read_text())
    content["segments"][1]["in_point"] = 0.2
    document.write_text(json.dumps(content))


@contextlib.contextmanager
def _wider() -> Iterator[None]:
    """The workflow as it would be loaded with another width."""
    workflow = loaded_workflow("web_preview")
    cut, small = workflow.operations
    wider = small.model_copy(update={"params": {"width": 320, "height": 180}})
    remember(replace(workflow, operations=(cut, wider)))
    try:
        yield
    finally:
        remember(workflow)


def kinds(report: dict[str, Any]) -> set[tuple[str, str]]:
    return {(reason["kind"], reason["subject"]) for reason in report["reasons"]}


def test_the_two_documents_have_every_field_and_the_same_bytes_each_time(story: Story) -> None:
    texts = []
    for found in (story.first, story.again):
        files = file_registry(found.disk, found.graph, story.root)
        graph = dependency_graph(found.disk, found.graph)
        texts.append(json.dumps([files, graph], sort_keys=True))
    assert texts[0] == texts[1]
    assert str(story.root) not in texts[0]
    fields = (
        "file_id path size modified checksum properties derived_from operation parameters deterministic_id"
    )
    source = files["source_files"][RED]
    trims = [one for one in files["generated_files"].values() if one["deterministic_id"] == story.effect]
    assert len(trims) == 1
    for one in (source, *trims):
        assert set(fields.split()) <= set(one)
    assert (trims[0]["operation"], trims[0]["derived_from"]) == ("trim", [RED])
    assert files["last_updated"] == graph["last_updated"]
    assert files["last_updated"] >= trims[0]["modified"]
    node = graph["nodes"][story.effect]
    assert node["metadata_files"][0] == f"effects/{story.effect}.json"
    assert node["file_id"] == trims[0]["file_id"]
    ids = set(files["source_files"]) | set(files["generated_files"])
    assert {n["file_id"] for n in graph["nodes"].values() if n["file_id"]} <= ids
    (edge,) = [edge for edge in graph["edges"] if edge["target"] == story.effect]
    assert (edge["source"], edge["operation"], edge["timestamp"]) == (RED, "trim", node["timestamp"])


def test_every_file_that_the_documents_name_is_there(story: Story) -> None:
    graph = dependency_graph(story.first.disk, story.first.graph)
    for node in graph["nodes"].values():
        for name in node["metadata_files"]:
            if not name.startswith("store/"):  # some outputs are cleaned away later in the story
                assert (story.root / name).is_file(), name


def test_lineage_goes_from_a_rendition_to_its_sources(story: Story) -> None:
    graph = story.first.graph
    assert {name for name in ancestors(graph, "komp_both:square") if "/" not in name} == {
        RED,
        BLUE,
        "komp_both@1",
    }
    assert {"komp_both/s1", "komp_both", "komp_both:square/s1", f"thumbnail/{RED}"} <= set(
        descendants(graph, RED)
    )
    assert "komp_both/s2" not in descendants(graph, RED)
    assert all(edge.source in graph.nodes and edge.target in graph.nodes for edge in graph.edges)


def test_a_workflows_node_is_found_by_the_effect_that_it_is(story: Story) -> None:
    graph = story.first.graph
    node = graph.nodes[f"web_preview/small/{RED}"]
    assert find(graph, node.aliases[0]) == node.id
    assert node.parameters["width"] == 640
    assert ancestors(graph, node.id) == {f"web_preview/teaser/{RED}": 1, RED: 2}


def test_impact_tells_what_is_touched_and_what_it_took(story: Story) -> None:
    touched = {one.node.id: one for one in story.touched.touched}
    assert {story.effect, f"web_preview/small/{RED}", "komp_both", "komp_both:square"} <= set(touched)
    assert "komp_both/s2" not in touched
    assert touched[story.effect].cost.basis == "measured"
    assert story.touched.cpu_seconds == pytest.approx(
        sum({one.cost.key: one.cost.cpu_seconds or 0.0 for one in touched.values() if one.made}.values())
    )
    assert story.touched.bytes > 1000
    assert story.touched.unknown == ()


def test_what_was_cleaned_away_is_estimated_by_the_planner(story: Story) -> None:
    touched = {one.node.id: one.cost for one in story.estimated.touched}
    for name in (story.effect, f"web_preview/small/{RED}"):
        assert touched[name].basis == "estimated"
        assert (touched[name].cpu_seconds or 0.0) > 0
    assert story.estimated.unknown == ()


def test_what_was_made_is_current_and_dagster_agrees(story: Story) -> None:
    statuses = {
        asset: (found["status"], found["dagster"]["status"])
        for asset, found in story.before.items()
        if not asset.startswith("new ")
    }
    missing = {"web_preview/teaser": ("missing", "missing")}
    assert statuses == {asset: missing.get(asset, ("current", "materialized")) for asset in statuses}
    assert kinds(story.before["web_preview/teaser"]) == {("never_made", f"web_preview/teaser/{BLUE}")}


def test_a_file_that_is_not_read_again_yet_is_told(story: Story) -> None:
    assert story.pending["status"] == "current"
    assert kinds(story.pending) == {("file", RED)}


def test_a_changed_source_is_named_with_both_its_versions(story: Story) -> None:
    old = story.first.disk.sources[RED].sha256
    for asset in ("effect_output", "komposition_video"):
        assert story.after[asset]["status"] == "stale", asset
        (reason,) = [r for r in story.after[asset]["reasons"] if r["subject"] == RED]
        assert reason["before"] == old
        assert reason["after"] not in (None, old)
    node = story.after["web_preview/small"]
    assert (node["status"], node["upstream"]) == ("stale", [f"web_preview/teaser/{RED}"])


def test_a_changed_field_of_a_document_is_named(story: Story) -> None:
    for found in (story.after["plan"], story.after["komposition_video"]):
        assert found["status"] == "stale"
        (field,) = [reason for reason in found["reasons"] if reason["kind"] == "field"]
        assert (field["subject"], field["before"], field["after"]) == (
            "$.segments[1].in_point",
            "0.1",
            "0.2",
        )
    assert story.after["komposition_plan"]["status"] == "current"


def test_a_changed_parameter_of_a_workflow_is_named_with_both_values(story: Story) -> None:
    found = {r["subject"]: r for r in story.after["wider"]["reasons"] if r["kind"] == "parameter"}
    assert {name: (r["before"], r["after"]) for name, r in found.items()} == {
        "width": ("640", "320"),
        "height": ("360", "180"),
    }


def test_another_renderer_is_told_where_nothing_else_changed(story: Story) -> None:
    for asset in KOMPOSITION:
        found = story.before[f"new {asset}"]
        assert (found["status"], kinds(found)) == ("stale", {("renderer", "renderer")})


def test_a_spoilt_document_makes_its_plan_impossible(story: Story) -> None:
    found = story.after["spoilt"]
    assert found["status"] == "impossible"
    assert "both.json" in " ".join(reason["text"] for reason in found["reasons"])


def test_what_became_of_a_file_is_told_and_how_it_was_made_is_not_forgotten(story: Story) -> None:
    lost = story.after["lost"]
    assert lost["status"] == "missing"
    assert [reason["text"] for reason in lost["reasons"]] == [
        "its file is not in the store any more: it was cleaned"
    ]
    assert lost["files"]
    assert lost["dagster"]["status"] == "stale"


def test_what_is_not_there_is_refused(story: Story) -> None:
    nothing, gone, whole = story.refused
    assert "no such asset" in nothing
    assert "no partition 'src_gone'" in gone
    assert "has partitions" in whole


def test_the_commands_print_it(story: Story, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DAGSTER_HOME", "MEDIA_ASSETS_DATA"):
        monkeypatch.setenv(name, "")
    data = ["--data", str(story.root)]

    def typed(*words: str) -> str:
        result = CliRunner().invoke(app, [*words, *data], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    typed("registry", "export", "-o", str(tmp_path))
    files, graph = (json.loads((tmp_path / name).read_text()) for name in (FILE_REGISTRY, DEPENDENCY_GRAPH))
    assert {RED, BLUE} <= set(files["source_files"]) & set(graph["nodes"])
    assert typed("lineage", "effect_output", story.effect, "--up").splitlines()[1] == (
        f"└─ {RED}: source, source/red.mp4"
    )
    path = story.root / "source" / "red.mp4"
    assert json.loads(typed("impact", str(path), "--json"))["id"] == RED
    amounts = {row["kind"]: row for row in json.loads(typed("resources", "--json"))["resources"]}
    assert (amounts["source"]["count"], amounts["recipe"]["count"]) == (2, 1)
    assert (
        amounts["published output"]["bytes"]
        < amounts["effect output"]["bytes"] + amounts["komposition"]["bytes"]
    )
    with pytest.raises(BadInput, match="nothing of that name"):
        CliRunner().invoke(app, ["impact", "no-such-thing", *data], catch_exceptions=False)
