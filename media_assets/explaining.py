"""Explains an effect: what it is made of, whether its output is current, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import dagster as dg

from media_assets.actions import Actions
from media_assets.analytics.estimates import factors_of
from media_assets.analytics.guarding import plan_warnings
from media_assets.components.loaded import loaded_workflow, loaded_workflows
from media_assets.defs.effect_recipes import Planned, planned_effect
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.ids import canonical_json
from media_assets.media.hardware import encoders
from media_assets.planning.copying import way_to_copy
from media_assets.planning.effects import changes, made_from, recipe_of
from media_assets.planning.estimates import copy_estimate, node_estimate
from media_assets.store.recipes import EffectRecipe, RecipeStore

_ACCEPTED = "it takes an effect's id, 8 or more digits of it, or <workflow>/<node>/<source id>"

_DEEPEST = 100


def explain(actions: Actions, reference: str) -> dict[str, Any]:
    """What an effect, or a workflow's node for one source, is made of, and whether its output is current.

    New and changed sources are read first.

    Returns:
        The report that `explain --json` prints: `status` is `current`, `stale`, `missing` or
        `impossible`; `reasons` say why it is not current; `made_of` is a tree down to the sources.

    Raises:
        BadInput: there is no such effect, or several.
    """
    actions.ingest()
    return explained(actions, reference)


def explained(actions: Actions, reference: str) -> dict[str, Any]:
    """The same from what is on record: nothing is read anew."""
    if "/" in reference:
        return _of_node(actions, reference)
    if reference.startswith(("src_", "komp_")):
        other = "status source_file" if reference.startswith("src_") else "komposition plan"
        raise BadInput("it is no effect", where=reference, hint=f"{_ACCEPTED}; see media-assets {other}")
    recipes, machine = RecipeStore(actions.settings), encoders(actions.settings)
    key = recipes.find(reference)
    recipe = recipes.get(key)
    try:
        planned = planned_effect(actions.media, key, machine, unchanged=True)
    except MediaAssetsError as error:
        return _report(actions, recipe, None, EFFECT_OUTPUT, key, machine.version, error)
    return _report(actions, recipe, planned, EFFECT_OUTPUT, key, machine.version)


def _of_node(actions: Actions, reference: str) -> dict[str, Any]:
    """A node of a workflow, for one of the sources that it takes."""
    words = reference.split("/")
    names = {workflow.name for workflow in loaded_workflows()}
    if len(words) != 3 or words[0] not in names:
        raise BadInput("nothing of that name can be explained", where=reference, hint=_ACCEPTED)
    workflow = loaded_workflow(words[0])
    assets, source = WorkflowAssets(workflow), actions.media.sources.unchanged(words[2])
    if words[1] not in [node.output for node in workflow.operations]:
        nodes = ", ".join(node.output for node in workflow.operations)
        raise BadInput(f"{words[0]} has no node {words[1]!r}", where=reference, hint=f"it has {nodes}")
    machine, find = encoders(actions.settings), actions.media.sources.unchanged
    constants = {name: find(given) for name, given in workflow.constants.items()}
    plan = workflow.plan(source, constants, machine)
    recipe = recipe_of(plan, words[1])
    planned = Planned(recipe, plan, plan.nodes[words[1]])
    return _report(actions, recipe, planned, assets.key(words[1]), source.id, machine.version)


def _report(
    actions: Actions,
    recipe: EffectRecipe,
    planned: Planned | None,
    asset: dg.AssetKey,
    partition: str,
    ffmpeg: str,
    problem: MediaAssetsError | None = None,
) -> dict[str, Any]:
    last = actions.session.metadata(asset, partition)
    now = made_from(planned.plan, planned.node.name, ffmpeg) if planned else None
    status, reasons = _judged(actions, last, now, problem)
    (dagster,) = actions.session.status(asset.to_user_string(), partition)
    to_make = planned if status != "current" else None
    return {
        "id": recipe.id,
        "asset": asset.to_user_string(),
        "partition": partition,
        "operation": recipe.operation,
        "status": status,
        "reasons": reasons,
        "dagster": dagster.status,
        "fingerprint": now and now["fingerprint"],
        "made_of": _tree(actions.media.sources.versions(), recipe, recipe.id, set()),
        "made_from": now,
        "last_made_from": last.get("made_from"),
        "path": last.get("output") or last.get("path"),
        "estimate": _estimate(actions, to_make) if to_make else None,
        "warnings": plan_warnings(to_make.plan, actions.settings) if to_make else [],
    }


def _estimate(actions: Actions, planned: Planned) -> dict[str, Any]:
    """What it would cost to make it now."""
    settings, node = actions.settings, planned.node
    if way_to_copy(planned.plan, node, settings) is not None:
        return asdict(copy_estimate(node))
    return asdict(node_estimate(planned.plan, node, settings.workers, factors_of(settings)))


def _judged(
    actions: Actions,
    last: Mapping[str, Any],
    now: Mapping[str, Any] | None,
    problem: MediaAssetsError | None,
) -> tuple[str, list[dict[str, Any]]]:
    """Whether what was made last is what would be made now, and every reason why not."""
    if now is None:
        return "impossible", [_reason("source_missing" if _is_source(problem) else "error", str(problem))]
    stored = actions.media.store.get(now["fingerprint"]) is not None
    if not last:
        text = "it was never made; an equal output is in the store" if stored else "it was never made"
        return "missing", [_reason("never_made", text)]
    before = last.get("made_from") or {"fingerprint": last.get("fingerprint")}
    if before.get("fingerprint") != now["fingerprint"]:
        if not last.get("made_from"):
            text = "its sources, operations or encoder changed since it was made"
            return "stale", [_reason("changed", text)]
        return "stale", [change.to_json() for change in changes(before, now)]
    if not stored:
        return "missing", [_reason("output_missing", "its file is not in the store any more")]
    return "current", []


def _is_source(problem: MediaAssetsError | None) -> bool:
    return problem is not None and problem.code == "UnknownSource"


def _reason(kind: str, text: str) -> dict[str, Any]:
    return {"kind": kind, "text": text}


def _tree(
    versions: Mapping[str, str], recipe: EffectRecipe, name: str, shown: set[str], depth: int = 0
) -> dict[str, Any]:
    """An effect or source with all that it is made of; what several take is told in full once."""
    steps = {step.output: step for step in recipe.operations}
    step = steps.get(name)
    if step is None:
        sha256 = versions.get(name)
        words = f"sha256 {sha256[:12]}" if sha256 else "missing"
        return {
            "id": name,
            "kind": "source",
            "path": recipe.inputs[name],
            "sha256": sha256,
            "text": f"{name}: {recipe.inputs[name]}, {words}",
        }
    node = {"id": name, "kind": "effect", "operation": step.op, "parameters": dict(step.params)}
    if name in shown:
        return node | {"text": f"{name}: as above", "repeated": True}
    if depth == _DEEPEST:
        return node | {"text": f"{name}: {step.op} of what is explained with its own id", "repeated": True}
    shown.add(name)
    parameters = ", ".join(f"{key} {_value(value)}" for key, value in step.params.items())
    return node | {
        "text": f"{name}: {step.op}" + (f" ({parameters})" if parameters else ""),
        "inputs": [_tree(versions, recipe, inner, shown, depth + 1) for inner in step.inputs],
    }


def _value(value: Any) -> str:
    return value if isinstance(value, str) else canonical_json(value)
