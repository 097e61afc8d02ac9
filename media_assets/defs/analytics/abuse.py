"""Abuse: an asset that looks for it, and a sensor that tells of it and, where switched on, suspends."""

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.alerts import keep_scores, raise_alerts
from media_assets.analytics.questions import abuse
from media_assets.analytics.questions.suppressed import withheld
from media_assets.analytics.rollups import refresh
from media_assets.defs.analytics.answering import EVENTS, answered
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.settings import Settings

_SECONDS = 60
_TITLE = "How far from what is usual"


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def abuse_scores(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """What is usual in 1, 6 and 24 hours, from where on it is abuse, and how many did that.

    Who it was is told to whoever runs the installation only: `media-assets abuse list`.
    """
    settings = Settings.from_environment()
    with warehouse_db.get_connection() as connection:
        refresh(connection, abuse.ROLLUPS)
        windows = abuse.windows(connection)
    usual = abuse.usual(windows, settings)
    hours = abuse.told(abuse.alarming(windows, usual, settings.abuse_z))
    reached = withheld(abuse.distances(windows, usual), fewest=settings.fewest_users)
    keep_scores(settings, hours)
    found = "none" if hours.empty else "some: `media-assets abuse list`"
    answers = {
        "limits": abuse.limits(usual),
        "abuse": pd.DataFrame({f"in the last {abuse.DAYS} days": [found]}),
    }
    return answered(context, answers, {_TITLE: _drawn(reached)})


@dg.sensor(
    name="abuse_sensor",
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Logs an alert for whoever uses far too much, and suspends with MEDIA_ASSETS_SUSPEND=on.",
)
def abuse_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Compare what `abuse_scores` found with the log of alerts."""
    added = raise_alerts(Settings.from_environment())
    if not added:
        return dg.SkipReason("nothing new")
    # No word of who it was: ticks are kept, and shown to everybody.
    text = f"{len(added)} new entries in the log of alerts: `media-assets abuse list`"
    context.log.warning(text)
    return dg.SkipReason(text)


@dg.definitions
def abuse_definitions() -> dg.Definitions:
    """The asset and the sensor."""
    return dg.Definitions(assets=[abuse_scores], sensors=[abuse_sensor])


def _drawn(reached: pd.DataFrame) -> str:
    """Bars of active hours by distance; nothing of distances that fewer than five users reached."""
    hours = {f"{z} to {z + 1}": float(count) for z, count in reached.itertuples(index=False)}
    return plots.bars(hours, title=_TITLE, unit="active hours, by highest z", log=True)
