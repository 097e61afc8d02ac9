"""What operations fail of, as an asset with a table of guards and a plot; plans are checked against it."""

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.guarding import guards_in, keep_guards
from media_assets.analytics.questions import questions
from media_assets.analytics.questions.errors import stages
from media_assets.defs.analytics.answering import EVENTS, answered
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.settings import Settings


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def operation_errors(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Which parameters, codecs and sizes make operations fail, and what to do about each."""
    with warehouse_db.get_connection() as connection:
        guards = questions()["errors"].asked(connection)
        answers = {"guards": guards.drop(columns="conditions"), "stages": stages(connection)}
    keep_guards(guards_in(guards), Settings.from_environment())
    return answered(context, answers, {"What fails": _drawn(guards)})


@dg.definitions
def error_definitions() -> dg.Definitions:
    """The asset."""
    return dg.Definitions(assets=[operation_errors])


def _drawn(guards: pd.DataFrame) -> str:
    shown = guards.head(20)
    names = shown["operation"] + ": " + shown["condition"]
    shares = dict(zip(names, shown["failure_rate"] * 100, strict=True))
    ends = zip(shown["low"] * 100, shown["high"] * 100, strict=True)
    return plots.bars(
        shares, title="What fails", unit="% of events that fail", ranges=dict(zip(names, ends, strict=True))
    )
