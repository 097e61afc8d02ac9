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
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

from media_assets.defs.journal import keep
from media_assets.defs.known import Recorded, Seen, known

__all__ = ["Edge", "Recorded", "Seen", "described", "inputs_of", "out_of_date", "record", "recorded"]
__all__ += ["seen", "seen_whole"]

_MATERIALIZATION = dg.DagsterEventType.ASSET_MATERIALIZATION


@dataclass(frozen=True)
class Edge:
    """A dependency on the same partition of another asset, or on an asset without partitions."""

    asset: dg.AssetKey
    partitioned: bool = True


def seen(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    partitions: Iterable[str],
    event: dg.DagsterEventType = _MATERIALIZATION,
) -> dict[str, Seen]:
    """The latest record of each partition that has one; of an external asset, its observation."""
    keys = set(partitions)
    return known(instance, asset, event).seen(instance, keys) if keys else {}


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
    a sensor's tick costs a few small queries and the records that are new since the last one.
    """
    keys = set(partitions)
    return known(instance, asset, _MATERIALIZATION).recorded(instance, keys) if keys else {}


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


def record(context: dg.AssetExecutionContext, event: dg.AssetMaterialization) -> None:
    """Log one partition as materialized, as if it had run alone, and keep the record on disk."""
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
