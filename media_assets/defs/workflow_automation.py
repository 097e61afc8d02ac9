"""When workflows run by themselves: eagerly (level-triggered) or by a schedule."""

from collections.abc import Sequence

import dagster as dg

from media_assets.defs.batches import fail_dead_runs
from media_assets.defs.journal import keep
from media_assets.defs.requesting import SCHEDULED_PAUSE_SECONDS, request_due
from media_assets.defs.resources import MediaResource
from media_assets.defs.versions import out_of_date
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.attempts import LONGEST_PAUSE_SECONDS
from media_assets.store.sources import SourceCatalogue

EAGER_SECONDS = 10


def automation(assets: WorkflowAssets) -> dg.Definitions:
    """The sensor or schedule that the workflow asks for; none when it is manual."""
    setting = assets.workflow.automation
    if setting == "manual":
        return dg.Definitions()
    if setting == "eager":
        return dg.Definitions(sensors=[_sensor(assets)])
    return dg.Definitions(schedules=[_schedule(assets, setting)])


def outstanding(assets: WorkflowAssets, instance: dg.DagsterInstance) -> dict[str, str]:
    """Partitions with at least one node that is missing or stale, and what they wait for."""
    keys = instance.get_dynamic_partitions(assets.partition_set)
    wanted: dict[str, str] = {}
    for node in assets.workflow.operations:
        asset = assets.key(node.output)
        version = assets.workflow.code_version(node)
        for key, what in out_of_date(instance, asset, version, assets.edges(node), keys).items():
            wanted[key] = f"{wanted.get(key, '')} {node.output}:{what}".strip()
    return wanted


def stale_constants(
    assets: WorkflowAssets, instance: dg.DagsterInstance, catalogue: SourceCatalogue
) -> list[dg.AssetKey]:
    """Assets of constant inputs whose source has another content than when they were recorded."""
    stale = []
    for name, reference in assets.workflow.constants.items():
        records = instance.fetch_materializations(assets.key(name), limit=1).records
        tags = (records[0].event_log_entry.tags or {}) if records else {}
        if tags.get("dagster/data_version") != catalogue.facts(reference).sha256:
            stale.append(assets.key(name))
    return stale


def requests(
    assets: WorkflowAssets,
    instance: dg.DagsterInstance,
    media: MediaResource,
    longest: float = LONGEST_PAUSE_SECONDS,
) -> dg.SensorResult:
    """Runs for what is outstanding, not under way, and due; constant inputs are recorded first."""
    fail_dead_runs(instance)
    try:
        record_constants(assets, instance, media.sources, media.settings)
    except MediaAssetsError as error:
        words = f"{assets.workflow.name} waits for a constant input: {error}"
        return dg.SensorResult(skip_reason=words)
    order = instance.get_dynamic_partitions(assets.partition_set)
    return request_due(
        instance, assets.keys, order, outstanding(assets, instance), media.settings, longest=longest
    )


def record_constants(
    assets: WorkflowAssets, instance: dg.DagsterInstance, catalogue: SourceCatalogue, settings: Settings
) -> None:
    """Record constant inputs that are not on record as they are now; there is nothing to make, so no run.

    Raises:
        UnknownSource: one is not there; BadInput: it changed and was not read again yet.
    """
    stale = set(stale_constants(assets, instance, catalogue)) if assets.workflow.constants else set()
    for name in assets.workflow.constants:
        if assets.key(name) in stale:
            event = assets.constant_record(name, instance, catalogue)
            instance.report_runless_asset_event(event)
            keep(event, settings)


def _sensor(assets: WorkflowAssets) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{assets.workflow.name}_sensor",
        asset_selection=dg.AssetSelection.assets(*assets.keys, *assets.constant_keys),
        minimum_interval_seconds=EAGER_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Requests what is missing or stale in {assets.workflow.name}.",
    )
    def eager(context: dg.SensorEvaluationContext, media: MediaResource) -> dg.SensorResult:
        return requests(assets, context.instance, media)

    return eager


def _schedule(assets: WorkflowAssets, cron: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=f"{assets.workflow.name}_schedule",
        cron_schedule=cron,
        target=dg.AssetSelection.assets(*assets.keys),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Makes what is missing or stale in {assets.workflow.name}.",
    )
    def scheduled(
        context: dg.ScheduleEvaluationContext, media: MediaResource
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        found = requests(assets, context.instance, media, SCHEDULED_PAUSE_SECONDS)
        return found.run_requests or found.skip_reason or dg.SkipReason("nothing is missing or stale")

    return scheduled
