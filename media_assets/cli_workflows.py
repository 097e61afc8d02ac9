"""media-assets workflow …: saved graphs of operations, made for every source they take."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, admitted, print_rows, with_actions

if TYPE_CHECKING:
    from media_assets.actions import Actions

app = typer.Typer(help="Saved graphs of operations, made for every source they take.", no_args_is_help=True)


@app.command("list")
def list_workflows(data: Data = None, json: Json = False) -> None:
    """Show the workflows that are loaded."""
    from media_assets.components.loaded import loaded_workflows
    from media_assets.defs.partitions import workflow_partitions

    def collect(actions: Actions) -> list[dict[str, Any]]:
        return [
            {
                "name": w.name,
                "description": w.description,
                "automation": w.automation,
                "takes": w.takes.model_dump(mode="json", exclude_none=True),
                "nodes": [node.output for node in w.operations],
                "sources": actions.session.instance.get_dynamic_partitions(
                    str(workflow_partitions(w.name).name)
                ),
            }
            for w in loaded_workflows()
        ]

    found = with_actions(data, collect)
    if json:
        console.print_json({"workflows": found})
        return
    rows = [
        (w["name"], w["automation"], ", ".join(w["nodes"]), len(w["sources"]), w["description"])
        for w in found
    ]
    console.print_table(["workflow", "automation", "nodes", "sources", "description"], rows)


@app.command("run")
def run(
    name: Annotated[str, typer.Argument(help="Name of the workflow.")],
    source: Annotated[list[str] | None, typer.Option("--source", help="Only for this source id.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make every node of a workflow for its sources."""

    def work(actions: Actions) -> list[dict[str, Any]]:
        actions.ingest()
        return [asdict(row) for row in actions.run_workflow(name, source or [])]

    admitted(data)
    rows = with_actions(data, work)
    if json:
        console.print_json({"outputs": rows})
    else:
        print_rows(rows)
