"""Events of what was asked for: found, made, or not to be had; one by one, and as a whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from media_assets.analytics.chains import Step, fused_into, step_of
from media_assets.analytics.estimates import predicted_fields
from media_assets.analytics.events import writer_for
from media_assets.analytics.making import new_error, new_operation, new_workflow
from media_assets.analytics.origin import Origin, origin_of
from media_assets.errors import Cancelled, MediaAssetsError
from media_assets.planning.execute import NodeResult
from media_assets.planning.plan import Plan
from media_assets.settings import Settings
from media_assets.store.outputs import Outcome

_NOT_OF_ERRORS = ("resolution_class", "input_seconds", "source_bits_per_pixel")


@dataclass(frozen=True)
class Place:
    """Where something was asked for.

    Attributes:
        asset: Dagster's key as `a/b`; None outside Dagster.
        partition: of the asset, or the id of what is worked on.
        run: Dagster's run; None outside.
        tags: the run's: they may say who asked for it.
        workflow: that it is a part of.
    """

    settings: Settings
    asset: str | None
    partition: str
    run: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    workflow: str | None = None

    def origin(self) -> Origin:
        """Whose events are written from here."""
        return origin_of(self.settings, self.run, self.tags)

    def fields(self, origin: Origin) -> dict[str, Any]:
        """What operations have of it."""
        return {
            "asset": self.asset,
            "subject": origin.subject(self.partition),
            "workflow": self.workflow,
        }

    def chained(self, step: Step, origin: Origin) -> dict[str, Any]:
        """The same with an operation's place in its chain, and what it is given."""
        return {
            **self.fields(origin),
            **step.context,
            "chain": origin.chain(origin.run, self.workflow, step.source),
            "position": step.position,
            "previous": step.previous,
        }


def log_result(
    place: Place, plan: Plan, result: NodeResult, *, wanted: Collection[str], told: set[str]
) -> None:
    """Append the events of a wanted operation of a plan, and of those that its command did on the way.

    Args:
        wanted: ids of the effects that have outputs of their own.
        told: ids of those that were told of already; what is told now is added.
    """
    step = step_of(plan, result.node.name)
    origin = place.origin()
    if result.outcome is None:
        if result.error is not None:
            log_failure(
                place,
                result.error,
                operation=result.node.operation.name,
                output=result.node.recipe.id,
                parameters=result.node.recipe.parameters,
                step=step,
            )
        return
    for before in fused_into(plan, result.node.name, wanted):
        recipe = before.node.recipe
        if recipe.id not in told:
            told.add(recipe.id)
            event = new_operation(
                origin,
                recipe.operation,
                "fused",
                parameters=dict(recipe.parameters),
                output=origin.output(recipe.id),
                **place.chained(before, origin),
            )
            writer_for(place.settings).append(event)
    log_outcome(place, result.outcome, step)


def log_outcome(place: Place, outcome: Outcome, step: Step | None = None, **context: Any) -> None:
    """Append the event of an output, found or made.

    Args:
        step: the operation in its chain, where it is in one.
        context: other fields that say what it was given.
    """
    origin = place.origin()
    output, made = outcome.output, outcome.output.made
    fields = place.chained(step, origin) if step else place.fields(origin)
    costs: dict[str, Any] = {"duration_ms": round(outcome.seconds * 1000, 3)}
    if not outcome.cached:
        speed = made.properties.duration / made.seconds if made.seconds > 0 else None
        costs = {
            "duration_ms": round(made.seconds * 1000, 3),
            "cpu_seconds": round(made.cpu_seconds, 6),
            "peak_memory_bytes": made.peak_memory_bytes,
            "bytes_read": step.bytes_read if step else 0,
            "bytes_written": made.properties.size,
            "ffmpeg_runs": outcome.ffmpeg_runs,
            "speed": round(speed, 4) if speed else None,
            "expected_cpu_seconds": float(made.notes.get("expected_cpu_seconds", 0.0)),
            "expected_bytes": step.expected_bytes if step else 0,
            "expected_memory_bytes": step.expected_memory_bytes if step else None,
        }
        known = {"output_format": _format(output.recipe.file_name), **fields, **context, **costs}
        costs |= predicted_fields(place.settings, output.recipe, known)
    event = new_operation(
        origin,
        output.recipe.operation,
        "cached" if outcome.cached else "rendered",
        parameters=dict(output.recipe.parameters),
        output=origin.output(output.recipe.id),
        fingerprint=output.recipe.fingerprint,
        output_seconds=made.properties.duration,
        **{"output_format": _format(output.recipe.file_name), **fields, **context, **costs},
    )
    writer_for(place.settings).append(event)


def log_done(
    place: Place, operation: str, *, cached: bool = False, seconds: float = 0.0, **context: Any
) -> None:
    """Append the event of an operation that makes no output in the store, such as reading a source."""
    origin = place.origin()
    event = new_operation(
        origin,
        operation,
        "cached" if cached else "rendered",
        duration_ms=round(seconds * 1000, 3),
        output=origin.output(place.partition),
        **place.fields(origin),
        **context,
    )
    writer_for(place.settings).append(event)


def log_failure(
    place: Place,
    error: MediaAssetsError | str,
    *,
    operation: str,
    output: str,
    stage: str = "operation",
    parameters: Mapping[str, Any] | None = None,
    step: Step | None = None,
    given: Mapping[str, Any] | None = None,
) -> None:
    """Append the two events of an operation that failed: of the operation, and of the error.

    Args:
        step: the operation in its chain, where it is in one; given: what else it was given.
    """
    origin = place.origin()
    fields = place.chained(step, origin) if step else {**place.fields(origin), **(given or {})}
    writer = writer_for(place.settings)
    writer.append(
        new_operation(
            origin,
            operation,
            "failed",
            error=error,
            parameters=parameters,
            output=origin.output(output),
            **fields,
        )
    )
    context = step.context if step else given or {}
    told = {name: value for name, value in context.items() if name not in _NOT_OF_ERRORS}
    writer.append(
        new_error(
            origin,
            stage,
            error,
            operation=operation,
            parameters=parameters,
            workflow=place.workflow,
            **told,
        )
    )


def log_error(place: Place, stage: str, error: MediaAssetsError) -> None:
    """Append the event of an error that came before any operation was begun."""
    writer_for(place.settings).append(new_error(place.origin(), stage, error, workflow=place.workflow))


@dataclass
class Tally:
    """How many operations of a request ended how, and what they cost.

    Attributes:
        error: the first.
    """

    rendered: int = 0
    cached: int = 0
    failed: int = 0
    cpu_seconds: float = 0.0
    bytes_written: int = 0
    error: MediaAssetsError | str | None = None

    def add(self, result: Outcome | MediaAssetsError) -> None:
        """Count what became of one operation."""
        if isinstance(result, MediaAssetsError):
            self.failed += 1
            self.error = self.error or result
        elif result.cached:
            self.cached += 1
        else:
            self.rendered += 1
            self.cpu_seconds += result.output.made.cpu_seconds
            self.bytes_written += result.output.made.properties.size


def log_whole(place: Place, type: str, tally: Tally, seconds: float, template: str | None = None) -> None:
    """Append the event of a request for several operations.

    Args:
        type: `workflow`, `job` or `komposition`.
        seconds: wall time of all.
        template: that the workflow was made from.
    """
    origin = place.origin()
    cancelled = isinstance(tally.error, Cancelled) or tally.error == Cancelled.__name__
    event = new_workflow(
        origin,
        type,
        "cancelled" if cancelled else "failed" if tally.error else "done",
        error=tally.error,
        workflow=place.workflow,
        template=template,
        subject=origin.subject(place.partition),
        operations=tally.rendered + tally.cached + tally.failed,
        rendered=tally.rendered,
        cached=tally.cached,
        failed=tally.failed,
        duration_ms=round(seconds * 1000, 3),
        cpu_seconds=round(tally.cpu_seconds, 6),
        bytes_written=tally.bytes_written,
    )
    writer_for(place.settings).append(event)


class Parts:
    """The events of a komposition's rendering: one for each part, and one for the whole."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._tally = Tally()
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def ended(self, kind: str, part: str, result: Outcome | MediaAssetsError) -> None:
        """Take note of a part; the komposition itself is the last one.

        Args:
            kind: its operation; part: its id, which holds the komposition's.
        """
        with self._lock:
            first = self._tally.error is None
            self._tally.add(result)
        if isinstance(result, MediaAssetsError):
            given = {"source_kind": "komposition"}
            log_failure(self._place, result, operation=kind, output=part, given=given)
        else:
            log_outcome(self._place, result, source_kind="komposition")
        if kind == "komposition" or (first and self._tally.error):
            log_whole(self._place, "komposition", self._tally, time.monotonic() - self._started)


def _format(file_name: str) -> str | None:
    return PurePath(file_name).suffix.lstrip(".") or None
