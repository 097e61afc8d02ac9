"""Events of now: what is told is brought into the schema, and what may not be told is left out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from uuid_utils import uuid7

from media_assets.analytics.origin import Origin
from media_assets.analytics.schema import ErrorEvent, Event, OperationEvent, WorkflowEvent
from media_assets.analytics.schema.common import CLASS_NAME
from media_assets.analytics.schema.sanitising import sanitise_parameters
from media_assets.errors import (
    Cancelled,
    DeliveryFailed,
    DiskFull,
    FetchFailed,
    FfmpegMissing,
    TimeLimitExceeded,
)

Kind = TypeVar("Kind", bound=Event)

_RETRYABLE = (Cancelled, DeliveryFailed, DiskFull, FetchFailed, FfmpegMissing, TimeLimitExceeded, OSError)
# What a person could be known by, and is left out where somebody opted out.
PERSONAL: Mapping[str, Any] = {
    "user": None,
    "run": None,
    "subject": None,
    "chain": None,
    "output": None,
    "fingerprint": None,
    "previous": None,
    "parameters": {},
}


def new_operation(
    origin: Origin,
    operation: str,
    outcome: str,
    *,
    error: BaseException | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    speed: float | None = None,
    **values: Any,
) -> OperationEvent:
    """The event of an operation; the other arguments are `OperationEvent`'s.

    Args:
        error: the error itself, or its class name; only the name is kept.
        parameters: any parameters; what could hold a name or text is left out.
        speed: left out when not finite, as for an operation too short to time.

    Raises:
        BadInput: a value that the schema does not allow.
    """
    event = OperationEvent(
        **_common(origin, values),
        operation=operation,
        outcome=outcome,
        success=outcome != "failed",
        error=error_name(error),
        parameters=sanitise_parameters(parameters or {}),
        speed=speed if speed is not None and math.isfinite(speed) else None,
    )
    return _allowed(event, origin)


def new_workflow(
    origin: Origin, type: str, outcome: str, *, error: BaseException | str | None = None, **values: Any
) -> WorkflowEvent:
    """The event of a workflow, job or komposition; the other arguments are `WorkflowEvent`'s.

    Raises:
        BadInput: a value that the schema does not allow.
    """
    event = WorkflowEvent(
        **_common(origin, values),
        type=type,
        outcome=outcome,
        success=outcome == "done",
        error=error_name(error),
    )
    return _allowed(event, origin)


def new_error(
    origin: Origin,
    stage: str,
    error: BaseException | str,
    *,
    parameters: Mapping[str, Any] | None = None,
    **values: Any,
) -> ErrorEvent:
    """The event of an error; the other arguments are `ErrorEvent`'s.

    Raises:
        BadInput: a value that the schema does not allow.
    """
    event = ErrorEvent(
        **_common(origin, values),
        stage=stage,
        error=error_name(error) or "UnknownError",
        retryable=isinstance(error, _RETRYABLE),
        parameters=sanitise_parameters(parameters or {}),
    )
    return _allowed(event, origin)


def error_name(error: BaseException | str | None) -> str | None:
    """The class of an error; its words name files."""
    name = type(error).__name__ if isinstance(error, BaseException) else error
    if name is not None and not re.fullmatch(CLASS_NAME, name):
        return "UnknownError"
    return name


def _common(origin: Origin, values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "event_id": str(uuid7()),
        "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
        **origin.fields(),
        **values,
    }


def _allowed(event: Kind, origin: Origin) -> Kind:
    """The event without what may not be told of somebody who opted out."""
    if not origin.counted_only:
        return event
    return replace(event, **{name: empty for name, empty in PERSONAL.items() if hasattr(event, name)})
