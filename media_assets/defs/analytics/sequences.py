"""Which operations follow one another, as an asset."""

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.publishing import publish_marts
from media_assets.analytics.questions import questions
from media_assets.analytics.questions.sequences import by_position, by_week
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.defs.analytics.answering import EVENTS, answered
from media_assets.defs.analytics.events import WarehouseResource

_SHOWN = 15
_FOLLOWED = 6


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def operation_sequences(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Chains of two to six operations: how frequent, successful and long, and whether that changes."""
    with warehouse_db.get_connection() as connection:
        frame = suppressed(questions()["sequences"].asked(connection), connection)
        connection.register("answer", frame)
        connection.execute("CREATE OR REPLACE TABLE operation_sequences AS SELECT * FROM answer")
        connection.unregister("answer")
        first = list(frame["sequence"].head(_SHOWN))
        places = by_position(connection, first)
        changing = frame[frame["trend"] != ""].sort_values(["q_value", "sequence"])
        followed = list(dict.fromkeys([*changing["sequence"].head(_FOLLOWED), *first]))[:_FOLLOWED]
        weeks = by_week(connection, followed)
        publish_marts(connection, warehouse_db.path, warehouse_db.marts_path)
    answers = {
        "sequences": frame,
        "changing": changing[["sequence", "trend", "change", "q_value", "chains"]],
    }
    drawn = {
        "Frequent sequences": _support(frame),
        "Where they start": _positions(places, first),
        "Week by week": _weekly(weeks),
    }
    return answered(context, answers, drawn)


def _support(frame: pd.DataFrame) -> str:
    shown = frame.head(_SHOWN)
    values = {
        _arrows(name): 100 * share for name, share in zip(shown["sequence"], shown["support"], strict=True)
    }
    return plots.bars(values, title="Frequent sequences", unit="% of chains")


def _positions(places: pd.DataFrame, order: list[str]) -> str:
    wide = places.pivot_table(index="sequence", columns="position", values="share").reindex(order)
    return plots.heat(
        (100 * wide).rename(index=_arrows),
        title="Where they start",
        unit="% of chains that are long enough",
        across="position",
        down="sequence",
    )


def _weekly(weeks: pd.DataFrame) -> str:
    """Those that change, and the most frequent."""
    series = {
        _arrows(str(name)): pd.Series(
            (100 * one["support"]).to_numpy(), index=pd.DatetimeIndex(one["week"])
        )
        for name, one in weeks.groupby("sequence", sort=False)
    }
    return plots.lines(series, title="Week by week", unit="% of chains", across="week until")


def _arrows(sequence: str) -> str:
    return sequence.replace(">", " → ")


@dg.definitions
def sequence_definitions() -> dg.Definitions:
    """The asset."""
    return dg.Definitions(assets=[operation_sequences])
