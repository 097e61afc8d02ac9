"""Dagster's own stale status is exact per partition, also for partitions processed together in one run."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from media_assets.actions import Actions
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.defs.versions import Edge, out_of_date
from media_assets_tests.defs.conftest import (
    BLUE,
    RED,
    TONE,
    age,
    changed,
    put,
    statuses,
    write_document,
)

WORKFLOW = [dg.AssetKey(["web_preview", name]) for name in ("teaser", "small")]
REDS = {("web_preview/teaser", "src_red_mp4"), ("web_preview/small", "src_red_mp4")}


def everything(actions: Actions, root: Path) -> None:
    """Ingest, run the workflow for all sources in one run, render every document."""
    actions.ingest()
    actions.run_workflow("web_preview")
    for document in sorted((root / "kompositions").glob("*.json")):
        actions.render_komposition(document)


def longer_red(prototypes: Path) -> bytes:
    """Another content for red.mp4 that decodes the same way: the same file with a comment behind it."""
    return (prototypes / RED).read_bytes() + b"\0\0\0\x10freemore!!!!"


def test_after_a_whole_pass_nothing_is_stale_or_missing(actions: Actions, root: Path) -> None:
    everything(actions, root)
    found = statuses(actions)
    assert {s for (asset, _), s in found.items()} == {"materialized"}
    assert ("web_preview/small", "src_blue_mp4") in found
    assert ("web_preview/small", "src_tone_wav") not in found


def test_a_changed_source_makes_exactly_its_own_partitions_and_kompositions_stale(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    write_document(root, "blue_only.json", [(BLUE, 0.0), (BLUE, 1.0)])
    everything(actions, root)
    before = statuses(actions)
    put(root, RED, longer_red(prototypes))
    report = actions.ingest()
    assert report["ingested"] == 1
    # The thumbnail is redone by ingest. `small` follows `teaser`: Dagster looks one hop up.
    assert changed(actions, before) == {
        ("web_preview/teaser", "src_red_mp4"): "stale",
        ("komposition_video", "komp_both"): "stale",
    }
    status = next(iter(actions.session.status("komposition_video", "komp_both")))
    assert [c.dependency for c in status.causes] == ["komposition_plan"]


def test_redoing_what_is_stale_makes_all_current_again(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    everything(actions, root)
    before = statuses(actions)
    put(root, RED, longer_red(prototypes))
    actions.ingest()
    actions.run_workflow("web_preview", ["src_red_mp4"])
    actions.render_komposition(root / "kompositions" / "both.json")
    assert changed(actions, before) == {}


def test_a_touched_source_makes_nothing_stale_and_nothing_is_redone(actions: Actions, root: Path) -> None:
    everything(actions, root)
    before, made = statuses(actions), records(actions)
    age(root / "source" / RED, 30)
    actions.ingest()
    assert changed(actions, before) == {}
    assert {key for key, storage_id in records(actions).items() if made[key] != storage_id} <= {
        (SOURCE_FILE, "src_red_mp4")
    }


def test_there_and_back_again_is_current_without_rendering(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    everything(actions, root)
    put(root, RED, longer_red(prototypes))
    actions.ingest()
    put(root, RED, (prototypes / RED).read_bytes())
    actions.ingest()
    assert set(statuses(actions).values()) <= {"materialized", "missing"}
    report = actions.render_komposition(root / "kompositions" / "both.json")
    assert report["ffmpeg_runs"] == 0


def test_a_changed_source_that_gives_the_same_output_leaves_what_follows_fresh(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    """Early cutoff: teaser's bytes are the same for the longer file, so small is not touched."""
    everything(actions, root)
    put(root, RED, longer_red(prototypes))
    actions.ingest()
    actions.session.run([WORKFLOW[0]], ["src_red_mp4"])
    found = statuses(actions)
    assert found["web_preview/teaser", "src_red_mp4"] == "materialized"
    assert found["web_preview/small", "src_red_mp4"] == "materialized"


def test_the_sensors_answer_in_bulk_is_dagsters_answer(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    everything(actions, root)
    put(root, RED, longer_red(prototypes))
    actions.ingest()
    instance = actions.session.instance
    for asset, version, edges in (
        (WORKFLOW[0], actions.session.graph.get(WORKFLOW[0]).code_version, [Edge(SOURCE_FILE)]),
        (THUMBNAIL, "1", [Edge(SOURCE_FILE)]),
        (VIDEO, "1", [Edge(PLAN)]),
    ):
        keys = [key for key in actions.session.partitions(asset) if key is not None]
        told = {
            s.partition
            for s in actions.session.status(asset.to_user_string())
            if s.status != "materialized"
        }
        assert set(out_of_date(instance, asset, str(version), edges, keys)) == told


def test_partitions_of_one_run_have_each_their_own_version(actions: Actions, root: Path) -> None:
    everything(actions, root)
    log = actions.session.instance.event_log_storage
    tags = log.get_latest_tags_by_partition(
        WORKFLOW[1], dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
    )
    versions = {key: tag["dagster/data_version"] for key, tag in tags.items()}
    assert len(versions) == 2
    assert versions["src_red_mp4"] != versions["src_blue_mp4"]


def test_a_removed_source_is_no_partition_any_more(actions: Actions, root: Path) -> None:
    everything(actions, root)
    (root / "source" / BLUE).unlink()
    report = actions.ingest()
    assert report["removed"] == ["src_blue_mp4"]
    assert not any(partition == "src_blue_mp4" for _, partition in statuses(actions))
    assert any("both" in problem and "blue.mp4" in problem for problem in report["problems"])


def test_a_renamed_source_is_not_read_or_rendered_again(actions: Actions, root: Path) -> None:
    everything(actions, root)
    (root / "source" / BLUE).rename(root / "source" / "azure.mp4")
    actions.ingest()
    actions.run_workflow("web_preview", ["src_azure_mp4"])
    rows = [actions.row(asset, "src_azure_mp4") for asset in WORKFLOW]
    assert [row.cached for row in rows] == [True, True]


def test_what_is_not_media_is_reported_and_holds_nobody_up(actions: Actions, root: Path) -> None:
    put(root, "notes.mp4", b"not a video")
    report = actions.ingest()
    assert [(r["path"], r["error"]) for r in report["rejected"]] == [("notes.mp4", "NotMedia")]
    assert {s["path"] for s in report["sources"]} == {RED, BLUE, TONE}
    assert not any(partition == "src_notes_mp4" for _, partition in statuses(actions))


def test_a_source_that_becomes_garbage_is_reported_and_comes_back_when_mended(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    everything(actions, root)
    put(root, RED, b"overwritten by mistake")
    report = actions.ingest()
    assert [r["id"] for r in report["rejected"]] == ["src_red_mp4"]
    assert not any(partition == "src_red_mp4" for _, partition in statuses(actions))
    put(root, RED, (prototypes / RED).read_bytes())
    report = actions.ingest()
    assert report["rejected"] == []
    assert statuses(actions)["web_preview/small", "src_red_mp4"] == "materialized"


def test_one_failed_partition_fails_alone(actions: Actions, root: Path, prototypes: Path) -> None:
    actions.ingest()
    put(root, RED, longer_red(prototypes))  # changed after it was ingested
    results = actions.session.run(WORKFLOW, ["src_red_mp4", "src_blue_mp4"])
    assert [result.success for result in results] == [False]
    found = statuses(actions)
    assert found["web_preview/small", "src_blue_mp4"] == "materialized"
    assert found["web_preview/small", "src_red_mp4"] == "missing"


def test_a_lost_dagster_home_is_filled_again_without_rendering(
    actions: Actions, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(actions, root)
    for name in ("sources", "workflow.web_preview", "kompositions"):
        for key in actions.session.instance.get_dynamic_partitions(name):
            actions.session.instance.delete_dynamic_partition(name, key)
    for asset in actions.session.graph.materializable_asset_keys:
        actions.session.instance.wipe_assets([asset])
    everything(actions, root)
    rows = [actions.row(asset, "src_red_mp4") for asset in WORKFLOW]
    assert [row.cached for row in rows] == [True, True]
    assert {s for (a, _), s in statuses(actions).items()} == {"materialized"}


def records(actions: Actions) -> dict[tuple[dg.AssetKey, str], int]:
    """The latest record of every partition."""
    log = actions.session.instance.event_log_storage
    return {
        (asset, partition): storage_id
        for asset in actions.session.graph.materializable_asset_keys
        for partition, storage_id in log.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION
        ).items()
    }
