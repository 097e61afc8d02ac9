"""media-assets komposition …: timeline documents and their videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import cli_documents, cli_interchange, cli_proposing, cli_versions, cli_watching, console
from media_assets.cli_common import Data, Json, admitted, interruptible, with_actions
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions

app = typer.Typer(help="Timeline documents and their videos.", no_args_is_help=True)
app.command("versions")(cli_versions.versions)
app.command("restore")(cli_versions.restore)
app.command("diff")(cli_versions.diff)
app.command("watch")(cli_watching.watch)
app.command("import-otio")(cli_interchange.import_otio)
app.command("export-otio")(cli_interchange.export_otio)
app.command("new")(cli_proposing.new)
cli_documents.mount(app)

Document = Annotated[
    Path,
    typer.Argument(help="A komposition document (.json): a path, or its name under data/kompositions."),
]


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
def render(
    file: Document,
    rendition: Annotated[
        list[str] | None, typer.Option("--rendition", help="Only this one; may be given again.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Render a document and all its renditions; what did not change comes from the store."""
    path = _document(file, data)
    admitted(data)
    with interruptible(path, json=json):
        if rendition:
            reports = rendered_forms(path, list(dict.fromkeys(rendition)), data)
        else:
            reports = [with_actions(data, lambda actions: _materialized(actions, path))]
    if json:
        console.print_json({"renditions": reports} if rendition else reports[0])
        return
    for report in reports:
        show(report)


@app.command("preview")
def preview(file: Document, data: Data = None, json: Json = False) -> None:
    """Render the rendition `preview`, or a small and quick form where the document names none."""
    path = _document(file, data)
    admitted(data)
    with interruptible(path, json=json):
        (report,) = rendered_forms(path, ["preview"], data)
    if json:
        console.print_json(report)
    else:
        show(report)


def rendered_forms(path: Path, renditions: list[str], data: Path | None) -> list[dict[str, Any]]:
    """Render forms of a document without Dagster, which is asked only where sources are to be read."""
    from media_assets.editing import render_form
    from media_assets.store.sources import SourceCatalogue

    settings = Settings.from_environment(data)
    changes = SourceCatalogue(settings).changes()
    if changes.unread or changes.removed or changes.growing:
        with_actions(data, lambda actions: actions.ingest())
    with console.progress_bars():
        return [render_form(path, rendition, settings) for rendition in renditions]


def show(report: dict[str, Any]) -> None:
    """What became of a rendering and its renditions: a line for each part, then one for each file."""
    forms = {"": report, **report.get("renditions", {})}
    rows = [
        (
            f"{name}: {row['id']}" if name else row["id"],
            ", ".join(row.get("sources", ())),
            ", ".join(row["effects"]),
            "cached" if row["cached"] else "rendered",
            console.seconds(row["seconds"]),
        )
        for name, form in forms.items()
        for row in [*form["segments"], *form["transitions"], form["sound"]]
    ]
    console.print_table(["segment", "source", "effects", "", "took"], rows)
    for warning in report["warnings"]:
        console.say(f"warning: {warning['place']}: {warning['message']}")
    for form in forms.values():
        console.output.print(
            f"{form['output']}: version {report['version']}, {form['frames']} frames, "
            f"{console.seconds(form['duration'])}, {form['ffmpeg_runs']} ffmpeg runs, "
            f"took {console.seconds(form['seconds'])}",
            soft_wrap=True,
            markup=False,
        )


def _materialized(actions: Actions, path: Path) -> dict[str, Any]:
    actions.ingest()
    return actions.render_komposition(path)


def _document(file: Path, data: Path | None) -> Path:
    """The document of that name."""
    from media_assets.editing import locate

    return locate(str(file), Settings.from_environment(data))
