"""media-assets analytics: load the events, and ask what they say."""

from __future__ import annotations

import typer

from media_assets import cli_kpis, cli_prediction, cli_usage, console
from media_assets.cli_common import Data, Json, with_actions

app = typer.Typer(invoke_without_command=True)
app.command()(cli_usage.usage)
app.command()(cli_usage.errors)
app.command()(cli_prediction.prediction)
app.command()(cli_kpis.kpis)
app.command()(cli_kpis.retention)
app.command()(cli_kpis.costs)
app.command()(cli_kpis.dashboard)


@app.callback()
def analytics(context: typer.Context, data: Data = None, json: Json = False) -> None:
    """Load the events into DuckDB and show time and success per operation; with a word, more of it."""
    if context.invoked_subcommand is not None:
        return
    rows = with_actions(data, lambda actions: actions.analytics())
    if json:
        console.print_json({"operations": rows})
        return
    names = ["operation", "count", "cached", "failed", "p50_seconds", "p95_seconds"]
    console.print_table(names, [[row.get(name) for name in names] for row in rows])
