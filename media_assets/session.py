"""Dagster in this process: the project's definitions on a data root's instance, and their runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from media_assets.defs.batches import fail_dead_runs, makes_tag, range_tags, ranges, worker_tag
from media_assets.defs.dead_runs import freeing_places
from media_assets.defs.recording import as_values
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.homes import check_home, telling_damage
from media_assets.instances import open_instance, prepare_home
from media_assets.settings import Settings
from media_assets.statuses import Status, partitions_of, resolver_of, statuses_of, times_of

_INTERRUPTED = "DagsterExecutionInterruptedError"


def _ours(error: BaseException) -> BaseException:
    """The error of the family that another was raised over, as Dagster does of a document; else itself."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, MediaAssetsError):
        found = found.__cause__ or found.__context__
    return found or error


class Session:
    """The project's definitions on a data root's instance; use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        prepare_home(settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from media_assets.definitions import defs

            try:
                self.definitions: dg.Definitions = defs()
            except Exception as error:  # noqa: BLE001 - Dagster wraps what a user's document raises
                raise _ours(error) from None
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
        resolver = resolver_of(self.instance, self.graph)
        for name in [asset] if asset else sorted(known):
            partitions = self.partitions(known[name])
            if partition is not None and partition not in partitions:
                raise BadInput(f"{name} has no partition {partition!r}", hint="`status` lists them")
            times = times_of(self.instance, self.graph, known[name])
            wanted = [partition] if partition is not None else partitions
            yield from statuses_of(resolver, known[name], wanted, times)

    def partitions(self, asset: dg.AssetKey) -> Sequence[str | None]:
        """The partition keys of an asset; one None where it has none."""
        return partitions_of(self.instance, self.graph, asset)

    def metadata(self, asset: dg.AssetKey, partition: str | None = None) -> dict[str, Any]:
        """Metadata of the latest materialization as plain values; empty when there is none."""
        records = self.instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition] if partition else None),
            limit=1,
        ).records
        if not records or records[0].asset_materialization is None:
            return {}
        return as_values(records[0].asset_materialization.metadata)

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
            with freeing_places(self.instance):
                result = job.execute_in_process(
                    instance=self.instance,
                    tags={**tags, **makes_tag(assets), **worker_tag()},
                    run_config={**(run_config or {}), **quiet},
                    raise_on_error=False,
                )
        if _interrupted(result):
            raise KeyboardInterrupt
        return result


def failures(results: Sequence[dg.ExecuteInProcessResult]) -> list[str]:
    """What went wrong in runs, a text for each failed step."""
    texts = []
    for result in results:
        for event in result.all_events:
            if event.is_step_failure:
                error = event.step_failure_data.error
                # What a step did not foresee, Dagster wraps in an error that only names the step.
                texts.append((error.cause or error).message.strip() if error else str(event.message))
        if not result.success and not texts:
            texts += [str(event.message) for event in result.all_events if event.is_failure]
    return texts


def _interrupted(run: dg.ExecuteInProcessResult) -> bool:
    """Whether a run ended by Ctrl-C."""
    errors = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
    return any(error is not None and error.cls_name == _INTERRUPTED for error in errors)
