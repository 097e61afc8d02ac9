"""The sections of key figures."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.dashboard.parts import Figure, Section, Tile, cell, tabled
from media_assets.analytics.prices import Prices
from media_assets.analytics.questions import costs, kpi_plots, kpis, retention
from media_assets.analytics.questions.kpi_periods import WINDOW_DAYS, by_type

_ASSET, _COMMAND = "key_figures", "media-assets analytics kpis"
_WEEK = {"period": ("week of", "day")}


def tiles(figures: pd.DataFrame) -> list[Tile]:
    """The key figures, each beside what it was before."""
    return [
        Tile(
            str(row["kpi"]),
            cell(row["value"], str(row["unit"])),
            "" if pd.isna(row["before"]) else f"before: {cell(row['before'], str(row['unit']))}",
        )
        for row in figures.to_dict("records")
    ]


def key_sections(connection: Connection, prices: Prices) -> list[Section]:
    """Workflows, adoption, retention, efficiency, predictions and costs, from rollups that are fresh."""
    weeks = kpis.weekly(connection, prices)
    return [
        _workflows(connection, weeks),
        _adoption(weeks),
        _retention(connection),
        _efficiency(weeks),
        _predictions(weeks),
        _costs(connection, prices),
    ]


def _workflows(connection: Connection, weeks: pd.DataFrame) -> Section:
    shown = _latest(weeks, "workflows")
    types = by_type(connection)
    time = {"p50_seconds": ("half take less than", "seconds"), "p95_seconds": ("95 % less than", "seconds")}
    figures = [
        *_figure(
            kpi_plots.success,
            weeks,
            shown,
            _WEEK | {"workflows": ("ran", "count"), "success_rate": ("succeeded", "share")},
        ),
        *_figure(kpi_plots.completion, weeks, shown, _WEEK | {"timed": ("that rendered", "count")} | time),
    ]
    if not types.empty:
        sums = {
            "type": ("kind", "text"),
            "events": ("ran", "count"),
            "success_rate": ("succeeded", "share"),
        }
        figures.append(Figure(tabled(types, sums | time)))
    says = (
        "Workflows, jobs and kompositions that ended well, of those that ended well or failed; "
        "and how long they took."
    )
    return Section("Workflows", says, _ASSET, _COMMAND, tuple(figures))


def _adoption(weeks: pd.DataFrame) -> Section:
    columns = _WEEK | {
        "adoptable": ("workflows and jobs", "count"),
        "adoption": ("from a template", "share"),
        "people": ("people", "count"),
        "adopters": ("who used one", "share"),
    }
    shown = _latest(weeks, "adoptable")
    return Section(
        "Adoption of templates",
        "Of workflows and jobs, those that were made from a template; "
        "and of people who ran any, those who used one.",
        _ASSET,
        _COMMAND,
        _figure(kpi_plots.adoption, weeks, shown, columns),
    )


def _retention(connection: Connection) -> Section:
    cohorts = retention.answer(connection)
    columns = {
        "week": ("weeks later", "count"),
        "people": ("people who came so long ago", "count"),
        "share": ("at work again", "share"),
    }
    return Section(
        "Retention",
        "Of the people who did their first work in a week, those who worked again so many weeks later.",
        _ASSET,
        "media-assets analytics retention",
        _figure(kpi_plots.retention, cohorts, retention.pooled(cohorts), columns),
    )


def _efficiency(weeks: pd.DataFrame) -> Section:
    shown = _latest(weeks, "events")
    made = _WEEK | {
        "made_minutes": ("minutes made", "count"),
        "cpu_per_minute": ("CPU for each", "seconds"),
    }
    spent = _WEEK | {
        "cpu_hours": ("CPU spent", "hours"),
        "saved_cpu_hours": ("saved", "hours"),
        "cache_hit_rate": ("from the cache", "share"),
    }
    return Section(
        "Efficiency",
        "All CPU time, of failures too, by the minutes of media that were made; "
        "and what the cache kept from being made again.",
        _ASSET,
        _COMMAND,
        (
            *_figure(kpi_plots.efficiency, weeks, shown, made),
            *_figure(kpi_plots.cache, weeks, shown, spent),
        ),
    )


def _predictions(weeks: pd.DataFrame) -> Section:
    columns = _WEEK | {
        "predicted": ("renders predicted", "count"),
        "prediction_error": ("half are off by less than", "share"),
        "estimated": ("renders estimated", "count"),
        "estimate_error": ("half are off by less than", "share"),
    }
    shown = weeks[weeks["predicted"].notna() | weeks["estimated"].notna()].iloc[::-1]
    return Section(
        "Accuracy of predictions",
        "CPU time as it was predicted before each render, against what was measured: "
        "what was learnt from events, or else the shipped estimates.",
        "prediction_errors",
        "media-assets analytics prediction",
        _figure(kpi_plots.predictions, weeks, shown, columns),
    )


def _costs(connection: Connection, prices: Prices) -> Section:
    table = costs.answer(connection, prices)
    money = prices.currency
    columns = {
        "operation": ("operation", "text"),
        "performed": ("performed", "count"),
        "cpu": (f"{money} for CPU", "money"),
        "storage": ("storage", "money"),
        "egress": ("egress", "money"),
        "cost": ("all", "money"),
        "per_operation": ("each", "money"),
        "saved": ("saved by the cache", "money"),
    }
    says = (
        f"By the price table: {prices.cpu_hour:g} {money} for a CPU-hour, {prices.gb_month:g} for a GB "
        f"kept for a month, {prices.gb_egress:g} for a GB that leaves. Assumed of each output: it stays "
        f"for {prices.kept_days:g} days; fetched from elsewhere: {prices.fetched_times:g} x."
    )

    def drawn(frame: pd.DataFrame) -> str:
        return kpi_plots.costs(frame, money)

    return Section(
        "Costs", says, _ASSET, "media-assets analytics costs", _figure(drawn, table, table, columns)
    )


def _figure(
    draw: Callable[[pd.DataFrame], str],
    whole: pd.DataFrame,
    shown: pd.DataFrame,
    columns: dict[str, tuple[str, str]],
) -> tuple[Figure, ...]:
    """A plot of the whole over a table of what is shown; nothing where there is nothing.

    One week makes no line: there is only the table then.
    """
    if shown.empty:
        return ()
    return (Figure(tabled(shown, columns), "" if "period" in columns and len(shown) < 2 else draw(whole)),)


def _latest(weeks: pd.DataFrame, counted: str) -> pd.DataFrame:
    """Weeks in which there was anything, the latest first."""
    return weeks[weeks[counted] > 0].iloc[::-1]


WINDOW = f"the latest {WINDOW_DAYS} days, and the {WINDOW_DAYS} before"
