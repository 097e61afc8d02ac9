"""What the nightly integrity check found, told as results of asset checks: the UI shows them by partition.

Only what is new is told: a partition that was never checked, one that fails, and one that is whole again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationTargetMaterializationData,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.events import DagsterEvent
from dagster._core.instance.utils import RUNLESS_JOB_NAME
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from media_assets.defs.sources import SOURCE_FILE
from media_assets.store.journal import Entry
from media_assets.store.verifying import Finding

OF_SOURCE, OF_OUTPUT = "intact", "matches_sidecar"
"""The checks whose answer verification gives: its files were read, so nothing is read again."""

_FAILED = AssetCheckExecutionRecordStatus.FAILED
_DONE = (_FAILED, AssetCheckExecutionRecordStatus.SUCCEEDED)
Place = tuple[str, str | None]


def tell(
    instance: dg.DagsterInstance,
    graph: AssetGraph,
    tracked: Sequence[Entry],
    findings: Iterable[Finding],
    run_id: str,
) -> int:
    """Report a result for each partition of which there is something new to say; returns how many.

    Args:
        tracked: the records of the partitions that were verified, checksums included.
        findings: all that was wrong.
        run_id: of the run that verified; without one, Dagster keeps only the first result of a partition.
    """
    wrong = _wrong(findings)
    told = 0
    for key in sorted(graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        if key.name != (OF_SOURCE if key.asset_key == SOURCE_FILE else OF_OUTPUT):
            continue
        asset = key.asset_key.to_user_string()
        there = [entry.partition for entry in tracked if entry.asset == asset and entry.partition]
        known = _known(instance, key)
        new = [one for one in there if known.get(one) != ((asset, one) not in wrong)]
        targets = instance.event_log_storage.get_latest_storage_id_by_partition(
            key.asset_key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        for one in new:
            if one in targets:
                evaluation = _evaluation(instance, key, one, wrong.get((asset, one)), targets[one])
                kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
                event = DagsterEvent(kind, RUNLESS_JOB_NAME, event_specific_data=evaluation)
                instance.report_dagster_event(event, run_id)
                told += 1
    return told


def _wrong(findings: Iterable[Finding]) -> Mapping[Place, str]:
    """What is wrong with files of partitions; of outputs, with those in the store."""
    found: dict[Place, str] = {}
    for finding in findings:
        text = f"{finding.path}: {finding.text}"
        if finding.kind == "source":
            found[SOURCE_FILE.to_user_string(), finding.id] = text
        elif finding.kind == "output":
            found |= dict.fromkeys(finding.partitions, text)
    return found


def _known(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> dict[str, bool]:
    """Whether each partition passed when it was last checked; not of those that were made again since."""
    infos = instance.event_log_storage.get_asset_check_partition_info([key])
    return {
        info.partition_key: info.latest_execution_status != _FAILED
        for info in infos
        if info.partition_key is not None
        and info.latest_execution_status in _DONE
        and info.latest_target_materialization_storage_id == info.latest_materialization_storage_id
    }


def _evaluation(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, partition: str, problem: str | None, target: int
) -> AssetCheckEvaluation:
    (record,) = instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key.asset_key, storage_ids=[target]), limit=1
    ).records
    return AssetCheckEvaluation(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=problem is None,
        metadata={},
        description=problem or "as it is on record, by SHA-256",
        target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        ),
        partition=partition,
    )
