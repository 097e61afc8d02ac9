"""Data versions and input provenance of partitions, read and written in bulk.

Dagster gives all partitions of one run a single data version. So the bodies log a materialization per
partition with the tags Dagster's own stale status reads: data version, code version, and for each
input its data version and the record it was seen in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

from media_assets.defs.journal import keep

_MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION
_RECORDS_AT_ONCE = 500


@dataclass(frozen=True)
class Seen:
    """An input's latest record: its data version, and the storage id that points to it."""

    data_version: str
    storage_id: int


@dataclass(frozen=True)
class Edge:
    """A dependency on the same partition of another asset, or on an asset without partitions."""

    asset: dg.AssetKey
    partitioned: bool = True


@dataclass(frozen=True)
class Recorded:
    """What a partition was last materialized from."""

    data_version: str | None
    code_version: str | None
    inputs: Mapping[dg.AssetKey, str]


_read: dict[tuple[str, dg.AssetKey, str, Seen], Recorded] = {}


def seen(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    partitions: Iterable[str],
    event: dg.DagsterEventType = _MATERIALIZATION,
) -> dict[str, Seen]:
    """The latest record of each partition that has one; of an external asset, its observation."""
    keys = set(partitions)
    if not keys:
        return {}
    # The ids first: a record that lands in between makes the pointer old, which reads as stale, never
    # as fresh.
    log = instance.event_log_storage
    ids = log.get_latest_storage_id_by_partition(asset, event, keys)
    tags = log.get_latest_tags_by_partition(asset, event, [DATA_VERSION_TAG], list(keys))
    return {key: Seen(tags[key][DATA_VERSION_TAG], ids[key]) for key in ids if key in tags}


def seen_whole(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Seen | None:
    """The latest record of an asset without partitions."""
    records = instance.fetch_materializations(asset, limit=1).records
    if not records:
        return None
    version = (records[0].event_log_entry.tags or {}).get(DATA_VERSION_TAG)
    return Seen(version, records[0].storage_id) if version else None


def recorded(
    instance: dg.DagsterInstance, asset: dg.AssetKey, partitions: Iterable[str]
) -> dict[str, Recorded]:
    """What each materialized partition of `asset` was made from.

    Provenance is only in the records themselves. They never change, so each is read once per process:
    a sensor's tick costs two queries and the records that are new since the last one.
    """
    latest = seen(instance, asset, partitions)
    keys = {key: (instance.root_directory, asset, key, found) for key, found in latest.items()}
    missing = [found.storage_id for key, found in latest.items() if keys[key] not in _read]
    for start in range(0, len(missing), _RECORDS_AT_ONCE):
        ids = missing[start : start + _RECORDS_AT_ONCE]
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, storage_ids=ids), limit=len(ids)
        ).records
        for record in records:
            key = record.partition_key
            if key in keys:
                _read[keys[key]] = _recorded(record.event_log_entry.tags or {})
    return {key: _read[place] for key, place in keys.items() if place in _read}


def _recorded(tags: Mapping[str, str]) -> Recorded:
    prefix = f"{INPUT_DATA_VERSION_TAG_PREFIX}/"
    inputs = {
        dg.AssetKey.from_user_string(name.removeprefix(prefix)): version
        for name, version in tags.items()
        if name.startswith(prefix)
    }
    return Recorded(tags.get(DATA_VERSION_TAG), tags.get(CODE_VERSION_TAG), inputs)


def inputs_of(
    instance: dg.DagsterInstance, edges: Sequence[Edge], partitions: Sequence[str]
) -> dict[str, dict[dg.AssetKey, Seen]]:
    """For each partition, the current record of each of its inputs that has one."""
    found: dict[str, dict[dg.AssetKey, Seen]] = {partition: {} for partition in partitions}
    for edge in edges:
        records = seen(instance, edge.asset, partitions) if edge.partitioned else {}
        whole = None if edge.partitioned else seen_whole(instance, edge.asset)
        for partition in partitions:
            record = records.get(partition) or whole
            if record is not None:
                found[partition][edge.asset] = record
    return found


def described(
    asset: dg.AssetKey,
    partition: str | None,
    *,
    data_version: str,
    code_version: str,
    inputs: Mapping[dg.AssetKey, Seen],
    metadata: Mapping[str, dg.MetadataValue],
) -> dg.AssetMaterialization:
    """A materialization with the tags that Dagster's stale status reads."""
    tags = {
        DATA_VERSION_TAG: data_version,
        CODE_VERSION_TAG: code_version,
        DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
    }
    for key, input_record in inputs.items():
        tags[get_input_data_version_tag(key)] = input_record.data_version
        tags[get_input_event_pointer_tag(key)] = str(input_record.storage_id)
    return dg.AssetMaterialization(asset, partition=partition, metadata=dict(metadata), tags=tags)


def record(
    context: dg.AssetExecutionContext,
    asset: dg.AssetKey,
    partition: str,
    *,
    data_version: str,
    code_version: str,
    inputs: Mapping[dg.AssetKey, Seen],
    metadata: Mapping[str, dg.MetadataValue],
) -> None:
    """Log one partition as materialized, as if it had run alone, and keep the record on disk."""
    event = described(
        asset,
        partition,
        data_version=data_version,
        code_version=code_version,
        inputs=inputs,
        metadata=metadata,
    )
    context.log_event(event)
    keep(event)


def out_of_date(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    code_version: str,
    edges: Sequence[Edge],
    partitions: Sequence[str],
) -> dict[str, str]:
    """Partitions to be made, with the version they should be made from, in bulk.

    The answer is the same as Dagster's stale status for these edges. A partition whose input has no
    record yet is left out: there is nothing to make it from.

    Returns:
        {partition: wanted}, where `wanted` changes exactly when there is something new to try.
    """
    current = inputs_of(instance, edges, partitions)
    last = recorded(instance, asset, partitions)
    wanted = {}
    for partition in partitions:
        inputs = current[partition]
        if len(inputs) < len({edge.asset for edge in edges}):
            continue
        have = last.get(partition)
        versions = {key: found.data_version for key, found in inputs.items()}
        if have is None or have.code_version != code_version or dict(have.inputs) != versions:
            wanted[partition] = " ".join([code_version, *(versions[k] for k in sorted(versions))])
    return wanted
