"""The dependency graph: what was made from what. Pure values; every question here is a walk over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from media_assets.errors import BadInput

Kind = Literal[
    "source",
    "thumbnail",
    "workflow",
    "constant",
    "effect",
    "plan",
    "piece",
    "sound",
    "komposition",
    "rendition",
    "version",
    "asset",
]
Basis = Literal["measured", "estimated", "unknown"]

SHORTEST_PREFIX = 8
"""Hex digits of an effect's hash that are enough to name it, if no other begins with them."""

_SHOWN = 10


class UnknownNode(BadInput):
    """Nothing in the graph has that name, or several things do."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What making something again takes.

    Attributes:
        cpu_seconds: of ffmpeg; None where nothing tells.
        bytes: of its file.
        basis: `measured` when it was made last, `estimated` by the planner, or `unknown`.
        key: of the file; what has the same key is made once.
    """

    cpu_seconds: float | None = None
    bytes: int | None = None
    basis: Basis = "unknown"
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The last time something was made.

    Attributes:
        version: its data version then.
        time: seconds since the epoch.
        origins: the version of each thing it was made from, by a node's id, or `code`, `content`,
            `document`, `recipe`.
    """

    version: str
    time: float
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """Something that is, or is to be, made or read.

    Attributes:
        id: `src_…`, `effect_…`, `komp_…` or `<asset>/<partition>`; `komp_…/…` is a part of a komposition,
            `komp_…:…` a rendition, `komp_…@…` a version of its document.
        asset, partition: as Dagster has it, where it is a partition of an asset.
        operation, parameters: what makes it.
        made: when and from what it was made last; None where it never was.
        wanted: what it would be made from now, in the words of `Made.origins`.
        cost: of making it.
        files, metadata_files: paths under the data root, of the media and of the documents about it.
        aliases: other names of it, such as the effect that a workflow's node is.
        problem: why it cannot be made now; lost: what became of its file, where that is not there.
    """

    id: str
    kind: Kind
    asset: str | None = None
    partition: str | None = None
    operation: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    made: Made | None = None
    wanted: Mapping[str, str] = field(default_factory=dict)
    cost: Cost = Cost()
    files: tuple[str, ...] = ()
    metadata_files: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    problem: str | None = None
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`target` is made from `source`.

    Attributes:
        operation: what makes the target.
        timestamp: seconds since the epoch of when it was made; None where it never was.
    """

    source: str
    target: str
    operation: str | None = None
    timestamp: float | None = None


@dataclass(frozen=True)
class Graph:
    """Nodes by id, and edges between them; an edge to what is not there is kept."""

    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...]

    @cached_property
    def inputs(self) -> Mapping[str, tuple[str, ...]]:
        """What each node is made from, directly."""
        return _grouped((edge.target, edge.source) for edge in self.edges)

    @cached_property
    def uses(self) -> Mapping[str, tuple[str, ...]]:
        """What is made from each node, directly."""
        return _grouped((edge.source, edge.target) for edge in self.edges)

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The nodes that each other name means."""
        return _grouped((name, node.id) for node in self.nodes.values() for name in _names(node))


def ancestors(graph: Graph, identifier: str) -> dict[str, int]:
    """All that a node is made from, and the number of steps to each, nearest first."""
    return _reached(graph.inputs, identifier)


def descendants(graph: Graph, identifier: str) -> dict[str, int]:
    """All that is made from a node, and the number of steps to each, nearest first."""
    return _reached(graph.uses, identifier)


def find(graph: Graph, reference: str) -> str:
    """The id of the node that is meant.

    Args:
        reference: an id or the beginning of one, 8 or more digits of an effect's hash, a source's path,
            `<asset>/<partition>`, or the effect that a workflow's node is.

    Raises:
        UnknownNode: nothing is meant, or several things are; they are named.
    """
    if reference in graph.nodes:
        return reference
    found = list(graph.names.get(reference, ())) or [
        node.id for node in graph.nodes.values() if _begins(node, reference)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownNode(
            "there is nothing of that name",
            where=reference,
            hint="give an id or its beginning, a source's path, or an asset and its partition",
        )
    listed = ", ".join(sorted(found)[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
    raise UnknownNode(f"{len(found)} things are meant by it: {listed}", where=reference)


def _names(node: Node) -> Iterable[str]:
    yield from node.aliases
    if node.kind == "source":
        yield from (path.removeprefix("source/") for path in node.files)
        yield from node.files
    if node.asset is not None:
        yield node.asset if node.partition is None else f"{node.asset}/{node.partition}"


def _begins(node: Node, reference: str) -> bool:
    names = (node.id, *node.aliases)
    if any(name.startswith(reference) for name in names):
        return bool(reference)
    if len(reference) < SHORTEST_PREFIX:
        return False
    hashes = (name.rpartition("_")[2] for name in names if name.startswith("effect_"))
    return any(digits.startswith(reference) for digits in hashes)


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for key, value in pairs:
        found.setdefault(key, {})[value] = None
    return {key: tuple(values) for key, values in found.items()}


def _reached(next_to: Mapping[str, tuple[str, ...]], start: str) -> dict[str, int]:
    """Breadth first; what is reached in two ways counts by the shorter one."""
    found = {start: 0}
    level, steps = [start], 0
    while level:
        steps += 1
        following = []
        for name in level:
            for other in next_to.get(name, ()):
                if other not in found:
                    found[other] = steps
                    following.append(other)
        level = following
    del found[start]
    return found
