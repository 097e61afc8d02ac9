"""media-assets sql: any question to the loaded events, read-only."""

from __future__ import annotations

import json as json_form
from typing import Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import BadInput
from media_assets.settings import Settings

Csv = Annotated[bool, typer.Option("--csv", help="Print the result as CSV.")]


def sql(
    query: Annotated[str, typer.Argument(help="Such as: FROM operations LIMIT 5")],
    data: Data = None,
    csv: Csv = False,
    json: Json = False,
) -> None:
    """Ask the loaded events in SQL: views operations, workflows and errors; nothing can be changed."""
    import duckdb

    from media_assets.analytics.publishing import read_marts

    with read_marts(Settings.from_environment(data).marts_path) as connection:
        try:
            table = connection.sql(query)
            frame = None if table is None else table.df()
        except duckdb.Error as error:
            hint = "docs/analytics.md has the columns"
            raise BadInput(str(error).strip(), where="the query", hint=hint) from None
    if frame is None:
        raise BadInput("it is no question", where="the query", hint="begin with SELECT, FROM or DESCRIBE")
    if csv:
        typer.echo(frame.to_csv(index=False), nl=False)
        return
    rows: list[dict[str, Any]] = json_form.loads(
        frame.to_json(orient="records", date_format="iso", date_unit="us", default_handler=str)
    )
    if json:
        console.print_json({"rows": rows})
    else:
        console.print_table(list(map(str, frame.columns)), [list(row.values()) for row in rows])
