"""Recipes of effects as Dagster sees them: partitions of an external asset, observed when they change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from media_assets import ids
from media_assets.defs.partitions import EFFECTS, set_partitions
from media_assets.defs.recording import as_metadata
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE
from media_assets.defs.versions import Seen, seen
from media_assets.errors import MediaAssetsError
from media_assets.media.hardware import Encoders, encoders
from media_assets.operations.clip import Clip
from media_assets.planning.effects import basis, made_from, plan_from_recipe, recipe_of
from media_assets.planning.plan import Node, Plan
from media_assets.store.recipes import EffectRecipe, RecipeStore

EFFECT_RECIPE = dg.AssetKey("effect_recipe")
BASIS_TAG = "media_assets/basis"
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
    store, machine = RecipeStore(media.settings), encoders(media.settings)
    order = dict.fromkeys([*names, *plan.nodes])
    recipes = {name: recipe_of(plan, name) for name in order}
    for recipe in recipes.values():
        store.put(recipe)
    effects = list(dict.fromkeys(recipe.id for recipe in recipes.values()))
    instance.add_dynamic_partitions(str(EFFECTS.name), effects)
    planned = {r.id: Planned(r, plan, plan.nodes[name]) for name, r in recipes.items()}
    observe(instance, media, planned, machine)
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
    mark = media.settings.metadata_root / "effects.stamp"
    stamp = _stamp(instance, media, store, version)
    if not thorough and mark.is_file() and mark.read_text() == stamp:
        return {}
    set_partitions(instance, str(EFFECTS.name), list(store))
    planned, problems = _replanned(instance, media, store, thorough)
    observe(instance, media, planned, encoders(media.settings))
    for key, problem in problems.items():
        _observe_problem(instance, key, problem, _basis(store, key, media, version))
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(_stamp(instance, media, store, version))
    return {key: str(problem) for key, problem in problems.items()}


def observe(
    instance: dg.DagsterInstance,
    media: MediaResource,
    planned: Mapping[str, Planned],
    machine: Encoders,
) -> list[str]:
    """Report those recipes whose fingerprint is not the one observed last; returns which."""
    last = seen(instance, EFFECT_RECIPE, planned, _OBSERVATION)
    new = [
        key
        for key, effect in planned.items()
        if key not in last or last[key].data_version != effect.fingerprint
    ]
    versions = media.sources.versions()
    for key in new:
        effect = planned[key]
        tags = {
            DATA_VERSION_TAG: effect.fingerprint,
            BASIS_TAG: basis(effect.recipe, versions, machine.version),
        }
        metadata = _metadata(effect, machine.version)
        instance.report_runless_asset_event(
            dg.AssetObservation(EFFECT_RECIPE, partition=key, tags=tags, metadata=metadata)
        )
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


def _replanned(
    instance: dg.DagsterInstance, media: MediaResource, store: RecipeStore, thorough: bool
) -> tuple[dict[str, Planned], dict[str, MediaAssetsError]]:
    """Recipes that may have another fingerprint than was observed, planned; and those that cannot be."""
    machine, keys = encoders(media.settings), list(store)
    log = instance.event_log_storage
    tags = log.get_latest_tags_by_partition(EFFECT_RECIPE, _OBSERVATION, [BASIS_TAG], keys) if keys else {}
    planned: dict[str, Planned] = {}
    problems: dict[str, MediaAssetsError] = {}
    for key in keys:
        known = tags.get(key, {}).get(BASIS_TAG)
        if not thorough and known == _basis(store, key, media, machine.version):
            continue
        try:
            planned[key] = planned_effect(media, key, machine, unchanged=False)
        except MediaAssetsError as error:
            problems[key] = error
    return planned, problems


def _observe_problem(instance: dg.DagsterInstance, key: str, problem: MediaAssetsError, basis: str) -> None:
    """Note that an effect cannot be planned: it shows as stale, with the reason here."""
    version = ids.fingerprint({"problem": str(problem)})
    last = seen(instance, EFFECT_RECIPE, [key], _OBSERVATION).get(key)
    if last is not None and last.data_version == version:
        return
    instance.report_runless_asset_event(
        dg.AssetObservation(
            EFFECT_RECIPE,
            partition=key,
            description=f"it cannot be made now: {problem}",
            tags={DATA_VERSION_TAG: version, BASIS_TAG: basis},
            metadata=as_metadata({"problem": str(problem), "error": problem.code}),
        )
    )


def _basis(store: RecipeStore, key: str, media: MediaResource, version: str) -> str:
    try:
        return basis(store.get(key), media.sources.versions(), version)
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
