"""Kompositions: the plan of each document (its lock file) and the video rendered from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from media_assets.defs.batches import sign_run_of_steps
from media_assets.defs.effect_recipes import EFFECT_RECIPE
from media_assets.defs.komposition_reports import Told, plan_metadata, video_metadata
from media_assets.defs.partitions import KOMPOSITIONS
from media_assets.defs.recording import Failures
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE
from media_assets.defs.versions import Edge, described, inputs_of, record
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.kompositions import versions
from media_assets.kompositions.chunks import Chunk, chunks
from media_assets.kompositions.compiling import Compiled, Compiler, together
from media_assets.kompositions.files import video_path
from media_assets.kompositions.guarding import GuardedStore
from media_assets.kompositions.nesting import as_made, make_all
from media_assets.kompositions.plan import KompositionPlan
from media_assets.kompositions.render import RenderedKomposition, render, render_parts
from media_assets.progress import Pace
from media_assets.store.files import write_json
from media_assets.store.outputs import publish
from media_assets.store.plans import plan_path
from media_assets.store.thumbnails import preview_of

PLAN = dg.AssetKey("komposition_plan")
VIDEO = dg.AssetKey("komposition_video")
PLAN_VERSION = "1"
VIDEO_VERSION = "1"
VIDEO_EDGES = [Edge(PLAN)]
# Whether a plan is current is told by its fingerprint, exactly: these only draw the edges.
_DRAWN = dg.SpecificPartitionsPartitionMapping([])


@dataclass(frozen=True)
class Unfinished:
    """What the first step leaves to the last: long kompositions, and (partition, why) of failures."""

    kompositions: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dg.op(
    pool="ffmpeg",
    ins={"source_file": dg.In(dg.Nothing), "effect_recipe": dg.In(dg.Nothing)},
    out={
        "plan": dg.Out(dg.Nothing, is_required=False),
        "chunk": dg.DynamicOut(Chunk, is_required=False),
        "unfinished": dg.Out(Unfinished, is_required=False),
    },
    description="Plans each document, and renders those that are short; a long one is cut into chunks.",
)
def plan_and_render(
    context: dg.AssetExecutionContext, media: MediaResource
) -> Iterator[dg.Output[Unfinished] | dg.DynamicOutput[Chunk]]:
    """What fails is kept until the last step where there is one: long kompositions go on meanwhile."""
    sign_run_of_steps(context)
    keys = list(context.partition_keys)
    failures = Failures(context)
    compiler = Compiler(media.settings, media.sources.unchanged)
    long: list[str] = []
    for key in keys:
        with failures.catching(key):
            version = versions.keep(compiler.document(key), key, media.settings).number
            compiled = compiler.compile(key)
            if PLAN in context.selected_asset_keys:
                _record_plan(context, key, compiled, version, media)
            if VIDEO not in context.selected_asset_keys:
                continue
            found = chunks(key, compiled.plans, media.store, media.settings.chunk_cpu_seconds)
            if found:
                make_all(compiled.nested, media.settings, media.store, told=_told(context, key, media))
                long.append(key)
                for chunk in found:
                    yield dg.DynamicOutput(chunk, f"{key}_{chunk.number}", "chunk")
            else:
                _record_video(context, key, compiled, version, media)
    if long:
        yield dg.Output(Unfinished(tuple(long), tuple(failures.found)), "unfinished")
    else:
        failures.raise_if_any(len(keys))


@dg.op(
    pool="ffmpeg",
    # A worker that dies is replaced once; what it had finished is in the store.
    retry_policy=dg.RetryPolicy(max_retries=1),
    out=dg.Out(dict),
    description="Renders some pieces of a long komposition; any worker that sees the store can.",
)
def render_chunk(
    context: dg.AssetExecutionContext, media: MediaResource, chunk: Chunk
) -> dict[str, str | None]:
    """A piece that fails is no failure yet: the last step tries again what is missing."""
    key = chunk.komposition
    try:
        compiled = Compiler(media.settings, media.sources.unchanged).compile(key)
        plan = compiled.plans.get(chunk.rendition)
        if plan is None or plan.fingerprint != chunk.fingerprint:
            raise BadInput("the document or a source changed after it was planned", where=key)
        told = _told(context, key, media)
        store = _guarded(media)
        render_parts(
            plan,
            as_made(compiled.sources, media.settings, store),
            media.settings,
            store,
            chunk.parts,
            on_outcome=told,
            on_progress=told.progress,
        )
    except MediaAssetsError as error:
        context.log.warning(f"{key}, chunk {chunk.number}: {error.code}: {error}")
        return {"failed": str(error)}
    return {"failed": None}


@dg.op(
    pool="ffmpeg",
    out={"video": dg.Out(dg.Nothing, is_required=False)},
    description="Joins what the chunks made, and renders what is missing still.",
)
def finish(
    context: dg.AssetExecutionContext,
    media: MediaResource,
    unfinished: Unfinished,
    rendered: list[dict[str, str | None]],
) -> Iterator[dg.Output[None]]:
    """The last step of long kompositions; it does not run where there are none."""
    failures = Failures(context)
    compiler = Compiler(media.settings, media.sources.unchanged)
    for key in unfinished.kompositions:
        with failures.catching(key):
            version = versions.keep(compiler.document(key), key, media.settings).number
            _record_video(context, key, compiler.compile(key), version, media)
    failures.take_over(unfinished.failed)
    failures.raise_if_any(len(context.partition_keys))
    yield from ()  # what is yielded would give every partition of the run one version


@dg.graph(
    ins={"source_file": dg.GraphIn(), "effect_recipe": dg.GraphIn()},
    out={"plan": dg.GraphOut(), "video": dg.GraphOut()},
)
def komposition(source_file, effect_recipe):  # type: ignore[no-untyped-def]
    """A short komposition is one step; a long one is spread over workers."""
    plan, chunk, unfinished = plan_and_render(source_file=source_file, effect_recipe=effect_recipe)
    return {"plan": plan, "video": finish(unfinished, chunk.map(render_chunk).collect())}


@dg.definitions
def assets() -> dg.Definitions:
    """Both assets of one graph: a skippable output that is not yielded would skip a step that needs it."""
    plan = dg.AssetSpec(
        PLAN,
        partitions_def=KOMPOSITIONS,
        code_version=PLAN_VERSION,
        group_name="kompositions",
        kinds={"json"},
        deps=[dg.AssetDep(key, partition_mapping=_DRAWN) for key in (SOURCE_FILE, EFFECT_RECIPE)],
        description="What a komposition compiles to. Data version: fingerprint of all it resolves to.",
    )
    video = dg.AssetSpec(
        VIDEO,
        partitions_def=KOMPOSITIONS,
        code_version=VIDEO_VERSION,
        group_name="kompositions",
        kinds={"ffmpeg"},
        deps=[dg.AssetDep(PLAN, partition_mapping=dg.IdentityPartitionMapping())],
        description="The video rendered from a plan, and its renditions. Data version: hash of the files.",
    )
    both = dg.AssetsDefinition(
        node_def=komposition,
        keys_by_input_name={"source_file": SOURCE_FILE, "effect_recipe": EFFECT_RECIPE},
        keys_by_output_name={"plan": PLAN, "video": VIDEO},
        specs=[plan, video],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.multi_run(20),
    )
    return dg.Definitions(assets=[both])


def _guarded(media: MediaResource) -> GuardedStore:
    return GuardedStore(media.settings, media.sources.unchanged)


def _told(context: dg.AssetExecutionContext, key: str, media: MediaResource) -> Told:
    return Told(context, VIDEO, key, media.settings)


def _record_plan(
    context: dg.AssetExecutionContext, key: str, compiled: Compiled, version: int, media: MediaResource
) -> None:
    """Keep the plan as data/metadata/plans/<id>.json and log it."""
    write_json(plan_path(media.settings, key), compiled.to_json())
    record(
        context,
        described(
            PLAN,
            key,
            data_version=compiled.fingerprint,
            code_version=PLAN_VERSION,
            inputs={},
            metadata=plan_metadata(compiled, version),
        ),
    )


def _record_video(
    context: dg.AssetExecutionContext, key: str, compiled: Compiled, version: int, media: MediaResource
) -> None:
    """Render, publish under readable names, and log.

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
    made = _rendered(context, key, compiled, media)
    hashes = {name: one.final.output.content_hash for name, one in made.items()}
    published = {name: video_path(key, name, media.settings) for name in made}
    for name, one in made.items():
        publish(one.final.output.path, published[name])
    preview = preview_of(made[""].final.output, media.store, media.settings)
    record(
        context,
        described(
            VIDEO,
            key,
            data_version=together(hashes.pop(""), hashes),
            code_version=VIDEO_VERSION,
            inputs=inputs,
            metadata=video_metadata(compiled, made, published, preview, version),
        ),
    )


def _rendered(
    context: dg.AssetExecutionContext, key: str, compiled: Compiled, media: MediaResource
) -> dict[str, RenderedKomposition]:
    """The video and its renditions, with one event for every piece, the sound and the whole."""
    told, store, settings = _told(context, key, media), _guarded(media), media.settings
    plans: Sequence[tuple[str, KompositionPlan]] = list(compiled.plans.items())
    frames = sum(plan.frames for _, plan in plans)
    told.pace = Pace(key, sum(plan.duration for _, plan in plans))
    sources = compiled.sources
    # Of what is finished, nothing is looked at that it was made from.
    if any(store.get(plan.fingerprint) is None for _, plan in plans):
        make_all(compiled.nested, settings, store, told=told)
        sources = as_made(sources, settings, store)
    made: dict[str, RenderedKomposition] = {}
    before = 0
    for name, plan in plans:
        part = told.share(before / frames, plan.frames / frames)
        made[name] = render(plan, sources, settings, store, on_outcome=told, on_progress=part)
        before += plan.frames
    return made
