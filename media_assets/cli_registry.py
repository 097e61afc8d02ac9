"""media-assets registry, lineage, impact, why, resources, import-legacy: what there is, and why."""

from __future__ import annotations

import contextlib
import json as json_format
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, with_actions
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions
    from media_assets.registry.graph import Graph
    from media_assets.registry.questions import Impact
    from media_assets.registry.showing import Direction

registry = typer.Typer(help="Every file and what it was made from, as documents.", no_args_is_help=True)

Identifier = Annotated[
    list[str],
    typer.Argument(
        help="An id or its beginning, a source's path, or an asset and a partition.", metavar="ID"
    ),
]


class Format(StrEnum):
    """How lineage is printed."""

    tree = "tree"
    json = "json"
    mermaid = "mermaid"
    dot = "dot"


@registry.command("export")
def export(
    folder: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where to write them; output/registry without.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write file_registry.json and dependency_graph.json, derived from sidecars and Dagster's event log."""

    def work(actions: Actions) -> dict[str, Any]:
        from media_assets.registry import documents
        from media_assets.tracing import registry as registry_of

        found, root = registry_of(actions), actions.settings.data_root
        return {
            documents.FILE_REGISTRY: documents.file_registry(found.disk, found.graph, root),
            documents.DEPENDENCY_GRAPH: documents.dependency_graph(found.disk, found.graph),
        }

    found: dict[str, Any] = with_actions(data, work)
    if json:
        console.print_json({name.removesuffix(".json"): document for name, document in found.items()})
    if folder is not None or not json:
        target = folder or Settings.from_environment(data).output_root / "registry"
        for path in _written(found, target):
            console.say(f"wrote {path}")


def lineage(
    identifier: Identifier,
    up: Annotated[bool, typer.Option("--up", help="What it is made from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="What is made from it.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Both, as without any.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.tree,
    data: Data = None,
) -> None:
    """Show what something is made from, and what is made from it."""
    if up + down + both > 1 and not (up and down and not both):
        raise BadInput("give one of --up, --down and --both", where="lineage")
    direction: Direction = "up" if up and not down else "down" if down and not up else "both"

    def work(actions: Actions) -> tuple[Graph, str]:
        from media_assets.registry.graph import find
        from media_assets.tracing import registry as registry_of

        graph = registry_of(actions).graph
        return graph, find(graph, _reference(identifier, actions.settings))

    graph, name = with_actions(data, work)
    from media_assets.registry import showing

    part = showing.lineage(graph, name, direction)
    if form is Format.json:
        console.print_json(showing.as_json(part, name, direction))
        return
    texts = {
        Format.tree: lambda: showing.as_tree(part, name, direction),
        Format.mermaid: lambda: showing.as_mermaid(part, name),
        Format.dot: lambda: showing.as_dot(part, name),
    }
    console.output.print(texts[form](), end="", markup=False, soft_wrap=True)


def impact(
    source: Annotated[list[str], typer.Argument(help="A source's id or path; or any other id.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Show all that a change of a source would touch, and what making it again costs."""

    def work(actions: Actions) -> Impact:
        from media_assets.tracing import impact as impact_of

        return impact_of(actions, _reference(source, actions.settings))

    found: Impact = with_actions(data, work)
    if json:
        console.print_json(found.to_json())
        return
    rows = [
        (
            one.node.asset or one.node.kind,
            one.node.id if one.node.asset is None else one.node.partition,
            "" if one.made else "not made yet",
            console.seconds(one.cost.cpu_seconds),
            console.size(one.cost.bytes),
            one.cost.basis,
        )
        for one in found.touched
    ]
    console.print_table(["asset", "partition", "", "CPU", "size", "known by"], rows, title=found.id)
    unknown = f"; of {len(found.unknown)} nothing is known" if found.unknown else ""
    console.output.print(
        f"about {found.cpu_seconds:.1f} CPU-seconds and {console.size(found.bytes)} to make again{unknown}",
        markup=False,
    )


def why(
    asset: Annotated[str, typer.Argument(help="Such as effect_output or web_preview/small.")],
    partition: Annotated[str | None, typer.Argument(help="Such as src_city_mp4.")] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell why a partition is stale, missing or current: which input, code, parameter or field changed."""

    def work(actions: Actions) -> dict[str, Any]:
        from media_assets.tracing import why as why_of

        return why_of(actions, asset, partition)

    found: dict[str, Any] = with_actions(data, work)
    if json:
        console.print_json(found)
        return
    console.print_reasons(found)


def resources(data: Data = None, json: Json = False) -> None:
    """Show every kind of files: where it lives, how long, who keeps track of it, how much there is."""
    from media_assets.registry.resources import amounts

    found = amounts(Settings.from_environment(data))
    if json:
        console.print_json({"resources": [one.to_json() for one in found]})
        return
    rows = [
        (
            one.type.kind,
            f"{one.type.location}/{one.type.pattern}",
            one.type.lifetime,
            one.type.tracked,
            one.count,
            console.size(one.bytes),
        )
        for one in found
    ]
    console.print_table(["kind", "where", "lifetime", "tracked", "files", "size"], rows)


def import_legacy(
    folder: Annotated[Path, typer.Argument(help="A tree of files with random ids; it is only read.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take over files with random ids: each becomes a source with a deterministic id, or is matched."""
    from media_assets.registry.legacy import import_legacy as imported

    settings = Settings.from_environment(data)
    if dry_run:
        report = imported(folder, settings, dry_run=True)
    else:
        report = with_actions(data, lambda actions: _ingesting(actions, folder))
    if json:
        console.print_json(report.to_json())
        return
    rows = [(one.legacy_id, one.fate, one.id, one.source, one.reason) for one in report.files]
    console.print_table(["legacy id", "", "id now", "source", "why"], rows)
    would = "would be " if dry_run else ""
    console.say(
        f"{report.count('imported')} {would}imported, {report.count('known')} known already, "
        f"{report.count('left')} left"
    )


def _ingesting(actions: Actions, folder: Path) -> Any:
    """Know all sources there are, import, and know the new ones."""
    from media_assets.registry.legacy import import_legacy as imported

    actions.ingest()
    report = imported(folder, actions.settings)
    if report.count("imported"):
        actions.ingest()
    return report


def _reference(words: list[str], settings: Settings) -> str:
    """What was typed; of a path to a source from anywhere, the part under the source folder."""
    text = "/".join(words)
    root = settings.source_root.resolve()
    with contextlib.suppress(OSError, ValueError):  # what is no path is a name
        path = Path(text).resolve()
        if path.is_file() and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return text


def _written(found: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write documents, each whole or not at all."""
    from media_assets.store.files import write_bytes

    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in found.items():
            text = json_format.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
            write_bytes(folder / name, text.encode("utf-8", "replace"))
            paths.append(folder / name)
    except OSError as error:
        raise MediaAssetsError(f"it cannot be written: {error.strerror}", where=str(folder)) from None
    return paths
