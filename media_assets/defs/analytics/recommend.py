"""What is done next, and how good it is to recommend that, as assets."""

from datetime import UTC, datetime

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.questions import questions
from media_assets.analytics.questions.recommend import after_one
from media_assets.analytics.recommender import history
from media_assets.analytics.recommender.evaluation import VARIANTS, evaluate
from media_assets.analytics.recommender.uses import ROLLUP, START
from media_assets.analytics.rollups import refresh
from media_assets.defs.analytics.answering import answered
from media_assets.defs.analytics.events import WarehouseResource, operation_events
from media_assets.settings import Settings


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[operation_events])
def recommendations(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Which operations most often follow which others, as `media-assets recommend` tells them."""
    with warehouse_db.get_connection() as connection:
        frame = questions()["recommend"].asked(connection)
        after = after_one(connection)
    wide = after.pivot_table(index="after", columns="operation", values="share")
    drawn = plots.heat(
        (100 * wide).rename(index={START: "(beginning)"}),
        title="What follows an operation",
        unit="% of what follows",
        across="next operation",
        down="after",
    )
    return answered(context, {"recommendations": frame}, {"What follows an operation": drawn})


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[operation_events])
def recommendation_quality(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """How often recommendations were right of what was done after them, and how often simpler ones were."""
    with warehouse_db.get_connection() as connection:
        refresh(connection, [ROLLUP])
        found = evaluate(connection, fewest=Settings.from_environment().fewest_users)
        history.remember(connection, found, datetime.now(UTC).replace(tzinfo=None))
        past = history.past_evaluations(connection)
    windows = found.windows[found.windows["kind"] == "all"].rename(columns={"window": "day"})
    title, before = "Right at the first place", "Past evaluations"
    return answered(
        context,
        {"quality": found.whole, "windows": windows},
        {
            title: plots.lines(_by_variant(windows, "day", "hit_1"), title=title, unit="% of operations"),
            before: plots.lines(
                _by_variant(past, "evaluated", "mrr"), title=before, unit="% (mean of 1 / rank)"
            ),
        },
    )


@dg.asset_check(asset=recommendation_quality, pool="warehouse")
def recommendations_hold(warehouse_db: WarehouseResource) -> dg.AssetCheckResult:
    """Recommendations are not worse than what most often follows the last operation, nor than they were."""
    with warehouse_db.get_connection() as connection:
        problems = history.problems(connection)
    return dg.AssetCheckResult(passed=not problems, metadata={"problems": dg.MetadataValue.json(problems)})


def _by_variant(frame: pd.DataFrame, across: str, column: str) -> dict[str, "pd.Series[float]"]:
    found = {}
    for variant in VARIANTS:
        rows = frame[frame["variant"] == variant]
        if not rows.empty:
            index = pd.DatetimeIndex(pd.to_datetime(rows[across]))
            found[variant] = pd.Series(100 * rows[column].to_numpy(dtype=float), index=index)
    return found


@dg.definitions
def recommendation_definitions() -> dg.Definitions:
    """The assets and the check."""
    return dg.Definitions(
        assets=[recommendations, recommendation_quality], asset_checks=[recommendations_hold]
    )
