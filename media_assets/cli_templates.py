"""media-assets templates, and analytics sequences: what people run often, and workflows made of it."""

from __future__ import annotations

import json as json_form
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(
    help="Workflows proposed from what people run often and well; loaded events are asked.",
    no_args_is_help=True,
)
Name = Annotated[str, typer.Argument(help="Name of the template.")]


@app.command("list")
def list_templates(data: Data = None, json: Json = False) -> None:
    """Show the templates: candidates, offered, adopted and retired ones, and why they are that."""
    from media_assets.adopting import templates_now

    rows = _rows(templates_now(Settings.from_environment(data)).drop(columns="document"))
    if json:
        console.print_json({"templates": rows})
        return
    cells = [
        (row["name"], row["state"], _arrows(row["sequence"]), row["uses"], row["reasons"]) for row in rows
    ]
    console.print_table(["template", "state", "operations", "uses", "why"], cells)


@app.command()
def show(name: Name, data: Data = None, json: Json = False) -> None:
    """Show a template's draft: a workflow document, with what people gave each parameter."""
    import pandas as pd

    from media_assets.adopting import template

    found = template(Settings.from_environment(data), name)
    if json:
        console.print_json(_rows(pd.DataFrame([found]))[0])
        return
    console.say(f"{name} is {found['state']} since {found['since']:%Y-%m-%d}: {found['reasons']}")
    typer.echo(found["document"] if isinstance(found["document"], str) else "", nl=False)


@app.command()
def adopt(name: Name, data: Data = None, json: Json = False) -> None:
    """Save a template as a workflow; from then on its uses are counted."""
    from media_assets.adopting import adopt as adopted

    path = adopted(Settings.from_environment(data), name)
    if json:
        console.print_json({"template": name, "path": str(path)})
        return
    console.output.print(str(path), soft_wrap=True)
    console.say("It is loaded by the next command; where Dagster runs, reload its definitions.")


def sequences(
    least: Annotated[
        float, typer.Option("--support", min=0.0, max=1.0, help="Least share of chains that have it.")
    ] = 0.005,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show which operations follow one another in the loaded events, how often and how well."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.questions import sequences as question
    from media_assets.analytics.questions.suppressed import suppressed
    from media_assets.analytics.rollups import refresh

    with connect(Settings.from_environment(data).warehouse_path) as connection:
        refresh(connection, question.ROLLUPS)
        rows = _rows(suppressed(question.answer(connection, support=least), connection))
    if json:
        console.print_json({"sequences": rows})
        return
    cells = [
        (
            _arrows(row["sequence"]),
            row["chains"],
            f"{row['support']:.1%}",
            f"{row['success_rate']:.0%}",
            f"{row['lift']:.2f}",
            console.seconds(row["seconds"]),
            row["position"],
            row["trend"],
        )
        for row in rows
    ]
    names = ["operations", "chains", "support", "succeed", "lift", "took", "starts at", "trend"]
    console.print_table(names, cells)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: days as text, and null for what there is none of."""
    days = frame.select_dtypes("datetime").columns
    shown = frame.assign(**{name: frame[name].dt.strftime("%Y-%m-%d") for name in days})
    rows: list[dict[str, Any]] = json_form.loads(shown.to_json(orient="records", double_precision=6))
    return rows


def _arrows(sequence: str) -> str:
    return sequence.replace(">", " → ")
