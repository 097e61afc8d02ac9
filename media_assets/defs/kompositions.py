"""Kompositions: the plan of each document (its lock file) and the video rendered from it."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import dagster as dg

from media_assets import progress
from media_assets.defs.batches import sign_run
from media_assets.defs.partitions import KOMPOSITIONS
from media_assets.defs.recording import Failures, as_metadata, log_failure, log_outcome, output_metadata
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE
from media_assets.defs.versions import Edge, inputs_of, record
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.kompositions.document import load
from media_assets.kompositions.files import documents
from media_assets.kompositions.model import references
from media_assets.kompositions.plan import KompositionPlan, plan
from media_assets.kompositions.render import RenderedKomposition, Step, render
from media_assets.media import binaries
from media_assets.store.files import write_json
from media_assets.store.outputs import publish
from media_assets.store.sources import SourceFacts
from media_assets.store.thumbnails import preview_of

PLAN = dg.AssetKey("komposition_plan")
VIDEO = dg.AssetKey("komposition_video")
PLAN_VERSION = "1"
VIDEO_VERSION = "1"
VIDEO_EDGES = [Edge(PLAN)]


@dg.multi_asset(
    name="komposition",
    # Both in one step: a skippable output that is not yielded would skip a step that needs it.
    specs=[
        dg.AssetSpec(
            PLAN,
            skippable=True,
            code_version=PLAN_VERSION,
            group_name="kompositions",
            kinds={"json"},
            # Draws the edge; whether a plan is current is told by its fingerprint, exactly.
            deps=[dg.AssetDep(SOURCE_FILE, partition_mapping=dg.SpecificPartitionsPartitionMapping([]))],
            description="What a komposition compiles to. Data version: fingerprint of all it resolves to.",
        ),
        dg.AssetSpec(
            VIDEO,
            skippable=True,
            code_version=VIDEO_VERSION,
            group_name="kompositions",
            kinds={"ffmpeg"},
            deps=[dg.AssetDep(PLAN, partition_mapping=dg.IdentityPartitionMapping())],
            description="The video rendered from a plan. Data version: SHA-256 of the file.",
        ),
    ],
    partitions_def=KOMPOSITIONS,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.multi_run(20),
    pool="ffmpeg",
)
def komposition(
    context: dg.AssetExecutionContext, media: MediaResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Plan each document, then render it; its pieces are rendered side by side."""
    sign_run(context.instance, context.run_id)
    keys = list(context.partition_keys)
    failures = Failures(context)
    for key in keys:
        with failures.catching(key):
            compiled, sources = compile_document(key, media, media.sources.unchanged)
            if PLAN in context.selected_asset_keys:
                _record_plan(context, key, compiled, media)
            if VIDEO in context.selected_asset_keys:
                _record_video(context, key, compiled, sources, media)
    failures.raise_if_any(len(keys))
    yield from ()  # what is yielded would give every partition of the run one version


def compile_document(
    key: str, media: MediaResource, find: Callable[[str], SourceFacts]
) -> tuple[KompositionPlan, dict[str, SourceFacts]]:
    """The plan of a document as it is on disk, and the sources it resolves to, by reference.

    Args:
        key: its komposition id.
        media: where documents are.
        find: gives a source's record by its reference.

    Raises:
        DocumentError: the document does not hold; UnknownSource: a source is missing or was rejected.
    """
    found = documents(media.settings.komposition_root)
    if key not in found:
        raise BadInput("there is no such komposition", where=key, hint="its document is gone")
    document = load(found[key])
    sources = {reference: find(reference) for reference in references(document)}
    version = binaries.ffmpeg(media.settings).version
    return plan(document, sources, version, identifier=key), sources


def final_name(key: str) -> str:
    """The readable name of a komposition's video."""
    return f"{key.removeprefix('komp_')}.mp4"


def _record_plan(
    context: dg.AssetExecutionContext, key: str, compiled: KompositionPlan, media: MediaResource
) -> None:
    """Keep the plan as data/metadata/plans/<id>.json and log it."""
    write_json(media.settings.metadata_root / "plans" / f"{key}.json", compiled.to_json())
    record(
        context,
        PLAN,
        key,
        data_version=compiled.fingerprint,
        code_version=PLAN_VERSION,
        inputs={},
        metadata=_plan_metadata(compiled),
    )


def _record_video(
    context: dg.AssetExecutionContext,
    key: str,
    compiled: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    media: MediaResource,
) -> None:
    """Render, publish under a readable name, and log.

    Raises:
        BadInput: the plan on record is not what the document and its sources give now.
    """
    inputs = inputs_of(context.instance, VIDEO_EDGES, [key])[key]
    planned = inputs.get(PLAN)
    if planned is None or planned.data_version != compiled.fingerprint:
        raise BadInput(
            "the document or a source changed after it was planned",
            where=key,
            hint="materialize komposition_plan first",
        )
    rendered = _render(context, key, compiled, sources, media)
    final = rendered.final.output
    published = media.settings.output_root / "kompositions" / final_name(key)
    publish(final.path, published)
    record(
        context,
        VIDEO,
        key,
        data_version=final.content_hash,
        code_version=VIDEO_VERSION,
        inputs=inputs,
        metadata=_video_metadata(rendered, preview_of(final, media.store, media.settings), published),
    )


def _render(
    context: dg.AssetExecutionContext,
    key: str,
    compiled: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    media: MediaResource,
) -> RenderedKomposition:
    """Render, with one event for every piece, the sound and the whole."""

    def note(step: Step) -> None:
        where = {"asset": VIDEO, "partition": key, "run_id": context.run_id}
        if isinstance(step.result, MediaAssetsError):
            effect = f"{key}/{step.id}"
            log_failure(media.settings, step.result, operation=step.kind, effect=effect, **where)
        else:
            log_outcome(media.settings, step.result, **where)

    return render(
        compiled,
        sources,
        media.settings,
        media.store,
        on_outcome=note,
        on_progress=lambda fraction: progress.report(key, fraction),
    )


def _plan_metadata(compiled: KompositionPlan) -> dict[str, dg.MetadataValue]:
    rows = [
        f"| {p.piece.id} | {p.piece.first_frame} | {p.piece.frames} | {', '.join(p.sources)} |"
        for p in compiled.pieces
    ]
    table = "\n".join(["| piece | first frame | frames | sources |", "| --- | --- | --- | --- |", *rows])
    return as_metadata(
        {
            "duration": compiled.duration,
            "frames": compiled.frames,
            "resolution": f"{compiled.output.width}x{compiled.output.height}",
            "pieces": dg.MetadataValue.md(table),
            "derived_from": sorted(compiled.sources),
            "warnings": [f"{place}: {text}" for place, text in compiled.warnings] or None,
            "estimated_cpu_seconds": round(compiled.estimate, 1),
        }
    )


def _video_metadata(
    rendered: RenderedKomposition, preview: Path | None, published: Path
) -> dict[str, dg.MetadataValue]:
    rows = [*rendered.segments, *rendered.transitions]
    lines = [
        f"| {r.id} | {', '.join(r.effects)} | {'cached' if r.cached else 'rendered'} | {r.seconds:.2f} |"
        for r in rows
    ]
    head = ["| piece | effects | cached or rendered | seconds |", "| --- | --- | --- | --- |"]
    table = "\n".join([*head, *lines])
    # The final file's own time is that of the join; what counts is the whole rendering's.
    joined = output_metadata(rendered.final, preview, published)
    shown = {name: value for name, value in joined.items() if name not in ("render_seconds", "speed")}
    return shown | as_metadata(
        {
            "cached": rendered.ffmpeg_runs == 0,
            "seconds": round(rendered.seconds, 3),
            "render_seconds": round(rendered.seconds, 3) if rendered.ffmpeg_runs else None,
            "speed": f"{rendered.duration / rendered.seconds:.1f} x realtime"
            if rendered.ffmpeg_runs
            else None,
            "pieces": dg.MetadataValue.md(table),
            "result": dg.MetadataValue.json(rendered.to_json()),
            "loudness": None if rendered.loudness is None else f"{rendered.loudness:.1f} LUFS",
        }
    )
