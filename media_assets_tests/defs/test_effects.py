"""Effects as partitions: exact staleness, one decode for many, one failure alone."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from media_assets.actions import Actions
from media_assets.defs.effect_recipes import EFFECT_RECIPE, observe_changed
from media_assets.defs.effect_sensor import effect_sensor
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.errors import BadInput
from media_assets.explaining import explain
from media_assets.jobs import JobReport, run_job
from media_assets.media.run import commands_started
from media_assets_tests.defs.conftest import BLUE, RED, put
from media_assets_tests.making import clip

CUT = {"op": "trim", "input": "a", "output": "cut", "start": 0.5, "duration": 1}
SMALL = {"op": "resize", "input": "cut", "output": "small", "width": 80, "height": 46}
SOUND = {"op": "extract_audio", "input": "cut", "output": "sound"}


def job(
    root: Path, *operations: dict[str, Any], wanted: list[str], name: str = "job.json", **sources: str
) -> Path:
    """A job of those operations."""
    document = {
        "inputs": [{"id": id, "source": source} for id, source in (sources or {"a": RED}).items()],
        "operations": list(operations),
        "outputs": [{"id": output} for output in wanted],
    }
    path = root / name
    path.write_text(json.dumps(document))
    return path


def of(report: JobReport, name: str) -> str:
    """The status of an output."""
    return next(output.status for output in report.outputs if output.id == name)


def effect_statuses(actions: Actions) -> dict[str | None, str]:
    """Dagster's own answer for every effect."""
    return {s.partition: s.status for s in actions.session.status("effect_output")}


def observed(actions: Actions) -> int:
    """How many observations of recipes there are."""
    return len(actions.session.instance.fetch_observations(EFFECT_RECIPE, limit=1000).records)


def longer(prototypes: Path, name: str) -> bytes:
    """Another content that decodes the same way."""
    return (prototypes / name).read_bytes() + b"\0\0\0\x10freemore!!!!"


def test_every_effect_of_a_job_is_a_partition_and_the_wanted_are_made(actions: Actions, root: Path) -> None:
    report = run_job(actions, job(root, CUT, SMALL, SOUND, wanted=["small", "sound"]))
    assert not report.failed
    found = effect_statuses(actions)
    assert set(found) == set(report.effects.values())
    assert {name: found[effect] for name, effect in report.effects.items()} == {
        "cut": "missing",
        "small": "materialized",
        "sound": "materialized",
    }
    for output in report.outputs:
        assert Path(str(output.path)).is_file()
        shown = actions.session.metadata(EFFECT_OUTPUT, output.effect)
        assert {"preview", "path", "size", "duration", "parameters", "made_from"} <= set(shown)


def test_several_outputs_of_a_job_come_from_one_command(actions: Actions, root: Path) -> None:
    report = run_job(actions, job(root, CUT, SMALL, SOUND, wanted=["small", "sound"]))
    assert sum(output.ffmpeg_runs for output in report.outputs) == 1


def test_a_second_run_starts_no_command_and_observes_nothing(actions: Actions, root: Path) -> None:
    document = job(root, CUT, SMALL, wanted=["small"])
    run_job(actions, document)
    before, seen = commands_started(), observed(actions)
    report = run_job(actions, document)
    assert of(report, "small") == "cached"
    assert commands_started() == before
    assert observed(actions) == seen


def test_a_changed_source_makes_its_effects_stale_and_only_those(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    red = run_job(actions, job(root, CUT, SMALL, wanted=["small", "cut"]))
    blue = run_job(actions, job(root, CUT, SMALL, wanted=["small"], a=BLUE))
    put(root, RED, longer(prototypes, RED))
    actions.ingest()
    found = effect_statuses(actions)
    assert found[red.effects["small"]] == found[red.effects["cut"]] == "stale"
    assert found[blue.effects["small"]] == "materialized"
    # The job again makes all of it current; back to the old content, all is current without a command.
    run_job(actions, job(root, CUT, SMALL, wanted=["small", "cut"]))
    assert "stale" not in effect_statuses(actions).values()
    put(root, RED, (prototypes / RED).read_bytes())
    actions.ingest()
    assert effect_statuses(actions)[red.effects["small"]] == "stale"
    before = commands_started()
    report = run_job(actions, job(root, CUT, SMALL, wanted=["small", "cut"]))
    assert of(report, "small") == "cached"
    assert commands_started() - before <= 1  # the thumbnail
    assert "stale" not in effect_statuses(actions).values()


def test_made_again_from_its_partition_alone_it_is_fresh(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    report = run_job(actions, job(root, CUT, SMALL, SOUND, wanted=["small", "sound"]))
    put(root, RED, longer(prototypes, RED))
    actions.ingest()
    (result,) = actions.session.run([EFFECT_OUTPUT], [report.effects["small"]])
    assert result.success
    found = effect_statuses(actions)
    assert found[report.effects["small"]] == "materialized"
    assert found[report.effects["sound"]] == "stale"


def test_a_range_of_effects_runs_together_and_each_has_its_own_version(
    actions: Actions, root: Path
) -> None:
    report = run_job(actions, job(root, CUT, SMALL, SOUND, wanted=["sound", "small"]))
    results = actions.session.run([EFFECT_OUTPUT], list(report.effects.values()))
    assert [result.success for result in results] == [True]
    assert set(effect_statuses(actions).values()) == {"materialized"}
    log = actions.session.instance.event_log_storage
    tags = log.get_latest_tags_by_partition(
        EFFECT_OUTPUT, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
    )
    assert len({tag["dagster/data_version"] for tag in tags.values()}) == 3


def test_outputs_that_are_no_neighbours_are_made_in_one_run(actions: Actions, root: Path) -> None:
    run_job(actions, job(root, CUT, SMALL, wanted=["small", "cut"], a=BLUE))
    run_job(actions, job(root, CUT, SOUND, wanted=["sound"]))
    run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    output = {"op": "flip", "input": "cut", "output": "flipped"}
    runs = actions.session.instance.get_runs_count()
    report = run_job(actions, job(root, CUT, SOUND, output, wanted=["flipped", "sound", "cut"]))
    assert [o.status for o in report.outputs] == ["rendered", "cached", "rendered"]
    assert sum(o.ffmpeg_runs for o in report.outputs) <= 2
    assert actions.session.instance.get_runs_count() == runs + 1
    found = effect_statuses(actions)
    assert {found[o.effect] for o in report.outputs} == {"materialized"}


def test_a_removed_source_is_said_and_comes_back(actions: Actions, root: Path, prototypes: Path) -> None:
    report = run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    effect = report.effects["small"]
    (root / "source" / RED).unlink()
    told = actions.ingest()
    assert any(effect in problem and "no such source" in problem for problem in told["problems"])
    assert effect_statuses(actions)[effect] == "stale"
    latest = actions.session.instance.fetch_observations(
        dg.AssetRecordsFilter(EFFECT_RECIPE, asset_partitions=[effect]), limit=1
    ).records[0]
    assert latest.asset_observation is not None
    assert "no such source" in str(latest.asset_observation.metadata["problem"].value)
    (failed,) = actions.session.run([EFFECT_OUTPUT], [effect])
    assert not failed.success
    assert explain(actions, effect)["status"] == "impossible"
    put(root, RED, (prototypes / RED).read_bytes())
    assert actions.ingest()["problems"] == []
    assert effect_statuses(actions)[effect] == "materialized"


def test_one_failed_effect_of_a_shared_command_fails_alone(
    actions: Actions, root: Path, tmp_path: Path
) -> None:
    """A disk that gives back nothing for the second half of a file, unnoticed."""
    settings, more = actions.settings, ("-movflags", "+faststart", "-g", "10")
    whole = clip(settings, tmp_path / "whole.mp4", seconds=8, more=more).read_bytes()
    path = put(root, "faulty.mp4", whole)
    actions.ingest()
    before = path.stat()
    path.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    early = {"op": "trim", "input": "a", "output": "early", "start": 0, "duration": 1}
    late = {"op": "trim", "input": "a", "output": "late", "start": 6, "duration": 1}
    report = run_job(actions, job(root, early, late, wanted=["early", "late"], a="faulty.mp4"))
    assert [output.status for output in report.outputs] == ["rendered", "failed"]
    error = report.outputs[1].error
    assert error is not None
    assert "late" in str(error["where"])
    assert "faulty.mp4" in str(error["where"])
    assert (error["node"], error["files"]) == ("late", ["faulty.mp4"])
    assert "effect_" not in str(error)
    found = effect_statuses(actions)
    assert found[report.effects["early"]] == "materialized"
    assert found[report.effects["late"]] == "missing"


def test_the_sensor_notices_by_itself_and_a_quiet_tick_does_nothing(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    report = run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    with dg.build_sensor_context(
        instance=actions.session.instance, resources={"media": actions.media}
    ) as context:
        effect_sensor(context)
        before = observed(actions)
        effect_sensor(context)
        assert observed(actions) == before
        put(root, RED, longer(prototypes, RED))
        files = actions.media.sources.changes().unread
        list(actions.media.sources.ingest(files))
        result = effect_sensor(context)
    assert isinstance(result, dg.SensorResult)
    assert not result.run_requests
    assert effect_statuses(actions)[report.effects["small"]] == "stale"


def test_recipes_fill_a_lost_dagster_home(actions: Actions, root: Path) -> None:
    report = run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    instance = actions.session.instance
    instance.wipe_assets([EFFECT_RECIPE, EFFECT_OUTPUT])
    for key in report.effects.values():
        instance.delete_dynamic_partition("effects", key)
    observe_changed(instance, actions.media)
    assert set(effect_statuses(actions)) == set(report.effects.values())
    before = commands_started()
    (result,) = actions.session.run([EFFECT_OUTPUT], [report.effects["small"]])
    assert result.success
    assert commands_started() == before


def test_a_damaged_recipe_fails_its_partition_and_the_job_mends_it(actions: Actions, root: Path) -> None:
    document = job(root, CUT, SMALL, wanted=["small"])
    effect = run_job(actions, document).effects["small"]
    path = actions.settings.effect_root / f"{effect}.json"
    path.unlink()
    path.write_text("{")
    (result,) = actions.session.run([EFFECT_OUTPUT], [effect])
    assert not result.success
    assert of(run_job(actions, document), "small") == "cached"
    assert effect_statuses(actions)[effect] == "materialized"


def test_a_node_of_a_workflow_and_an_effect_share_the_store(actions: Actions, root: Path) -> None:
    actions.ingest()
    actions.run_workflow("web_preview", ["src_red_mp4"])
    found = explain(actions, "web_preview/small/src_red_mp4")
    assert found["status"] == "current"
    steps: list[dict[str, Any]] = []
    waiting = [found["made_of"]]
    while waiting:
        node = waiting.pop()
        if node["kind"] == "effect":
            taken = "a" if node["inputs"][0]["kind"] == "source" else "made1"
            steps.insert(
                0,
                {
                    "op": node["operation"],
                    "input": taken,
                    "output": f"made{1 + len(steps)}",
                    "params": node["parameters"],
                },
            )
            waiting += node["inputs"]
    steps[0]["output"], steps[1]["output"] = "made1", "made2"
    before = commands_started()
    report = run_job(actions, job(root, *steps, wanted=["made1", "made2"]))
    assert [output.status for output in report.outputs] == ["cached", "cached"]
    assert commands_started() == before


def test_explaining_a_workflows_node_names_what_it_knows(actions: Actions, root: Path) -> None:
    actions.ingest()
    assert explain(actions, "web_preview/small/src_red_mp4")["status"] == "missing"
    for wrong in ("web_preview/none/src_red_mp4", "none/small/src_red_mp4", "web_preview/small"):
        with pytest.raises(BadInput):
            explain(actions, wrong)


def test_what_several_effects_take_is_explained_once(actions: Actions, root: Path) -> None:
    """Forty mixes of a sound with itself would be a tree of 2⁴⁰ leaves."""
    operations: list[dict[str, Any]] = [{**CUT, "output": "n0"}]
    for index in range(40):
        operations.append({"op": "mix", "inputs": [f"n{index}"] * 2, "output": f"n{index + 1}"})
    path = job(root, *operations, {**SMALL, "input": "n0"}, wanted=["n40", "small"])
    report = run_job(actions, path, only=["small"])
    found = explain(actions, report.effects["n40"])
    assert found["status"] == "missing"
    assert len(json.dumps(found["made_of"])) < 40_000


def test_an_output_beyond_the_limit_fails_and_is_not_put_anywhere(actions: Actions, root: Path) -> None:
    path = job(root, CUT, SMALL, wanted=["small", "cut"])
    document = json.loads(path.read_text())
    document["limits"] = {"max_output_size": 100}
    path.write_text(json.dumps(document))
    report = run_job(actions, path)
    assert [output.status for output in report.outputs] == ["failed", "failed"]
    assert all("the most is 100" in str(output.error) for output in report.outputs)
    assert not (root / "output" / "effects").exists()


def test_a_job_whose_time_is_over_ends_its_commands(actions: Actions, root: Path) -> None:
    slow = {"op": "loop", "input": "a", "output": "long", "count": 400}
    big = {"op": "resize", "input": "long", "output": "big", "width": 1920, "height": 1080}
    report = run_job(actions, job(root, slow, big, wanted=["big"]), timeout=6)
    (output,) = report.outputs
    assert output.error is not None
    assert output.error["error"] == "TimeLimitExceeded"
    assert list((root / "store" / "pending").iterdir()) == []
