"""media-assets run, media-assets explain: jobs made by Dagster, and what their effects are made of."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, admitted, interruptible, with_actions
from media_assets.drawing import tree_lines
from media_assets.errors import BadInput
from media_assets.operations.parameters import seconds as read_seconds

if TYPE_CHECKING:
    from media_assets.actions import Actions
    from media_assets.jobs import JobReport


def run(
    job: Annotated[Path, typer.Argument(help="A JobSpec: a JSON or YAML file.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Only this output; may be given again.")
    ] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", help="How long it may take: 90s, 30m, 00:05:00.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make what a job asks for; what is in the store already is not made again."""
    limit = _seconds(timeout)
    admitted(data)

    def work(actions: Actions) -> JobReport:
        from media_assets.jobs import run_job

        return run_job(actions, job, only=only or [], timeout=limit)

    with interruptible(job, json=json):
        report: JobReport = with_actions(data, work)
    if json:
        console.print_json(report.to_json())
    else:
        _show(report)
    if report.failed:
        raise typer.Exit(1)


def explain(
    effect: Annotated[
        str,
        typer.Argument(
            help="An effect's id or 8 digits of it, or <workflow>/<node>/<source id>.", metavar="ID"
        ),
    ],
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell what an effect is made of, whether it is current, and why not."""

    def work(actions: Actions) -> dict[str, Any]:
        from media_assets.explaining import explain as explained

        return explained(actions, effect)

    from media_assets.planning.report import expected_time

    found: dict[str, Any] = with_actions(data, work)
    if json:
        console.print_json(found)
        return
    console.print_reasons(found)
    if found["estimate"]:
        console.print_line(f"to make it: {expected_time(found['estimate'])}")
    for warning in found["warnings"]:
        console.print_line(f"warning: {warning['node']}: {warning['message']}")
    for line in tree_lines(found["made_of"], itemgetter("text"), lambda node: node.get("inputs", [])):
        console.print_line(line)
    if found["path"]:
        console.print_line(found["path"])


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        found = float(text) if text.replace(".", "", 1).isdigit() else float(read_seconds(text))
    except ValueError as error:
        raise BadInput(str(error), where="--timeout") from None
    if found <= 0:
        raise BadInput("it should be more than nothing", where="--timeout")
    return found


def _show(report: JobReport) -> None:
    rows = [
        (
            output.id,
            output.effect,
            output.destination or output.path,
            console.seconds(output.duration),
            console.size(output.size),
            console.seconds(output.seconds),
            output.status,
        )
        for output in report.outputs
    ]
    console.print_table(["output", "effect", "file", "duration", "size", "time", ""], rows)
    for name, note in report.notes.items():
        console.say(f"{name}: {note}")
    for output in report.outputs:
        if output.error:
            files = output.error.get("files")
            place = output.id + (f" (from {', '.join(files)})" if files else "")
            text = f"{output.error.get('error')}: {place}: {output.error.get('message')}"
            hint = output.error.get("hint")
            console.say(text + (f" ({hint})" if hint else ""))
