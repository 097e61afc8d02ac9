"""Effects that are asked for one by one: each output is made from its recipe, alone or with others."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import dagster as dg

from media_assets import progress
from media_assets.analytics.outcomes import log_failure, log_result
from media_assets.defs.batches import sign_run
from media_assets.defs.effect_recipes import EFFECT_RECIPE, Planned, observations, observe, planned_effect
from media_assets.defs.partitions import EFFECTS
from media_assets.defs.recording import Failures, as_metadata, output_metadata, place_of
from media_assets.defs.resources import MediaResource
from media_assets.defs.versions import Seen, described, record
from media_assets.errors import BadInput, Cancelled, DiskFull, MediaAssetsError, TimeLimitExceeded
from media_assets.media.hardware import encoders
from media_assets.planning.effects import made_from, merged
from media_assets.planning.execute import NodeResult, execute
from media_assets.planning.plan import Plan
from media_assets.planning.progress import JobProgress
from media_assets.store.outputs import Output, publish
from media_assets.store.thumbnails import preview_of

EFFECT_OUTPUT = dg.AssetKey("effect_output")
EFFECT_VERSION = "1"
# Outputs that one command may be asked for: each is an encoder with its memory.
_TOGETHER = 16


class EffectConfig(dg.Config):
    """What a run may be told beside its partitions.

    Attributes:
        effects: ids of the effects to make, where they are not a range of partitions.
        timeout: seconds for all of them.
        max_output_size: bytes that no output may exceed.
    """

    effects: list[str] = []  # noqa: RUF012 - a Dagster config is a pydantic model: its defaults are copied
    timeout: float | None = None
    max_output_size: int | None = None


@dg.multi_asset(
    name="effect_output",
    specs=[
        dg.AssetSpec(
            EFFECT_OUTPUT,
            skippable=True,
            code_version=EFFECT_VERSION,
            group_name="effects",
            kinds={"ffmpeg"},
            deps=[dg.AssetDep(EFFECT_RECIPE, partition_mapping=dg.IdentityPartitionMapping())],
            description="The file that a recipe gives. Data version: SHA-256 of the file.",
        )
    ],
    partitions_def=EFFECTS,
    backfill_policy=dg.BackfillPolicy.multi_run(100),
    pool="ffmpeg",
)
def effect_output(
    context: dg.AssetExecutionContext, config: EffectConfig, media: MediaResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Plan each recipe, make those that share sources from one decode, record each by itself."""
    sign_run(context.instance, context.run_id)
    keys = list(dict.fromkeys(config.effects)) or list(context.partition_keys)
    failures, errors = Failures(context), dict[str, MediaAssetsError]()
    machine = encoders(media.settings)
    planned: dict[str, Planned] = {}
    for key in keys:
        try:
            planned[key] = planned_effect(media, key, machine, unchanged=True)
        except MediaAssetsError as error:
            errors[key] = error
            place = place_of(context, media.settings, EFFECT_OUTPUT, key)
            log_failure(place, error, operation=_operation(key), output=key, stage="plan")
    observe(context.instance, planned, machine.version)
    inputs = observations(context.instance, planned)
    told: set[str] = set()
    for key, result in _rendered(planned, config, media).items():
        place = place_of(context, media.settings, EFFECT_OUTPUT, key)
        plan, node = planned[key].plan, planned[key].node
        log_result(place, plan, replace(result, node=node), wanted=planned, told=told)
        if result.outcome is None:
            errors[key] = result.error or BadInput("it was not made", where=key)
            continue
        too_large = _too_large(result.outcome.output, config.max_output_size)
        if too_large is not None:
            errors[key] = too_large
            continue
        _record(context, planned[key], result, inputs[key], media, machine.version)
    for key, problem in errors.items():
        failures.add(key, problem)
    _raise_if_any(failures, errors, len(keys))
    yield from ()  # what is yielded would give every partition of the run one version


def _operation(effect: str) -> str:
    """The operation that an effect's id names."""
    return effect.removeprefix("effect_")[: -len("_0123456789abcdef")] or "unknown"


def _rendered(
    planned: Mapping[str, Planned], config: EffectConfig, media: MediaResource
) -> dict[str, NodeResult]:
    """A result for each effect; those of one failed command are tried again one by one."""
    results: dict[str, NodeResult] = {}
    keys = list(planned)
    chunks = [keys[start : start + _TOGETHER] for start in range(0, len(keys), _TOGETHER)]
    with _Rendering(media, config.timeout) as rendering:
        for index, chunk in enumerate(chunks):
            plan = merged([planned[key].plan for key in chunk])
            listener = _told(index, len(chunks))
            made = rendering.make(plan, chunk, listener)
            for result in _to_try_alone(made):
                (again,) = rendering.make(plan, [result.node.name], listener)
                made = [again if old.node.name == result.node.name else old for old in made]
            results |= {result.node.name: result for result in made}
    return results


class _Rendering:
    """Runs plans on a thread, so that an interrupt of this one ends their commands."""

    def __init__(self, media: MediaResource, timeout: float | None) -> None:
        self._media = media
        self._cancel = threading.Event()
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> "_Rendering":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._cancel.set()
        self._pool.shutdown()

    def make(
        self, plan: Plan, names: Sequence[str], listener: Callable[[JobProgress], None]
    ) -> list[NodeResult]:
        """One result for each name."""
        left = None if self._deadline is None else max(0.001, self._deadline - time.monotonic())
        settings = self._media.settings
        work = self._pool.submit(
            execute,
            plan,
            names,
            self._media.store,
            settings,
            workers=settings.workers,
            on_progress=listener,
            cancel=self._cancel,
            timeout=left,
        )
        return work.result()


def _to_try_alone(results: Sequence[NodeResult]) -> list[NodeResult]:
    """Results whose error may be that of another output of the same command."""
    found = []
    for result in results:
        if isinstance(result.error, Cancelled | TimeLimitExceeded | DiskFull | None):
            continue
        if sum(other.error is result.error for other in results) > 1:
            found.append(result)
    return found


def _told(index: int, count: int) -> Callable[[JobProgress], None]:
    """Tells whoever listens how far all is, from how far chunk `index` is."""

    def tell(now: JobProgress) -> None:
        words = ""
        if now.seconds_left is not None and now.fraction < 1:
            words = f"{now.frames_per_second:.0f} frames/s, {now.seconds_left:.0f} s left"
        progress.report("effects", (index + now.fraction) / count, words)

    return tell


def _too_large(output: Output, most: int | None) -> BadInput | None:
    size = output.made.properties.size
    if most is None or size <= most:
        return None
    return BadInput(
        f"the output has {size} bytes; the most is {most}",
        hint="raise limits.max_output_size, or make it smaller",
    )


def _record(
    context: dg.AssetExecutionContext,
    effect: Planned,
    result: NodeResult,
    seen: Seen,
    media: MediaResource,
    ffmpeg: str,
) -> None:
    """Publish one output under a readable name and log it."""
    if result.outcome is None:
        return
    # What is found in the store may be that of another source with the same content: its name is not ours.
    output, mine = result.outcome.output, effect.node.recipe
    published = media.settings.output_root / "effects" / mine.file_name
    publish(output.path, published)
    preview = preview_of(output, media.store, media.settings)
    origin = dg.MetadataValue.json(made_from(effect.plan, effect.node.name, ffmpeg))
    record(
        context,
        described(
            EFFECT_OUTPUT,
            effect.recipe.id,
            data_version=output.content_hash,
            code_version=EFFECT_VERSION,
            inputs={EFFECT_RECIPE: seen},
            metadata=output_metadata(result.outcome, preview, published)
            | as_metadata(
                {
                    "effect": mine.id,
                    "derived_from": dg.MetadataValue.json(list(mine.derived_from)),
                    "ffmpeg_runs": result.outcome.ffmpeg_runs,
                    "note": effect.node.note,
                    "made_from": origin,
                }
            ),
        ),
    )


def _raise_if_any(failures: Failures, errors: Mapping[str, MediaAssetsError], total: int) -> None:
    """As `Failures.raise_if_any`, with each error as data for whoever asked for the run."""
    try:
        failures.raise_if_any(total)
    except dg.Failure as failure:
        found = {key: error_json(error) for key, error in errors.items()}
        raise dg.Failure(
            failure.description,
            metadata={**failure.metadata, "errors": dg.MetadataValue.json(found)},
            allow_retries=False,
        ) from None


def error_json(error: MediaAssetsError) -> dict[str, Any]:
    """An error as commands print it."""
    return {"error": error.code, "message": error.message, "where": error.where, "hint": error.hint}
