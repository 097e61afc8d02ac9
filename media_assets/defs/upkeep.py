"""Upkeep on a schedule: files held against their records, the unused removed, recovery rehearsed."""

import warnings
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from media_assets.defs.check_results import tell
from media_assets.defs.journal import keep
from media_assets.defs.recording import as_metadata
from media_assets.defs.resources import MediaResource
from media_assets.defs.tables import table
from media_assets.defs.versions import described
from media_assets.recovering import drill
from media_assets.upkeep import clean, examine, tracked

_DAY_SECONDS = 86_400.0


class IntegrityConfig(dg.Config):
    """How thorough the check is.

    Attributes:
        quick: look at sizes and times only.
    """

    quick: bool = False


class CleanConfig(dg.Config):
    """What goes.

    Attributes:
        older_days: what was not used for so many days.
        quota_bytes: what is over it goes as well, the least recently used first; None for no limit.
        dry_run: only say what would go.
    """

    older_days: float = 7.0
    quota_bytes: int | None = None
    dry_run: bool = False


@dg.asset(key_prefix="upkeep", group_name="upkeep", pool="upkeep", kinds={"file"})
def integrity(
    context: dg.AssetExecutionContext, config: IntegrityConfig, media: MediaResource
) -> dg.MaterializeResult[None]:
    """Every tracked file is there and holds the bytes on record; what does not is marked as stale."""
    graph = _graph()
    found = examine(context.instance, graph, media.settings, quick=config.quick)
    told = 0
    if not config.quick:  # sizes and times alone take no failure of a checksum back
        entries = tracked(context.instance, graph, media.settings)
        told = tell(context.instance, graph, entries, found.checked.findings, context.run_id)
    rows = [(f.kind, f.path, f.problem, f.text, len(f.dependants)) for f in found.checked.findings]
    for kind, path, problem, text, _ in rows:
        context.log.warning(f"{kind} {path} is {problem}: {text}")
    return _result(
        context,
        clean=found.clean,
        findings=len(rows),
        marked_stale=found.marked,
        check_results=told,
        bytes_read=found.checked.bytes_read,
        files=dict(found.checked.files),
        seconds=round(found.seconds, 3),
        found=table(("kind", "file", "problem", "what is wrong", "made from it"), rows),
    )


@dg.asset(key_prefix="upkeep", group_name="upkeep", pool="upkeep", kinds={"file"})
def cleaning(
    context: dg.AssetExecutionContext, config: CleanConfig, media: MediaResource
) -> dg.MaterializeResult[None]:
    """Outputs that were not used for a while are removed; effects go with their partitions."""
    found = clean(
        context.instance,
        _graph(),
        media.settings,
        older=config.older_days * _DAY_SECONDS,
        quota=config.quota_bytes,
        dry_run=config.dry_run,
    )
    rows = [(candidate.kind, candidate.id, candidate.size) for candidate in found.removed]
    return _result(
        context,
        removed=len(rows),
        bytes_freed=found.freed,
        store_bytes=found.store_bytes,
        bytes_of_what_is_current=found.kept_bytes,
        in_use=len(found.in_use),
        dry_run=found.dry_run,
        seconds=round(found.seconds, 3),
        gone=table(("kind", "what", "bytes"), rows),
    )


@dg.asset(key_prefix="upkeep", group_name="upkeep", pool="upkeep", kinds={"file"})
def recovery_drill(context: dg.AssetExecutionContext, media: MediaResource) -> dg.MaterializeResult[None]:
    """A recovery into a scratch home gives every partition the status that it has; fails where not."""
    found = drill(context.instance, _graph(), media.settings)
    rows = found.differences
    metadata: dict[str, Any] = {
        "partitions_compared": found.compared,
        "records": found.reported,
        "seconds": round(found.seconds, 3),
        "differences": table(("asset", "partition", "status", "after recovery"), rows),
    }
    if rows:
        raise dg.Failure(
            f"{len(rows)} of {found.compared} partitions would have another status after recovery",
            metadata=as_metadata(metadata),
            allow_retries=False,
        )
    return _result(context, **metadata)


def _schedule(name: str, asset: str, cron: str, description: str) -> dg.ScheduleDefinition:
    """A schedule of one of the assets here, which runs until it is switched off."""
    return dg.ScheduleDefinition(
        name=name,
        target=dg.AssetSelection.assets(dg.AssetKey(["upkeep", asset])),
        cron_schedule=cron,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )


nightly_integrity = _schedule(
    "nightly_integrity",
    "integrity",
    "0 3 * * *",
    "Reads every tracked file and marks what is missing or damaged as stale.",
)
daily_cleaning = _schedule(
    "daily_cleaning",
    "cleaning",
    "0 4 * * *",
    "Removes outputs that were not used for seven days and that can be made again.",
)
weekly_recovery_drill = _schedule(
    "weekly_recovery_drill",
    "recovery_drill",
    "0 5 * * 0",
    "Recovers into a scratch home and compares the status of every partition.",
)


@dg.definitions
def upkeep_definitions() -> dg.Definitions:
    """The three assets and their schedules."""
    return dg.Definitions(
        assets=[integrity, cleaning, recovery_drill],
        schedules=[nightly_integrity, daily_cleaning, weekly_recovery_drill],
    )


def _graph() -> AssetGraph:
    """The graph of all definitions, this one among them: it is not there before they are loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from media_assets.definitions import defs

        return defs().get_repository_def().asset_graph


def _result(context: dg.AssetExecutionContext, **metadata: Any) -> dg.MaterializeResult[None]:
    """What Dagster will record; it is kept on disk as records of media are."""
    version = code = context.run.run_id
    keep(
        described(context.asset_key, None, data_version=version, code_version=code, inputs={}, metadata={})
    )
    return dg.MaterializeResult(metadata=as_metadata(metadata), data_version=dg.DataVersion(version))
