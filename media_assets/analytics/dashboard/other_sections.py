"""The sections of the other questions: use, sequences, templates, recommendations, errors, abuse."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.connection import Connection
from media_assets.analytics.dashboard.parts import Figure, Section, tabled
from media_assets.analytics.questions import abuse, questions, usage_plots
from media_assets.analytics.questions.errors import stages
from media_assets.analytics.questions.suppressed import suppressed, withheld
from media_assets.analytics.questions.usage_trend import daily_pace
from media_assets.analytics.recommender.history import past_evaluations
from media_assets.analytics.rollups import refresh
from media_assets.analytics.templating import lifecycle
from media_assets.settings import Settings

_BARS = 12


def other_sections(connection: Connection, settings: Settings) -> list[Section]:
    """A section for each question; those that other assets keep tables for are read from these."""
    return [
        _usage(connection),
        _sequences(connection),
        _templates(connection),
        _recommendations(connection),
        _errors(connection),
        _abuse(connection, settings),
    ]


def _usage(connection: Connection) -> Section:
    operations = questions()["usage"].asked(connection)
    columns = {
        "operation": ("operation", "text"),
        "events": ("times", "count"),
        "success_rate": ("succeeded", "share"),
        "cache_hit_rate": ("from the cache", "share"),
        "p50_seconds": ("half take less than", "seconds"),
        "p95_seconds": ("95 % less than", "seconds"),
        "trend": ("trend", "text"),
    }
    drawn = usage_plots.drawn(connection, operations) if not operations.empty else {}
    first, *others = drawn.items() or (("", ""),)
    figures = [Figure(tabled(operations, columns), first[1])] if drawn else []
    slower = operations[operations["trend"] != ""].head(_BARS)
    changed = {
        "operation": ("operation", "text"),
        "trend": ("trend", "text"),
        "change": ("times as long", "number"),
    }
    if daily_pace(connection)["day"].nunique() > 1:
        figures += [Figure(tabled(slower, changed), svg) for title, svg in others if title == "Pace"]
    says = (
        "How often each operation ran, how well and how fast. "
        "A trend is told only where it is sure, at equal input."
    )
    return Section("Use and speed", says, "operation_usage", "media-assets analytics usage", tuple(figures))


def _sequences(connection: Connection) -> Section:
    found = suppressed(questions()["sequences"].asked(connection), connection)
    found = found.assign(sequence=found["sequence"].astype(str).str.replace(">", " → ", regex=False))
    columns = {
        "sequence": ("sequence", "text"),
        "chains": ("chains", "count"),
        "support": ("of all", "share"),
        "success_rate": ("succeeded", "share"),
        "seconds": ("take", "seconds"),
        "trend": ("trend", "text"),
    }
    figures: tuple[Figure, ...] = ()
    if not found.empty:
        shares = _values(found, "sequence", 100 * found["support"].astype(float))
        drawn = plots.bars(shares, title="Frequent sequences", unit="% of chains")
        figures = (Figure(tabled(found, columns), drawn),)
    says = "Operations that people run directly after one another."
    return Section("Sequences", says, "operation_sequences", "media-assets analytics sequences", figures)


def _templates(connection: Connection) -> Section:
    found = lifecycle.table(connection)
    columns = {
        "name": ("template", "text"),
        "state": ("state", "text"),
        "requests": ("requests like it", "count"),
        "share": ("of their kind", "share"),
        "success_rate": ("succeeded", "share"),
        "uses": ("uses", "count"),
        "use_success": ("of these succeeded", "share"),
    }
    figures: tuple[Figure, ...] = ()
    if not found.empty:
        names = found["name"] + " (" + found["state"] + ")"
        shares = _values(found.assign(named=names), "named", 100 * found["share"].astype(float))
        drawn = plots.bars(shares, title="Templates", unit="% of requests for their kinds of source")
        figures = (Figure(tabled(found, columns), drawn),)
    says = "Chains worth a workflow: drafted while they are on offer, followed once they are adopted."
    return Section("Templates", says, "workflow_templates", "media-assets templates list", figures)


def _recommendations(connection: Connection) -> Section:
    found = past_evaluations(connection)
    figures: tuple[Figure, ...] = ()
    if not found.empty:
        last = found[found["evaluated"] == found["evaluated"].max()].sort_values("mrr", ascending=False)
        columns = {
            "variant": ("recommended by", "text"),
            "operations": ("operations", "count"),
            "hit_1": ("was the first", "share"),
            "hit_3": ("was among the first three", "share"),
        }
        shares = _values(last, "variant", 100 * last["hit_3"].astype(float))
        drawn = plots.bars(shares, title="Right among the first three", unit="% of operations")
        figures = (Figure(tabled(last, columns), drawn),)
    says = "What was recommended, held against what was then done; beside simpler ways to recommend."
    return Section(
        "Recommendations", says, "recommendation_quality", "media-assets analytics recommendations", figures
    )


def _errors(connection: Connection) -> Section:
    guards = questions()["errors"].asked(connection)
    figures = []
    if not guards.empty:
        names = guards["operation"].astype(str) + ": " + guards["condition"].astype(str)
        guards = guards.assign(named=names)
        columns = {
            "named": ("what fails", "text"),
            "events": ("times", "count"),
            "failure_rate": ("fail", "share"),
            "others_rate": ("others fail", "share"),
            "suggestion": ("what to do", "text"),
        }
        shares = _values(guards, "named", 100 * guards["failure_rate"].astype(float))
        drawn = plots.bars(shares, title="What fails", unit="% of events that fail")
        figures.append(Figure(tabled(guards, columns), drawn))
    by_stage = stages(connection)
    if not by_stage.empty:
        columns = {"stage": ("stage", "text"), "error": ("error", "text"), "errors": ("times", "count")}
        figures.append(Figure(tabled(by_stage, columns)))
    says = "Under which conditions operations fail, for sure; plans are warned of them."
    return Section("Errors", says, "operation_errors", "media-assets analytics errors", tuple(figures))


def _abuse(connection: Connection, settings: Settings) -> Section:
    refresh(connection, abuse.ROLLUPS)
    windows = abuse.windows(connection)
    usual = abuse.usual(windows, settings)
    limits = abuse.limits(usual)
    figures = []
    if not limits.empty:
        reached = withheld(abuse.distances(windows, usual), fewest=settings.fewest_users)
        hours = {f"{z} to {z + 1}": float(count) for z, count in reached.itertuples(index=False)}
        drawn = plots.bars(
            hours, title="How far from what is usual", unit="active hours, by highest z", log=True
        )
        names = reached.assign(z=list(hours))
        figures.append(
            Figure(tabled(names, {"z": ("z", "text"), "hours": ("active hours", "count")}), drawn)
        )
        columns = {
            "measure": ("measure", "text"),
            "hours": ("in hours", "count"),
            "usual": ("usual", "text"),
            "abuse_from": ("abuse from", "text"),
        }
        figures.append(Figure(tabled(limits, columns)))
    says = (
        "What is usual within hours, and from where on it is too much. Who it was is told to the operator."
    )
    return Section("Unusual use", says, "abuse_scores", "media-assets abuse list", tuple(figures))


def _values(frame: pd.DataFrame, names: str, values: pd.Series[float]) -> dict[str, float]:
    """The first ones, by name."""
    pairs = zip(frame[names].astype(str), values, strict=True)
    return dict(list(pairs)[:_BARS])
