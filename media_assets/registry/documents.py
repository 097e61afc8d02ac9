"""The registry's two documents: `file_registry.json` and `dependency_graph.json`.

They are made anew each time from what is on record, in a stable order: the same state gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media_assets.registry.graph import Edge, Graph, Node
from media_assets.registry.records import Disk
from media_assets.store.outputs import SIDECAR, Output
from media_assets.store.sources import SourceFacts

VERSION = "1"
"""Raised when the documents get another form."""

FILE_REGISTRY, DEPENDENCY_GRAPH = "file_registry.json", "dependency_graph.json"


def file_registry(disk: Disk, graph: Graph, root: Path) -> dict[str, Any]:
    """Every source and every file that was made from them, by its file id.

    A file's `deterministic_id` names what it is, whatever it holds: two states of an effect's output
    share it, and differ in their `file_id`.

    Args:
        root: the data root, under which paths are told.
    """
    outputs = sorted(disk.outputs.values(), key=file_id)
    return {
        "version": VERSION,
        "last_updated": _newest(disk, graph),
        "source_files": {name: _source(disk.sources[name], root) for name in sorted(disk.sources)},
        "generated_files": {file_id(output): _generated(output, root) for output in outputs},
    }


def dependency_graph(disk: Disk, graph: Graph) -> dict[str, Any]:
    """What was made from what: nodes by id, and edges."""
    by_key = {output.recipe.fingerprint: file_id(output) for output in disk.outputs.values()}
    return {
        "version": VERSION,
        "last_updated": _newest(disk, graph),
        "nodes": {name: _node(graph.nodes[name], by_key) for name in sorted(graph.nodes)},
        "edges": [_edge(edge) for edge in sorted(graph.edges, key=_order)],
    }


def file_id(output: Output) -> str:
    """The id of one stored file: its name, and the beginning of its fingerprint."""
    return f"{output.recipe.id}@{output.recipe.fingerprint[:12]}"


def _source(facts: SourceFacts, root: Path) -> dict[str, Any]:
    return {
        "file_id": facts.id,
        "path": facts.path.relative_to(root).as_posix(),
        "size": facts.stat.size,
        "modified": _iso(facts.stat.mtime_ns / 1e9),
        "checksum": f"sha256:{facts.sha256}",
        "properties": facts.info.to_json(),
        "derived_from": [],
        "operation": None,
        "parameters": {},
        "deterministic_id": facts.id,
    }


def _generated(output: Output, root: Path) -> dict[str, Any]:
    recipe = output.recipe
    return {
        "file_id": file_id(output),
        "path": output.path.relative_to(root).as_posix(),
        "size": output.made.properties.size,
        "modified": _iso(datetime.fromisoformat(output.created).timestamp()),
        "checksum": f"sha256:{output.content_hash}",
        "properties": asdict(output.made.properties),
        "derived_from": list(recipe.derived_from),
        "operation": recipe.operation,
        "parameters": dict(recipe.parameters),
        "deterministic_id": recipe.id,
        "fingerprint": recipe.fingerprint,
        "sidecar": output.path.with_name(SIDECAR).relative_to(root).as_posix(),
    }


def _node(node: Node, by_key: dict[str, str]) -> dict[str, Any]:
    stored = by_key.get(node.cost.key) if node.cost.key else None
    return {
        "kind": node.kind,
        "asset": node.asset,
        "partition": node.partition,
        "operation": node.operation,
        "parameters": dict(node.parameters),
        "data_version": node.made.version if node.made else None,
        "timestamp": _iso(node.made.time) if node.made else None,
        "file_id": node.id if node.kind == "source" else stored,
        "files": list(node.files),
        "metadata_files": list(node.metadata_files),
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "source": edge.source,
        "target": edge.target,
        "operation": edge.operation,
        "timestamp": None if edge.timestamp is None else _iso(edge.timestamp),
    }


def _order(edge: Edge) -> tuple[str, str, str]:
    return edge.target, edge.source, edge.operation or ""


def _newest(disk: Disk, graph: Graph) -> str | None:
    """The time of the newest record: what was exported is dated by what it tells, not by its reading."""
    found = max(_times(disk, graph.nodes.values()), default=None)
    return None if found is None else _iso(found)


def _times(disk: Disk, nodes: Iterable[Node]) -> Iterator[float]:
    yield from (facts.stat.mtime_ns / 1e9 for facts in disk.sources.values())
    yield from (datetime.fromisoformat(output.created).timestamp() for output in disk.outputs.values())
    yield from (node.made.time for node in nodes if node.made)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
