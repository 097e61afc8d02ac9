"""A lost Dagster home comes back from what is on disk: every partition has the status that it had."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from media_assets.actions import Actions
from media_assets.defs.kompositions import VIDEO
from media_assets.defs.upkeep import daily_cleaning, nightly_integrity, weekly_recovery_drill
from media_assets.homes import DamagedHome
from media_assets.jobs import run_job
from media_assets.media.run import commands_started
from media_assets.recovering import recover, set_home_aside, survey
from media_assets.session import Session
from media_assets.statuses import statuses
from media_assets.store.outputs import SIDECAR, OutputStore
from media_assets_tests.defs.conftest import BLUE, RED, put, write_document
from media_assets_tests.defs.test_effects import CUT, SMALL, job

TALL = {"id": "tall", "width": 90, "height": 160, "fit": "cover"}


def everything(actions: Actions, root: Path) -> None:
    """Sources, a workflow, effects of a job, three kompositions with a rendition and a nested one."""
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 0.5)], renditions=[TALL])
    write_document(root, "outer.json", [("komp_both", 0.5), (BLUE, 0.0)])
    actions.ingest()
    actions.run_workflow("web_preview")
    run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    actions.session.run([VIDEO], ["komp_both", "komp_outer"])
    actions.analytics()


def test_after_recovery_every_partition_has_the_status_that_it_had(
    actions: Actions, root: Path, prototypes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything(actions, root)
    put(root, RED, (prototypes / RED).read_bytes() + b"\0\0\0\x10freemore!!!!")
    actions.ingest()
    session = actions.session
    before = statuses(session.instance, session.graph)
    shown = session.metadata(VIDEO, "komp_outer")
    assert {"materialized", "missing", "stale"} == set(before.values())
    assert (
        before["komposition_video", "komp_both"] == before["web_preview/teaser", "src_red_mp4"] == "stale"
    )
    rehearsed(actions)
    before, times = statuses(session.instance, session.graph), moments(session)
    damaged, lost = _spoilt(actions)
    session.instance.dispose()
    (database,) = actions.settings.dagster_home.rglob("index.db")
    database.write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedHome, match="recover --anew"):
        Session(actions.settings)
    assert set_home_aside(actions.settings) is not None
    foreseen = survey(actions.settings)
    assert len(foreseen.quarantined) == 2
    assert not actions.settings.dagster_home.exists()
    runs = commands_started()
    with Session(replace(actions.settings)) as again:
        found = recover(again)
        assert found.reported == sum(found.records.values()) == sum(foreseen.records.values())
        assert found.rebuilt == [str(damaged.relative_to(root))]
        assert found.quarantined == [(str(lost.relative_to(root)), "its sidecar is missing")]
        assert statuses(again.instance, again.graph) == before
        assert moments(again) == pytest.approx(times, abs=2)
        assert again.metadata(VIDEO, "komp_outer")["result"] == shown["result"]
        # Sensors agree: nothing is asked for, nothing is rendered, a second recovery finds nothing to do.
        report = Actions(again).ingest()
        assert (report["ingested"], report["removed"], report["thumbnails"]) == (0, [], [])
        assert statuses(again.instance, again.graph) == before
        assert recover(again).reported == 0
        assert commands_started() == runs
    assert not lost.exists()


def rehearsed(actions: Actions) -> None:
    """Have all that runs on a schedule run once: it says what it did, and removes nothing in use."""
    assets = [dg.AssetKey(["upkeep", name]) for name in ("integrity", "cleaning", "recovery_drill")]
    (run,) = actions.session.run(assets)
    assert run.success
    checked, cleaned, drilled = (actions.session.metadata(asset) for asset in assets)
    assert (checked["clean"], checked["findings"], checked["files"]["source"]) == (True, 0, 3)
    assert checked["check_results"] > 5
    assert (cleaned["removed"], cleaned["bytes_freed"]) == (0, 0)
    assert drilled["partitions_compared"] > 20
    schedules = (nightly_integrity, daily_cleaning, weekly_recovery_drill)
    assert {schedule.default_status for schedule in schedules} == {dg.DefaultScheduleStatus.RUNNING}


def moments(session: Session) -> dict[tuple[str, str | None], float | None]:
    """When each partition was materialized."""
    return {(s.asset, s.partition): s.materialized_at for s in session.status()}


def _spoilt(actions: Actions) -> tuple[Path, Path]:
    """Two outputs without a sidecar: one that a record tells, and one that nothing does."""
    recorded = {o.recipe.operation: o.path.parent for o in OutputStore(actions.settings)}
    damaged, lost = recorded["resize"], recorded["komposition_segment"]
    (damaged / SIDECAR).unlink()
    (lost / SIDECAR).unlink()
    return damaged, lost
