"""Events one by one for so many days, then sums only."""

import dagster as dg

from media_assets.analytics.retaining import retain
from media_assets.settings import Settings


@dg.asset(group_name="privacy", pool="warehouse", kinds={"duckdb"})
def event_retention(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """Events older than `MEDIA_ASSETS_RETENTION_DAYS` are removed, once their days are summed up."""
    done = retain(Settings.from_environment())
    if done.removed:
        context.log.info(f"{done.removed} events from before {done.before} were removed")
    return dg.MaterializeResult(
        metadata={
            "kept_from": done.before.isoformat(),
            "removed_events": done.removed,
            "removed_days": done.days,
        }
    )


daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    target=dg.AssetSelection.assets(event_retention),
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes events that are older than they may be kept.",
)


@dg.definitions
def retention_definitions() -> dg.Definitions:
    """The asset and its schedule."""
    return dg.Definitions(assets=[event_retention], schedules=[daily_retention])
