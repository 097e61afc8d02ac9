"""Lineage as text: a tree, JSON values, a Mermaid graph, a Graphviz graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from media_assets.drawing import tree_lines
from media_assets.registry.graph import Graph, Node, ancestors, descendants

Direction = Literal["up", "down", "both"]


def lineage(graph: Graph, identifier: str, direction: Direction) -> Graph:
    """The part of the graph that a node is made from, that is made from it, or both."""
    names = {identifier}
    if direction != "down":
        names |= ancestors(graph, identifier).keys()
    if direction != "up":
        names |= descendants(graph, identifier).keys()
    nodes = {name: graph.nodes[name] for name in sorted(names) if name in graph.nodes}
    edges = tuple(e for e in graph.edges if e.source in names and e.target in names)
    return Graph(nodes, tuple(sorted(edges, key=lambda e: (e.target, e.source))))


def as_tree(graph: Graph, identifier: str, direction: Direction) -> str:
    """The node, under `made from` what it is made from, under `used by` what is made from it."""
    parts = []
    if direction != "down":
        parts += _branch(graph, identifier, graph.inputs, "made from" if direction == "both" else "")
    if direction != "up":
        parts += _branch(graph, identifier, graph.uses, "used by" if direction == "both" else "")
    return "\n".join(parts) + "\n"


def as_json(graph: Graph, identifier: str, direction: Direction) -> dict[str, Any]:
    """The node, all nodes with the steps to them (negative for what it is made from), and the edges."""
    steps = {identifier: 0}
    if direction != "down":
        steps |= {name: -n for name, n in ancestors(graph, identifier).items()}
    if direction != "up":
        steps |= descendants(graph, identifier)
    return {
        "id": identifier,
        "direction": direction,
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "asset": node.asset,
                "partition": node.partition,
                "operation": node.operation,
                "made": node.made is not None,
                "data_version": node.made.version if node.made else None,
                "files": list(node.files),
                "steps": steps.get(node.id, 0),
            }
            for node in graph.nodes.values()
        ],
        "edges": [{"source": e.source, "target": e.target, "operation": e.operation} for e in graph.edges],
    }


def as_mermaid(graph: Graph, identifier: str) -> str:
    """A Mermaid flow chart: a thick border for what was asked for, a dashed one for what was never made."""
    names = {name: f"n{index}" for index, name in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for name, node in graph.nodes.items():
        text = f"{_quoted(name)}<br/>{_quoted(_what(node))}"
        lines.append(f'  {names[name]}(["{text}"])' if _is_root(node) else f'  {names[name]}["{text}"]')
    lines += [f"  {names[e.source]} --> {names[e.target]}" for e in graph.edges if _known(e, names)]
    lines += ["  classDef asked stroke-width:3px", "  classDef missing stroke-dasharray:4"]
    lines.append(f"  class {names[identifier]} asked")
    missing = [names[name] for name, node in graph.nodes.items() if node.made is None]
    if missing:
        lines.append(f"  class {','.join(missing)} missing")
    return "\n".join(lines) + "\n"


def as_dot(graph: Graph, identifier: str) -> str:
    """A Graphviz digraph."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for name, node in graph.nodes.items():
        style = ["bold"] if name == identifier else []
        style += ["dashed"] if node.made is None else []
        marks = f', style="{",".join(style)}"' if style else ""
        marks += ", shape=oval" if _is_root(node) else ""
        lines.append(f'  "{_escaped(name)}" [label="{_escaped(name)}\\n{_escaped(_what(node))}"{marks}];')
    for e in graph.edges:
        if _known(e, graph.nodes):
            lines.append(f'  "{_escaped(e.source)}" -> "{_escaped(e.target)}";')
    return "\n".join([*lines, "}"]) + "\n"


def _branch(graph: Graph, start: str, next_to: Mapping[str, tuple[str, ...]], title: str) -> list[str]:
    seen: set[str] = set()

    def text(name: str) -> str:
        node = graph.nodes.get(name)
        words = f"{name}: {_what(node)}" if node else f"{name}: unknown"
        return f"{words}, as above" if name in seen and next_to.get(name) else words

    def children(name: str) -> list[str]:
        if name in seen:
            return []
        seen.add(name)
        return sorted(next_to.get(name, ()))

    lines = tree_lines(start, text, children)
    if title:
        lines[0] = f"{lines[0]}, {title}:" if len(lines) > 1 else f"{lines[0]}, {title} nothing"
    return lines


def _what(node: Node) -> str:
    words: list[str] = [node.kind]
    if node.operation and node.operation not in (node.kind, "plan"):
        words.append(node.operation)
    if node.kind == "source" and node.files:
        words.append(node.files[0])
    if node.made is None:
        words.append("not made")
    return ", ".join(words)


def _is_root(node: Node) -> bool:
    return node.kind in ("source", "version")


def _known(edge: Any, names: Mapping[str, Any]) -> bool:
    return edge.source in names and edge.target in names


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
