"""What Dagster's event log says of every partition, read in bulk for the registry."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    INPUT_DATA_VERSION_TAG_PREFIX,
)

from media_assets.defs.effect_recipes import EFFECT_RECIPE
from media_assets.defs.journal import LOST, MADE_WITH
from media_assets.defs.recording import as_values
from media_assets.registry.records import AssetFacts, Log, Materialized, Parent
from media_assets.settings import Settings
from media_assets.store.journal import Journal

_RECORDS_AT_ONCE = 500
# Records of what became of a file, one after another, that are passed over.
_LOOKED_BACK = 10
_PREFIX = f"{INPUT_DATA_VERSION_TAG_PREFIX}/"
# What a picture takes in a record is more than all the rest, and no question is answered by it.
_KEPT = frozenset(
    {"effect", "fingerprint", "path", "output", "size", "version", "made_from", "problem", "renditions"}
    | {"parameters", "seconds", "render_seconds", "derived_from"}
)


def read_log(instance: dg.DagsterInstance, graph: AssetGraph, settings: Settings) -> Log:
    """Every asset with its partitions, and the latest record of each."""
    assets = tuple(_facts(instance, graph, key) for key in sorted(graph.get_all_asset_keys()))
    materialized: dict[tuple[str, str | None], Materialized] = {}
    for facts in assets:
        key = dg.AssetKey.from_user_string(facts.asset)
        if key != EFFECT_RECIPE:
            for partition, record in _latest(instance, key, facts.partitions, settings):
                materialized[facts.asset, partition] = record
    observed = {str(p): record for p, record in _observed(instance)}
    return Log(assets, materialized, observed)


def _whole(
    instance: dg.DagsterInstance, asset: dg.AssetKey, event: Any, settings: Settings
) -> Materialized:
    """A record; where it only says what became of a file, with what was said of how that was made."""
    record, partition = record_of(event), event.partition_key
    if _metadata(event) and record.lost is None:
        return record
    filters = dg.AssetRecordsFilter(
        asset_key=asset,
        asset_partitions=[partition] if partition is not None else None,
        before_storage_id=event.storage_id,
    )
    before = map(record_of, instance.fetch_materializations(filters, limit=_LOOKED_BACK).records)
    found = next((told.metadata for told in before if told.metadata), None)
    if found is None:
        # A home that was rebuilt holds the last record only; the rest is kept on disk.
        kept = Journal(settings).get(asset.to_user_string(), partition)
        found = {name: value for name, value in kept.metadata.items() if name in _KEPT} if kept else {}
    return replace(record, metadata=found)


def record_of(event: Any) -> Materialized:
    """A materialization or observation as the registry has it."""
    entry = event.event_log_entry
    found = entry.asset_materialization or entry.asset_observation
    tags: Mapping[str, str] = (found.tags if found else None) or {}
    metadata = _metadata(event)
    code = tags.get(CODE_VERSION_TAG)
    lost = str(metadata.get("problem", "it is gone")) if code == LOST else None
    return Materialized(
        storage_id=event.storage_id,
        time=event.timestamp,
        version=tags.get(DATA_VERSION_TAG, ""),
        code_version=tags.get(MADE_WITH) if lost else code,
        inputs={n.removeprefix(_PREFIX): v for n, v in tags.items() if n.startswith(_PREFIX)},
        metadata={} if lost else {name: value for name, value in metadata.items() if name in _KEPT},
        lost=lost,
    )


def _metadata(event: Any) -> dict[str, Any]:
    found = event.event_log_entry.asset_materialization or event.event_log_entry.asset_observation
    return as_values(found.metadata) if found else {}


def _facts(instance: dg.DagsterInstance, graph: AssetGraph, key: dg.AssetKey) -> AssetFacts:
    node = graph.get(key)
    metadata = node.metadata
    definition = node.partitions_def
    partitions: Sequence[str | None] = [None]
    if definition is not None:
        partitions = list(definition.get_partition_keys(dynamic_partitions_store=instance))
    workflow = metadata.get("workflow")
    return AssetFacts(
        asset=key.to_user_string(),
        code_version=node.code_version,
        parents=tuple(_parents(graph, key)),
        partitions=tuple(partitions),
        workflow=str(_plain(workflow)) if workflow is not None else None,
        operation=str(_plain(metadata["operation"])) if "operation" in metadata else None,
        parameters=_plain(metadata.get("parameters")) or {},
    )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, dg.MetadataValue) else value


def _parents(graph: AssetGraph, key: dg.AssetKey) -> Iterator[Parent]:
    for parent in sorted(graph.get(key).parent_keys):
        name = parent.to_user_string()
        if graph.get(parent).partitions_def is None:
            yield Parent(name, "whole")
            continue
        mapping = graph.get_partition_mapping(key, parent)
        if isinstance(mapping, dg.SpecificPartitionsPartitionMapping):
            yield Parent(name, tuple(mapping.partition_keys))
        elif graph.get(key).partitions_def is not None:
            yield Parent(name, "same")


def _latest(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    partitions: Sequence[str | None],
    settings: Settings,
) -> Iterator[tuple[str | None, Materialized]]:
    if None in partitions:
        for record in instance.fetch_materializations(asset, limit=1).records:
            yield None, _whole(instance, asset, record, settings)
        return
    wanted = set(partitions)
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(asset, kind)
    ids = [storage_id for partition, storage_id in latest.items() if partition in wanted]
    for chunk in _chunks(ids):
        filters = dg.AssetRecordsFilter(asset_key=asset, storage_ids=chunk)
        for record in instance.fetch_materializations(filters, limit=len(chunk)).records:
            yield record.partition_key, _whole(instance, asset, record, settings)


def _observed(instance: dg.DagsterInstance) -> Iterator[tuple[str | None, Materialized]]:
    kind = dg.DagsterEventType.ASSET_OBSERVATION
    latest = instance.event_log_storage.get_latest_storage_id_by_partition(EFFECT_RECIPE, kind)
    for chunk in _chunks(list(latest.values())):
        filters = dg.AssetRecordsFilter(asset_key=EFFECT_RECIPE, storage_ids=chunk)
        for record in instance.fetch_observations(filters, limit=len(chunk)).records:
            yield record.partition_key, record_of(record)


def _chunks(ids: Sequence[int]) -> Iterable[list[int]]:
    return (list(ids[start : start + _RECORDS_AT_ONCE]) for start in range(0, len(ids), _RECORDS_AT_ONCE))
