"""The latest records of partitions, kept in memory and brought up to date by those that came since.

A tick of a sensor asks for every partition of an asset; what it was told before never changes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Any

import dagster as dg
import sqlalchemy
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
)
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

_AT_ONCE = 500
"""Keys in one query: SQLite takes no more than 32,766, some builds of it fewer."""

_FEW = 1000
"""Keys that are asked for as they are, without keeping the records of all others."""

_LOOKED_BACK = 1000
"""Storage ids that are asked for again where writers may commit them out of order."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A latest record: its data version, and the storage id that points to it."""

    data_version: str
    storage_id: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a partition was last materialized from."""

    data_version: str | None
    code_version: str | None
    inputs: Mapping[dg.AssetKey, str]


class Known:
    """What is known of the partitions of one asset, from one kind of event."""

    def __init__(self, asset: dg.AssetKey, event: dg.DagsterEventType) -> None:
        self._asset = asset
        self._event = event
        self._lock = threading.Lock()  # sensors tick side by side in one process
        self._state: object = None
        self._newest = 0
        self._seen: dict[str, Seen] = {}
        self._recorded: dict[str, tuple[int, Recorded]] = {}

    def seen(self, instance: dg.DagsterInstance, keys: Collection[str]) -> dict[str, Seen]:
        """The latest record of each partition that has one."""
        if not self._seen and len(keys) <= _FEW:
            return _asked(instance, self._asset, self._event, keys)
        with self._lock:
            self._catch_up(instance)
            return {key: self._seen[key] for key in keys if key in self._seen}

    def recorded(self, instance: dg.DagsterInstance, keys: Collection[str]) -> dict[str, Recorded]:
        """What each partition that has a record was made from; a record is read once."""
        latest = self.seen(instance, keys)
        with self._lock:
            known = self._recorded
            missing = {
                found.storage_id: key
                for key, found in latest.items()
                if key not in known or known[key][0] != found.storage_id
            }
            for storage_id, tags in _tags(instance, self._asset, list(missing)):
                known[intern(missing[storage_id])] = (storage_id, _from(tags))
            return {key: known[key][1] for key in latest if key in known}

    def _catch_up(self, instance: dg.DagsterInstance) -> None:
        """Ask for what came after the newest record that is known; for all, if the log is another one."""
        state = _state(instance, self._asset)
        if state != self._state:
            self._state, self._newest = state, 0
            self._seen, self._recorded = {}, {}
        ordered = isinstance(instance.event_log_storage, SqliteEventLogStorage)
        after = self._newest if ordered else max(0, self._newest - _LOOKED_BACK)
        ids, found = _after(instance, self._asset, self._event, after or None)
        for key in ids.keys() - found.keys():  # a record without a data version took the place
            self._seen.pop(key, None)
        self._seen.update({intern(key): record for key, record in found.items()})
        self._newest = max([self._newest, *ids.values()])


_known: dict[tuple[str, dg.AssetKey, dg.DagsterEventType], Known] = {}


def known(instance: dg.DagsterInstance, asset: dg.AssetKey, event: dg.DagsterEventType) -> Known:
    """What this process knows of an asset; nothing at first."""
    return _known.setdefault((instance.root_directory, asset, event), Known(asset, event))


def _asked(
    instance: dg.DagsterInstance, asset: dg.AssetKey, event: dg.DagsterEventType, keys: Collection[str]
) -> dict[str, Seen]:
    """The latest records of a few partitions."""
    # The ids first: a record that lands in between makes the pointer old, which reads as stale, never
    # as fresh.
    log, found, listed = instance.event_log_storage, {}, list(keys)
    for start in range(0, len(listed), _AT_ONCE):
        some = listed[start : start + _AT_ONCE]
        ids = log.get_latest_storage_id_by_partition(asset, event, set(some))
        tags = log.get_latest_tags_by_partition(asset, event, [DATA_VERSION_TAG], some)
        found.update(_paired(ids, tags))
    return found


def _after(
    instance: dg.DagsterInstance, asset: dg.AssetKey, event: dg.DagsterEventType, after: int | None
) -> tuple[Mapping[str, int], dict[str, Seen]]:
    """The latest storage ids, and records, of all partitions that have one after a storage id."""
    log = instance.event_log_storage
    ids = log.get_latest_storage_id_by_partition(asset, event, after_cursor=after)
    if not ids:
        return {}, {}
    tags = log.get_latest_tags_by_partition(asset, event, [DATA_VERSION_TAG], after_cursor=after)
    return ids, _paired(ids, tags)


def _paired(ids: Mapping[str, int], tags: Mapping[str, Mapping[str, str]]) -> dict[str, Seen]:
    return {
        key: Seen(intern(tags[key][DATA_VERSION_TAG]), number) for key, number in ids.items() if key in tags
    }


def _state(instance: dg.DagsterInstance, asset: dg.AssetKey) -> object:
    """Changes when the log is put in another's place, and when the asset is wiped."""
    log, file = instance.event_log_storage, None
    if isinstance(log, SqliteEventLogStorage):
        status = Path(log.path_for_shard("index")).stat()
        file = (status.st_dev, status.st_ino)
    # A wiped asset has no record until something is put on record again.
    details = [record.asset_entry.asset_details for record in log.get_asset_records([asset])]
    return file, [detail and detail.last_wipe_timestamp for detail in details]


def _tags(
    instance: dg.DagsterInstance, asset: dg.AssetKey, ids: list[int]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The tags of materializations, by their storage ids."""
    for start in range(0, len(ids), _AT_ONCE):
        some, left = ids[start : start + _AT_ONCE], []
        for storage_id, text in _texts(instance, some):
            tags = _written(text)
            if tags is None:
                left.append(storage_id)
            else:
                yield storage_id, tags
        answered = isinstance(instance.event_log_storage, SqlEventLogStorage)
        yield from _deserialized(instance, asset, left if answered else some)


def _texts(instance: dg.DagsterInstance, ids: list[int]) -> Iterable[tuple[int, str]]:
    """Events as they are stored; nothing from a log that is in no SQL database."""
    log, table = instance.event_log_storage, SqlEventLogStorageTable
    if not isinstance(log, SqlEventLogStorage):
        return []
    with log.index_connection() as connection:
        rows = connection.execute(sqlalchemy.select(table.c.id, table.c.event).where(table.c.id.in_(ids)))
        return [(int(storage_id), str(text)) for storage_id, text in rows]


def _written(text: str) -> Mapping[str, str] | None:
    """The tags in an event's text; None if it is not written as Dagster 1.13 does.

    Making the event of it, with all its metadata, takes ten times as long.
    """
    try:
        data: Mapping[str, Any] = json.loads(text)["dagster_event"]["event_specific_data"]
        tags = data["materialization"]["tags"]
    except (ValueError, KeyError, TypeError):
        return None
    return tags if isinstance(tags, dict) and DATA_VERSION_TAG in tags else None


def _deserialized(
    instance: dg.DagsterInstance, asset: dg.AssetKey, ids: list[int]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The same by Dagster's own reading."""
    if ids:
        chosen = dg.AssetRecordsFilter(asset_key=asset, storage_ids=ids)
        for record in instance.fetch_materializations(chosen, limit=len(ids)).records:
            yield record.storage_id, record.event_log_entry.tags or {}


def _from(tags: Mapping[str, str]) -> Recorded:
    prefix = f"{INPUT_DATA_VERSION_TAG_PREFIX}/"
    inputs = {
        _key(name.removeprefix(prefix)): intern(version)
        for name, version in tags.items()
        if name.startswith(prefix)
    }
    code = tags.get(CODE_VERSION_TAG)
    return Recorded(tags.get(DATA_VERSION_TAG), None if code is None else intern(code), inputs)


_keys: dict[str, dg.AssetKey] = {}


def _key(name: str) -> dg.AssetKey:
    """One key for all records, not one each."""
    if name not in _keys:
        _keys[name] = dg.AssetKey.from_user_string(name)
    return _keys[name]
