"""Dagster's records of partitions, kept on disk as they are made, reported again when its home is lost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
    INPUT_EVENT_POINTER_TAG_PREFIX,
)
from dagster._core.event_api import EventLogRecord

from media_assets.defs.reporting import Event, report
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.journal import Entry, Journal

LOST = "lost"
"""The code version of a record whose file is gone or damaged: no code has it, so the partition is stale."""

MADE_WITH = "media_assets/made_with"
"""The tag of such a record that holds the code version that it was made with."""

Place = tuple[str, str | None]

# What finding the files again needs; the event itself holds the rest.
_PLAIN = (
    *("fingerprint", "content_hash", "output", "path", "effect", "parameters"),
    *("derived_from", "renditions", "result", "files", "folder"),
)
_PICTURES = ("preview", "contact_sheet", "waveform")
_AT_ONCE = 500


def keep(event: Event, settings: Settings | None = None, at: float | None = None) -> None:
    """Keep a record on disk.

    Args:
        event: as it was logged.
        settings: of the data root; without them, those of the environment.
        at: when, in seconds since the epoch; now, if nothing is said.
    """
    settings = settings or Settings.from_environment()
    Journal(settings).put(entry_of(event, time.time() if at is None else at))


def catch_up(instance: dg.DagsterInstance, settings: Settings, graph: AssetGraph) -> int:
    """Keep those latest records that are not on disk as they are in the event log; returns how many.

    That is the case of records made before records were kept, or while the disk refused.
    """
    journal, kept = Journal(settings), 0
    for key in sorted(graph.get_all_asset_keys()):
        observed = graph.get(key).is_external
        for record in _latest(instance, key, observed, _unkept(instance, key, observed, journal)):
            entry = record.event_log_entry
            event = entry.asset_observation if observed else entry.asset_materialization
            if event is None or DATA_VERSION_TAG not in (entry.tags or {}):
                continue
            # Dagster gives what a body returns its versions in the tags of the record.
            journal.put(entry_of(event._replace(tags=dict(entry.tags or {})), record.timestamp))
            kept += 1
    return kept


def _unkept(
    instance: dg.DagsterInstance, key: dg.AssetKey, observed: bool, journal: Journal
) -> list[int] | None:
    """Storage ids of the latest records of partitions that are kept in another version, or not at all.

    None for an asset without partitions: its one record is looked at.
    """
    kind, log = _kind(observed), instance.event_log_storage
    ids = log.get_latest_storage_id_by_partition(key, kind)
    if not ids:
        return [] if journal.get(key.to_user_string(), None) else None
    tags = log.get_latest_tags_by_partition(key, kind, [DATA_VERSION_TAG], list(ids))
    found = []
    for partition, storage_id in ids.items():
        kept = journal.get(key.to_user_string(), partition)
        logged = tags.get(partition, {}).get(DATA_VERSION_TAG)
        if kept is None or kept.tags.get(DATA_VERSION_TAG) != logged:
            found.append(storage_id)
    return found


def mark_lost(instance: dg.DagsterInstance, settings: Settings, places: Mapping[Place, str]) -> int:
    """Record that files of partitions are gone or damaged: Dagster shows them, and nothing else, as stale.

    The record has the data version of the one before, so what was made from the file stays as it is.

    Args:
        places: what is wrong, for each (asset, partition).

    Returns:
        How many were marked now; one that is marked already is not marked again.
    """
    journal, marked = Journal(settings), []
    for (asset, partition), problem in places.items():
        entry = journal.get(asset, partition)
        if entry is None or entry.tags.get(CODE_VERSION_TAG) == LOST:
            continue
        event = dg.AssetMaterialization(
            dg.AssetKey.from_user_string(asset),
            description=f"Marked as lost: {problem}",
            metadata={"problem": problem},
            partition=partition,
            tags={**entry.tags, CODE_VERSION_TAG: LOST, MADE_WITH: entry.tags.get(CODE_VERSION_TAG, "")},
        )
        marked.append((event, entry))
    return _report_and_put(instance, journal, marked)


def mark_found(instance: dg.DagsterInstance, settings: Settings, entries: Iterable[Entry]) -> int:
    """Record that files of partitions that were marked are whole again; returns how many were."""
    found = []
    for entry in entries:
        if entry.tags.get(CODE_VERSION_TAG) != LOST or MADE_WITH not in entry.tags:
            continue
        tags = {name: value for name, value in entry.tags.items() if name != MADE_WITH}
        event = dg.AssetMaterialization(
            dg.AssetKey.from_user_string(entry.asset),
            description="Its files are whole again.",
            partition=entry.partition,
            tags={**tags, CODE_VERSION_TAG: entry.tags[MADE_WITH]},
        )
        found.append((event, entry))
    return _report_and_put(instance, Journal(settings), found)


def _report_and_put(
    instance: dg.DagsterInstance, journal: Journal, events: Sequence[tuple[dg.AssetMaterialization, Entry]]
) -> int:
    """Report marks, and keep them in the place of the entries before.

    In this order: what is kept without being reported would not be marked again.
    """
    now = time.time()
    report(instance, ((event, now) for event, _ in events))
    for event, before in events:
        # Who asks what the partition was made of finds it in the entry still.
        journal.put(replace(entry_of(event, now), metadata=before.metadata))
    return len(events)


def replay(
    instance: dg.DagsterInstance, entries: Iterable[Entry], graph: AssetGraph
) -> tuple[int, list[str]]:
    """Report records again, as they were and when they were, to an instance that has not got them.

    Inputs are reported before what was made from them, so that provenance can point to them.

    Returns:
        How many were reported, and the assets that no definition has any more.
    """
    by_asset: dict[dg.AssetKey, list[Entry]] = {}
    for entry in entries:
        by_asset.setdefault(dg.AssetKey.from_user_string(entry.asset), []).append(entry)
    order = [key for key in graph.toposorted_asset_keys if key in by_asset]
    unknown = sorted(key.to_user_string() for key in set(by_asset) - set(order))
    pointers: dict[dg.AssetKey, dict[str | None, tuple[str, int]]] = {}
    reported = 0
    for key in order:
        observed = graph.get(key).is_external
        present = set(_pointers(instance, key, observed))
        missing = [entry for entry in by_asset[key] if entry.partition not in present]
        if missing and not reported:
            _tell(instance, key)
        reported += report(
            instance, ((_event(one, _relinked(one, key, pointers, graph)), one.at) for one in missing)
        )
        pointers[key] = _pointers(instance, key, observed)
    return reported, unknown


def _tell(instance: dg.DagsterInstance, key: dg.AssetKey) -> None:
    """A first event, so that no record of a partition is the first: a pointer can stand before each."""
    instance.report_runless_asset_event(
        dg.AssetObservation(key, description="What follows was recovered from files and their records.")
    )


def _relinked(
    entry: Entry,
    key: dg.AssetKey,
    pointers: Mapping[dg.AssetKey, Mapping[str | None, tuple[str, int]]],
    graph: AssetGraph,
) -> dict[str, str]:
    """The tags of an entry, its pointers set to the inputs' new records.

    Where the input has another version by now, the record that was seen is gone: the pointer stands just
    before the new one, which Dagster then takes for an update, as it was.
    """
    tags = {k: v for k, v in entry.tags.items() if not k.startswith(INPUT_EVENT_POINTER_TAG_PREFIX)}
    prefix = f"{INPUT_DATA_VERSION_TAG_PREFIX}/"
    for name, version in entry.tags.items():
        if not name.startswith(prefix):
            continue
        source = name.removeprefix(prefix)
        found = _input(dg.AssetKey.from_user_string(source), entry, key, pointers, graph)
        if found is not None:
            current, storage_id = found
            pointer = storage_id if current == version else storage_id - 1
            tags[f"{INPUT_EVENT_POINTER_TAG_PREFIX}/{source}"] = str(pointer)
        else:
            tags[f"{INPUT_EVENT_POINTER_TAG_PREFIX}/{source}"] = "1"
    return tags


def _input(
    source: dg.AssetKey,
    entry: Entry,
    key: dg.AssetKey,
    pointers: Mapping[dg.AssetKey, Mapping[str | None, tuple[str, int]]],
    graph: AssetGraph,
) -> tuple[str, int] | None:
    """The version and storage id of the record that an input of a partition has now."""
    records = pointers.get(source, {})
    if entry.partition in records:
        return records[entry.partition]
    if None in records:
        return records[None]
    if entry.partition is None and graph.has(source):
        mapping = graph.get_partition_mapping(key, source)
        if isinstance(mapping, dg.SpecificPartitionsPartitionMapping):
            return next((records[one] for one in mapping.partition_keys if one in records), None)
    return None


def _event(entry: Entry, tags: Mapping[str, str]) -> Event:
    """The event of a record, with other tags."""
    event = dg.deserialize_value(entry.event, (dg.AssetMaterialization, dg.AssetObservation))
    return event._replace(tags=dict(tags))


def _pointers(
    instance: dg.DagsterInstance, key: dg.AssetKey, observed: bool
) -> dict[str | None, tuple[str, int]]:
    """Version and storage id of each partition's latest record; None for an asset without partitions."""
    kind, log = _kind(observed), instance.event_log_storage
    ids = log.get_latest_storage_id_by_partition(key, kind)
    tags = log.get_latest_tags_by_partition(key, kind, [DATA_VERSION_TAG], list(ids)) if ids else {}
    found: dict[str | None, tuple[str, int]] = {
        partition: (tags[partition][DATA_VERSION_TAG], storage_id)
        for partition, storage_id in ids.items()
        if partition in tags
    }
    for record in _latest(instance, key, observed, None) if not ids else []:
        version = (record.event_log_entry.tags or {}).get(DATA_VERSION_TAG)
        if version is not None:
            found[None] = (version, record.storage_id)
    return found


def _latest(
    instance: dg.DagsterInstance, key: dg.AssetKey, observed: bool, ids: list[int] | None
) -> list[EventLogRecord]:
    """Records by their storage ids; with None, the one of an asset without partitions."""
    fetch = instance.fetch_observations if observed else instance.fetch_materializations
    if ids is None:
        return [record for record in fetch(key, limit=1).records if record.partition_key is None]
    records: list[EventLogRecord] = []
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        records += fetch(dg.AssetRecordsFilter(asset_key=key, storage_ids=some), limit=len(some)).records
    return records


def _kind(observed: bool) -> dg.DagsterEventType:
    return dg.DagsterEventType.ASSET_OBSERVATION if observed else dg.DagsterEventType.ASSET_MATERIALIZATION


def entry_of(event: Event, at: float) -> Entry:
    """A record as it is kept on disk."""
    # Pictures are in the store; as text in every record they would be most of the bytes.
    shown = {name: value for name, value in event.metadata.items() if name not in _PICTURES}
    document = dg.serialize_value(event._replace(metadata=shown))
    plain = {n: _value(shown[n]) for n in _PLAIN if n in shown}
    return Entry(event.asset_key.to_user_string(), event.partition, at, event.tags or {}, plain, document)


def _value(item: dg.MetadataValue[Any]) -> Any:
    value = item.value
    if isinstance(value, str | int | float | bool | list | dict) or value is None:
        return value
    raise MediaAssetsError(f"a record cannot hold {type(value).__name__}")
