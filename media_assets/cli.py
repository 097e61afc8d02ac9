"""media-assets: results on stdout, progress and errors on stderr, exit status 0, 1 or 2."""

from __future__ import annotations

import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from media_assets import (
    __version__,
    cli_abuse,
    cli_analytics,
    cli_analyze,
    cli_checks,
    cli_jobs,
    cli_kompositions,
    cli_operations,
    cli_privacy,
    cli_recommend,
    cli_registry,
    cli_sql,
    cli_templates,
    cli_upkeep,
    cli_workflows,
    console,
)
from media_assets.analytics.origin import declare_platform
from media_assets.cli_common import Data, Json, print_rows, with_actions
from media_assets.errors import MediaAssetsError, disk_errors
from media_assets.settings import Settings
from media_assets.store.attempts import known_attempts

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command()(cli_operations.operations)
app.command()(cli_operations.plan)
app.command()(cli_jobs.run)
app.command()(cli_jobs.explain)
app.command()(cli_registry.lineage)
app.command()(cli_registry.impact)
app.command()(cli_registry.why)
app.command()(cli_registry.resources)
app.command("import-legacy")(cli_registry.import_legacy)
app.add_typer(cli_registry.registry, name="registry")
app.command()(cli_upkeep.verify)
app.command()(cli_upkeep.clean)
app.command()(cli_upkeep.recover)
app.command()(cli_upkeep.backup)
app.command()(cli_upkeep.restore)
app.command()(cli_checks.check)
app.command()(cli_privacy.forget)
app.add_typer(cli_workflows.app, name="workflow")
app.add_typer(cli_kompositions.app, name="komposition")
app.add_typer(cli_analyze.app, name="analyze")
app.add_typer(cli_analytics.app, name="analytics")
cli_analytics.app.command()(cli_templates.sequences)
app.add_typer(cli_templates.app, name="templates")
app.command()(cli_recommend.recommend)
cli_analytics.app.command("recommendations")(cli_recommend.quality)
app.command()(cli_sql.sql)
app.add_typer(cli_privacy.app, name="privacy")
app.add_typer(cli_abuse.app, name="abuse")
cli_analytics.app.command("abuse")(cli_abuse.scores)


@app.callback()
def _main() -> None:
    declare_platform("cli")


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
    report = with_actions(data, lambda actions: actions.ingest())
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
    """Tell what is materialized, missing or stale, and why: Dagster's own answer, and what failed."""
    found = with_actions(data, lambda actions: list(actions.session.status(asset, partition)))
    failed = known_attempts(Settings.from_environment(data))
    attempts = {s: failed.get((s.asset, s.partition or "")) for s in found if s.status != "materialized"}
    if json:
        shown = [s.to_json() | {"attempt": asdict(a) if (a := attempts.get(s)) else None} for s in found]
        console.print_json({"assets": shown})
        return
    rows = []
    for s in found:
        causes = [f"{c.reason} {c.dependency or ''}".strip() for c in s.causes]
        causes += [attempt.told()] if (attempt := attempts.get(s)) else []
        rows.append((s.asset, s.partition, s.status, "; ".join(causes)))
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
            e["type"] if e["kind"] == "workflow" else e["operation"] or e["stage"],
            e["workflow"] if e["kind"] == "workflow" else e["output"] if e["kind"] == "operation" else "",
            e.get("outcome", e["kind"]),
            console.seconds(e["duration_ms"] / 1000) if "duration_ms" in e else "",
            e["error"],
        )
        for e in found
    ]
    console.print_table(["time", "operation", "of", "outcome", "took", "error"], rows)


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
    report = with_actions(root, run_demo)
    if json:
        console.print_json(report)
        return
    print_rows(report["rows"])
    if report["ffmpeg_runs"]:
        console.say(f"{report['ffmpeg_runs']} ffmpeg commands were run; a second `make demo` needs none.")
    else:
        console.say("Nothing had changed: no ffmpeg work was done, every output came from the store.")
    suffix = f" MEDIA={shlex.quote(str(media))}" if media else ""
    console.say(f"Next: `make dev{suffix}`, then open http://127.0.0.1:3000/asset-groups and look at")
    console.say("the lineage from source_file to komposition_video.")


@app.command(hidden=True)
def home(media: Annotated[Path | None, typer.Option("--media")] = None, data: Data = None) -> None:
    """Prepare the data root and print it: what `make dev` starts Dagster on."""
    from media_assets.demo import data_root_for
    from media_assets.instances import open_instance, prepare_home

    settings = Settings.from_environment(data)
    if media:
        settings = Settings.from_environment(data_root_for(media, settings))
    prepare_home(settings)
    open_instance(settings).dispose()
    console.output.print(str(settings.data_root), soft_wrap=True)


def main() -> None:
    """The console script: runs a command and turns errors of the family into an exit status."""
    try:
        with disk_errors():
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


if __name__ == "__main__":
    main()
