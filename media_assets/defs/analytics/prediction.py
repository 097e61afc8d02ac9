"""What operations will take, learnt for the planner; and how far off it was, with a check."""

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.estimates import keep_factors
from media_assets.analytics.questions import prediction, prediction_error, questions
from media_assets.analytics.rollups import refresh
from media_assets.defs.analytics.answering import answered
from media_assets.defs.analytics.events import WarehouseResource, operation_events
from media_assets.settings import Settings

_MOST_BARS = 30


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[operation_events])
def predictions(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Time, memory and size of each operation by its latest renders, learnt for the planner."""
    with warehouse_db.get_connection() as connection:
        refresh(connection, prediction.ROLLUPS)
        learnt, table = prediction.studied(connection)
    keep_factors(learnt, Settings.from_environment())
    times = table[table["quantity"] == "seconds"].sort_values("typical", ascending=False)
    usual = {str(row["operation"]): row for row in times.head(_MOST_BARS).to_dict("records")}
    title = "Time of a usual render, and from where to where four of five are"
    drawn = plots.bars(
        {name: float(row["typical"]) for name, row in usual.items()},
        title=title,
        unit="seconds",
        ranges={
            name: (float(row["typical"] * row["low"]), float(row["typical"] * row["high"]))
            for name, row in usual.items()
        },
        log=True,
    )
    return answered(context, {"predictions": table}, {title: drawn})


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[operation_events])
def prediction_errors(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """How far off what was predicted before each render was from what was measured."""
    with warehouse_db.get_connection() as connection:
        table = questions()["prediction_error"].asked(connection)
        days = prediction_error.by_day(connection)
    title = "Median error of predictions"
    series = {
        str(quantity): pd.Series(
            100 * rows["error"].to_numpy(dtype=float), index=pd.DatetimeIndex(pd.to_datetime(rows["day"]))
        )
        for quantity, rows in days.groupby("quantity")
    }
    drawn = plots.lines(series, title=title, unit="% of what was measured")
    return answered(context, {"errors": table}, {title: drawn})


@dg.asset_check(asset=prediction_errors, pool="warehouse")
def predictions_hold(warehouse_db: WarehouseResource) -> dg.AssetCheckResult:
    """The median error of predicted CPU-seconds is 30 % at the most, where there are renders enough."""
    with warehouse_db.get_connection() as connection:
        refresh(connection, prediction_error.ROLLUPS)
        error, renders = prediction_error.times_off(connection)
    return dg.AssetCheckResult(
        passed=error is None or renders < prediction_error.FEWEST or error <= prediction_error.MOST_ERROR,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"renders": renders, **({} if error is None else {"median_error": round(error, 4)})},
    )


@dg.definitions
def prediction_definitions() -> dg.Definitions:
    """The two assets and the check."""
    return dg.Definitions(assets=[predictions, prediction_errors], asset_checks=[predictions_hold])
