"""A plan for people and programs: JSON, a tree, a Mermaid graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from media_assets.drawing import tree_lines
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip
from media_assets.planning.commands import groups
from media_assets.planning.copying import way_to_copy
from media_assets.planning.estimates import copy_estimate, job_estimate, node_estimate
from media_assets.planning.learnt import Factors
from media_assets.planning.plan import Node, Plan
from media_assets.settings import Settings


def report(
    plan: Plan,
    wanted: Mapping[str, str],
    settings: Settings,
    is_cached: Callable[[str], bool],
    factors: Factors,
) -> dict[str, Any]:
    """All that is known of a plan before it is carried out, as JSON values.

    Args:
        wanted: node by the id of the output that asks for it.
        is_cached: whether an output of that fingerprint is in the store.
    """
    asked = list(dict.fromkeys(wanted.values()))
    cached = {name: is_cached(node.recipe.fingerprint) for name, node in plan.nodes.items()}
    missing = [name for name in asked if not cached[name]]
    copied = {name for name in missing if way_to_copy(plan, plan.nodes[name], settings) is not None}
    rows = []
    for node in plan.nodes.values():
        copies = node.name in copied
        cost = copy_estimate(node) if copies else node_estimate(plan, node, settings.workers, factors)
        row = _node(node) | {"wanted": node.name in asked, "cached": cached[node.name], "copies": copies}
        rows.append(row | {"estimate": asdict(cost)})
    stages = max((node.stage for node in plan.nodes.values()), default=-1) + 1
    return {
        "inputs": [_input(name, source.id, source.info) for name, source in plan.sources.items()],
        "nodes": rows,
        "edges": [[given, node.name] for node in plan.nodes.values() for given in node.inputs],
        "stages": [[n.name for n in plan.nodes.values() if n.stage == level] for level in range(stages)],
        "groups": groups(plan, missing),
        "outputs": dict(wanted),
        "estimate": asdict(job_estimate(plan, missing, settings.workers, factors, copied)),
    }


def mermaid(document: Mapping[str, Any]) -> str:
    """The graph as Mermaid text; what is asked for has a thick border, what the store has is dashed."""
    names = {name: f"n{index}" for index, name in enumerate(_names(document))}
    lines = ["flowchart LR"]
    lines += [
        f'  {names[i["name"]]}(["{_quoted(i["name"])}<br/>{i["source"]}"])' for i in document["inputs"]
    ]
    for node in document["nodes"]:
        text = f"{_quoted(node['name'])}<br/>{node['operation']}<br/>{_size(node)}"
        lines.append(f'  {names[node["name"]]}["{text}"]')
    lines += [f"  {names[a]} --> {names[b]}" for a, b in document["edges"]]
    lines += ["  classDef wanted stroke-width:3px", "  classDef cached stroke-dasharray:4"]
    for style in ("wanted", "cached"):
        chosen = [names[node["name"]] for node in document["nodes"] if node[style]]
        if chosen:
            lines.append(f"  class {','.join(chosen)} {style}")
    return "\n".join(lines) + "\n"


def tree(document: Mapping[str, Any]) -> str:
    """What is wanted, and under each what it is made of, down to the sources."""
    nodes = {node["name"]: node for node in document["nodes"]}
    inputs = {given["name"]: given for given in document["inputs"]}

    def text(name: str) -> str:
        if name in inputs:
            return f"{name}: {inputs[name]['source']} ({_size(inputs[name])})"
        return f"{name}: {nodes[name]['operation']} → {_size(nodes[name])}{_state(nodes[name])}"

    def made_of(name: str) -> list[str]:
        return [] if name in inputs else list(nodes[name]["inputs"])

    lines: list[str] = []
    for output, name in document["outputs"].items():
        if output != name:
            lines.append(f"{output}:")
        lines += tree_lines(name, text, made_of)
    return "\n".join(lines) + "\n"


def _names(document: Mapping[str, Any]) -> Sequence[str]:
    return [row["name"] for row in (*document["inputs"], *document["nodes"])]


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")


def _state(node: Mapping[str, Any]) -> str:
    if node["cached"]:
        return ", in the store"
    if not node["wanted"]:
        return ""
    how = "packets copied" if node["copies"] else expected_time(node["estimate"])
    return f", {how}" + (f", {node['note']}" if node["note"] else "")


def expected_time(estimate: Mapping[str, Any]) -> str:
    """How long it will take, and how one knows.

    >>> expected_time({"seconds": 3.2, "low_seconds": 2.5, "high_seconds": 4.1, "events": 41})
    'about 3.2 s (2.5 to 4.1, learnt from 41 events)'
    """
    about = f"about {estimate['seconds']:.1f} s"
    if estimate["low_seconds"] is None:
        return f"{about} (shipped speeds)"
    span = f"{estimate['low_seconds']:.1f} to {estimate['high_seconds']:.1f}"
    if not estimate["events"]:
        return f"{about} ({span}, learnt from other operations)"
    return f"{about} ({span}, learnt from {estimate['events']} events)"


def _size(row: Mapping[str, Any]) -> str:
    expected = row["expected"]
    picture = f"{expected['width']}x{expected['height']}" if expected["width"] else ""
    length = f"{expected['duration']:.2f} s" if expected["duration"] is not None else ""
    return " ".join(part for part in (picture, length) if part) or expected["kind"]


def _input(name: str, source: str, info: MediaInfo) -> dict[str, Any]:
    return {"name": name, "source": source, "expected": _expected(Clip.of(info))}


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "operation": node.operation.name,
        "parameters": node.parameters.model_dump(mode="json", exclude_none=True),
        "inputs": list(node.inputs),
        "stage": node.stage,
        "effect": node.recipe.id,
        "fingerprint": node.recipe.fingerprint,
        "profile": node.profile.name,
        "extension": node.profile.extension,
        "expected": _expected(node.clip),
        "note": node.note,
    }


def _expected(clip: Clip) -> dict[str, Any]:
    picture, sound = clip.picture, clip.sound
    return {
        "kind": clip.kind,
        "duration": clip.duration,
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "fps": str(picture.fps) if picture and clip.kind == "video" else None,
        "alpha": bool(picture and picture.alpha),
        "sample_rate": sound.rate if sound else None,
        "channels": sound.channels if sound else None,
    }
