"""Dagster in this process: the instance of a data root, runs, and its own answer on staleness."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCause, StaleStatus
from dagster._core.loader import LoadingContext
from filelock import FileLock
from sqlalchemy.exc import DatabaseError

from media_assets.defs.batches import fail_dead_runs, range_tags, ranges, worker_tag
from media_assets.errors import BadInput
from media_assets.homes import check_home, is_damage, telling_damage
from media_assets.settings import Settings

_DAGSTER_YAML = """\
# Written once; edit as you like.
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator.queued_run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
concurrency:
  runs:
    max_concurrent_runs: 4
  pools:
    # Each pool is one machine-wide resource: a run in "ffmpeg" uses every core, DuckDB has one writer.
    default_limit: 1
    granularity: op
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
sensors:
  use_threads: true
  num_workers: 4
"""

_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
_INTERRUPTED = "DagsterExecutionInterruptedError"


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


def prepare_home(settings: Settings) -> None:
    """Make the data root's folders and its Dagster home, and point this process and its children there."""
    for folder in (settings.source_root, settings.komposition_root, settings.dagster_home):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = settings.dagster_home / "dagster.yaml"
    if not configuration.exists():
        # Whole or not at all: an empty one would be taken for the user's wish to have no limits.
        temporary = configuration.with_name(f".{configuration.name}.{os.getpid()}")
        temporary.write_text(_DAGSTER_YAML)
        temporary.replace(configuration)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["MEDIA_ASSETS_DATA"] = str(settings.data_root)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance of a prepared home, whose databases are made if it is the first to open it.

    Dagster makes them unguarded: of two processes that are the first, one fails on what the other has made
    ("table already exists"). Ours wait for each other (and `home`
    makes them before `dagster dev` starts); one that meets a foreign process at it tries again.
    """
    with FileLock(settings.dagster_home / ".opening.lock"):
        for pause in _PAUSES_SECONDS:
            try:
                return dg.DagsterInstance.get()
            except DatabaseError as error:
                if is_damage(error):
                    raise
                time.sleep(pause)
        return dg.DagsterInstance.get()


class Session:
    """The project's definitions on a data root's instance; use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        prepare_home(settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from media_assets.definitions import defs

            self.definitions: dg.Definitions = defs()
            check_home(settings)
            with telling_damage(settings):
                self.instance = open_instance(settings)
            self._repository = self.definitions.get_repository_def()
            self.graph = self._repository.asset_graph
        with telling_damage(settings):
            fail_dead_runs(self.instance)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.instance.dispose()

    def run(
        self,
        assets: Sequence[dg.AssetKey],
        partitions: Sequence[str] | None = None,
        run_config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> list[dg.ExecuteInProcessResult]:
        """Materialize `assets`, in as few runs as their partitions allow; a failed run does not raise.

        Checks of assets without partitions are run with them, those of partitions only when asked for.

        Raises:
            KeyboardInterrupt: a run was interrupted, which Dagster takes for a failure of its step.
        """
        tags = tags or {}
        if partitions is None:
            whole = {key for key in assets if self.graph.get(key).partitions_def is None}
            checks = [check for check in self.graph.asset_check_keys if check.asset_key in whole]
            return [self._execute(assets, tags, run_config, checks)]
        definition = self.graph.get(assets[0]).partitions_def
        name = definition.name if isinstance(definition, dg.DynamicPartitionsDefinition) else None
        order = self.instance.get_dynamic_partitions(name) if name else []
        batches = ranges(partitions, order, self.settings.batch_size)
        return [self._execute(assets, {**tags, **range_tags(batch)}, run_config) for batch in batches]

    def run_checks(
        self,
        checks: Sequence[dg.AssetCheckKey],
        partitions: Sequence[str] | None,
        run_config: Mapping[str, Any] | None = None,
    ) -> list[dg.ExecuteInProcessResult]:
        """Run checks of one asset on partitions, and nothing else; a failed run does not raise."""
        if partitions is None:
            return [self._execute([], {}, run_config, checks)]
        order = [key for key in self.partitions(checks[0].asset_key) if key is not None]
        batches = ranges(partitions, order, self.settings.batch_size)
        return [self._execute([], range_tags(batch), run_config, checks) for batch in batches]

    def status(self, asset: str | None = None, partition: str | None = None) -> Iterator[Status]:
        """Dagster's stale status of every partition, of one asset's, or of one partition.

        Raises:
            BadInput: there is no such asset or partition.
        """
        known = {key.to_user_string(): key for key in self.graph.materializable_asset_keys}
        if asset is not None and asset not in known:
            raise BadInput("there is no such asset", where=asset, hint="known: " + ", ".join(sorted(known)))
        for name in [asset] if asset else sorted(known):
            resolver = CachingStaleStatusResolver(self.instance, self.graph, LoadingFor(self.instance))
            partitions = self.partitions(known[name])
            if partition is not None and partition not in partitions:
                raise BadInput(f"{name} has no partition {partition!r}", hint="`status` lists them")
            times = self._times(known[name])
            for key in [partition] if partition is not None else partitions:
                yield _status(resolver, known[name], key, times.get(key))

    def partitions(self, asset: dg.AssetKey) -> Sequence[str | None]:
        """The partition keys of an asset; one None where it has none."""
        definition = self.graph.get(asset).partitions_def
        if definition is None:
            return [None]
        return list(definition.get_partition_keys(dynamic_partitions_store=self.instance))

    def metadata(self, asset: dg.AssetKey, partition: str | None = None) -> dict[str, Any]:
        """Metadata of the latest materialization as plain values; empty when there is none."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition] if partition else None),
            limit=1,
        ).records
        if not records or records[0].asset_materialization is None:
            return {}
        return {name: item.value for name, item in records[0].asset_materialization.metadata.items()}

    def _execute(
        self,
        assets: Sequence[dg.AssetKey],
        tags: Mapping[str, str],
        run_config: Mapping[str, Any] | None,
        checks: Sequence[dg.AssetCheckKey] = (),
    ) -> dg.ExecuteInProcessResult:
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Dagster would run all checks of the assets with each of their runs.
            job = self._repository.get_implicit_global_asset_job_def().get_subset(
                asset_selection=set(assets), asset_check_selection=set(checks)
            )
            result = job.execute_in_process(
                instance=self.instance,
                tags={**tags, **worker_tag()},
                run_config={**(run_config or {}), **quiet},
                raise_on_error=False,
            )
        if _interrupted(result):
            raise KeyboardInterrupt
        return result

    def _times(self, asset: dg.AssetKey) -> dict[str | None, float]:
        """When each partition was last materialized, in bulk."""
        if self.graph.get(asset).partitions_def is None:
            event = self.instance.get_latest_materialization_event(asset)
            return {None: event.timestamp} if event else {}
        ids = self.instance.event_log_storage.get_latest_storage_id_by_partition(
            asset, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, storage_ids=list(ids.values())), limit=len(ids) or 1
        ).records
        return {record.partition_key: record.timestamp for record in records}


def statuses(instance: dg.DagsterInstance, graph: AssetGraph) -> dict[tuple[str, str | None], str]:
    """Dagster's stale status of every partition of every asset, on any instance."""
    found: dict[tuple[str, str | None], str] = {}
    for key in sorted(graph.materializable_asset_keys):
        resolver = CachingStaleStatusResolver(instance, graph, LoadingFor(instance))
        definition = graph.get(key).partitions_def
        partitions: Sequence[str | None] = [None]
        if definition is not None:
            partitions = list(definition.get_partition_keys(dynamic_partitions_store=instance))
        for partition in partitions:
            status = _status(resolver, key, partition, None)
            found[status.asset, partition] = status.status
    return found


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


def failures(results: Sequence[dg.ExecuteInProcessResult]) -> list[str]:
    """What went wrong in runs, a text for each failed step."""
    texts = []
    for result in results:
        for event in result.all_events:
            if event.is_step_failure:
                error = event.step_failure_data.error
                texts.append(error.message.strip() if error else str(event.message))
        if not result.success and not texts:
            texts += [str(event.message) for event in result.all_events if event.is_failure]
    return texts


def _interrupted(run: dg.ExecuteInProcessResult) -> bool:
    """Whether a run ended by Ctrl-C."""
    errors = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
    return any(error is not None and error.cls_name == _INTERRUPTED for error in errors)


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
