"""A workflow is a YAML file: what it says is what is made, and a slip in it is named with its place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from media_assets.components.workflow import WorkflowComponent
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.errors import DocumentError
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.planning.workflow import Takes
from media_assets.settings import PROJECT_ROOT
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceFacts

SAMPLE = PROJECT_ROOT / "media_assets" / "defs" / "workflows" / "web_preview" / "defs.yaml"
TRIM = {"op": "trim", "inputs": ["source"], "output": "cut", "params": {"duration": 1}}


def component(**changes: object) -> WorkflowComponent:
    """A component from attributes as YAML gives them."""
    attributes = {"name": "w", "operations": [TRIM], **changes}
    found: WorkflowComponent = WorkflowComponent.resolve_from_yaml(yaml.safe_dump(attributes))
    return found


def assets(**changes: object) -> WorkflowAssets:
    """The assets of such a component."""
    return WorkflowAssets(component(**changes).workflow("defs.yaml"))


def facts(name: str = "clip.mp4", seconds: float = 10.0, *, sound: bool = True) -> SourceFacts:
    """A video source."""
    info = MediaInfo(
        kind="video",
        container="mp4",
        size=1000,
        duration=seconds,
        videos=(VideoStream(0, "h264", 160, 90),),
        audios=(AudioStream(1, "aac", 48000, 2),) if sound else (),
    )
    return SourceFacts("src_clip_mp4", Path(name), name, "0" * 64, info, Stat(1000, 0, 0))


def test_each_node_is_an_asset_of_the_workflows_own_partitions() -> None:
    found = assets(
        operations=[TRIM, {"op": "resize", "inputs": ["cut"], "output": "small", "params": {"width": 64}}]
    )
    (nodes,) = found.definitions().assets or []
    assert isinstance(nodes, dg.AssetsDefinition)
    assert {key.to_user_string() for key in nodes.keys} == {"w/cut", "w/small"}
    assert isinstance(nodes.partitions_def, dg.DynamicPartitionsDefinition)
    assert nodes.partitions_def.name == "workflow.w"
    assert nodes.can_subset


def test_a_constant_input_is_an_asset_that_follows_its_source() -> None:
    found = assets(
        constants={"tail": "tail.mp4"},
        operations=[{"op": "concatenate", "inputs": ["source", "tail"], "output": "whole"}],
    )
    definitions = found.definitions()
    constant = next(
        a
        for a in definitions.assets or []
        if isinstance(a, dg.AssetsDefinition) and a.key == found.key("tail")
    )
    (dep,) = constant.get_asset_spec(found.key("tail")).deps
    assert dep.asset_key == dg.AssetKey("source_file")
    assert dep.partition_mapping == dg.SpecificPartitionsPartitionMapping(["src_tail_mp4"])


def test_a_nodes_code_version_follows_its_parameters_and_nothing_else() -> None:
    def version(**changes: object) -> str:
        found = assets(**changes)
        return found.workflow.code_version(found.workflow.operations[0])

    assert version() == version(description="other words", takes={"kind": ["audio"]})
    assert version() != version(operations=[{**TRIM, "params": {"duration": 2}}])
    assert version() == version(operations=[{**TRIM, "params": {"duration": "1s", "start": 0}}])


@pytest.mark.parametrize(
    ("takes", "expected"),
    [
        ({}, True),
        ({"kind": ["audio"]}, False),
        ({"sound": True}, True),
        ({"sound": False}, False),
        ({"min_duration": "10s"}, True),
        ({"min_duration": "11s"}, False),
        ({"max_duration": 9}, False),
        ({"min_size": 1001}, False),
        ({"max_size": 1000}, True),
        ({"name": "*.mp4"}, True),
        ({"name": "holiday/*"}, False),
    ],
)
def test_the_filter_takes_by_kind_sound_duration_size_and_name(
    takes: dict[str, object], expected: bool
) -> None:
    assert Takes.model_validate(takes).takes(facts()) is expected


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"operations": [{**TRIM, "op": "trimm"}]}, "$.operations[0].op"),
        ({"operations": [{**TRIM, "inputs": ["sauce"]}]}, "$.operations[0].inputs[0]"),
        ({"operations": [{**TRIM, "params": {"duraton": 1}}]}, "$.operations[0].params.duraton"),
        ({"operations": [TRIM, TRIM]}, "$.operations[1].output"),
        ({"operations": [{**TRIM, "inputs": ["cut"]}]}, "$.operations"),
        ({"name": "Not A Name"}, "$.name"),
        ({"automation": "sometimes"}, "$.automation"),
    ],
)
def test_a_slip_is_named_with_its_place(changes: dict[str, object], place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        component(**changes).workflow("defs.yaml")
    assert place in [found for found, _ in caught.value.findings]
    assert caught.value.where == "defs.yaml"


def test_an_eager_workflow_has_a_sensor_and_a_cron_one_a_schedule() -> None:
    from media_assets.defs.workflow_automation import automation

    assert [s.name for s in automation(assets(automation="eager")).sensors or []] == ["w_sensor"]
    assert not automation(assets(automation="manual")).sensors
    (schedule,) = automation(assets(automation="0 3 * * *")).schedules or []
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.cron_schedule == "0 3 * * *"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project that a test may break."""
    import shutil

    for name in ("pyproject.toml", "media_assets"):
        source = PROJECT_ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    return tmp_path


def dg_command(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `dg` in a project."""
    program = Path(sys.executable).with_name("dg")
    return subprocess.run(
        [str(program), *arguments], cwd=project, capture_output=True, text=True, timeout=200, check=False
    )


def test_dg_names_the_line_of_a_misspelt_key(project: Path) -> None:
    assert dg_command(project, "check", "yaml").returncode == 0
    path = project / SAMPLE.relative_to(PROJECT_ROOT)
    lines = path.read_text().splitlines()
    line = next(i for i, text in enumerate(lines) if text.strip().startswith("automation:"))
    lines[line] = lines[line].replace("automation", "automaton")
    path.write_text("\n".join(lines))
    done = dg_command(project, "check", "yaml")
    assert done.returncode == 1
    assert "automaton" in done.stdout + done.stderr
    assert f"{path.name}:{line + 1}" in done.stdout + done.stderr


def test_dg_scaffolds_a_workflow_that_holds(project: Path) -> None:
    done = dg_command(
        project,
        "scaffold",
        "defs",
        "media_assets.components.workflow.WorkflowComponent",
        "workflows/teasers",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    written = yaml.safe_load(
        (project / "media_assets" / "defs" / "workflows" / "teasers" / "defs.yaml").read_text()
    )
    assert component(**written["attributes"]).workflow("defs.yaml").name == "teasers"
    assert dg_command(project, "check", "yaml").returncode == 0
