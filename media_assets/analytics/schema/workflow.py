"""The event of a whole: a workflow for one source, a job, or a komposition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from media_assets.analytics.schema.columns import (
    amount,
    count,
    flag,
    optional_name,
    optional_text,
    pseudonym,
    words,
)
from media_assets.analytics.schema.common import CLASS_NAME, Event


@dataclass(frozen=True, kw_only=True)
class WorkflowEvent(Event):
    """How a request for several operations ended.

    Attributes:
        workflow: its name; None for what is asked for once.
        type: `workflow` (for one source), `job` or `komposition`.
        template: the template that it was made from.
        outcome: `done`, `failed` or `cancelled`.
        success: all that was wanted is there.
        error: class of the first error.
        operations, rendered, cached, failed: how many.
        duration_ms: wall time.
        cpu_seconds, bytes_written: sums over its operations.
        subject: keyed hash of the partition, or of the komposition.
    """

    kind: ClassVar[str] = "workflow"
    table: ClassVar[str] = "workflow_events"

    workflow: str | None = optional_name()
    type: str = words("workflow", "job", "komposition")
    template: str | None = optional_name()
    outcome: str = words("done", "failed", "cancelled")
    success: bool = flag()
    error: str | None = optional_text(CLASS_NAME, "is not a class name")
    operations: int = count()
    rendered: int = count()
    cached: int = count()
    failed: int = count()
    duration_ms: float = amount()
    cpu_seconds: float = amount()
    bytes_written: int = count()
    subject: str | None = pseudonym("s")
