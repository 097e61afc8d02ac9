"""media-assets komposition …: timeline documents and their videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import cli_proposing, console
from media_assets.cli_common import Data, Json, with_actions
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions

app = typer.Typer(help="Timeline documents and their videos.", no_args_is_help=True)
app.command("new")(cli_proposing.new)

Document = Annotated[
    Path,
    typer.Argument(help="A komposition document (.json): a path, or its name under data/kompositions."),
]


@app.command("check")
def check(file: Document, data: Data = None, json: Json = False) -> None:
    """Hold a document against the schema and print its canonical form; changes nothing."""
    from media_assets.kompositions.document import load

    document = load(_document(file, data)).model_dump(mode="json", exclude_none=True)
    if json:
        console.print_json({"valid": True, "findings": [], "document": document})
    else:
        console.say(f"{file.name} holds")
        console.print_json(document)


@app.command("plan")
def plan(file: Document, data: Data = None, json: Json = False) -> None:
    """Show the pieces a document compiles to and which of them are in the store."""
    compiled, cached = with_actions(data, lambda actions: actions.plan_and_look(_document(file, data)))
    if json:
        document = compiled.to_json()
        for piece in document["pieces"]:
            piece["cached"] = piece["fingerprint"] in cached
        console.print_json(document)
        return
    rows = [
        (
            p.piece.id,
            p.piece.first_frame,
            p.piece.frames,
            ", ".join(p.sources),
            "yes" if p.fingerprint in cached else "",
        )
        for p in compiled.pieces
    ]
    console.print_table(["piece", "first frame", "frames", "sources", "cached"], rows)
    for place, text in compiled.warnings:
        console.say(f"warning: {place}: {text}")


@app.command("render")
def render(file: Document, data: Data = None, json: Json = False) -> None:
    """Render a document; what did not change comes from the store."""

    def work(actions: Actions) -> dict[str, Any]:
        actions.ingest()
        return actions.render_komposition(_document(file, data))

    report = with_actions(data, work)
    if json:
        console.print_json(report)
        return
    rows = [
        (row["id"], "cached" if row["cached"] else "rendered", console.seconds(row["seconds"]))
        for row in [*report["segments"], *report["transitions"]]
    ]
    console.print_table(["piece", "", "took"], rows)
    for warning in report["warnings"]:
        console.say(f"warning: {warning['place']}: {warning['message']}")
    console.output.print(
        f"{report['output']}: {report['frames']} frames, {console.seconds(report['duration'])}, "
        f"{report['ffmpeg_runs']} ffmpeg runs, took {console.seconds(report['seconds'])}",
        soft_wrap=True,
    )


def _document(file: Path, data: Path | None) -> Path:
    """The document as named, or the one of that name among the data root's."""
    inside = Settings.from_environment(data).komposition_root / file
    return inside if not file.exists() and inside.is_file() else file
