"""Asset checks, per partition: sources intact, outputs as recorded, videos as planned, plans current.

They run when somebody asks (in the UI, or by `media-assets check`), not with every materialization.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationTargetMaterializationData,
)

from media_assets import progress
from media_assets.defs.batches import sign_run
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.defs.komposition_sensor import outstanding_plans
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.partitions import EFFECTS, KOMPOSITIONS, SOURCES
from media_assets.defs.recording import as_metadata, as_values
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.defs.tables import table
from media_assets.errors import MediaAssetsError
from media_assets.kompositions import health
from media_assets.store.files import read_json
from media_assets.store.intact import Verdict, output_intact, source_intact
from media_assets.store.layout import SIDECAR, output_folder
from media_assets.store.plans import read_plan


class CheckConfig(dg.Config):
    """How thorough checks are.

    Attributes:
        full: compare checksums and decode the ends of videos, which reads the files.
    """

    full: bool = False


@dataclass(frozen=True)
class Asked:
    """What the checks of one run share."""

    media: MediaResource
    instance: dg.DagsterInstance
    partitions: Sequence[str]
    full: bool

    @cached_property
    def plans(self) -> tuple[dict[str, str], dict[str, str]]:
        """Kompositions whose plan is old, and those that cannot be planned."""
        return outstanding_plans(self.instance, self.media, self.partitions)


@dataclass(frozen=True)
class Made:
    """The latest materialization of a partition: its metadata as plain values, and its record."""

    partition: str
    metadata: Mapping[str, Any]
    target: AssetCheckEvaluationTargetMaterializationData


Check = Callable[[Asked, Made], Verdict]


def plan_is_current(asked: Asked, made: Made) -> Verdict:
    """The document and its sources still give the plan that is on record."""
    old, impossible = asked.plans
    if made.partition in impossible:
        hint = "correct the document, or put its sources back"
        return Verdict(False, f"it cannot be planned: {impossible[made.partition]}", made.partition, hint)
    if made.partition in old:
        text = "the document or a source changed after it was planned"
        return Verdict(
            False, text, made.partition, "materialize komposition_plan, or run `media-assets ingest`"
        )
    return Verdict(True, "the document and its sources give this plan", made.partition)


def source_is_intact(asked: Asked, made: Made) -> Verdict:
    """The file can be read and is as it was ingested; with `full`, its SHA-256."""
    return source_intact(asked.media.sources, made.partition, full=asked.full)


def matches_sidecar(asked: Asked, made: Made) -> Verdict:
    """The output is there with the size that its sidecar says; with `full`, the SHA-256."""
    return output_intact(asked.media.settings, str(made.metadata.get("fingerprint", "")), full=asked.full)


def videos_match_sidecars(asked: Asked, made: Made) -> Verdict:
    """The video and its renditions are there as their sidecars say."""
    first = matches_sidecar(asked, made)
    if not first.passed or "renditions" not in made.metadata:
        return first
    return _of_videos(
        asked, made, lambda video: Verdict(True, first.message, first.where, "", first.details)
    )


def are_as_planned(asked: Asked, made: Made) -> Verdict:
    """Streams, size, frames and duration are those of the plan; with `full`, its end is decoded too."""
    settings, full = asked.media.settings, asked.full
    return _of_videos(
        asked, made, lambda video: health.as_planned(video.path, video.plan, settings, full=full)
    )


def are_on_target(asked: Asked, made: Made) -> Verdict:
    """The loudness is within one LU of the document's target."""
    settings = asked.media.settings
    return _of_videos(
        asked, made, lambda video: health.loudness_on_target(video.path, video.plan, settings)
    )


def are_seen_and_heard(asked: Asked, made: Made) -> Verdict:
    """The video is not all black, and not silent where it has something to hear."""
    settings = asked.media.settings
    return _of_videos(
        asked, made, lambda video: health.seen_and_heard(video.path, video.sha256, video.plan, settings)
    )


OF_SOURCES: Mapping[str, Check] = {"intact": source_is_intact}
OF_OUTPUTS: Mapping[str, Check] = {"matches_sidecar": matches_sidecar}
OF_PLANS: Mapping[str, Check] = {"current": plan_is_current}
OF_VIDEOS: Mapping[str, Check] = {
    "matches_sidecar": videos_match_sidecars,
    "as_planned": are_as_planned,
    "loudness_on_target": are_on_target,
    "seen_and_heard": are_seen_and_heard,
}


def checks_of(
    asset: dg.AssetKey, partitions: dg.PartitionsDefinition, checks: Mapping[str, Check]
) -> dg.AssetChecksDefinition:
    """Dagster's definition of the checks of one asset: any of them on any range of its partitions."""
    with warnings.catch_warnings():
        # Checks of partitions are new in Dagster, which says so at each of them.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        specs = [
            dg.AssetCheckSpec(name, asset=asset, partitions_def=partitions, description=check.__doc__)
            for name, check in checks.items()
        ]

    @dg.multi_asset_check(name=f"{'_'.join(asset.path)}_checks", specs=specs, can_subset=True)
    def run(
        context: dg.AssetCheckExecutionContext, config: CheckConfig, media: MediaResource
    ) -> Iterator[dg.AssetCheckResult]:
        """Evaluate each partition by itself; one that was never made has nothing to check."""
        step = context.op_execution_context
        sign_run(step.instance, step.run_id)
        whole = not step.has_partition_key_range
        keys = sorted(step.instance.get_materialized_partitions(asset)) if whole else step.partition_keys
        asked = Asked(media, step.instance, list(keys), config.full)
        chosen = {key.name for key in context.selected_asset_check_keys}
        found: dict[str, dict[str, Verdict]] = {name: {} for name in checks if name in chosen}
        for index, key in enumerate(keys):
            progress.report("checks", index / len(keys))
            made = _latest(step.instance, asset, key)
            if made is None:
                continue
            for name, verdicts in found.items():
                verdicts[key] = _verdict(checks[name], asked, made)
                evaluation = _evaluation(asset, name, made, verdicts[key])
                step.log_event(evaluation)  # type: ignore[arg-type] # its annotation leaves them out
        if whole:
            for name, verdicts in found.items():
                step.log_event(_summary(asset, name, verdicts))  # type: ignore[arg-type] # as above
        yield from ()  # what is yielded would count for all partitions at once

    return run


@dg.definitions
def checks() -> dg.Definitions:
    """The checks of all assets but those of workflows, which bring their own."""
    wanted = [
        (SOURCE_FILE, SOURCES, OF_SOURCES),
        (THUMBNAIL, SOURCES, OF_OUTPUTS),
        (EFFECT_OUTPUT, EFFECTS, OF_OUTPUTS),
        (PLAN, KOMPOSITIONS, OF_PLANS),
        (VIDEO, KOMPOSITIONS, OF_VIDEOS),
    ]
    return dg.Definitions(asset_checks=[checks_of(*one) for one in wanted])


@dataclass(frozen=True)
class _Video:
    """A video or rendition in the store, and its plan's JSON."""

    path: Path
    sha256: str
    plan: Mapping[str, Any]


def _of_videos(asked: Asked, made: Made, look: Callable[[_Video], Verdict]) -> Verdict:
    """The first failure among a video and its renditions, or what was found of the video."""
    settings = asked.media.settings
    plan = read_plan(settings, str(made.partition))
    again = "materialize komposition_plan and komposition_video"
    if plan is None:
        return Verdict(False, "its plan is not on record", made.partition, again)
    if plan["fingerprint"] != made.metadata.get("fingerprint"):
        return Verdict(False, "the video is of an older plan", made.partition, again)
    verdicts = []
    for one in (plan, *plan.get("renditions", {}).values()):
        found = output_intact(settings, one["fingerprint"], full=False)
        if found.passed:
            sidecar = read_json(output_folder(settings.store_root, one["fingerprint"]) / SIDECAR) or {}
            found = look(_Video(Path(found.where), str(sidecar.get("content_hash")), one))
        if not found.passed:
            return found
        verdicts.append(found)
    return verdicts[0]


def _verdict(check: Check, asked: Asked, made: Made) -> Verdict:
    try:
        return check(asked, made)
    except MediaAssetsError as error:
        return Verdict.of(error)


def _latest(instance: dg.DagsterInstance, asset: dg.AssetKey, partition: str) -> Made | None:
    """What is on record of a partition; None where it was never made."""
    wanted = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition])
    records = instance.fetch_materializations(wanted, limit=1).records
    if not records or records[0].asset_materialization is None:
        return None
    record = records[0]
    values = as_values(records[0].asset_materialization.metadata)
    target = AssetCheckEvaluationTargetMaterializationData(
        storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
    )
    return Made(partition, values, target)


def _summary(asset: dg.AssetKey, name: str, verdicts: Mapping[str, Verdict]) -> AssetCheckEvaluation:
    """The answer for all partitions, of a run that was started without naming any."""
    failed = {key: verdict for key, verdict in verdicts.items() if not verdict.passed}
    first = f"; first: {next(iter(failed.values())).text}" if failed else ""
    rows = [(key, verdict.where, verdict.message, verdict.hint) for key, verdict in failed.items()]
    listed = table(("partition", "where", "what is wrong", "what to do"), rows)
    return AssetCheckEvaluation(
        asset_key=asset,
        check_name=name,
        passed=not failed,
        description=f"{len(failed)} of {len(verdicts)} partitions failed{first}",
        metadata={"failed": listed} if failed else {},
    )


def _evaluation(asset: dg.AssetKey, name: str, made: Made, verdict: Verdict) -> AssetCheckEvaluation:
    shown = {"where": verdict.where, "what_to_do": verdict.hint, **verdict.details}
    return AssetCheckEvaluation(
        asset_key=asset,
        check_name=name,
        passed=verdict.passed,
        description=verdict.text,
        metadata=as_metadata(shown),
        target_materialization_data=made.target,
        partition=made.partition,
    )
