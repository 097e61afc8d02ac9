"""Recipes of effects as Dagster sees them: partitions of an external asset, observed when they change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from media_assets import ids
from media_assets.defs.journal import keep
from media_assets.defs.partitions import EFFECTS, add_partitions
from media_assets.defs.recording import as_metadata
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE
from media_assets.defs.versions import Seen, seen
from media_assets.errors import MediaAssetsError
from media_assets.media.hardware import Encoders, encoders
from media_assets.operations.clip import Clip
from media_assets.planning.effects import basis, made_from, plan_from_recipe, recipe_of
from media_assets.planning.plan import Node, Plan
from media_assets.store.files import read_json, write_json
from media_assets.store.recipes import EffectRecipe, RecipeStore

EFFECT_RECIPE = dg.AssetKey("effect_recipe")
_OBSERVATION = dg.DagsterEventType.ASSET_OBSERVATION


@dataclass(frozen=True)
class Planned:
    """An effect as its recipe and its sources give it now."""

    recipe: EffectRecipe
    plan: Plan
    node: Node

    @property
    def fingerprint(self) -> str:
        """What its content depends on."""
        return self.node.recipe.fingerprint


@dg.definitions
def recipes() -> dg.Definitions:
    """The external asset; nothing runs to make it."""
    spec = dg.AssetSpec(
        EFFECT_RECIPE,
        partitions_def=EFFECTS,
        group_name="effects",
        kinds={"json"},
        # Draws the edge; whether an effect is current is told by its fingerprint, exactly.
        deps=[dg.AssetDep(SOURCE_FILE, partition_mapping=dg.SpecificPartitionsPartitionMapping([]))],
        description="What an effect is made by: data/effects/<id>.json. Data version: its fingerprint.",
    )
    return dg.Definitions(assets=[spec])


def register(
    instance: dg.DagsterInstance, media: MediaResource, plan: Plan, names: Sequence[str]
) -> dict[str, str]:
    """Keep a recipe of every node of a plan, as a partition, and observe those that changed.

    Args:
        names: nodes whose partitions are to stand side by side: one run can take them.

    Returns:
        The effect of each node, by its name.
    """
    store = RecipeStore(media.settings)
    order = dict.fromkeys([*names, *plan.nodes])
    recipes = {name: recipe_of(plan, name) for name in order}
    for recipe in recipes.values():
        store.put(recipe)
    effects = list(dict.fromkeys(recipe.id for recipe in recipes.values()))
    add_partitions(instance, str(EFFECTS.name), effects)
    planned = {r.id: Planned(r, plan, plan.nodes[name]) for name, r in recipes.items()}
    observe(instance, planned, encoders(media.settings).version)
    return {name: recipe.id for name, recipe in recipes.items()}


def observe_changed(
    instance: dg.DagsterInstance, media: MediaResource, *, thorough: bool = False
) -> dict[str, str]:
    """Observe every recipe that its sources, an operation or ffmpeg now give another fingerprint.

    Costs a few `stat` calls while nothing changed, and plans only recipes whose sources, operations
    or ffmpeg did.

    Args:
        thorough: plan all: the code may have changed.

    Returns:
        {effect: why it cannot be planned any more}, for those observed now.
    """
    store = RecipeStore(media.settings)
    version = encoders(media.settings).version
    path = media.settings.metadata_root / "effects.json"
    memo = read_json(path) or {}
    if not thorough and memo.get("stamp") == _stamp(instance, media, store, version):
        return {}
    # The partitions first: one that another process adds meanwhile has its recipe already.
    present = instance.get_dynamic_partitions(str(EFFECTS.name))
    keys, versions = list(store), media.sources.versions()
    add_partitions(instance, str(EFFECTS.name), keys)
    for gone in set(present) - set(keys):
        instance.delete_dynamic_partition(str(EFFECTS.name), gone)
    bases = {key: _basis(store, key, versions, version) for key in keys}
    past = None if thorough else memo.get("bases")
    known = {key: past.get(key) for key in observations(instance, keys)} if isinstance(past, dict) else {}
    wanted = [key for key in keys if known.get(key) != bases[key]]
    planned, problems = _planned(media, wanted)
    observe(instance, planned, version)
    for key, problem in problems.items():
        _observe_problem(instance, key, problem)
    write_json(path, {"stamp": _stamp(instance, media, store, version), "bases": bases})
    return {key: str(problem) for key, problem in problems.items()}


def observe(instance: dg.DagsterInstance, planned: Mapping[str, Planned], ffmpeg: str) -> list[str]:
    """Report those recipes whose fingerprint is not the one observed last; returns which.

    Args:
        ffmpeg: version of the ffmpeg that they were planned for.
    """
    last = observations(instance, planned)
    new = [
        key
        for key, effect in planned.items()
        if key not in last or last[key].data_version != effect.fingerprint
    ]
    for key in new:
        effect = planned[key]
        _report(instance, key, effect.fingerprint, _metadata(effect, ffmpeg))
    return new


def planned_effect(media: MediaResource, key: str, machine: Encoders, *, unchanged: bool) -> Planned:
    """Plan an effect from its recipe and the records of its sources.

    Args:
        unchanged: hold each source against its file.

    Raises:
        MediaAssetsError: its recipe is damaged, a source is gone, or an operation does not fit it.
    """
    recipe = RecipeStore(media.settings).get(key)
    find = media.sources.unchanged if unchanged else media.sources.facts
    plan, node = plan_from_recipe(recipe, {name: find(name) for name in recipe.inputs}, machine)
    return Planned(recipe, plan, node)


def observations(instance: dg.DagsterInstance, keys: Iterable[str]) -> dict[str, Seen]:
    """The latest observation of each recipe."""
    return seen(instance, EFFECT_RECIPE, keys, _OBSERVATION)


def _planned(
    media: MediaResource, keys: Sequence[str]
) -> tuple[dict[str, Planned], dict[str, MediaAssetsError]]:
    """Effects as they are now, and what is wrong with those that cannot be planned."""
    machine = encoders(media.settings)
    planned: dict[str, Planned] = {}
    problems: dict[str, MediaAssetsError] = {}
    for key in keys:
        try:
            planned[key] = planned_effect(media, key, machine, unchanged=False)
        except MediaAssetsError as error:
            problems[key] = error
    return planned, problems


def _observe_problem(instance: dg.DagsterInstance, key: str, problem: MediaAssetsError) -> None:
    """Note that an effect cannot be planned: it shows as stale, with the reason here."""
    version = ids.fingerprint({"problem": str(problem)})
    last = observations(instance, [key]).get(key)
    if last is None or last.data_version != version:
        metadata = as_metadata({"problem": str(problem), "error": problem.code})
        _report(instance, key, version, metadata, f"it cannot be made now: {problem}")


def _report(
    instance: dg.DagsterInstance,
    key: str,
    version: str,
    metadata: Mapping[str, dg.MetadataValue],
    description: str | None = None,
) -> None:
    """Report an observation, without a run, and keep it on disk."""
    tags = {DATA_VERSION_TAG: version}
    event = dg.AssetObservation(EFFECT_RECIPE, description, metadata, partition=key, tags=tags)
    instance.report_runless_asset_event(event)
    keep(event)


def _basis(store: RecipeStore, key: str, versions: Mapping[str, str], ffmpeg: str) -> str:
    try:
        return basis(store.get(key), versions, ffmpeg)
    except MediaAssetsError as error:
        return ids.fingerprint({"problem": str(error)})[:16]


def _stamp(instance: dg.DagsterInstance, media: MediaResource, store: RecipeStore, version: str) -> str:
    count = len(instance.get_dynamic_partitions(str(EFFECTS.name)))
    return f"{media.sources.stamp()} {store.stamp()} {count} {version}"


def _metadata(effect: Planned, version: str) -> dict[str, dg.MetadataValue]:
    step = effect.recipe.operations[-1]
    return as_metadata(
        {
            "operation": step.op,
            "parameters": dg.MetadataValue.json(dict(step.params)),
            "inputs": dg.MetadataValue.json(list(step.inputs)),
            "sources": dg.MetadataValue.json(dict(effect.recipe.inputs)),
            "expected": _expected(effect.node.clip),
            "written_as": effect.node.profile.name,
            "note": effect.node.note,
            "made_from": dg.MetadataValue.json(made_from(effect.plan, effect.node.name, version)),
        }
    )


def _expected(clip: Clip) -> str:
    words: list[str] = [clip.kind]
    if clip.picture is not None:
        words.append(f"{clip.picture.width}x{clip.picture.height}")
        if clip.kind == "video":
            words.append(f"{float(clip.picture.fps):g} fps")
    if clip.duration is not None:
        words.append(f"{clip.duration:.3f} s")
    if clip.picture is not None and clip.kind == "video":
        words.append("with sound" if clip.sound else "silent")
    return ", ".join(words)
