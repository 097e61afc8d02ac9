"""Sources: files people drop in, as partitions, and a thumbnail of each."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import dagster as dg

from media_assets import progress
from media_assets.analytics.chains import given_by
from media_assets.analytics.outcomes import log_done, log_failure, log_outcome
from media_assets.analytics.schema.common import size_category
from media_assets.defs.batches import sign_run
from media_assets.defs.journal import Place, mark_lost
from media_assets.defs.partitions import SOURCES
from media_assets.defs.recording import (
    Failures,
    as_metadata,
    output_metadata,
    place_of,
    source_metadata,
)
from media_assets.defs.records import Records
from media_assets.defs.resources import MediaResource
from media_assets.defs.versions import Edge, Seen, described, inputs_of
from media_assets.errors import BadInput, MediaAssetsError, UnsafePath
from media_assets.store.outputs import Outcome
from media_assets.store.scan import Found, look
from media_assets.store.screenshots import forget_screenshots
from media_assets.store.sources import Rejection, SourceCatalogue, SourceFacts
from media_assets.store.thumbnails import make_thumbnail

SOURCE_FILE = dg.AssetKey("source_file")
THUMBNAIL = dg.AssetKey("thumbnail")
SOURCE_VERSION = "1"
THUMBNAIL_VERSION = "1"
THUMBNAIL_EDGES = [Edge(SOURCE_FILE)]
_SCREENSHOTS = "screenshots"
# Errors of a file's place; all others are told by what is in it.
_NOT_OF_MEDIA = (BadInput.__name__, UnsafePath.__name__)


class IngestConfig(dg.Config):
    """Files to read: paths under the source root. Empty for those of the run's partitions."""

    paths: list[str] = []  # noqa: RUF012 - a Dagster config is a pydantic model: its defaults are copied


@dg.multi_asset(
    name="source_file",
    specs=[
        dg.AssetSpec(
            SOURCE_FILE,
            skippable=True,
            code_version=SOURCE_VERSION,
            group_name="sources",
            kinds={"file"},
            description="A media file under data/source. Data version: SHA-256 of its content.",
        )
    ],
    partitions_def=SOURCES,
    backfill_policy=dg.BackfillPolicy.multi_run(500),
)
def source_file(
    context: dg.AssetExecutionContext, config: IngestConfig, media: MediaResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Hash and probe files; a file that is not media is reported and is no partition."""
    sign_run(context.instance, context.run_id)
    files = _files(context, config, media.sources)
    with Records(context, set_name=str(SOURCES.name)) as records:
        for index, result in enumerate(media.sources.ingest(files)):
            progress.report("ingest", (index + 1) / len(files))
            if isinstance(result, Rejection):
                _reject(context, result, media)
            else:
                _accept(context, result, records, media)
    yield from ()  # what is yielded would give every partition of the run one version


@dg.multi_asset(
    name="thumbnail",
    specs=[
        dg.AssetSpec(
            THUMBNAIL,
            skippable=True,
            code_version=THUMBNAIL_VERSION,
            group_name="sources",
            kinds={"image"},
            deps=[dg.AssetDep(SOURCE_FILE, partition_mapping=dg.IdentityPartitionMapping())],
            description="A small picture of a source: a frame, the still itself, or a waveform.",
        )
    ],
    partitions_def=SOURCES,
    backfill_policy=dg.BackfillPolicy.multi_run(500),
    pool="ffmpeg",
)
def thumbnail(
    context: dg.AssetExecutionContext, media: MediaResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Make the pictures side by side."""
    sign_run(context.instance, context.run_id)
    keys = list(context.partition_keys)
    inputs = inputs_of(context.instance, THUMBNAIL_EDGES, keys)
    failures = Failures(context)

    def make(key: str) -> tuple[str, Outcome | MediaAssetsError]:
        try:
            return key, make_thumbnail(
                ingested(media.sources, key, inputs[key]), media.store, media.settings
            )
        except MediaAssetsError as error:
            return key, error

    with ThreadPoolExecutor(media.settings.workers) as pool, Records(context) as records:
        for index, (key, result) in enumerate(pool.map(make, keys)):
            progress.report("thumbnails", (index + 1) / len(keys))
            place = place_of(context, media.settings, THUMBNAIL, key)
            if isinstance(result, MediaAssetsError):
                log_failure(place, result, operation="thumbnail", output=key)
                failures.add(key, result)
                continue
            log_outcome(place, result)
            records.add(
                described(
                    THUMBNAIL,
                    key,
                    data_version=result.output.content_hash,
                    code_version=THUMBNAIL_VERSION,
                    inputs=inputs[key],
                    metadata=output_metadata(result, result.output.path),
                )
            )
    failures.raise_if_any(len(keys))
    yield from ()  # what is yielded would give every partition of the run one version


def ingested(catalogue: SourceCatalogue, key: str, inputs: dict[dg.AssetKey, Seen]) -> SourceFacts:
    """The record of a source, held against the file and against what Dagster knows of it.

    Raises:
        BadInput: the file changed after it was ingested; UnknownSource: it is gone.
    """
    facts = catalogue.unchanged(key)
    known = inputs.get(SOURCE_FILE)
    if known is None or known.data_version != facts.sha256:
        raise BadInput("its latest content is not ingested yet", where=facts.relative, hint="ingest again")
    return facts


def source_record(facts: SourceFacts) -> dg.AssetMaterialization:
    """The record of a source that was read."""
    return described(
        SOURCE_FILE,
        facts.id,
        data_version=facts.sha256,
        code_version=SOURCE_VERSION,
        inputs={},
        metadata=source_metadata(facts.relative, facts.sha256, facts.info),
    )


def forget_sources(instance: dg.DagsterInstance, catalogue: SourceCatalogue, ids: Sequence[str]) -> None:
    """Remove sources whose files are gone, from the catalogue and from the partitions.

    Their published screenshots go too, and count as lost: a source that comes back
    has them published again.
    """
    gone: dict[Place, str] = {(_SCREENSHOTS, identifier): "its source was gone" for identifier in ids}
    mark_lost(instance, catalogue.settings, gone)
    present = set(instance.get_dynamic_partitions(str(SOURCES.name)))
    for identifier in ids:
        if identifier in present:
            instance.delete_dynamic_partition(str(SOURCES.name), identifier)
    catalogue.forget(ids)
    forget_screenshots(ids, catalogue.settings)


def _files(
    context: dg.AssetExecutionContext, config: IngestConfig, catalogue: SourceCatalogue
) -> list[Found]:
    if config.paths or not context.has_partition_key_range:
        paths = config.paths
    else:
        paths = [catalogue.facts(key).relative for key in context.partition_keys]
    found = (look(catalogue.root, path) for path in paths)
    return [file for file in found if file is not None]


def _accept(
    context: dg.AssetExecutionContext, facts: SourceFacts, records: Records, media: MediaResource
) -> None:
    records.add(source_record(facts))
    place = place_of(records.context, media.settings, SOURCE_FILE, facts.id)
    log_done(place, "ingest", seconds=facts.seconds, bytes_read=facts.info.size, **given_by(facts.info))


def _reject(context: dg.AssetExecutionContext, rejection: Rejection, media: MediaResource) -> None:
    if context.instance.has_dynamic_partition(str(SOURCES.name), rejection.id):
        context.instance.delete_dynamic_partition(str(SOURCES.name), rejection.id)
    shown = rejection.to_json()
    context.log.warning(f"{shown['path']}: {rejection.error}: {rejection.message}")
    context.log_event(
        dg.AssetObservation(
            SOURCE_FILE,
            description=f"{shown['path']} was rejected: {rejection.message}",
            metadata=as_metadata(
                {"rejected": shown["path"], "error": rejection.error, "why": rejection.message}
            ),
        )
    )
    place = place_of(context, media.settings, SOURCE_FILE, rejection.id)
    given = {"size_category": size_category(rejection.stat.size)}
    stage = "ingest" if rejection.error in _NOT_OF_MEDIA else "probe"
    log_failure(place, rejection.error, operation="ingest", output=rejection.id, stage=stage, given=given)
