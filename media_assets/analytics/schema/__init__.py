"""The schema of events: a frozen dataclass per kind, from which tables and loading follow."""

from __future__ import annotations

from media_assets.analytics.schema.common import SCHEMA, Event, Record, columns
from media_assets.analytics.schema.error import ErrorEvent
from media_assets.analytics.schema.operation import OperationEvent
from media_assets.analytics.schema.sanitising import sanitise_parameters
from media_assets.analytics.schema.workflow import WorkflowEvent

KINDS: tuple[type[Event], ...] = (OperationEvent, WorkflowEvent, ErrorEvent)
"""Every kind of event."""

__all__ = [
    "KINDS",
    "SCHEMA",
    "ErrorEvent",
    "Event",
    "OperationEvent",
    "Record",
    "WorkflowEvent",
    "columns",
    "sanitise_parameters",
]
