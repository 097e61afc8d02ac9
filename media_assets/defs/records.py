"""Records of many partitions that one step makes, written to Dagster's event log a batch at a time."""

from __future__ import annotations

import logging
import os
import time
from types import TracebackType

import dagster as dg
from dagster._core.events import DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry

from media_assets.defs.journal import keep
from media_assets.defs.partitions import add_partitions
from media_assets.defs.reporting import store

_MOST = 100
_LONGEST_SECONDS = 1.0


class Records:
    """Takes records one by one and writes them together; a context manager, which writes what is left.

    Dagster's own way is two transactions a record, 20 ms and more on SQLite, most of it spent waiting for
    the disk. What a killed run had not written yet is asked for again, as is what it had not made yet.

    Args:
        context: of the step that makes the partitions.
        set_name: of dynamic partitions that each partition recorded is to be in, or None.
    """

    def __init__(self, context: dg.AssetExecutionContext, set_name: str | None = None) -> None:
        self.context = context
        self._set_name = set_name
        self._waiting: list[tuple[dg.AssetMaterialization, float]] = []

    def __enter__(self) -> Records:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.write()

    def add(self, event: dg.AssetMaterialization) -> None:
        """Take the record of a partition, as if it had run alone."""
        now = time.time()
        self._waiting.append((event, now))
        if len(self._waiting) >= _MOST or now - self._waiting[0][1] >= _LONGEST_SECONDS:
            self.write()

    def write(self) -> None:
        """Write what waits: partitions, then records, then the same on disk."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        instance = self.context.instance
        if self._set_name is not None:
            keys = [str(event.partition) for event, _ in waiting]
            add_partitions(instance, self._set_name, keys)
        store(instance, [self._entry(event, at) for event, at in waiting])
        for event, at in waiting:
            keep(event, at=at)

    def _entry(self, event: dg.AssetMaterialization, at: float) -> EventLogEntry:
        """The entry that `context.log_event` makes of an event."""
        step = self.context.get_step_execution_context()
        message = event.description or f"Materialized value {event.label}."
        logged = DagsterEvent(
            event_type_value=dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            job_name=step.job_name,
            step_handle=step.step.handle,
            node_handle=step.step.node_handle,
            step_kind_value=step.step.kind.value,
            logging_tags=step.event_tags,
            event_specific_data=StepMaterializationData(event),
            message=message,
            pid=os.getpid(),
        )
        return EventLogEntry(  # type: ignore[no-untyped-call] # Dagster left its constructor untyped
            error_info=None,
            level=logging.DEBUG,
            user_message=message,
            run_id=step.run_id,
            timestamp=at,
            step_key=step.step.key,
            job_name=step.job_name,
            dagster_event=logged,
        )
