"""What is still to be done on a data root, and waiting until nothing is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import dagster as dg

from media_assets.actions import Actions
from media_assets.components.loaded import loaded_workflows
from media_assets.defs.content_analysis import outstanding_analyses
from media_assets.defs.komposition_sensor import outstanding_plans
from media_assets.defs.kompositions import VIDEO, VIDEO_EDGES, VIDEO_VERSION
from media_assets.defs.partitions import KOMPOSITIONS, SOURCES
from media_assets.defs.source_sensor import source_changes
from media_assets.defs.sources import THUMBNAIL, THUMBNAIL_EDGES, THUMBNAIL_VERSION
from media_assets.defs.versions import out_of_date
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.defs.workflow_automation import outstanding, stale_constants
from media_assets.kompositions.files import documents

_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_LOOK_SECONDS = 3.0
# Longer than the longest interval between two looks of a sensor.
_QUIET_SECONDS = 21.0


def to_do(actions: Actions, *, analyze: bool) -> list[str]:
    """What sensors would ask for or note, and what runs; empty on a data root at rest."""
    instance = actions.session.instance
    changes = source_changes(instance, actions.media.sources)
    found = [f"to read: {file.relative}" for file in (*changes.unread, *changes.growing)]
    found += [f"to forget: {name}" for name in changes.removed]
    found += [f"{run.status.value}: run {run.run_id[:8]}" for run in _runs(instance)]
    sources = instance.get_dynamic_partitions(str(SOURCES.name))
    pictures = out_of_date(instance, THUMBNAIL, THUMBNAIL_VERSION, THUMBNAIL_EDGES, sources)
    found += [f"thumbnail: {key}" for key in pictures]
    if analyze:
        found += [f"analysis: {key}" for key in outstanding_analyses(instance, sources)]
    return [*found, *_of_workflows(actions), *_of_kompositions(actions)]


def wait_for_rest(
    actions: Actions, *, analyze: bool, seconds: float, lives: Callable[[], bool]
) -> tuple[float, list[str]]:
    """Wait until nothing was to be done for longer than any sensor sleeps.

    Args:
        seconds: how long no run may end while there is something to do; how long it all takes depends on
            the machine.
        lives: whether who does the work is there still.

    Returns:
        Seconds until the last thing was done, and what is left to do then.
    """
    started = time.monotonic()
    busy_until, left = started, ["nothing was looked at yet"]
    moved, ended = started, -1
    while time.monotonic() - moved < seconds and lives():
        left = to_do(actions, analyze=analyze)
        count = actions.session.instance.get_runs_count(dg.RunsFilter(statuses=_ENDED))
        if count != ended:
            moved, ended = time.monotonic(), count
        if left:
            busy_until = time.monotonic()
        elif time.monotonic() - busy_until > _QUIET_SECONDS:
            break
        time.sleep(_LOOK_SECONDS)
    return busy_until - started, left


def _runs(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    return list(instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY)))


def _of_workflows(actions: Actions) -> Iterator[str]:
    instance = actions.session.instance
    for workflow in loaded_workflows():
        if workflow.automation != "eager":
            continue
        assets = WorkflowAssets(workflow)
        known = set(instance.get_dynamic_partitions(str(SOURCES.name)))
        for key in set(instance.get_dynamic_partitions(assets.partition_set)) - known:
            yield f"a partition of {workflow.name} too many: {key}"
        for constant in stale_constants(assets, instance, actions.media.sources):
            yield f"constant: {constant.to_user_string()}"
        for key, what in outstanding(assets, instance).items():
            yield f"{workflow.name}: {key} ({what[:60]})"


def _of_kompositions(actions: Actions) -> Iterator[str]:
    instance, media = actions.session.instance, actions.media
    present = set(instance.get_dynamic_partitions(str(KOMPOSITIONS.name)))
    there = set(documents(media.settings.komposition_root))
    for key in present ^ there:
        yield f"a document that is new or gone: {key}"
    keys = sorted(present & there)
    wanted, problems = outstanding_plans(instance, media, keys)
    videos = out_of_date(instance, VIDEO, VIDEO_VERSION, VIDEO_EDGES, keys)
    for key in sorted((wanted.keys() | videos.keys()) - problems.keys()):
        yield f"komposition: {key}"
