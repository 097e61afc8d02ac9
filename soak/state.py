"""What is materialized on a data root, built cold from nothing, and where two of them differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.actions import Actions
from media_assets.components.loaded import loaded_workflows
from media_assets.defs.effect_recipes import EFFECT_RECIPE, observations
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.defs.komposition_sensor import outstanding_plans
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.partitions import EFFECTS, KOMPOSITIONS, SOURCES
from media_assets.defs.versions import recorded
from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.jobs import run_job
from media_assets.session import Session, failures
from media_assets.store.recipes import RecipeStore
from soak.studio import Studio

_ON_DEMAND = ("content_analysis", "screenshots")


@dataclass(frozen=True)
class State:
    """What there is.

    Attributes:
        partitions: keys of each partition set.
        versions: data and code version of each materialized partition, by `asset partition`.
        files: SHA-256 of each file under `output/` and of each plan, by its path.
        outputs: SHA-256 of each output in the store, by fingerprint.
        rejected: what is no source, and of which error.
    """

    partitions: Mapping[str, frozenset[str]]
    versions: Mapping[str, str]
    files: Mapping[str, str]
    outputs: Mapping[str, str]
    rejected: Mapping[str, str]


@dataclass(frozen=True)
class Excused:
    """What may be left of an earlier time: it cannot be made now, and was not removed either.

    Attributes:
        kompositions: documents that cannot be planned.
        effects: whose sources are gone.
    """

    kompositions: frozenset[str]
    effects: frozenset[str]


def state_of(actions: Actions, *, analyze: bool) -> State:
    """Everything that Dagster and the disk have of what there is now."""
    instance, settings = actions.session.instance, actions.settings
    sets = [str(d.name) for d in (SOURCES, KOMPOSITIONS, EFFECTS)]
    sets += [f"workflow.{workflow.name}" for workflow in loaded_workflows()]
    versions: dict[str, str] = {}
    for asset in sorted(actions.session.graph.materializable_asset_keys):
        name = asset.to_user_string()
        keys = [key for key in actions.session.partitions(asset) if key is not None]
        if not keys or (name in _ON_DEMAND and not analyze):
            continue
        for key, found in recorded(instance, asset, keys).items():
            versions[f"{name} {key}"] = f"{found.data_version} by {found.code_version}"
    effects = instance.get_dynamic_partitions(str(EFFECTS.name))
    for key, seen in observations(instance, effects).items():
        versions[f"{EFFECT_RECIPE.to_user_string()} {key}"] = seen.data_version
    return State(
        {name: frozenset(instance.get_dynamic_partitions(name)) for name in sets},
        versions,
        dict(_hashed(settings.data_root, ("output", "metadata/plans"))),
        {output.recipe.fingerprint: hash_file(output.path) for output in actions.media.store},
        {one.relative: one.error for one in actions.media.sources.rejections()},
    )


def excused(actions: Actions) -> Excused:
    """What cannot be made now."""
    instance, media = actions.session.instance, actions.media
    keys = instance.get_dynamic_partitions(str(KOMPOSITIONS.name))
    problems = outstanding_plans(instance, media, keys)[1]
    known = media.sources.versions()
    recipes = RecipeStore(media.settings)
    lost = [key for key in recipes if not set(recipes.get(key).inputs) <= known.keys()]
    return Excused(frozenset(problems), frozenset(lost))


def build(studio: Studio, jobs: Sequence[Path]) -> tuple[State, list[str]]:
    """Make all that is wanted of a studio that has only sources and documents; returns what failed too."""
    analyze = studio.analyze == "eager"
    with Session(studio.settings) as session:
        actions = Actions(session)
        report = actions.ingest()
        problems = list(report["failed"])
        for workflow in loaded_workflows():
            if session.instance.get_dynamic_partitions(f"workflow.{workflow.name}"):
                actions.run_workflow(workflow.name)
        keys = session.instance.get_dynamic_partitions(str(KOMPOSITIONS.name))
        impossible = outstanding_plans(session.instance, actions.media, keys)[1]
        problems += failures(session.run([PLAN, VIDEO], [key for key in keys if key not in impossible]))
        if analyze:
            problems += actions.analyse().failed
        for job in jobs:
            try:
                run_job(actions, job)
            except MediaAssetsError as error:
                problems.append(f"{job.name}: {error}")
        return state_of(actions, analyze=analyze), problems


def differences(soaked: State, cold: State, allowed: Excused) -> Iterator[str]:
    """Where the two are not the same, in words; what is allowed to be left is passed over."""
    for name, keys in cold.partitions.items():
        spare = allowed.effects if name == EFFECTS.name else frozenset()
        yield from (f"{name}: no partition {key}" for key in keys - soaked.partitions[name])
        more = soaked.partitions[name] - keys - spare
        yield from (f"{name}: a partition too many: {key}" for key in more)
    kept = allowed.kompositions | allowed.effects
    mine = {k: v for k, v in soaked.versions.items() if k.split(" ", 1)[1] not in kept}
    theirs = {k: v for k, v in cold.versions.items() if k.split(" ", 1)[1] not in kept}
    yield from _unlike("materialized", mine, theirs)
    left = set(left_over(soaked, cold, allowed))
    yield from _unlike("file", {k: v for k, v in soaked.files.items() if k not in left}, cold.files)
    shared = {k: v for k, v in soaked.outputs.items() if k in cold.outputs}
    yield from _unlike("in the store", shared, cold.outputs)
    yield from _unlike("rejected", soaked.rejected, cold.rejected)


def left_over(soaked: State, cold: State, allowed: Excused) -> list[str]:
    """Files of what is no partition any more, or cannot be made now: they stay where they are."""
    return [path for path in soaked.files if path not in cold.files and _is_old(path, soaked, allowed)]


def _is_old(path: str, state: State, allowed: Excused) -> bool:
    """Whether a file is of what is gone or cannot be made; a file of anything current is not."""
    folder, name = Path(path).parts[1], Path(path).stem
    if folder in ("kompositions", "plans"):
        key = name if folder == "plans" else f"komp_{name}"
        return key not in state.partitions[str(KOMPOSITIONS.name)] or key in allowed.kompositions
    if folder == EFFECTS.name:
        return any(name.endswith(effect.rsplit("_", 1)[1][:8]) for effect in allowed.effects)
    if f"workflow.{folder}" in state.partitions:
        return f"src_{name.rsplit('_', 1)[0]}" not in state.partitions[f"workflow.{folder}"]
    return False


def _unlike(what: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(mine.keys() | theirs.keys()):
        if mine.get(key) != theirs.get(key):
            yield f"{what}: {key}: {mine.get(key, 'not there')}; cold: {theirs.get(key, 'not there')}"


def _hashed(root: Path, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(root).as_posix(), hash_file(path)


def not_current(actions: Actions, allowed: Excused, *, analyze: bool) -> list[str]:
    """Partitions that Dagster itself does not show as materialized."""
    ignored = () if analyze else _ON_DEMAND
    kept = allowed.kompositions | allowed.effects
    # What is made when somebody asks may be missing: nobody asked for the cut of a job's first step.
    wanted = (s for s in actions.session.status() if s.partition and s.asset not in ignored)
    return [
        f"{s.asset} {s.partition}: {s.status}"
        for s in wanted
        if s.status != "materialized"
        and s.partition not in kept
        and not (s.asset == EFFECT_OUTPUT.to_user_string() and s.status == "missing")
    ]
