"""Many records of partitions written to Dagster's event log at once, without a run.

Dagster writes each event in transactions of its own, 30 ms a record on SQLite. Here hundreds share one for
each database, and the rows are the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
from dagster._core.events import AssetObservationData, DagsterEvent, StepMaterializationData
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.utils import RUNLESS_JOB_NAME, RUNLESS_RUN_ID
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

Event = dg.AssetMaterialization | dg.AssetObservation

_AT_ONCE = 500
_INFO = 20


def report(instance: dg.DagsterInstance, events: Iterable[tuple[Event, float]]) -> int:
    """Store events with the times they had (seconds since the epoch), in that order; returns how many.

    A kill in between leaves whole batches: those before are there, those after are not.
    """
    stored = 0
    entries = (_entry(event, at) for event, at in events)
    while batch := list(itertools.islice(entries, _AT_ONCE)):
        store(instance, batch)
        stored += len(batch)
    return stored


def store(instance: dg.DagsterInstance, entries: Sequence[EventLogEntry]) -> None:
    """Store log entries of one run at once, all or none of them in the index."""
    log = instance.event_log_storage
    if isinstance(log, SqliteEventLogStorage):
        _store(log, entries)
    else:  # other storages have a batch of their own, or none
        log.store_event_batch(entries)


def _entry(event: Event, at: float) -> EventLogEntry:
    if isinstance(event, dg.AssetObservation):
        kind = dg.DagsterEventType.ASSET_OBSERVATION
        data: Any = AssetObservationData(event)
    else:
        kind, data = dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(event)
    return EventLogEntry(  # type: ignore[no-untyped-call] # Dagster left its constructor untyped
        error_info=None,
        level=_INFO,
        user_message="",
        run_id=RUNLESS_RUN_ID,
        timestamp=at,
        job_name=RUNLESS_JOB_NAME,
        dagster_event=DagsterEvent(kind.value, RUNLESS_JOB_NAME, event_specific_data=data),
    )


def _store(log: SqliteEventLogStorage, entries: Sequence[EventLogEntry]) -> None:
    """What `SqliteEventLogStorage.store_event` writes for each: log, index, tags, the last event."""
    rows, table = [log._event_to_row(entry) for entry in entries], SqlEventLogStorageTable
    with log.run_connection(entries[0].run_id) as connection:
        connection.execute(table.insert(), rows)
    with log.index_transaction() as connection:
        insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
        numbers = [int(number) for (number,) in connection.execute(insert, rows)]
        log._store_asset_event_tags(connection, entries, numbers)
        # Of each asset, and kind of event, only the last leaves a trace.
        last = {(row["asset_key"], row["dagster_event_type"]): index for index, row in enumerate(rows)}
        for index in sorted(last.values()):
            log._store_asset_event(connection, entries[index], numbers[index])
