"""media-assets analytics usage, errors: how operations go, and what they fail of."""

from __future__ import annotations

import contextlib
import json as json_module
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from media_assets.analytics.connection import Connection

_SHOWN = {
    "events": "events",
    "success_rate": "success",
    "cache_hit_rate": "cached",
    "p50_seconds": "p50 s",
    "p95_seconds": "p95 s",
    "realtime": "x realtime",
    "cpu_hours": "CPU h",
    "bytes_written": "written",
    "change": "14 days",
    "trend": "trend",
}
_SHARES = ("success_rate", "cache_hit_rate", "failure_rate", "others_rate", "difference")


def usage(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="operation, day, output_format, resolution_class; may be given again."),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show counts, success, times and costs per operation, trends, and slow and failing parameters."""
    from media_assets.analytics.questions import questions
    from media_assets.analytics.questions import usage as asked
    from media_assets.analytics.questions.usage_parameters import failing_parameters, slow_parameters
    from media_assets.analytics.rollups import refresh

    with _loaded(data) as connection:
        if by:
            refresh(connection, asked.ROLLUPS)
            _print(asked.used(connection, by), {name: name for name in by} | _SHOWN, "usage", json=json)
            return
        table = questions()["usage"].asked(connection)
        slow, failing = slow_parameters(connection), failing_parameters(connection)
    if json:
        parts = {"operations": table, "slow_parameters": slow, "failing_parameters": failing}
        console.print_json({name: _records(frame) for name, frame in parts.items()})
        return
    _print(table, {"operation": "operation"} | _SHOWN, "operations", json=False)
    named = {name: name for name in ("operation", "parameter", "value", "events")}
    _print(slow, named | {"ratio": "times as long"}, "Slow parameters", json=False)
    rates = {"failure_rate": "fail", "others_rate": "others fail"}
    _print(failing, named | rates, "Failing parameters", json=False)


def errors(data: Data = None, json: Json = False) -> None:
    """Show which parameters, codecs and sizes make operations fail, and what to do about each."""
    from media_assets.analytics.guarding import guards_in, keep_guards
    from media_assets.analytics.questions import questions
    from media_assets.analytics.questions.errors import stages

    with _loaded(data) as connection:
        guards = questions()["errors"].asked(connection)
        places = stages(connection)
    keep_guards(guards_in(guards), Settings.from_environment(data))
    if json:
        records = _records(guards)
        for record in records:
            record["conditions"] = json_module.loads(record["conditions"])
        console.print_json({"guards": records, "stages": _records(places)})
        return
    named = {name: name for name in ("operation", "condition", "error", "events")}
    _print(guards, named | {"failure_rate": "fail", "others_rate": "others fail"}, "Guards", json=False)
    for suggestion in guards["suggestion"]:
        console.print_line(suggestion)
    _print(places, {name: name for name in places.columns}, "Errors by stage", json=False)


@contextlib.contextmanager
def _loaded(data: Any) -> Iterator[Connection]:
    """The warehouse with what was loaded into it.

    Raises:
        MediaAssetsError: nothing was.
    """
    from media_assets.analytics.connection import connect

    path = Settings.from_environment(data).warehouse_path
    if not path.exists():
        raise MediaAssetsError(
            "nothing was loaded yet", where=str(path), hint="`media-assets analytics` loads the events"
        )
    with connect(path) as connection:
        yield connection


def _print(table: pd.DataFrame, names: dict[str, str], title: str, *, json: bool) -> None:
    """The columns named, as a table with their heads; or all of them as JSON."""
    records = _records(table)
    if json:
        console.print_json({title: records})
        return
    chosen = {name: head for name, head in names.items() if name in table.columns}
    cells = [[_cell(name, record[name]) for name in chosen] for record in records]
    console.print_table(list(chosen.values()), cells, title)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: no NaN, days as text."""
    text = table.to_json(orient="records", double_precision=6, date_format="iso", date_unit="s")
    found: list[dict[str, Any]] = json_module.loads(text)
    for record in found:
        if isinstance(record.get("day"), str):
            record["day"] = record["day"][:10]
    return found


def _cell(name: str, value: object) -> object:
    if value is None:
        return None
    if name == "bytes_written":
        return console.size(int(float(str(value))))
    if name in _SHARES:
        return f"{float(str(value)):.1%}"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return value
