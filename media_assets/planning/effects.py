"""Effects by themselves: nodes as recipes, recipes as plans, and what a fingerprint is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from media_assets import ids
from media_assets.errors import BadInput
from media_assets.media.hardware import Encoders
from media_assets.operations.registry import operation
from media_assets.planning.plan import Node, Plan, make_plan
from media_assets.planning.specs import OperationSpec
from media_assets.store.recipes import EffectRecipe, Step
from media_assets.store.sources import SourceFacts


@dataclass(frozen=True)
class Change:
    """One reason why an effect's fingerprint is another than it was.

    Attributes:
        kind: `source`, `operation`, `encoder`, `ffmpeg` or `other`.
        subject: the source id, operation or encoder option that changed.
        before, after: its hash, version or value; None where there was or is none.
    """

    kind: str
    subject: str
    before: str | None
    after: str | None
    text: str

    def to_json(self) -> dict[str, Any]:
        """As `explain --json` prints it."""
        return asdict(self)


def recipe_of(plan: Plan, name: str) -> EffectRecipe:
    """What makes the node `name`: names are ids, so that they mean the same in every plan."""
    known = {node.name: node.recipe.id for node in plan.nodes.values()}
    known |= {given: source.id for given, source in plan.sources.items()}
    closure = plan.closure([name])
    steps: dict[str, Step] = {}
    for node in closure:
        made = node.recipe.id
        steps[made] = steps.get(made) or Step(
            node.operation.name,
            tuple(known[given] for given in node.inputs),
            made,
            dict(node.recipe.parameters),
        )
    inputs = {source.id: source.relative for source in plan.origins([name])}
    last = steps.pop(plan.nodes[name].recipe.id)
    return EffectRecipe(last.output, inputs, (*steps.values(), last))


def plan_from_recipe(
    recipe: EffectRecipe, sources: Mapping[str, SourceFacts], encoders: Encoders
) -> tuple[Plan, Node]:
    """Plan an effect from its recipe alone.

    Args:
        sources: what is on record of each of the recipe's inputs, by id.

    Returns:
        The plan, whose names are ids, and the effect's node.

    Raises:
        DocumentError: an operation is gone, or does not fit what the sources are now.
    """
    operations = [
        OperationSpec(op=step.op, inputs=list(step.inputs), output=step.output, params=dict(step.params))
        for step in recipe.operations
    ]
    plan = make_plan(operations, {name: sources[name] for name in recipe.inputs}, encoders)
    return plan, plan.nodes[recipe.id]


def merged(plans: Sequence[Plan]) -> Plan:
    """Plans whose names are ids, as one: what has the same name is the same, and is made once."""
    sources: dict[str, SourceFacts] = {}
    nodes: dict[str, Node] = {}
    for plan in plans:
        sources |= plan.sources
        nodes |= {name: node for name, node in plan.nodes.items() if name not in nodes}
    return Plan(sources, nodes)


def made_from(plan: Plan, name: str, ffmpeg: str) -> dict[str, Any]:
    """What the fingerprint of a node is made from, in words that can be compared later.

    Args:
        ffmpeg: version of the ffmpeg that it was planned for.
    """
    closure = plan.closure([name])
    return {
        "fingerprint": plan.nodes[name].recipe.fingerprint,
        "ffmpeg": ffmpeg,
        "encoder": plan.nodes[name].profile.to_json(),
        "operations": dict(sorted((n.operation.name, n.operation.version) for n in closure)),
        "sources": {
            source.id: {
                "path": source.relative,
                "sha256": source.sha256,
                "read": ids.fingerprint(source.info.to_json())[:16],
            }
            for source in plan.origins([name])
        },
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Why two fingerprints differ, from what `made_from` said of each; nothing where they are equal."""
    if before.get("fingerprint") == now["fingerprint"]:
        return []
    found = [
        *_source_changes(before.get("sources") or {}, now["sources"]),
        *_operation_changes(before.get("operations") or {}, now["operations"]),
    ]
    if before.get("ffmpeg") != now["ffmpeg"]:
        found.append(_change("ffmpeg", "ffmpeg", before.get("ffmpeg"), now["ffmpeg"]))
    old, new = _flat(before.get("encoder") or {}), _flat(now["encoder"])
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            found.append(_change("encoder", name, old.get(name), new.get(name)))
    return found or [_change("other", "fingerprint", before.get("fingerprint"), now["fingerprint"])]


def basis(recipe: EffectRecipe, versions: Mapping[str, str], ffmpeg: str) -> str:
    """A hash of what a recipe's fingerprint follows from, to be had without planning.

    Args:
        versions: SHA-256 of the sources on record, by id.
    """
    return ids.fingerprint(
        {
            "sources": {source: versions.get(source) for source in recipe.inputs},
            "operations": {step.op: _version(step.op) for step in recipe.operations},
            "ffmpeg": ffmpeg,
        }
    )[:16]


def _version(name: str) -> str | None:
    try:
        return operation(name).version
    except BadInput:  # it is gone: planning says so
        return None


def _source_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Change]:
    for name, source in now.items():
        old = before.get(name) or {}
        if old.get("sha256") != source["sha256"]:
            yield _change("source", name, old.get("sha256"), source["sha256"])
        elif old.get("read") != source["read"]:
            text = f"source {name} has the same content, but another reading of what it is"
            yield Change("source", name, old.get("read"), source["read"], text)


def _operation_changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Change]:
    for name, version in now.items():
        if before.get(name) != version:
            yield _change("operation", name, before.get(name), version)


_WORDS = {
    "source": "source {} changed",
    "operation": "operation {} has another version",
    "ffmpeg": "another ffmpeg is used",
    "encoder": "encoder setting {} changed",
    "other": "what it is made from is put together in another way",
}


def _change(kind: str, subject: str, before: Any, after: Any) -> Change:
    old, new = (None if value is None else str(value) for value in (before, after))
    words = _WORDS[kind].format(subject)
    return Change(kind, subject, old, new, f"{words}: {_short(old)} → {_short(new)}")


def _short(value: str | None) -> str:
    if value is None:
        return "none"
    return value[:12] if len(value) == 64 else value


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings as one level: `options.crf`."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": found for inner, found in _flat(value).items()}
        else:
            flat[name] = value
    return flat
