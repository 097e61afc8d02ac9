"""Plots of the key figures."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics import plots

_MOST_BARS = 20
_CURVE_AND_COHORTS = 14
_PERCENT = 100.0


def success(weeks: pd.DataFrame) -> str:
    """Of workflows, by week."""
    lines = {"succeeded": _line(weeks, "success_rate", _PERCENT)}
    return plots.lines(lines, title="Workflows that succeed", unit="% of those that ended", across="week")


def completion(weeks: pd.DataFrame) -> str:
    """How long workflows take, by week."""
    lines = {"half": _line(weeks, "p50_seconds"), "95 %": _line(weeks, "p95_seconds")}
    return plots.lines(
        _some(lines), title="Time to completion: so many take less", unit="seconds", across="week", log=True
    )


def adoption(weeks: pd.DataFrame) -> str:
    """Of templates, by week."""
    lines = {
        "workflows": _line(weeks, "adoption", _PERCENT),
        "people": _line(weeks, "adopters", _PERCENT),
    }
    return plots.lines(_some(lines), title="Made from a template", unit="%", across="week")


def retention(cohorts: pd.DataFrame) -> str:
    """A row for each cohort, the latest that are shown."""
    wide = cohorts.pivot_table(index="cohort", columns="week", values="share").tail(_CURVE_AND_COHORTS)
    names = {cohort: f"{pd.Timestamp(cohort):%d %b %Y}" for cohort in wide.index}
    return plots.heat(
        (_PERCENT * wide).rename(index=names),
        title="People who came again",
        unit="% of those who came in a week",
        across="weeks later",
        down="week they came",
    )


def efficiency(weeks: pd.DataFrame) -> str:
    """What a minute of media takes, by week."""
    lines = {"CPU": _line(weeks, "cpu_per_minute")}
    return plots.lines(lines, title="CPU time for a minute of media", unit="CPU-seconds", across="week")


def cache(weeks: pd.DataFrame) -> str:
    """What was spent, and what the cache saved, by week."""
    lines = {"spent": _line(weeks, "cpu_hours"), "saved": _line(weeks, "saved_cpu_hours")}
    return plots.lines(
        _some(lines), title="CPU time spent, and saved by the cache", unit="hours", across="week"
    )


def predictions(weeks: pd.DataFrame) -> str:
    """How far off predictions are, by week."""
    lines = {
        "learnt predictions": _line(weeks, "prediction_error", _PERCENT),
        "shipped estimates": _line(weeks, "estimate_error", _PERCENT),
    }
    return plots.lines(
        _some(lines),
        title="How far off half of the predictions are",
        unit="% of what was measured",
        across="week",
    )


def costs(table: pd.DataFrame, currency: str) -> str:
    """Of operations, all in all."""
    shown = table.head(_MOST_BARS)
    values = dict(zip(shown["operation"].astype(str), shown["cost"].astype(float), strict=True))
    return plots.bars(values, title="What operations cost", unit=currency)


def _line(weeks: pd.DataFrame, column: str, times: float = 1.0) -> pd.Series[float]:
    index = pd.DatetimeIndex(pd.to_datetime(weeks["period"]))
    values = pd.Series(times * weeks[column].to_numpy(dtype=float), index=index)
    return values.dropna()


def _some(lines: dict[str, pd.Series[float]]) -> dict[str, pd.Series[float]]:
    """Those with a point; one empty line where there is none."""
    return {name: values for name, values in lines.items() if len(values)} or dict(list(lines.items())[:1])
