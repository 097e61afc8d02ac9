"""Batches of partitions: which runs to request, which are under way, which died."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
import psutil
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

WORKER_TAG = "media_assets/worker"
_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
_FIRST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 86_400.0
_RUNS_PER_TICK = 10


def ranges(wanted: Iterable[str], order: Sequence[str], size: int) -> list[list[str]]:
    """Split wanted keys into runs of neighbours in `order`, at most `size` long.

    A run takes a range of partitions; only neighbours make a range that touches nothing else.
    """
    chosen = set(wanted)
    batches: list[list[str]] = []
    previous_taken = False
    for key in order:
        if key not in chosen:
            previous_taken = False
            continue
        if previous_taken and len(batches[-1]) < size:
            batches[-1].append(key)
        else:
            batches.append([key])
        previous_taken = True
    return batches


def range_tags(batch: Sequence[str]) -> dict[str, str]:
    """Run tags for one batch of neighbours."""
    return {ASSET_PARTITION_RANGE_START_TAG: batch[0], ASSET_PARTITION_RANGE_END_TAG: batch[-1]}


def under_way(instance: dg.DagsterInstance, asset: dg.AssetKey, order: Sequence[str]) -> set[str]:
    """Partitions of `asset` that a queued or running run will make."""
    busy: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)):
        if run.asset_selection is not None and asset not in run.asset_selection:
            continue
        if PARTITION_NAME_TAG in run.tags:
            busy.add(run.tags[PARTITION_NAME_TAG])
        start, end = (
            run.tags.get(tag) for tag in (ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
        )
        if start in order and end in order:
            busy.update(order[order.index(start) : order.index(end) + 1])
    return busy


def is_busy(instance: dg.DagsterInstance, asset: dg.AssetKey) -> bool:
    """Whether any run that makes `asset` is queued or running."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY))
    return any(run.asset_selection is None or asset in run.asset_selection for run in runs)


def worker_tag(pid: int | None = None) -> dict[str, str]:
    """The tag that says which process (this one, or another) works on a run: its death can be told."""
    process = psutil.Process(pid)
    worker = {"host": socket.gethostname(), "pid": process.pid, "started": process.create_time()}
    return {WORKER_TAG: json.dumps(worker)}


def sign_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note on the run that this process works on it."""
    instance.add_run_tags(run_id, worker_tag())


def fail_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose process is gone (killed, machine restarted) as failed; returns their ids.

    A dead run still holds its place in a pool, where others would wait for it for ever: it is freed.
    """
    dead = []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        if WORKER_TAG in run.tags and not _is_alive(json.loads(run.tags[WORKER_TAG])):
            instance.report_run_failed(run, "its process is gone; what it finished is kept")
            dead.append(run.run_id)
    log = instance.event_log_storage
    for run_id in log.get_concurrency_run_ids():
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            log.free_concurrency_slots_for_run(run_id)
    return dead


class Attempts:
    """What a sensor asked for, so that a partition that keeps failing is asked for ever more rarely.

    Kept in the sensor's cursor as {key: [wanted version, attempts, earliest next time]}.
    """

    def __init__(self, cursor: str | None, now: float | None = None) -> None:
        self._now = time.time() if now is None else now
        try:
            document = json.loads(cursor or "{}")
            self._entries = {str(k): (str(w), int(n), float(t)) for k, (w, n, t) in document.items()}
        except (ValueError, TypeError, AttributeError):
            self._entries = {}  # a wiped or foreign cursor: everything may be asked for at once

    def due(self, wanted: Mapping[str, str]) -> list[str]:
        """Those keys that are new, wanted in another version, or whose pause is over."""
        return [
            key
            for key, version in wanted.items()
            if key not in self._entries
            or self._entries[key][0] != version
            or self._entries[key][2] <= self._now
        ]

    def asked(self, key: str, version: str) -> None:
        """Note that `key` was requested in `version` now."""
        known, count, _ = self._entries.get(key, ("", 0, 0.0))
        count = count + 1 if known == version else 1
        pause = min(_FIRST_PAUSE_SECONDS * 4 ** (count - 1), _LONGEST_PAUSE_SECONDS)
        self._entries[key] = (version, count, self._now + pause)

    def cursor(self, wanted: Mapping[str, str]) -> str:
        """The cursor to store: entries that are no longer wanted are dropped."""
        return json.dumps({k: v for k, v in self._entries.items() if k in wanted})


def request_due(
    instance: dg.DagsterInstance,
    assets: Sequence[dg.AssetKey],
    order: Sequence[str],
    wanted: Mapping[str, str],
    cursor: str | None,
    size: int,
) -> dg.SensorResult:
    """Runs for the wanted partitions that are not under way and are due, at most ten a tick.

    Args:
        instance: where runs are looked up.
        assets: what each run makes; the first one tells what is under way.
        order: every partition key, in order of creation.
        wanted: {partition: the version it should be made from}.
        cursor: the sensor's, which remembers what was asked for.
        size: partitions in one run.
    """
    busy = under_way(instance, assets[0], order)
    attempts = Attempts(cursor)
    due = [key for key in attempts.due(wanted) if key not in busy]
    batches = ranges(due, order, size)[:_RUNS_PER_TICK]
    for key in (key for batch in batches for key in batch):
        attempts.asked(key, wanted[key])
    return dg.SensorResult(
        # No checks: they are run when somebody asks, and would be run with every batch else.
        run_requests=[
            dg.RunRequest(asset_selection=list(assets), asset_check_keys=[], tags=range_tags(b))
            for b in batches
        ],
        cursor=attempts.cursor(wanted),
    )


def sign_run_of_steps(context: dg.AssetExecutionContext) -> None:
    """Note who works on a run whose steps may have processes of their own: the one that started them.

    A step's own process is gone before the next step runs, and the run would be taken for dead.
    """
    parent = multiprocessing.parent_process()
    apart = context.op_execution_context.job_def.executor_def.name == "multiprocess"
    pid = parent.pid if apart and parent is not None else None
    context.instance.add_run_tags(context.run_id, worker_tag(pid))


def _is_alive(worker: Mapping[str, object]) -> bool:
    """Whether the process that signed still runs under its pid (on another host: unknown, so yes)."""
    if worker["host"] != socket.gethostname():
        return True
    try:
        process = psutil.Process(int(str(worker["pid"])))
        same = abs(process.create_time() - float(str(worker["started"]))) < 1.0
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
