"""Notices new, changed, renamed and removed files under data/source, and keeps the partition sets."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg

from media_assets.components.loaded import loaded_workflows
from media_assets.defs.batches import fail_dead_runs, is_busy
from media_assets.defs.partitions import SOURCES, set_partitions
from media_assets.defs.requesting import learn_failures, request_due, told
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import (
    SOURCE_FILE,
    THUMBNAIL,
    THUMBNAIL_EDGES,
    THUMBNAIL_VERSION,
    forget_sources,
)
from media_assets.defs.versions import out_of_date, seen
from media_assets.planning.workflow import Workflow
from media_assets.settings import Settings
from media_assets.store.attempts import attempts_at
from media_assets.store.scan import Found
from media_assets.store.sources import Changes, SourceCatalogue

_SECONDS = 5


@dg.sensor(
    name="source_sensor",
    asset_selection=dg.AssetSelection.assets(SOURCE_FILE),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests ingest of new and changed files; drops partitions of removed ones.",
)
def source_sensor(context: dg.SensorEvaluationContext, media: MediaResource) -> dg.SensorResult:
    """Compare the disk with the records; one run for a batch of files."""
    instance, catalogue = context.instance, media.sources
    fail_dead_runs(instance)
    changes = source_changes(instance, catalogue)
    if changes.removed:
        forget_sources(instance, catalogue, changes.removed)
    sync_partitions(instance, catalogue)
    return request_ingest(instance, changes.unread, media.settings)


@dg.sensor(
    name="thumbnail_sensor",
    asset_selection=dg.AssetSelection.assets(THUMBNAIL),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests thumbnails that are missing or stale.",
)
def thumbnail_sensor(context: dg.SensorEvaluationContext, media: MediaResource) -> dg.SensorResult:
    """Compare wanted with recorded versions, in bulk."""
    instance = context.instance
    order = instance.get_dynamic_partitions(str(SOURCES.name))
    wanted = out_of_date(instance, THUMBNAIL, THUMBNAIL_VERSION, THUMBNAIL_EDGES, order)
    return request_due(instance, [THUMBNAIL], order, wanted, media.settings)


def source_changes(instance: dg.DagsterInstance, catalogue: SourceCatalogue) -> Changes:
    """What differs between the disk, the records and Dagster's partitions.

    A source whose record Dagster does not have in that version (its home was lost, or another command
    read the file) is asked for again, which reads nothing; a partition without a file is removed.
    """
    changes = catalogue.changes()
    name = str(SOURCES.name)
    present = set(instance.get_dynamic_partitions(name))
    on_disk = changes.on_disk
    versions = catalogue.versions()
    known = seen(instance, SOURCE_FILE, present)
    asked = {file.id for file in (*changes.unread, *changes.growing)}
    behind = [
        on_disk[key]
        for key, sha256 in versions.items()
        if key in on_disk
        and key not in asked
        and (key not in present or key not in known or known[key].data_version != sha256)
    ]
    removed = {*changes.removed, *(present - set(on_disk))}
    return Changes((*changes.unread, *behind), tuple(sorted(removed)), changes.growing, on_disk)


def request_ingest(
    instance: dg.DagsterInstance, unread: Sequence[Found], settings: Settings
) -> dg.SensorResult:
    """A run for files that are due, unless one is under way; those that failed oftener wait for the others.

    A file that is wrong is a rejection and is read: a failure is that of the machine, as without ffprobe,
    or of a file that takes the process down with it. So what failed before goes in ever smaller runs.
    """
    files = {file.id: file for file in unread}
    wanted = {key: f"{f.stat.size} {f.stat.mtime_ns} {f.stat.inode}" for key, f in files.items()}
    with attempts_at(settings, [SOURCE_FILE.to_user_string()]) as attempts:
        attempts.keep_only(wanted)
        if is_busy(instance, SOURCE_FILE):
            return dg.SensorResult()
        learn_failures(instance, SOURCE_FILE, lambda _: set(wanted), attempts, attempts.untold(wanted))
        due = attempts.due(wanted)
        if not due:
            return dg.SensorResult(skip_reason=told(attempts.resting(wanted), attempts.now))
        count = min(attempts.count(key, wanted[key]) for key in due)
        first = [key for key in due if attempts.count(key, wanted[key]) == count]
        chosen = first[: max(1, settings.batch_size // 4 ** min(count, 10))]
        for key in chosen:
            attempts.asked(key, wanted[key])
    return dg.SensorResult(run_requests=[ingest_request([files[key] for key in chosen], len(chosen))])


def ingest_request(files: Iterable[Found], batch_size: int) -> dg.RunRequest:
    """A run that reads the first `batch_size` of `files`; the next tick asks for the rest."""
    paths = [file.relative for file in files][:batch_size]
    return dg.RunRequest(
        asset_selection=[SOURCE_FILE],
        asset_check_keys=[],
        run_config=ingest_config(paths),
        tags={"media_assets/files": str(len(paths))},
    )


def ingest_config(paths: Sequence[str]) -> dict[str, Any]:
    """Run config that makes `source_file` read those paths."""
    return {"ops": {"source_file": {"config": {"paths": list(paths)}}}}


def sync_partitions(instance: dg.DagsterInstance, catalogue: SourceCatalogue) -> None:
    """Make every workflow's set hold the sources its filter takes.

    Skipped while neither the records, the workflows nor the sets changed since the last time.
    """
    workflows = loaded_workflows()
    names = [str(SOURCES.name), *(f"workflow.{workflow.name}" for workflow in workflows)]
    mark = catalogue.settings.metadata_root / "partitions.stamp"
    if mark.is_file() and mark.read_bytes() == _stamp(instance, catalogue, workflows, names).encode():
        return
    sync_workflows(instance, catalogue)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(_stamp(instance, catalogue, workflows, names))


def sync_workflows(instance: dg.DagsterInstance, catalogue: SourceCatalogue) -> None:
    """Make every workflow's set hold those of the sources' partitions that its filter takes."""
    present = set(instance.get_dynamic_partitions(str(SOURCES.name)))
    for workflow in loaded_workflows():
        constants = {catalogue.identify(reference) for reference in workflow.constants.values()}
        takes = catalogue.matching(workflow.takes.model_dump_json(), workflow.takes.takes)
        taken = [source for source in takes if source in present and source not in constants]
        set_partitions(instance, f"workflow.{workflow.name}", taken)


def _stamp(
    instance: dg.DagsterInstance,
    catalogue: SourceCatalogue,
    workflows: Sequence[Workflow],
    names: Sequence[str],
) -> str:
    sizes = [len(instance.get_dynamic_partitions(name)) for name in names]
    filters = [[w.name, w.takes.model_dump(mode="json"), dict(w.constants)] for w in workflows]
    return json.dumps([catalogue.stamp(), sizes, filters])
