"""Dagster's own answer on staleness: the status of each partition, and why it is stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCause, StaleStatus
from dagster._core.loader import LoadingContext


@dataclass(frozen=True)
class Cause:
    """Why a partition is stale, as Dagster says it."""

    category: str
    reason: str
    dependency: str | None
    dependency_partition: str | None


@dataclass(frozen=True)
class Status:
    """Dagster's answer for one asset partition.

    Attributes:
        status: `materialized`, `missing` or `stale`.
        materialized_at: seconds since the epoch.
    """

    asset: str
    partition: str | None
    status: str
    causes: tuple[Cause, ...]
    materialized_at: float | None

    def to_json(self) -> dict[str, Any]:
        """As the command line prints it."""
        return asdict(self)


def statuses(instance: dg.DagsterInstance, graph: AssetGraph) -> dict[tuple[str, str | None], str]:
    """Dagster's stale status of every partition of every asset, on any instance."""
    resolver = resolver_of(instance, graph)
    return {
        (status.asset, status.partition): status.status
        for key in sorted(graph.materializable_asset_keys)
        for status in statuses_of(resolver, key, partitions_of(instance, graph, key), {})
    }


def resolver_of(instance: dg.DagsterInstance, graph: AssetGraph) -> CachingStaleStatusResolver:
    """Tells how things are now: it looks nothing up twice."""
    return CachingStaleStatusResolver(instance, graph, LoadingFor(instance))


def statuses_of(
    resolver: CachingStaleStatusResolver,
    asset: dg.AssetKey,
    partitions: Sequence[str | None],
    times: Mapping[str | None, float],
) -> Iterator[Status]:
    """The stale status of some partitions of an asset; `times` says when they were materialized."""
    for partition in partitions:
        yield _status(resolver, asset, partition, times.get(partition))


def times_of(
    instance: dg.DagsterInstance, graph: AssetGraph, asset: dg.AssetKey
) -> dict[str | None, float]:
    """When each partition of an asset was last materialized, in seconds since the epoch; in bulk."""
    if graph.get(asset).partitions_def is None:
        event = instance.get_latest_materialization_event(asset)
        return {None: event.timestamp} if event else {}
    ids = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    records = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=asset, storage_ids=list(ids.values())), limit=len(ids) or 1
    ).records
    return {record.partition_key: record.timestamp for record in records}


def partitions_of(
    instance: dg.DagsterInstance, graph: AssetGraph, asset: dg.AssetKey
) -> Sequence[str | None]:
    """The partition keys of an asset; one None where it has none."""
    definition = graph.get(asset).partitions_def
    if definition is None:
        return [None]
    return list(definition.get_partition_keys(dynamic_partitions_store=instance))


class LoadingFor(LoadingContext):
    """Dagster's batching of look-ups, for one question."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._loaders: dict[Any, Any] = {}

    @property
    def instance(self) -> dg.DagsterInstance:
        """The instance that is asked."""
        return self._instance

    @property
    def loaders(self) -> dict[Any, Any]:
        """Filled by Dagster."""
        return self._loaders


def _status(
    resolver: CachingStaleStatusResolver, asset: dg.AssetKey, partition: str | None, time: float | None
) -> Status:
    status = resolver.get_status(asset, partition)
    causes = resolver.get_stale_causes(asset, partition) if status == StaleStatus.STALE else []
    words = {StaleStatus.FRESH: "materialized", StaleStatus.MISSING: "missing", StaleStatus.STALE: "stale"}
    return Status(
        asset.to_user_string(), partition, words[status], tuple(_cause(cause) for cause in causes), time
    )


def _cause(cause: StaleCause) -> Cause:
    dependency = cause.dependency_asset_key
    return Cause(
        cause.category.value.lower(),
        cause.reason,
        dependency.to_user_string() if dependency else None,
        cause.dependency_partition_key,
    )
