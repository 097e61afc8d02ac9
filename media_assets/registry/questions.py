"""What would a change touch, and why is something as it is: answers from the graph alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from media_assets.planning.effects import Change
from media_assets.registry.graph import Cost, Graph, Kind, Node, ancestors, descendants

# What has a file that ffmpeg made.
_MADE_KINDS: frozenset[Kind] = frozenset(
    {"effect", "workflow", "thumbnail", "piece", "sound", "komposition", "rendition"}
)


class Touched(NamedTuple):
    """Something that a change would reach; there may be a hundred thousand, so they are light.

    Attributes:
        steps: how many things lie between, and itself.
        cost: of making it again.
    """

    node: Node
    steps: int
    cost: Cost

    @property
    def made(self) -> bool:
        """Whether it was made before; what never was is not made because of the change."""
        return self.node.made is not None

    def to_json(self) -> dict[str, Any]:
        """As `impact --json` prints it."""
        node = self.node
        named = {"id": node.id, "kind": node.kind, "asset": node.asset, "partition": node.partition}
        return named | {"steps": self.steps, "made": self.made, "cost": asdict(self.cost)}


@dataclass(frozen=True)
class Impact:
    """All that a change of `id` would touch, the nearest first.

    Attributes:
        cpu_seconds, bytes: of making again what was made; what several things share is counted once.
        unknown: ids of things whose cost nothing tells.
    """

    id: str
    touched: tuple[Touched, ...]
    cpu_seconds: float
    bytes: int
    unknown: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As `impact --json` prints it."""
        by_asset: dict[str, int] = {}
        for one in self.touched:
            name = one.node.asset or one.node.kind
            by_asset[name] = by_asset.get(name, 0) + 1
        return {
            "id": self.id,
            "touched": [one.to_json() for one in self.touched],
            "by_asset": dict(sorted(by_asset.items())),
            "estimated_cpu_seconds": round(self.cpu_seconds, 3),
            "estimated_bytes": self.bytes,
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True)
class Why:
    """Why something is `current`, `stale`, `missing` or `impossible`.

    Attributes:
        reasons: what it was last made from that is not so now.
        upstream: ids of what it is made from, at any depth, that is not current itself.
    """

    id: str
    status: str
    reasons: tuple[Change, ...]
    upstream: tuple[str, ...]


def impact(
    graph: Graph, identifier: str, estimate: Callable[[Node], Cost | None] = lambda _: None
) -> Impact:
    """All that a change of a node would touch, and what making that again costs.

    Args:
        estimate: asked for what was made before and whose cost nothing tells.
    """
    touched: list[Touched] = []
    counted: dict[str, Touched] = {}
    for name, steps in descendants(graph, identifier).items():
        node = graph.nodes.get(name)
        if node is None:
            continue
        cost, made = node.cost, node.made is not None
        if made and cost.cpu_seconds is None and node.kind in _MADE_KINDS:
            cost = estimate(node) or cost
        one = Touched(node, steps, cost)
        touched.append(one)
        if made:
            counted.setdefault(cost.key or name, one)
    costs = [cost for _, _, cost in counted.values()]
    unknown = [node for node, _, cost in counted.values() if cost.cpu_seconds is None]
    return Impact(
        identifier,
        tuple(touched),
        sum(cost.cpu_seconds or 0.0 for cost in costs),
        sum(cost.bytes or 0 for cost in costs),
        tuple(node.id for node in unknown if node.kind in _MADE_KINDS),
    )


def why(graph: Graph, identifier: str) -> Why:
    """Whether a node is what would be made now, and every reason why not."""
    node = graph.nodes[identifier]
    upstream = tuple(
        name
        for name in ancestors(graph, identifier)
        if name in graph.nodes and _own_status(graph.nodes[name]) in ("stale", "impossible")
    )
    status = _own_status(node)
    if status == "current" and upstream:
        status = "stale"
    reasons = list(differences(node))
    if node.problem is not None:
        reasons.insert(0, Change("error", identifier, None, None, node.problem))
    elif node.made is None:
        reasons = [Change("never_made", identifier, None, None, "it was never made")]
    elif _is_lost(node):
        text = f"its file is not in the store any more{f': {node.lost}' if node.lost else ''}"
        reasons.append(Change("output_missing", identifier, None, None, text))
    for name in upstream if not reasons else ():
        text = f"{name}, which it is made from, is not current"
        reasons.append(Change("upstream", name, None, None, text))
    return Why(identifier, status, tuple(reasons), upstream)


def differences(node: Node) -> Iterator[Change]:
    """What a node was last made from that is not so now."""
    if node.made is None:
        return
    found = []
    for name in [*node.wanted, *(n for n in node.made.origins if n not in node.wanted)]:
        before, after = node.made.origins.get(name), node.wanted.get(name)
        if before != after:
            found.append(_change(name, before, after))
    # A recipe's fingerprint follows from the rest: it is told where nothing else is.
    telling = [change for change in found if change.kind != "recipe"]
    yield from telling or found


def _own_status(node: Node) -> str:
    if node.problem is not None:
        return "impossible"
    if node.made is None:
        return "missing"
    if node.made.origins != node.wanted:
        return "stale"
    return "missing" if _is_lost(node) else "current"


def _is_lost(node: Node) -> bool:
    """Whether the file of something that was made is not there."""
    return node.lost is not None or (node.kind in _MADE_KINDS and not node.files)


_KINDS = {
    "code": "code",
    "document": "document",
    "recipe": "recipe",
    "content": "source",
    "ffmpeg": "ffmpeg",
}
_WORDS = {
    "code": "its code or a parameter of it has another version",
    "document": "the document has changed",
    "recipe": "its recipe gives something else",
    "content": "its content changed",
}


def _change(name: str, before: str | None, after: str | None) -> Change:
    kind = _KINDS.get(name) or ("source" if name.startswith("src_") else "input")
    words = _WORDS.get(name) or f"{name} changed"
    if before is None:
        words = _WORDS.get(name) or f"{name} is new"
    elif after is None:
        words = _WORDS.get(name) or f"{name} is not taken any more"
    return Change(kind, name, before, after, f"{words}: {shortened(before)} → {shortened(after)}")


def shortened(value: str | None) -> str:
    """A version as people read it: 12 digits of a hash."""
    if value is None:
        return "none"
    return value[:12] if len(value) == 64 else value
