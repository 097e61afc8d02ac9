"""media-assets operations, media-assets plan: what can be done, and what a job would do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.settings import Settings


class Form(StrEnum):
    """How a plan is shown."""

    tree = "tree"
    mermaid = "mermaid"


def operations(
    name: Annotated[str | None, typer.Argument(help="An operation, by any of its names.")] = None,
    json: Json = False,
) -> None:
    """List what can be done to media, or show one operation with its parameters and an example."""
    from media_assets.operations.described import described
    from media_assets.operations.registry import operation
    from media_assets.operations.registry import operations as known

    if name is not None:
        one = described(operation(name))
        console.print_json(one) if json else _show(one)
        return
    listed = [described(kind) for kind in known().values()]
    if json:
        console.print_json({"operations": listed})
    else:
        rows = [(o["name"], ", ".join(o["aliases"]), o["summary"]) for o in listed]
        console.print_table(["operation", "also called", "what it does"], rows)


def _show(one: dict[str, Any]) -> None:
    import json

    from media_assets.operations.described import takes_of, values_of

    names = one["name"] + (f" (also {', '.join(one['aliases'])})" if one["aliases"] else "")
    console.output.print(f"{names}: {one['summary']}", markup=False)
    console.output.print(f"takes {takes_of(one['takes'])}", markup=False)
    console.output.print(one["description"], markup=False)
    rows = [
        (
            p["name"],
            p["type"],
            "required" if p["required"] else "" if p["default"] is None else json.dumps(p["default"]),
            values_of(p),
        )
        for p in one["parameters"]
    ]
    console.print_table(["parameter", "type", "default", "values"], rows)
    console.output.print("example:", json.dumps(one["example"], ensure_ascii=False), markup=False)


def plan(
    job: Annotated[Path, typer.Argument(help="A JobSpec: a JSON or YAML file.")],
    form: Annotated[
        Form, typer.Option("--form", help="Draw it as a tree or as a Mermaid graph.")
    ] = Form.tree,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show what a job would do and what it would cost; nothing is rendered."""
    from media_assets.job_plans import plan_job
    from media_assets.planning.report import mermaid, tree

    document = plan_job(job, Settings.from_environment(data))
    if json:
        console.print_json(document)
        return
    drawn = mermaid(document) if form is Form.mermaid else tree(document)
    console.output.print(drawn.rstrip(), markup=False, soft_wrap=True)
    if form is Form.tree:
        cost = document["estimate"]
        console.say(
            f"{len(document['groups'])} to render side by side, about {cost['seconds']:.1f} s "
            f"({cost['cpu_seconds']:.1f} CPU-seconds), {console.size(cost['memory_bytes'])} of memory, "
            f"{console.size(cost['disk_bytes'])} on disk"
        )
    for warning in document["warnings"]:
        console.say(f"{warning['node']}: {warning['message']}")
