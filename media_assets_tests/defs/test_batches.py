"""Requests go out in runs of neighbours, never for what is running; dead runs are told from live ones."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from hypothesis import given
from hypothesis import strategies as st

from media_assets.actions import Actions
from media_assets.defs.batches import (
    WORKER_TAG,
    fail_dead_runs,
    makes,
    makes_tag,
    range_tags,
    ranges,
    under_way,
    worker_tag,
)
from media_assets.defs.partitions import set_partitions
from media_assets.defs.source_sensor import ingest_config
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.instances import open_instance

_ORDER = [f"k{index}" for index in range(30)]


@given(st.sets(st.sampled_from(_ORDER)), st.integers(1, 10))
def test_runs_cover_exactly_what_is_wanted_and_are_gapless(wanted: set[str], size: int) -> None:
    batches = ranges(wanted, _ORDER, size)
    assert [key for batch in batches for key in batch] == [key for key in _ORDER if key in wanted]
    for batch in batches:
        start, end = _ORDER.index(batch[0]), _ORDER.index(batch[-1])
        assert _ORDER[start : end + 1] == batch
        assert len(batch) <= size


def test_neighbours_share_a_run() -> None:
    assert ranges(_ORDER, _ORDER, 100) == [_ORDER]
    assert ranges(["k1", "k2", "k9"], _ORDER, 100) == [["k1", "k2"], ["k9"]]


def test_what_a_queued_run_will_make_is_under_way(actions: Actions) -> None:
    instance, keys = actions.session.instance, ["src_blue_mp4", "src_red_mp4", "src_tone_wav"]
    set_partitions(instance, "sources", keys)
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    instance.create_run_for_job(
        job.get_subset(asset_selection={THUMBNAIL}),
        tags=range_tags(keys[:2]),
        asset_selection=frozenset({THUMBNAIL}),
    )
    assert under_way(instance, THUMBNAIL, keys) == set(keys[:2])


def test_a_run_whose_process_died_is_marked_failed_and_a_live_one_is_not(actions: Actions) -> None:
    code = (
        "import os; from media_assets.defs.batches import worker_tag; print(list(worker_tag().values())[0])"
    )
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    instance = actions.session.instance
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    ids = [
        instance.create_run_for_job(
            job.get_subset(asset_selection={THUMBNAIL}), tags=tags, status=dg.DagsterRunStatus.STARTED
        ).run_id
        for tags in ({WORKER_TAG: dead.stdout.strip()}, worker_tag())
    ]
    assert json.loads(worker_tag()[WORKER_TAG])["pid"] == os.getpid()
    assert fail_dead_runs(instance) == [ids[0]]
    statuses = [instance.get_run_by_id(run_id) for run_id in ids]
    assert [run.status for run in statuses if run] == [
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.STARTED,
    ]


def test_what_a_run_in_another_process_makes_is_under_way(actions: Actions) -> None:
    """The command line's own runs: Dagster does not note what they make."""
    instance, keys = actions.session.instance, ["src_blue_mp4", "src_red_mp4"]
    set_partitions(instance, "sources", keys)
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    tags = range_tags(keys) | makes_tag([THUMBNAIL]) | worker_tag()
    run = instance.create_run_for_job(
        job.get_subset(asset_selection={THUMBNAIL}), tags=tags, status=dg.DagsterRunStatus.STARTED
    )
    assert under_way(instance, THUMBNAIL, keys) == set(keys)
    assert under_way(instance, SOURCE_FILE, keys) == set()
    instance.report_run_canceling(run)
    assert under_way(instance, THUMBNAIL, keys) == set(keys)
    instance.report_run_canceled(run)
    assert under_way(instance, THUMBNAIL, keys) == set()
    # Those of the session say so by themselves.
    (done,) = actions.session.run([THUMBNAIL], keys[:1])
    assert makes(done.dagster_run, THUMBNAIL)
    assert not makes(done.dagster_run, SOURCE_FILE)


def test_a_run_that_died_before_it_signed_is_ended(
    actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that waited for a pool, one that never began, and one that was being cancelled."""
    instance = actions.session.instance
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )

    def run(status: dg.DagsterRunStatus, pid: int | None) -> str:
        made = instance.create_run_for_job(job.get_subset(asset_selection={THUMBNAIL}), status=status)
        if pid is not None:
            instance.report_engine_event("Started process", made, EngineEventData.in_process(pid))
        return made.run_id

    gone = int(dead.stdout)
    waiting, live = run(dg.DagsterRunStatus.STARTED, gone), run(dg.DagsterRunStatus.STARTED, os.getpid())
    cancelling, unbegun = (
        run(dg.DagsterRunStatus.CANCELING, gone),
        run(dg.DagsterRunStatus.NOT_STARTED, None),
    )
    assert fail_dead_runs(instance) == []  # nothing is taken for dead so soon
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert set(fail_dead_runs(instance)) == {waiting, cancelling, unbegun}
    statuses = {run_id: instance.get_run_by_id(run_id) for run_id in (waiting, live, cancelling)}
    assert [run.status.value for run in statuses.values() if run] == ["FAILURE", "STARTED", "CANCELED"]


def test_pools_have_the_limits_of_the_settings_and_steps_keep_to_them(
    actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.session.run([SOURCE_FILE], run_config=ingest_config(["red.mp4"]))
    log = actions.session.instance.event_log_storage
    limits = {pool.name: pool.limit for pool in log.get_pool_limits()}
    assert (limits["ffmpeg"], limits["warehouse"]) == (1, 1)
    # Another run holds the only place: a step that needs one waits until it is free.
    other = "another-run"
    assert log.claim_concurrency_slot("ffmpeg", other, "step").is_claimed
    monkeypatch.setattr("media_assets.session.freeing_places", lambda _: contextlib.nullcontext())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(actions.session.run, [THUMBNAIL], ["src_red_mp4"])
        with pytest.raises(TimeoutError):
            waiting.result(timeout=3.0)
        assert actions.session.metadata(THUMBNAIL, "src_red_mp4") == {}
        log.free_concurrency_slots_for_run(other)
        assert [done.success for done in waiting.result(timeout=120.0)] == [True]
    with open_instance(replace(actions.settings, pool_ffmpeg=3)) as wider:
        assert wider.event_log_storage.get_concurrency_info("ffmpeg").slot_count == 3


def test_who_begins_to_wait_as_a_place_becomes_free_is_given_it(actions: Actions) -> None:
    """Dagster gives places away as they become free, and does not see who comes in that moment."""
    instance = actions.session.instance
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    run = instance.create_run_for_job(
        job.get_subset(asset_selection={THUMBNAIL}), tags=worker_tag(), status=dg.DagsterRunStatus.STARTED
    ).run_id
    log = instance.event_log_storage
    assert isinstance(log, SqlEventLogStorage)
    log.add_pending_step("ffmpeg", run, "step", should_assign=False)  # as the race leaves it
    assert not log.claim_concurrency_slot("ffmpeg", run, "step").is_claimed
    assert fail_dead_runs(instance) == []
    assert log.claim_concurrency_slot("ffmpeg", run, "step").is_claimed
