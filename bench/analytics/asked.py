"""Every question, each alone and all together: from nothing, after a thousand more events, and answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from bench.analytics.filled import add, last_day
from bench.timing import Clock
from media_assets.analytics.connection import Connection, connect
from media_assets.analytics.questions import Question, questions
from media_assets.analytics.recommender.evaluation import LAST, OURS, POPULAR
from media_assets.analytics.rollups import Rollup, forget, refresh


def measure(path: Path, size: int) -> dict[str, Any]:
    """Ask the warehouse at `path` everything."""
    asked = questions()
    rollups = {rollup.name: rollup for question in asked.values() for rollup in question.rollups}
    with connect(path) as connection:
        full = {name: _alone(connection, question) for name, question in asked.items()}
        _drop(connection, rollups)
    whole = _together(path, asked.values(), rollups.values())
    with connect(path) as connection:
        added = add(connection)
    later = _together(path, asked.values(), rollups.values())
    with connect(path) as connection:
        days = [last_day(connection)]
        for name, question in asked.items():
            full[name]["refresh"] = _refreshed(connection, question.rollups, days)
        each = {name: _refreshed(connection, [rollup], days) for name, rollup in rollups.items()}
        quality = asked["recommendation_quality"].answer(connection)
    return {
        "together": whole["all"],
        "rollups_full": whole["rollups"],
        "answers": whole["answers"],
        "new_events": added,
        "together_after": later["all"],
        "rollups_after": later["rollups"],
        "refresh_to_full": _ratio(later["all"], whole["all"]),
        "rollups_after_to_full": _ratio(later["rollups"], whole["rollups"]),
        "questions": full,
        "rollups_refreshed": each,
        "recommended": _quality(quality),
    }


def _alone(connection: Connection, question: Question) -> dict[str, Any]:
    """A question with none of its sums made, then answered again from them."""
    _drop(connection, {rollup.name: rollup for rollup in question.rollups})
    return {
        "full": _timed(lambda: refresh(connection, question.rollups)),
        "answer": _timed(lambda: question.answer(connection)),
        "rows": len(question.answer(connection)),
    }


def _together(
    path: Path, asked: Iterable[Question], rollups: Iterable[Rollup]
) -> dict[str, dict[str, float]]:
    """All sums brought up to the events at once and written; then every question answered."""
    clock = Clock()
    with connect(path) as connection:
        refresh(connection, rollups)
    made, answering = clock.told(), Clock()
    with connect(path) as connection:
        for question in asked:
            question.answer(connection)
    return {"rollups": made, "answers": answering.told(), "all": clock.told()}


def _refreshed(connection: Connection, rollups: Iterable[Rollup], days: list[date]) -> dict[str, float]:
    forget(connection, days)
    return _timed(lambda: refresh(connection, rollups))


def _drop(connection: Connection, rollups: Iterable[str]) -> None:
    """Have sums made from nothing, as the first time."""
    refresh(connection, [])
    for name in rollups:
        connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute("DELETE FROM rollup_days WHERE rollup = ?", [name])


def _quality(table: pd.DataFrame) -> dict[str, Any]:
    """What was recommended rightly, by us and by simpler ones."""
    told = table[table["kind"] == "all"].set_index("variant")
    if not {POPULAR, LAST, OURS} <= set(told.index):
        return {}
    return {
        "hit_3": {str(name): round(float(value), 4) for name, value in told["hit_3"].items()},
        "mrr": {str(name): round(float(value), 4) for name, value in told["mrr"].items()},
        "last_to_ours": round(float(told.loc[LAST, "mrr"] / told.loc[OURS, "mrr"]), 4),
    }


def _timed(work: Callable[[], object]) -> dict[str, float]:
    clock = Clock()
    work()
    return clock.told()


def _ratio(part: dict[str, float], whole: dict[str, float]) -> float:
    return round(part["cpu_seconds"] / max(whole["cpu_seconds"], 0.001), 4)
