"""Picks up new, changed and removed documents, and kompositions whose sources changed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import dagster as dg

from media_assets.defs.batches import fail_dead_runs
from media_assets.defs.kompositions import (
    PLAN,
    PLAN_VERSION,
    VIDEO,
    VIDEO_EDGES,
    VIDEO_VERSION,
)
from media_assets.defs.partitions import KOMPOSITIONS, set_partitions
from media_assets.defs.requesting import request_due, together
from media_assets.defs.resources import MediaResource
from media_assets.defs.versions import out_of_date, recorded
from media_assets.errors import MediaAssetsError
from media_assets.kompositions.attending import AnalysisMissing
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.document import load
from media_assets.kompositions.files import documents
from media_assets.store.plans import read_plan

_SECONDS = 5


@dg.sensor(
    name="komposition_sensor",
    asset_selection=dg.AssetSelection.assets(PLAN, VIDEO),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Plans and renders kompositions whose document or sources changed.",
)
def komposition_sensor(context: dg.SensorEvaluationContext, media: MediaResource) -> dg.SensorResult:
    """Compare each document's fingerprint with its recorded plan, and the video with the plan."""
    instance = context.instance
    fail_dead_runs(instance)
    sync_documents(instance, media)
    order = instance.get_dynamic_partitions(str(KOMPOSITIONS.name))
    plans, problems = outstanding_plans(instance, media, order)
    videos = out_of_date(instance, VIDEO, VIDEO_VERSION, VIDEO_EDGES, order)
    for key, problem in problems.items():
        context.log.warning(f"{key} cannot be rendered: {problem}")
    eager, planned = automated(videos, plans, problems, media)
    return together(
        request_due(instance, [VIDEO, PLAN], order, eager, media.settings),
        request_due(instance, [PLAN], order, planned, media.settings),
    )


def automated(
    videos: Mapping[str, str], plans: Mapping[str, str], problems: Mapping[str, str], media: MediaResource
) -> tuple[dict[str, str], dict[str, str]]:
    """What is rendered by itself, and what is only planned: a manual one shows as stale, and waits.

    A document says which it is; `MEDIA_ASSETS_KOMPOSITIONS` speaks for those that do not.
    """
    wanted = {key: version for key, version in {**videos, **plans}.items() if key not in problems}
    found = documents(media.settings.komposition_root) if wanted else {}
    manual = {key for key in wanted if key in found and _automation(found[key], media) == "manual"}
    eager = {key: version for key, version in wanted.items() if key not in manual}
    return eager, {key: version for key, version in plans.items() if key in manual}


def _derived_from(media: MediaResource, key: str) -> list[str] | None:
    """What the plan on disk says that a komposition is made from; None where there is none that says."""
    return (read_plan(media.settings, key) or {}).get("derived_from")


def _automation(document: Path, media: MediaResource) -> str:
    try:
        return load(document).automation or media.settings.kompositions
    except MediaAssetsError:
        return media.settings.kompositions  # changed just now: the next tick tells what is wrong with it


def sync_documents(instance: dg.DagsterInstance, media: MediaResource) -> None:
    """Make the partitions the documents there are."""
    found = documents(media.settings.komposition_root)
    set_partitions(instance, str(KOMPOSITIONS.name), list(found))


def outstanding_plans(
    instance: dg.DagsterInstance, media: MediaResource, keys: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Kompositions whose plan is not what their document and sources now give.

    Returns:
        {komposition: wanted fingerprint}, and {komposition: why it cannot be planned}.
    """
    last = recorded(instance, PLAN, keys)
    compiler = Compiler(media.settings, media.sources.facts, listens=False)
    wanted: dict[str, str] = {}
    problems: dict[str, str] = {}
    for key in keys:
        try:
            compiled = compiler.compile(key)
        except AnalysisMissing as error:
            # A tick is no time to listen to music: the run does that, and the next tick compares again.
            wanted[key] = str(error)
            continue
        except MediaAssetsError as error:
            problems[key] = str(error)
            continue
        have = last.get(key)
        if have is None or (have.data_version, have.code_version) != (compiled.fingerprint, PLAN_VERSION):
            wanted[key] = compiled.fingerprint
        elif (known := _derived_from(media, key)) is not None and known != compiled.derived_from:
            # The same content under other names: nothing to render, but what it is made from is told wrong.
            wanted[key] = " ".join([compiled.fingerprint, *compiled.derived_from])
    return wanted, problems
