"""The event of an output that was asked for: found, made, or not to be had."""

from __future__ import annotations

from media_assets.analytics.events import new_event, writer_for
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.outputs import Outcome


def log_outcome(
    settings: Settings, outcome: Outcome, *, asset: str | None, partition: str, run_id: str | None
) -> None:
    """Append the event of an output, found or made; `asset` and `run_id` are None outside Dagster."""
    output, made = outcome.output, outcome.output.made
    rendered = not outcome.cached
    seconds = made.seconds if rendered else outcome.seconds
    speed = made.properties.duration / seconds if rendered and seconds > 0 else None
    writer_for(settings).append(
        new_event(
            operation=output.recipe.operation,
            effect=output.recipe.id,
            fingerprint=output.recipe.fingerprint,
            asset=asset,
            partition=partition,
            run_id=run_id,
            outcome="rendered" if rendered else "cached",
            success=True,
            seconds=seconds,
            cpu_seconds=made.cpu_seconds if rendered else 0.0,
            peak_memory_bytes=made.peak_memory_bytes if rendered else 0,
            ffmpeg_runs=outcome.ffmpeg_runs,
            output_seconds=made.properties.duration,
            output_bytes=made.properties.size,
            speed=speed,
            expected_cpu_seconds=float(made.notes.get("expected_cpu_seconds", 0.0)) if rendered else 0.0,
            parameters=dict(output.recipe.parameters),
        )
    )


def log_failure(
    settings: Settings,
    error: MediaAssetsError,
    *,
    operation: str,
    effect: str,
    asset: str | None,
    partition: str,
    run_id: str | None,
) -> None:
    """Append the event of an operation that failed."""
    writer_for(settings).append(
        new_event(
            operation=operation,
            effect=effect,
            asset=asset,
            partition=partition,
            run_id=run_id,
            outcome="failed",
            success=False,
            error=error.code,
        )
    )
