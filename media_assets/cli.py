"""media-assets: results on stdout, progress and errors on stderr, exit status 0, 1 or 2."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import __version__, console
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
workflow = typer.Typer(
    help="Saved graphs of operations, made for every source they take.", no_args_is_help=True
)
komposition = typer.Typer(help="Timeline documents and their videos.", no_args_is_help=True)
app.add_typer(workflow, name="workflow")
app.add_typer(komposition, name="komposition")

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="MEDIA_ASSETS_DATA", help="Another data root than data/ in the project."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Document = Annotated[
    Path,
    typer.Argument(help="A komposition document (.json): a path, or its name under data/kompositions."),
]


@app.callback()
def _main() -> None:
    pass


@app.command()
def version(json: Json = False) -> None:
    """Print the version."""
    console.print_json({"version": __version__}) if json else console.output.print(__version__)


@app.command()
def doctor(data: Data = None, json: Json = False) -> None:
    """Say which ffmpeg and ffprobe are used, and what is missing on this machine."""
    from media_assets.media.binaries import doctor as examine

    report = examine(Settings.from_environment(data))
    if json:
        console.print_json(report)
    else:
        for name in ("ffmpeg", "ffprobe"):
            found = report[name]
            where = f"{found['version']} ({found['origin']}: {found['path']})" if found else "not found"
            console.output.print(f"{name}: {where}", soft_wrap=True)
        console.output.print(f"missing encoders: {', '.join(report['missing_encoders']) or 'none'}")
        console.output.print(f"missing filters: {', '.join(report['missing_filters']) or 'none'}")
        console.output.print(f"data: {report['data_root']}, {console.size(report['free_bytes'])} free")
        console.output.print(f"media processes at a time: {report['workers']}")
        for problem in report["problems"]:
            console.say(f"problem: {problem}")
    raise typer.Exit(0 if report["ok"] else 1)


@app.command()
def ingest(data: Data = None, json: Json = False) -> None:
    """Read new and changed files under data/source, as the sensor would."""
    report = _with_actions(data, lambda actions: actions.ingest())
    if json:
        console.print_json(report)
    else:
        rows = [
            (s["id"], s["path"], s["kind"], console.seconds(s["duration"]), "read" if s["ingested"] else "")
            for s in report["sources"]
        ]
        console.print_table(["source", "path", "kind", "duration", ""], rows, title="Sources")
        rejected = [(r["path"], r["error"], r["message"]) for r in report["rejected"]]
        if rejected:
            console.print_table(["path", "error", "why"], rejected, title="Rejected")
        for text in [
            *report["failed"],
            *report["problems"],
            *(f"still being written: {p}" for p in report["growing"]),
        ]:
            console.say(text)
    if report["failed"]:
        raise typer.Exit(1)


@app.command()
def status(
    asset: Annotated[str | None, typer.Argument(help="Such as source_file or web_preview/small.")] = None,
    partition: Annotated[str | None, typer.Argument(help="Such as src_city_mp4.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell what is materialized, missing or stale, and why: Dagster's own answer."""
    found = _with_actions(data, lambda actions: list(actions.session.status(asset, partition)))
    if json:
        console.print_json({"assets": [status.to_json() for status in found]})
        return
    rows = [
        (
            s.asset,
            s.partition,
            s.status,
            "; ".join(f"{c.reason} {c.dependency or ''}".strip() for c in s.causes),
        )
        for s in found
    ]
    console.print_table(["asset", "partition", "status", "why"], rows)


@app.command()
def events(
    last: Annotated[int, typer.Option("--last", min=1, max=100_000, help="How many.")] = 20,
    data: Data = None,
    json: Json = False,
) -> None:
    """Show the newest events, loaded into DuckDB or not."""
    from media_assets.analytics.warehouse import last_events

    found = last_events(Settings.from_environment(data), last)
    if json:
        console.print_json({"events": found})
        return
    rows = [
        (
            e["timestamp"],
            e["operation"],
            e["effect"],
            e["outcome"],
            console.seconds(e["seconds"]),
            e["error"],
        )
        for e in found
    ]
    console.print_table(["time", "operation", "of", "outcome", "took", "error"], rows)


@app.command()
def analytics(data: Data = None, json: Json = False) -> None:
    """Load the events into DuckDB and show time and success per operation."""
    rows = _with_actions(data, lambda actions: actions.analytics())
    if json:
        console.print_json({"operations": rows})
        return
    names = ["operation", "count", "cached", "failed", "p50_seconds", "p95_seconds"]
    console.print_table(names, [[row.get(name) for name in names] for row in rows])


@app.command()
def demo(
    media: Annotated[
        Path | None, typer.Option("--media", help="A folder of your own files; it is only read.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Go through everything once: samples, ingest, workflow, komposition, analytics."""
    from media_assets.demo import data_root_for, run_demo

    root = data_root_for(media, Settings.from_environment(data)) if media else data
    report = _with_actions(root, run_demo)
    if json:
        console.print_json(report)
        return
    print_rows(report["rows"])
    if report["ffmpeg_runs"]:
        console.say(f"{report['ffmpeg_runs']} ffmpeg commands were run; a second `make demo` needs none.")
    else:
        console.say("Nothing had changed: no ffmpeg work was done, every output came from the store.")
    suffix = f" MEDIA={media}" if media else ""
    console.say(f"Next: `make dev{suffix}`, then open http://127.0.0.1:3000/asset-groups and look at")
    console.say("the lineage from source_file to komposition_video.")


@app.command(hidden=True)
def home(media: Annotated[Path | None, typer.Option("--media")] = None, data: Data = None) -> None:
    """Prepare the data root and print it: what `make dev` starts Dagster on."""
    from media_assets.demo import data_root_for
    from media_assets.session import prepare_home

    settings = Settings.from_environment(data)
    if media:
        settings = Settings.from_environment(data_root_for(media, settings))
    prepare_home(settings)
    console.output.print(str(settings.data_root), soft_wrap=True)


@workflow.command("list")
def workflow_list(data: Data = None, json: Json = False) -> None:
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

    found = _with_actions(data, collect)
    if json:
        console.print_json({"workflows": found})
        return
    rows = [
        (w["name"], w["automation"], ", ".join(w["nodes"]), len(w["sources"]), w["description"])
        for w in found
    ]
    console.print_table(["workflow", "automation", "nodes", "sources", "description"], rows)


@workflow.command("run")
def workflow_run(
    name: Annotated[str, typer.Argument(help="Name of the workflow.")],
    source: Annotated[list[str] | None, typer.Option("--source", help="Only for this source id.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make every node of a workflow for its sources."""

    def work(actions: Actions) -> list[dict[str, Any]]:
        actions.ingest()
        return [asdict(row) for row in actions.run_workflow(name, source or [])]

    rows = _with_actions(data, work)
    if json:
        console.print_json({"outputs": rows})
    else:
        print_rows(rows)


@komposition.command("check")
def komposition_check(file: Document, data: Data = None, json: Json = False) -> None:
    """Hold a document against the schema and print its canonical form; changes nothing."""
    from media_assets.kompositions.document import load

    document = load(_document(file, data)).model_dump(mode="json", exclude_none=True)
    if json:
        console.print_json({"valid": True, "findings": [], "document": document})
    else:
        console.say(f"{file.name} holds")
        console.print_json(document)


@komposition.command("plan")
def komposition_plan(file: Document, data: Data = None, json: Json = False) -> None:
    """Show the pieces a document compiles to and which of them are in the store."""
    compiled, cached = _with_actions(data, lambda actions: actions.plan_and_look(_document(file, data)))
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


@komposition.command("render")
def komposition_render(file: Document, data: Data = None, json: Json = False) -> None:
    """Render a document; what did not change comes from the store."""

    def work(actions: Actions) -> dict[str, Any]:
        actions.ingest()
        return actions.render_komposition(_document(file, data))

    report = _with_actions(data, work)
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


def print_rows(rows: list[dict[str, Any]]) -> None:
    """The table at the end of a run."""
    words = {None: "", True: "cached", False: "rendered"}
    cells = [
        (
            row["asset"],
            row["partition"],
            Path(row["path"]).name if row["path"] else "",
            console.seconds(row["duration"]),
            console.size(row["size"]),
            console.seconds(row["seconds"]),
            words[row["cached"]],
        )
        for row in rows
    ]
    console.print_table(["asset", "partition", "file", "duration", "size", "time", ""], cells)


def main() -> None:
    """The console script: runs a command and turns errors of the family into an exit status."""
    try:
        app()
    except MediaAssetsError as error:
        if "--json" in sys.argv:
            findings = [{"place": p, "message": m} for p, m in getattr(error, "findings", [])]
            document = {
                "error": error.code,
                "message": error.message,
                "where": error.where,
                "hint": error.hint,
            }
            console.print_json(document | ({"findings": findings} if findings else {}))
        console.print_error(error)
        sys.exit(error.exit_status)


def _document(file: Path, data: Path | None) -> Path:
    """The document as named, or the one of that name among the data root's."""
    inside = Settings.from_environment(data).komposition_root / file
    return inside if not file.exists() and inside.is_file() else file


def _with_actions(data: Path | None, work: Callable[[Actions], Any]) -> Any:
    """Open Dagster on the data root, do `work` with progress bars, and close it."""
    # Dagster warns of its own API's stages; that concerns nobody who types a command.
    warnings.simplefilter("ignore")
    from media_assets.actions import Actions
    from media_assets.session import Session

    with Session(Settings.from_environment(data)) as session, console.progress_bars():
        return work(Actions(session))


if __name__ == "__main__":
    main()
