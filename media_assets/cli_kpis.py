"""media-assets analytics kpis, retention, costs, dashboard: key figures, in the terminal or as a page."""

from __future__ import annotations

import json as json_module
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

_DAY = "YYYY-MM-DD"


def kpis(data: Data = None, json: Json = False) -> None:
    """Show success, time to completion, adoption, retention, efficiency, predictions, costs."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.dashboard.parts import cell
    from media_assets.analytics.prices import prices_of
    from media_assets.analytics.questions import kpis as asked
    from media_assets.analytics.questions import questions
    from media_assets.analytics.questions.kpi_periods import by_type

    settings = Settings.from_environment(data)
    prices = prices_of(settings)
    with connect(settings.warehouse_path) as connection:
        figures = questions()["kpis"].asked(connection)
        weeks, types = asked.weekly(connection, prices), by_type(connection)
    if json:
        parts = {"kpis": figures, "weeks": weeks, "workflows": types}
        console.print_json({name: _records(frame) for name, frame in parts.items()})
        return
    rows = [
        (
            row["kpi"],
            cell(row["value"], row["unit"]),
            cell(row["before"], row["unit"]),
            row["of"],
            row["behind"],
        )
        for row in figures.to_dict("records")
    ]
    console.print_table(["", "latest", "before", "of", "how many"], rows, "Key figures")


def retention(data: Data = None, json: Json = False) -> None:
    """Show how many of the people who came in a week were at work again in the weeks after."""
    _show(
        "retention",
        {"cohort": "day", "people": "count", "week": "count", "share": "share"},
        data,
        json=json,
    )


def costs(data: Data = None, json: Json = False) -> None:
    """Show what each operation costs by the price table, and what the cache saved."""
    money = dict.fromkeys(
        ("cpu", "storage", "egress", "cost", "per_operation", "per_minute", "saved"), "money"
    )
    counts = {"operation": "text", "events": "count", "performed": "count"}
    _show("costs", counts | money, data, json=json)


def dashboard(
    open_path: Annotated[
        bool, typer.Option("--open-path", help="Print where the page is, and make none.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make the page that shows all answers with plots, and print where it is."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.dashboard.making import make_dashboard

    settings = Settings.from_environment(data)
    path = settings.dashboard_path
    if open_path:
        if not path.is_file():
            raise MediaAssetsError(
                "no page was made yet", where=str(path), hint="`media-assets analytics dashboard` makes it"
            )
        _print_path({"path": str(path)}, json=json)
        return
    with connect(settings.warehouse_path) as connection:
        made = make_dashboard(connection, settings, datetime.now(UTC))
    _print_path({"path": str(made.path), "bytes": made.bytes, "events": made.events}, json=json)


def _print_path(found: dict[str, Any], *, json: bool) -> None:
    if json:
        console.print_json(found)
        return
    console.print_line(found["path"])


def _show(name: str, columns: dict[str, str], data: Any, *, json: bool) -> None:
    """A question's answer as JSON, or its columns as a table."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.dashboard.parts import cell
    from media_assets.analytics.questions import questions

    settings = Settings.from_environment(data)
    with connect(settings.warehouse_path) as connection:
        found = questions()[name].asked(connection)
    if json:
        console.print_json({name: _records(found)})
        return
    rows = [
        [cell(row[column], kind) for column, kind in columns.items()] for row in found.to_dict("records")
    ]
    console.print_table(list(columns), rows, name.capitalize())


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: no NaN, days as text."""
    dates = {
        name: table[name].astype(str).str[: len(_DAY)] for name in ("cohort", "period") if name in table
    }
    text = table.assign(**dates).to_json(orient="records", double_precision=10)
    found: list[dict[str, Any]] = json_module.loads(text)
    return found
