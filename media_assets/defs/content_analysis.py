"""What is in each source, and a screenshot of each of its scenes: on demand, or as sources come in."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import dagster as dg

from media_assets import progress
from media_assets.analytics.chains import given_by
from media_assets.analytics.outcomes import log_done, log_failure, log_outcome
from media_assets.defs.analysis_reports import content_metadata, screenshots_metadata
from media_assets.defs.batches import sign_run
from media_assets.defs.partitions import SOURCES
from media_assets.defs.recording import Failures, place_of
from media_assets.defs.requesting import request_due
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE, ingested
from media_assets.defs.versions import Edge, described, inputs_of, out_of_date, record
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.ids import fingerprint
from media_assets.store.analyses import AnalysisStore
from media_assets.store.content import Content, content_of, is_kept
from media_assets.store.screenshots import (
    make_screenshots,
    publish_screenshots,
    sheet_of,
    waveform_of,
)
from media_assets.store.sources import SourceFacts

CONTENT = dg.AssetKey("content_analysis")
SCREENSHOTS = dg.AssetKey("screenshots")
CONTENT_VERSION = "1"
SCREENSHOTS_VERSION = "1"
CONTENT_EDGES = [Edge(SOURCE_FILE)]
SCREENSHOTS_EDGES = [Edge(CONTENT)]
_SECONDS = 15
_IDENTITY = dg.IdentityPartitionMapping()

T = TypeVar("T")


@dg.multi_asset(
    name="content_analysis",
    specs=[
        dg.AssetSpec(
            CONTENT,
            skippable=True,
            code_version=CONTENT_VERSION,
            group_name="sources",
            kinds={"json"},
            deps=[dg.AssetDep(SOURCE_FILE, partition_mapping=_IDENTITY)],
            description="What is seen and heard in a source: scenes, loudness, speech, beats. "
            "Data version: hash of all that was found.",
        ),
        dg.AssetSpec(
            SCREENSHOTS,
            skippable=True,
            code_version=SCREENSHOTS_VERSION,
            group_name="sources",
            kinds={"image"},
            deps=[dg.AssetDep(CONTENT, partition_mapping=_IDENTITY)],
            description="A picture of each scene, in output/screenshots/. Data version: hash of them all.",
        ),
    ],
    can_subset=True,
    partitions_def=SOURCES,
    backfill_policy=dg.BackfillPolicy.multi_run(100),
    pool="ffmpeg",
)
def content_analysis(
    context: dg.AssetExecutionContext, media: MediaResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Analyse first, then make screenshots: both in one step, since one that yields nothing has no next."""
    sign_run(context.instance, context.run_id)
    keys = list(context.partition_keys)
    failures = Failures(context)
    if CONTENT in context.selected_asset_keys:
        _analyse(context, media, keys, failures)
    if SCREENSHOTS in context.selected_asset_keys:
        failed = {key for key, _ in failures.found}
        _photograph(context, media, [key for key in keys if key not in failed], failures)
    failures.raise_if_any(len(keys))
    yield from ()  # what is yielded would give every partition of the run one version


@dg.sensor(
    name="content_analysis_sensor",
    asset_selection=dg.AssetSelection.assets(CONTENT, SCREENSHOTS),
    minimum_interval_seconds=_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="With MEDIA_ASSETS_ANALYZE=eager: requests analyses that are missing or stale.",
)
def content_analysis_sensor(
    context: dg.SensorEvaluationContext, media: MediaResource
) -> dg.SensorResult | dg.SkipReason:
    """Compare wanted with recorded versions, in bulk; nothing at all where nobody asked for it."""
    if media.settings.analyze != "eager":
        return dg.SkipReason("MEDIA_ASSETS_ANALYZE is manual: analyses are made when they are asked for")
    instance = context.instance
    order = instance.get_dynamic_partitions(str(SOURCES.name))
    wanted = outstanding_analyses(instance, order)
    return request_due(instance, [CONTENT, SCREENSHOTS], order, wanted, media.settings)


def outstanding_analyses(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[str, str]:
    """Sources whose analysis or screenshots are missing or stale, with the version they are wanted in."""
    pictures = out_of_date(instance, SCREENSHOTS, SCREENSHOTS_VERSION, SCREENSHOTS_EDGES, keys)
    return pictures | out_of_date(instance, CONTENT, CONTENT_VERSION, CONTENT_EDGES, keys)


def _analyse(
    context: dg.AssetExecutionContext, media: MediaResource, keys: Sequence[str], failures: Failures
) -> None:
    inputs = inputs_of(context.instance, CONTENT_EDGES, keys)
    analyses = AnalysisStore(media.settings)

    def one(key: str) -> tuple[SourceFacts, Content, float, bool]:
        started = time.monotonic()
        facts = ingested(media.sources, key, inputs[key])
        kept = is_kept(facts, analyses)
        content = content_of(facts, analyses)
        return facts, content, time.monotonic() - started, kept

    for key, (facts, content, seconds, kept) in _side_by_side(context, media, CONTENT, keys, one, failures):
        sheet = sheet_of(facts, content, media.store, media.settings)
        wave = waveform_of(facts, content, media.store, media.settings)
        place = place_of(context, media.settings, CONTENT, key)
        log_done(place, "content_analysis", cached=kept, seconds=seconds, **given_by(facts.info))
        record(
            context,
            described(
                CONTENT,
                key,
                data_version=content.version,
                code_version=CONTENT_VERSION,
                inputs=inputs[key],
                metadata=content_metadata(content, seconds, sheet, wave),
            ),
        )


def _photograph(
    context: dg.AssetExecutionContext, media: MediaResource, keys: Sequence[str], failures: Failures
) -> None:
    inputs = inputs_of(context.instance, SCREENSHOTS_EDGES, keys)
    analyses = AnalysisStore(media.settings)
    for at, key in enumerate(keys):
        progress.report("screenshots", at / len(keys))
        with failures.catching(key):
            facts = media.sources.unchanged(key)
            content = content_of(facts, analyses)
            known = inputs[key].get(CONTENT)
            if known is None or known.data_version != content.version:
                raise BadInput("it is not analysed yet as it is now", where=key, hint="analyse it again")
            made = make_screenshots(facts, content, media.store, media.settings)
            published = publish_screenshots(key, made, media.settings)
            for outcome in made.values():
                log_outcome(place_of(context, media.settings, SCREENSHOTS, key), outcome)
            hashes = {str(number): outcome.output.content_hash for number, outcome in made.items()}
            record(
                context,
                described(
                    SCREENSHOTS,
                    key,
                    data_version=fingerprint(hashes),
                    code_version=SCREENSHOTS_VERSION,
                    inputs=inputs[key],
                    metadata=screenshots_metadata(made, published),
                ),
            )


def _side_by_side(
    context: dg.AssetExecutionContext,
    media: MediaResource,
    asset: dg.AssetKey,
    keys: Sequence[str],
    work: Callable[[str], T],
    failures: Failures,
) -> Iterator[tuple[str, T]]:
    """Results of the keys that succeed, in order; what fails is logged, and the others go on."""

    def tried(key: str) -> T | MediaAssetsError:
        try:
            return work(key)
        except MediaAssetsError as error:
            return error

    with ThreadPoolExecutor(media.settings.workers) as pool:
        for index, (key, result) in enumerate(zip(keys, pool.map(tried, keys), strict=True)):
            progress.report("analyses", (index + 1) / len(keys))
            if isinstance(result, MediaAssetsError):
                place = place_of(context, media.settings, asset, key)
                log_failure(place, result, operation=context.op.name, output=key)
                failures.add(key, result)
            else:
                yield key, result
