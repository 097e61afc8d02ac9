"""A power cut leaves runs that nobody starts any more: they are given up soon, others are not."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG

from media_assets.actions import Actions
from media_assets.defs import batches
from media_assets.defs.batches import fail_dead_runs
from media_assets.defs.sources import THUMBNAIL


def starting(actions: Actions, server: str) -> str:
    """A run that the code server at that socket was told to start."""
    job = actions.session.definitions.get_repository_def().get_implicit_global_asset_job_def()
    run = actions.session.instance.create_run_for_job(
        job.get_subset(asset_selection={THUMBNAIL}),
        tags={GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": server})},
        status=dg.DagsterRunStatus.STARTING,
    )
    return run.run_id


def test_a_run_whose_server_died_before_starting_it_is_given_up(
    actions: Actions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the whole path may be longer than a socket's may
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("alive")
        server.listen()
        dead = starting(actions, "dead")
        starting(actions, "alive")
        instance = actions.session.instance
        assert fail_dead_runs(instance) == []  # a worker may be on its way still
        monkeypatch.setattr(batches, "_ORPHANED_SECONDS", 0.0)
        time.sleep(0.01)
        assert fail_dead_runs(instance) == [dead]
