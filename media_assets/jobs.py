"""Runs a job: what its document asks for, made as effects by Dagster and put where it should go."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from media_assets.actions import Actions, RunFailed
from media_assets.analytics.outcomes import Place, Tally, log_error, log_whole
from media_assets.defs.effect_recipes import register
from media_assets.defs.effects import EFFECT_OUTPUT, error_json
from media_assets.defs.partitions import EFFECTS
from media_assets.defs.recording import as_values
from media_assets.errors import BadInput, DocumentError, MediaAssetsError, TimeLimitExceeded
from media_assets.job_plans import planned
from media_assets.planning.delivery import check_destinations
from media_assets.planning.estimates import disk_bytes
from media_assets.planning.jobspec import Job, open_job
from media_assets.planning.plan import Plan
from media_assets.planning.sourcing import facts, references
from media_assets.session import failures
from media_assets.store.destinations import deliver
from media_assets.store.space import check_render

_PRIORITY_TAG = "dagster/priority"
_USUAL_PRIORITY = 5
_INTERRUPTED = "DagsterExecutionInterruptedError"


@dataclass(frozen=True)
class JobOutput:
    """What became of one wanted output.

    Attributes:
        id: as the document calls it; effect: its effect's id.
        status: `rendered`, `cached` or `failed`.
        path: the file under `output/effects/`; destination: the path or URL that it was put at.
        seconds: that it took; duration: of the media; size: in bytes.
        error: code, message, where and hint of what stopped it; its node, and the files it is made from.
    """

    id: str
    effect: str
    operation: str
    status: str
    path: str | None = None
    destination: str | None = None
    duration: float | None = None
    size: int | None = None
    seconds: float | None = None
    ffmpeg_runs: int = 0
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class JobReport:
    """What became of a job; `effects` are all it names, made or not, by node."""

    outputs: tuple[JobOutput, ...]
    effects: Mapping[str, str]
    notes: Mapping[str, str]
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether any output is missing."""
        return any(output.status == "failed" for output in self.outputs)

    def to_json(self) -> dict[str, Any]:
        """The report that `run --json` prints."""
        return {
            "outputs": [asdict(output) for output in self.outputs],
            "effects": dict(self.effects),
            "notes": dict(self.notes),
            "ffmpeg_runs": sum(output.ffmpeg_runs for output in self.outputs),
            "failed": self.failed,
            "seconds": round(self.seconds, 3),
        }


def run_job(
    actions: Actions, path: Path, *, only: Sequence[str] = (), timeout: float | None = None
) -> JobReport:
    """Make and deliver the outputs of a JobSpec.

    Args:
        only: ids of outputs to make; all without.
        timeout: seconds; the document's holds too.

    Returns:
        What became of each output. One that fails does not stop the others.

    Raises:
        DocumentError: the document, its sources, destinations, limits or graph do not hold; nothing
            was rendered. FetchFailed, TimeLimitExceeded: a source could not be fetched.
        DiskFull: there is no room for it, or for what it makes; nothing was rendered.
        RunFailed: the run broke off. KeyboardInterrupt: it was interrupted.
    """
    try:
        return _run_job(actions, path, only, timeout)
    except MediaAssetsError as error:
        # What failed in a run has its event already.
        if not isinstance(error, RunFailed) and actions.settings.event_root.exists():
            stage = "document" if isinstance(error, DocumentError) else "plan"
            log_error(Place(actions.settings, None, path.name), stage, error)
        raise


def _run_job(actions: Actions, path: Path, only: Sequence[str], timeout: float | None) -> JobReport:
    started = time.monotonic()
    job = open_job(path)
    wanted = _chosen(job, only)
    check_destinations(job, actions.settings)
    limits = [seconds for seconds in (timeout, job.spec.timeout) if seconds is not None]
    deadline = started + min(limits) if limits else None
    named = references(job, actions.settings)
    actions.ingest()
    plan = planned(job, facts(job, named, actions.media.sources), actions.settings)
    nodes = list(dict.fromkeys(wanted.values()))
    _check_room(actions, plan, nodes)
    effects = register(actions.session.instance, actions.media, plan, nodes)
    made, errors = _materialized(actions, job, [effects[node] for node in nodes], deadline)
    outputs = []
    for identifier, node in wanted.items():
        effect = effects[node]
        operation = plan.nodes[node].operation.name
        if effect in made:
            outputs.append(_delivered(actions, job, identifier, effect, operation, made[effect]))
        else:
            error = _in_words_of(errors.get(effect), effects) | {"node": node, "files": _files(plan, node)}
            outputs.append(JobOutput(identifier, effect, operation, "failed", error=error))
    notes = {name: node.note for name, node in plan.nodes.items() if node.note}
    _log(actions, path, plan, outputs, wanted, time.monotonic() - started)
    return JobReport(tuple(outputs), effects, notes, time.monotonic() - started)


def _log(
    actions: Actions,
    path: Path,
    plan: Plan,
    outputs: Sequence[JobOutput],
    wanted: Mapping[str, str],
    seconds: float,
) -> None:
    """Append the event of the whole job."""
    tally = Tally()
    for output in outputs:
        made = actions.media.store.get(plan.nodes[wanted[output.id]].recipe.fingerprint)
        tally.rendered += output.status == "rendered"
        tally.cached += output.status == "cached"
        tally.failed += output.status == "failed"
        if output.error is not None:
            tally.error = tally.error or str(output.error.get("error", "MediaAssetsError"))
        if made is not None and output.status == "rendered":
            tally.cpu_seconds += made.made.cpu_seconds
            tally.bytes_written += made.made.properties.size
    log_whole(Place(actions.settings, None, path.name), "job", tally, seconds)


def _check_room(actions: Actions, plan: Plan, nodes: Sequence[str]) -> None:
    """See that all that is to be rendered may fit together.

    Raises:
        DiskFull: it cannot.
    """
    store = actions.media.store
    missing = [plan.nodes[name] for name in nodes if not store.has(plan.nodes[name].recipe.fingerprint)]
    if missing:
        check_render(disk_bytes(missing), actions.settings, where=", ".join(node.name for node in missing))


def _chosen(job: Job, only: Sequence[str]) -> dict[str, str]:
    """The wanted outputs and their nodes; with `only`, those of these ids."""
    unknown = [name for name in only if name not in job.wanted]
    if unknown:
        raise BadInput(
            f"the job has no output {unknown[0]!r}", hint="its outputs are " + ", ".join(job.wanted)
        )
    return {name: node for name, node in job.wanted.items() if not only or name in only}


def _materialized(
    actions: Actions, job: Job, effects: Sequence[str], deadline: float | None
) -> tuple[dict[str, dict[str, Any]], dict[str, Mapping[str, Any]]]:
    """Make effects in one run; the metadata of each that was made, and the error of each that was not."""
    session = actions.session
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise TimeLimitExceeded("the job's time is over", hint="raise its timeout, or split it")
    config: dict[str, Any] = {"effects": list(effects)}
    if left is not None:
        config["timeout"] = left
    if job.spec.limits.max_output_size is not None:
        config["max_output_size"] = job.spec.limits.max_output_size
    results = session.run(
        [EFFECT_OUTPUT],
        _range_of(effects, session.instance.get_dynamic_partitions(str(EFFECTS.name))),
        {"ops": {"effect_output": {"config": config}}},
        {_PRIORITY_TAG: str(job.spec.priority - _USUAL_PRIORITY)},
    )
    made: dict[str, dict[str, Any]] = {}
    errors: dict[str, Mapping[str, Any]] = {}
    for result in results:
        # From the log: among its events, a step that failed has not what it recorded before.
        for entry in session.instance.all_logs(result.run_id, dg.DagsterEventType.ASSET_MATERIALIZATION):
            found = entry.asset_materialization
            if found is not None:
                made[str(found.partition)] = as_values(found.metadata)
        for event in result.all_events:
            errors |= _errors_in(event) if event.is_step_failure else {}
    missing = [effect for effect in effects if effect not in made and effect not in errors]
    if missing:
        raise RunFailed("\n".join(failures(results)) or "the run broke off", where=", ".join(missing))
    return made, errors


def _range_of(effects: Sequence[str], order: Sequence[str]) -> list[str]:
    """The partitions that the run shows: all effects if they are neighbours, else the first.

    A run with inputs must have a range; what it makes is in its config.
    """
    places = sorted(order.index(effect) for effect in effects)
    return list(effects if places[-1] - places[0] == len(places) - 1 else effects[:1])


def _errors_in(event: dg.DagsterEvent) -> Mapping[str, Mapping[str, Any]]:
    failure = event.step_failure_data
    if failure.error is not None and failure.error.cls_name == _INTERRUPTED:
        raise KeyboardInterrupt
    metadata = failure.user_failure_data.metadata if failure.user_failure_data else {}
    found: Any = metadata["errors"].value if "errors" in metadata else {}
    return dict(found)


def _delivered(
    actions: Actions, job: Job, identifier: str, effect: str, operation: str, found: Mapping[str, Any]
) -> JobOutput:
    """A made output, put at its destination."""
    (output,) = [output for output in job.spec.outputs if output.id == identifier]
    path = str(found.get("output") or found["path"])
    destination, error = None, None
    if output.destination is not None:
        try:
            destination = deliver(Path(str(found["path"])), output.destination, actions.settings)
        except MediaAssetsError as problem:
            error = error_json(problem)
            log_error(Place(actions.settings, None, effect), "delivery", problem)
    return JobOutput(
        identifier,
        effect,
        operation,
        "failed" if error else "cached" if found["cached"] else "rendered",
        path=path,
        destination=destination,
        duration=found.get("duration"),
        size=found.get("size"),
        seconds=found.get("seconds"),
        ffmpeg_runs=found.get("ffmpeg_runs", 0),
        error=error,
    )


def _files(plan: Plan, node: str) -> list[str]:
    """The sources that a node is made from, as paths under the source root."""
    return sorted(source.relative for source in plan.origins([node]))


def _in_words_of(error: Mapping[str, Any] | None, effects: Mapping[str, str]) -> dict[str, Any]:
    """An error with the document's names of nodes in the place of effects' ids."""
    told = dict(error or {})
    for node, effect in effects.items():
        for key in ("message", "where", "hint"):
            if isinstance(told.get(key), str):
                told[key] = told[key].replace(effect, node)
    return told
