"""How long questions take on a large graph: sources, effects of them, and what is made from those."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from typing import Any

from bench.timing import timed
from media_assets.registry.graph import Cost, Edge, Graph, Made, Node, find
from media_assets.registry.questions import impact, why

SIZES = (1_000, 10_000, 100_000)
_WIDEST = 0.1


def run(runs: int) -> dict[str, Any]:
    """Milliseconds of each question by the number of edges, and the slowest at the largest."""
    found = {str(edges): _at(edges, runs) for edges in SIZES}
    largest = found[str(SIZES[-1])]
    return {
        "milliseconds": found,
        "impact_100k_ms": largest["impact"],
        "why_100k_ms": largest["why"],
    }


def generated(edges: int) -> Graph:
    """A graph of that many edges: a tenth of the nodes is made from the first, a tenth from many."""
    chance = random.Random(edges)  # noqa: S311 - the same graph each time
    nodes = {"src_0": _node("src_0", {})}
    links: list[Edge] = []
    names = ["src_0"]
    while len(links) < edges:
        name = f"effect_{len(nodes)}"
        wanted = 1 if chance.random() < 0.9 else chance.randint(2, 40)
        inputs = {"src_0"} if chance.random() < _WIDEST else set()
        while len(inputs) < min(wanted, len(names)):
            inputs.add(chance.choice(names[-1000:]))
        links += [Edge(given, name, "resize", 1.0) for given in sorted(inputs)]
        nodes[name] = _node(name, dict.fromkeys(inputs, "v"))
        names.append(name)
    return Graph(nodes, tuple(links[:edges]))


def _node(name: str, origins: dict[str, str]) -> Node:
    cost = Cost(1.0, 1000, "measured", name)
    return Node(name, "effect", made=Made("v", 1.0, origins), wanted=origins, cost=cost, files=(name,))


def _at(edges: int, runs: int) -> dict[str, float]:
    graph = generated(edges)
    last = list(graph.nodes)[-1]
    first = timed(lambda: (graph.inputs, graph.uses, graph.names)) * 1000
    questions: dict[str, Callable[[], object]] = {
        "impact": lambda: impact(graph, "src_0"),
        "why": lambda: why(graph, last),
        "find": lambda: find(graph, last),
    }
    taken = {
        name: round(statistics.median(timed(ask) * 1000 for _ in range(max(3, runs))), 2)
        for name, ask in questions.items()
    }
    return taken | {"index_once": round(first, 2), "touched": len(impact(graph, "src_0").touched)}
