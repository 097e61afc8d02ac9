"""Requests go out in runs of neighbours, never for what is running; dead runs are told from live ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import dagster as dg
from hypothesis import given
from hypothesis import strategies as st

from media_assets.actions import Actions
from media_assets.defs.batches import (
    WORKER_TAG,
    fail_dead_runs,
    range_tags,
    ranges,
    under_way,
    worker_tag,
)
from media_assets.defs.sources import THUMBNAIL

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
    actions.ingest()
    instance, order = actions.session.instance, list(actions.session.partitions(THUMBNAIL))
    keys = [key for key in order if key is not None]
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
