"""Key figures as an asset, and the page of them that is made every day."""

import hashlib
from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from media_assets.analytics.dashboard.making import make_dashboard
from media_assets.analytics.prices import prices_of
from media_assets.analytics.questions import costs, kpi_plots, kpis, questions, retention
from media_assets.analytics.questions.kpi_periods import by_type
from media_assets.analytics.rollups import refresh
from media_assets.defs.analytics.answering import EVENTS, answered, keep_record, told
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.settings import Settings

_ANSWERS = """
key_figures operation_usage operation_sequences workflow_templates recommendation_quality operation_errors
abuse_scores prediction_errors
"""
READ = (EVENTS, *map(dg.AssetKey, _ANSWERS.split()))
"""The assets whose answers are on the page."""


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def key_figures(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Success, time to completion, adoption, retention, efficiency, accuracy of predictions, costs."""
    prices = prices_of(Settings.from_environment())
    with warehouse_db.get_connection() as connection:
        figures = questions()["kpis"].asked(connection)
        refresh(connection, costs.ROLLUPS)
        weeks, cohorts = kpis.weekly(connection, prices), retention.answer(connection)
        cost, types = costs.answer(connection, prices), by_type(connection)
    answers = {
        "key figures": figures,
        "weeks": _dated(weeks, "period"),
        "workflows": types,
        "retention": _dated(cohorts, "cohort"),
        "costs": cost,
    }
    drawn = {
        "Success": kpi_plots.success(weeks),
        "Time to completion": kpi_plots.completion(weeks),
        "Adoption": kpi_plots.adoption(weeks),
        "Retention": kpi_plots.retention(cohorts),
        "Efficiency": kpi_plots.efficiency(weeks),
        "Cache": kpi_plots.cache(weeks),
        "Predictions": kpi_plots.predictions(weeks),
        "Costs": kpi_plots.costs(cost, prices.currency),
    }
    return answered(context, answers, drawn)


@dg.asset(
    group_name="reports",
    pool="warehouse",
    kinds={"html"},
    deps=READ,
)
def dashboard(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """A page with the answers of all questions, for people who would rather look than read."""
    settings = Settings.from_environment()
    with warehouse_db.get_connection() as connection:
        made = make_dashboard(connection, settings, datetime.now(UTC))
    version = hashlib.sha256(made.content.encode()).hexdigest()[:16]
    keep_record(context, version, READ)
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(made.path),
            "open": dg.MetadataValue.url(made.path.as_uri()),
            "bytes": made.bytes,
            "events": made.events,
            "key figures": told(made.figures),
        },
        data_version=dg.DataVersion(version),
    )


daily_dashboard = dg.ScheduleDefinition(
    name="daily_dashboard",
    target=dg.AssetSelection.assets(dashboard),
    cron_schedule="20 5 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Makes the page of key figures anew.",
)


@dg.definitions
def kpi_definitions() -> dg.Definitions:
    """The figures, the page and its schedule."""
    return dg.Definitions(assets=[key_figures, dashboard], schedules=[daily_dashboard])


def _dated(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The frame with the days of a column as text."""
    return frame.assign(**{column: frame[column].astype(str).str[:10]})
