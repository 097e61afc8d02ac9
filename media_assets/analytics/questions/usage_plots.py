"""Plots of use and speed."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.usage import used
from media_assets.analytics.questions.usage_trend import daily_pace

_MOST_BARS = 30
_MOST_LINES = 6
_SMOOTHED_DAYS = 7


def drawn(connection: Connection, operations: pd.DataFrame) -> dict[str, str]:
    """SVG by title.

    Args:
        operations: the answer of `usage`; what is not in it is not drawn.
    """
    shown = operations.head(_MOST_BARS).dropna(subset="p50_seconds")
    return {
        "Time": _times(shown),
        "Pace": _paces(connection, operations),
        "Success": _success(connection, list(operations["operation"].head(_MOST_BARS))),
    }


def _times(shown: pd.DataFrame) -> str:
    ends = zip(shown["p50_seconds"], shown["p95_seconds"], strict=True)
    return plots.bars(
        dict(zip(shown["operation"], shown["p50_seconds"], strict=True)),
        title="Time of an operation: half of them, and 95 %, take less",
        unit="seconds",
        ranges=dict(zip(shown["operation"], ends, strict=True)),
        log=True,
    )


def _paces(connection: Connection, operations: pd.DataFrame) -> str:
    """The operations with a trend, and those that are used most."""
    changed = operations[operations["trend"] != ""]["operation"].tolist()
    chosen = list(dict.fromkeys([*changed, *operations["operation"]]))[:_MOST_LINES]
    days = daily_pace(connection)
    series = {
        operation: own.set_index(pd.DatetimeIndex(own["day"]))["pace"]
        .rolling(f"{_SMOOTHED_DAYS}D", min_periods=1)
        .median()
        for operation, own in days[days["operation"].isin(chosen)].groupby("operation")
    }
    return plots.lines(
        {str(operation): series[operation] for operation in chosen if operation in series},
        title=f"Time at equal input (middle of {_SMOOTHED_DAYS} days)",
        unit="times the operation's usual",
    )


def _success(connection: Connection, operations: list[str]) -> str:
    table = used(connection, ("operation", "resolution_class"))
    table = table[table["operation"].isin(operations)]
    rates = table.pivot(index="operation", columns="resolution_class", values="success_rate") * 100
    order = [name for name in ("none", "sd", "hd", "fullhd", "qhd", "uhd") if name in rates.columns]
    return plots.heat(
        rates.reindex(index=[name for name in operations if name in rates.index], columns=order),
        title="Success",
        unit="% of events that succeed",
        across="resolution of the input",
        down="operation",
    )
