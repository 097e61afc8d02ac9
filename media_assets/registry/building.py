"""From records to the graph: sources, thumbnails, nodes of workflows and constants, and effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from media_assets.registry import komposing
from media_assets.registry.graph import Cost, Edge, Graph, Kind, Made, Node
from media_assets.registry.records import AssetFacts, Disk, Log, Materialized, Parent
from media_assets.registry.stored import cost_of, stored_at

SOURCE, THUMBNAIL = "source_file", "thumbnail"
RECIPE, EFFECT = "effect_recipe", "effect_output"


def build(disk: Disk, log: Log, root: Path) -> Graph:
    """The dependency graph of a data root.

    Args:
        root: the data root, under which every path is told.
    """
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for facts in log.assets:
        if facts.asset in (RECIPE, EFFECT, komposing.PLAN, komposing.VIDEO):
            continue
        for partition in facts.partitions:
            node = _node(facts, partition, disk, log, root)
            nodes[node.id] = node
            edges += _edges(facts, node)
    for identifier in sorted(disk.sources.keys() - nodes.keys()):
        nodes[identifier] = _source(identifier, None, disk, root)
    for identifier in sorted(disk.recipes):
        node = _effect(identifier, disk, log, root)
        nodes[identifier] = node
        inputs = dict.fromkeys(disk.recipes[identifier].operations[-1].inputs)
        edges += [Edge(name, identifier, node.operation, _time(node)) for name in inputs]
    komposed, joined = komposing.build(disk, log, root)
    return Graph(nodes | komposed, (*edges, *joined))


def node_id(asset: str, partition: str | None) -> str:
    """The id in the graph of a partition of an asset."""
    if asset in (SOURCE, EFFECT, komposing.VIDEO) and partition is not None:
        return partition
    return asset if partition is None else f"{asset}/{partition}"


def _node(facts: AssetFacts, partition: str | None, disk: Disk, log: Log, root: Path) -> Node:
    """A partition of an asset that Dagster's event log tells all of, but its file."""
    last = log.materialized.get((facts.asset, partition))
    if facts.asset == SOURCE and partition is not None:
        return _source(partition, last, disk, root)
    metadata = last.metadata if last else {}
    fingerprint = metadata.get("fingerprint")
    output = disk.outputs.get(str(fingerprint)) if fingerprint else None
    files, sidecars = stored_at(output, root)
    parameters = output.recipe.parameters if output else facts.parameters
    return Node(
        id=node_id(facts.asset, partition),
        kind=_kind(facts),
        asset=facts.asset,
        partition=partition,
        operation=facts.operation or (output.recipe.operation if output else None),
        parameters=parameters,
        made=Made(last.version, last.time, _origins(facts, partition, last)) if last else None,
        wanted=_wanted(facts, partition, log),
        cost=cost_of(output, str(fingerprint) if fingerprint else None),
        files=files,
        metadata_files=sidecars,
        aliases=(str(metadata["effect"]),) if metadata.get("effect") else (),
        lost=last.lost if last else None,
    )


def _kind(facts: AssetFacts) -> Kind:
    if facts.asset == THUMBNAIL:
        return "thumbnail"
    if facts.workflow is not None:
        return "workflow"
    return "constant" if any(isinstance(p.partitions, tuple) for p in facts.parents) else "asset"


def _source(identifier: str, last: Materialized | None, disk: Disk, root: Path) -> Node:
    facts = disk.sources.get(identifier)
    made = Made(last.version, last.time, {"content": last.version}) if last else None
    path = facts and facts.path.relative_to(root).as_posix()
    return Node(
        id=identifier,
        kind="source",
        asset=SOURCE,
        partition=identifier,
        made=made,
        wanted={"content": facts.sha256} if facts else {},
        cost=Cost(0.0, facts.info.size if facts else None, "measured"),
        files=(path,) if path else (),
        metadata_files=(f"metadata/sources/{identifier}.json",) if facts else (),
        problem=None if facts else "its file is gone, or was rejected",
    )


def _effect(identifier: str, disk: Disk, log: Log, root: Path) -> Node:
    """An effect as its recipe has it; its wanted fingerprint is the one observed last."""
    recipe, last = disk.recipes[identifier], log.materialized.get((EFFECT, identifier))
    observed = log.observed.get(identifier)
    facts = next((facts for facts in log.assets if facts.asset == EFFECT), None)
    fingerprint = last and last.metadata.get("fingerprint")
    output = disk.outputs.get(str(fingerprint)) if fingerprint else None
    files, sidecars = stored_at(output, root)
    hashes = {name: disk.sources[name].sha256 for name in recipe.inputs if name in disk.sources}
    wanted = hashes | ({"code": facts.code_version} if facts and facts.code_version else {})
    made = None
    if last is not None:
        before = _made_from(last.metadata)
        made = Made(last.version, last.time, before | _coded(last))
        # What the record does not say of sources is not held against it.
        wanted = {name: value for name, value in wanted.items() if name == "code" or before}
        if observed is not None and RECIPE in last.inputs:
            made = Made(made.version, made.time, {**made.origins, "recipe": last.inputs[RECIPE]})
            wanted |= {"recipe": observed.version}
    missing = [name for name in recipe.inputs if name not in disk.sources]
    problem = observed.metadata.get("problem") if observed else None
    if missing:
        problem = f"there is no source {missing[0]} any more ({recipe.inputs[missing[0]]})"
    return Node(
        id=identifier,
        kind="effect",
        asset=EFFECT,
        partition=identifier,
        operation=recipe.operation,
        parameters=recipe.operations[-1].params,
        made=made,
        wanted=wanted,
        cost=cost_of(output, str(fingerprint) if fingerprint else None),
        files=files,
        metadata_files=(f"effects/{identifier}.json", *sidecars),
        problem=str(problem) if problem else None,
        lost=last.lost if last else None,
    )


def _made_from(metadata: Mapping[str, Any]) -> dict[str, str]:
    found = metadata.get("made_from") or {}
    return {name: source["sha256"] for name, source in (found.get("sources") or {}).items()}


def _coded(last: Materialized) -> dict[str, str]:
    return {"code": last.code_version} if last.code_version is not None else {}


def _edges(facts: AssetFacts, node: Node) -> Iterator[Edge]:
    for parent in facts.parents:
        for name in _parents(parent, node.partition):
            yield Edge(name, node.id, facts.operation or _operation(facts), _time(node))


def _time(node: Node) -> float | None:
    return node.made.time if node.made else None


def _operation(facts: AssetFacts) -> str:
    return "constant" if _kind(facts) == "constant" else facts.asset


def _parents(parent: Parent, partition: str | None) -> list[str]:
    if parent.partitions == "same":
        return [node_id(parent.asset, partition)]
    if parent.partitions == "whole":
        return [node_id(parent.asset, None)]
    return [node_id(parent.asset, key) for key in parent.partitions]


def _origins(facts: AssetFacts, partition: str | None, last: Materialized) -> dict[str, str]:
    """What a record says it was made from, by the ids of nodes."""
    known = {parent.asset: _parents(parent, partition) for parent in facts.parents}
    origins = _coded(last)
    for asset, version in last.inputs.items():
        for name in known.get(asset, [node_id(asset, partition)]):
            origins[name] = version
    return origins


def _wanted(facts: AssetFacts, partition: str | None, log: Log) -> dict[str, str]:
    """What it would be made from now: its code, and the latest version of each input that was made."""
    wanted = {"code": facts.code_version} if facts.code_version is not None else {}
    for parent in facts.parents:
        keys: tuple[str | None, ...] = (
            (partition,)
            if parent.partitions == "same"
            else (None,)
            if parent.partitions == "whole"
            else parent.partitions
        )
        for key in keys:
            found = log.materialized.get((parent.asset, key))
            if found is not None:
                wanted[node_id(parent.asset, key)] = found.version
    return wanted
