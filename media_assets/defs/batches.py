"""Batches of partitions: which runs to request, which are under way, which died."""

from __future__ import annotations

import json
import multiprocessing
import socket
import time
from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
import psutil
from dagster._core.storage.dagster_run import RunRecord
from dagster._core.storage.event_log.base import EventLogStorage
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    GRPC_INFO_TAG,
    PARTITION_NAME_TAG,
)

WORKER_TAG = "media_assets/worker"
MAKES_TAG = "media_assets/makes"
_UNBEGUN = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]
_UNFINISHED = [*_UNBEGUN, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_UNDER_WAY = [dg.DagsterRunStatus.QUEUED, *_UNFINISHED]
# A start takes seconds, on a busy machine a minute.
_LONGEST_START_SECONDS = 600.0
# Of one whose server is gone, or whose process said its pid, more is known: a power cut ends with this.
_ORPHANED_SECONDS = 60.0


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
        if makes(run, asset):
            busy |= covered(run, order)
    return busy


def makes_tag(assets: Iterable[dg.AssetKey]) -> dict[str, str]:
    """The tag that says what a run in this process makes: Dagster notes that only of those it launches."""
    return {MAKES_TAG: json.dumps([asset.to_user_string() for asset in assets])}


def makes(run: dg.DagsterRun, asset: dg.AssetKey) -> bool:
    """Whether a run makes `asset`."""
    if MAKES_TAG in run.tags:
        return asset.to_user_string() in json.loads(run.tags[MAKES_TAG])
    return run.asset_selection is None or asset in run.asset_selection


def covered(run: dg.DagsterRun, order: Sequence[str]) -> set[str]:
    """The partitions that a run takes.

    Of a range that has lost an end, because that source was removed meanwhile, only the other end is known.
    """
    names = (PARTITION_NAME_TAG, ASSET_PARTITION_RANGE_START_TAG, ASSET_PARTITION_RANGE_END_TAG)
    single, start, end = (run.tags.get(name) for name in names)
    found = {key for key in (single, start, end) if key is not None}
    if start in order and end in order:
        found.update(order[order.index(start) : order.index(end) + 1])
    return found


def is_busy(instance: dg.DagsterInstance, asset: dg.AssetKey) -> bool:
    """Whether any run that makes `asset` is queued or running."""
    return any(makes(run, asset) for run in instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)))


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

    A dead run still holds its place in a pool, where others would wait for it for ever: it is freed. A run
    that a daemon made, and died before starting it, counts too: else its partitions would wait for it.
    """
    dead = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED)):
        run = record.dagster_run
        if run.status in _UNBEGUN:
            worker = run.tags.get(WORKER_TAG)
            patience = _LONGEST_START_SECONDS if _has_server(run) else _ORPHANED_SECONDS
            gone = _is_old(record, patience) and (worker is None or not _is_alive(json.loads(worker)))
        else:
            gone = not _is_worked_on(instance, record)
        if not gone:
            continue
        if run.status == dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, "its process is gone; what it finished is kept")
        else:
            words = "it never started" if run.status in _UNBEGUN else "its process is gone"
            instance.report_run_failed(run, f"{words}; what it finished is kept")
        dead.append(run.run_id)
    log = instance.event_log_storage
    at_pools = log.get_concurrency_run_ids()
    for run_id in at_pools:
        holder = instance.get_run_by_id(run_id)
        if holder is None or holder.is_finished:
            log.free_concurrency_slots_for_run(run_id)
    if at_pools:
        _give_free_places(log)
    return dead


def _give_free_places(log: EventLogStorage) -> None:
    """Give the places of pools that are free to who waits for one.

    Dagster 1.13 gives a place away as it becomes free. Who begins to wait in that moment is not seen, and
    would wait until another place becomes free: for ever, if nobody else works.
    """
    if not isinstance(log, SqlEventLogStorage):
        return
    for pool in log.get_concurrency_keys():
        if log.has_unassigned_slots(pool):
            log.assign_pending_steps([pool])


def _is_worked_on(instance: dg.DagsterInstance, record: RunRecord) -> bool:
    """Whether a run's process lives; one that waits for a pool has not signed, but has said its pid."""
    run = record.dagster_run
    if WORKER_TAG in run.tags:
        return _is_alive(json.loads(run.tags[WORKER_TAG]))
    if not _is_old(record, _ORPHANED_SECONDS):
        return True
    started = [
        (event.engine_event_data.metadata["pid"].value, entry.timestamp)
        for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        if (event := entry.dagster_event) is not None and "pid" in event.engine_event_data.metadata
    ]
    return not started or _lived(int(str(started[-1][0])), started[-1][1])


def _lived(pid: int, moment: float) -> bool:
    """Whether the process that had this pid at that moment (s) still runs."""
    try:
        process = psutil.Process(pid)
        return process.create_time() <= moment + 1.0 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _has_server(run: dg.DagsterRun) -> bool:
    """Whether the code server that was told to start a run listens still; unknown is yes."""
    path = json.loads(run.tags.get(GRPC_INFO_TAG, "{}")).get("socket")
    if not path:
        return True
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(1.0)
        try:
            server.connect(path)
        except TimeoutError:
            return True
        except OSError:
            return False
    return True


def _is_old(record: RunRecord, seconds: float) -> bool:
    """Whether nothing was heard of a run for so long; with a clock that was set back, for as long ahead."""
    return abs(time.time() - record.update_timestamp.timestamp()) > seconds


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
