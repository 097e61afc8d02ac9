"""Runs Dagster's asset checks in this process, and tells what each found."""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from media_assets.actions import RunFailed
from media_assets.errors import BadInput
from media_assets.session import Session, failures


@dataclass(frozen=True)
class Checked:
    """What one check found of one partition; the message says what is wrong, where, and what to do."""

    asset: str
    partition: str | None
    check: str
    passed: bool
    message: str


def check(session: Session, asset: str | None, partition: str | None, *, full: bool) -> list[Checked]:
    """Run the asset checks of everything that is materialized, or of one asset, or of one partition.

    Raises:
        BadInput: there is no such asset or partition, or it has no checks; RunFailed: a run failed.
    """
    found: list[Checked] = []
    for key, checks in _checks(session, asset).items():
        for result in _run(session, key, checks, partition, full=full):
            found += [_checked(evaluation) for evaluation in result.get_asset_check_evaluations()]
    return found


def _checks(session: Session, asset: str | None) -> dict[dg.AssetKey, list[dg.AssetCheckKey]]:
    """The checks there are, by asset; of one asset, if it is named."""
    found: dict[dg.AssetKey, list[dg.AssetCheckKey]] = {}
    for key in sorted(session.graph.asset_check_keys, key=lambda key: (key.asset_key, key.name)):
        found.setdefault(key.asset_key, []).append(key)
    if asset is None:
        return found
    named = {key: checks for key, checks in found.items() if key.to_user_string() == asset}
    if not named:
        known = ", ".join(key.to_user_string() for key in found)
        raise BadInput("there is no such asset with checks", where=asset, hint=f"there are: {known}")
    return named


def _run(
    session: Session,
    asset: dg.AssetKey,
    checks: list[dg.AssetCheckKey],
    partition: str | None,
    *,
    full: bool,
) -> list[dg.ExecuteInProcessResult]:
    """Runs of those checks on what is materialized."""
    there = session.partitions(asset)
    if there == [None]:
        if partition is not None:
            raise BadInput("it has no partitions", where=asset.to_user_string(), hint="leave it out")
        made = session.instance.get_latest_materialization_event(asset) is not None
        results = session.run_checks(checks, None) if made else []
    else:
        present = session.instance.get_materialized_partitions(asset)
        if partition is not None and partition not in present:
            raise BadInput(
                f"there is no materialized partition {partition!r}",
                where=asset.to_user_string(),
                hint="`status` lists what is materialized",
            )
        wanted = [key for key in there if key in present and partition in (None, key)]
        config = {"ops": {f"{'_'.join(asset.path)}_checks": {"config": {"full": full}}}}
        results = session.run_checks(checks, [key for key in wanted if key is not None], config)
    if problems := failures(results):
        raise RunFailed("\n".join(problems), where=asset.to_user_string())
    return results


def _checked(evaluation: dg.AssetCheckEvaluation) -> Checked:
    return Checked(
        evaluation.asset_key.to_user_string(),
        evaluation.partition,
        evaluation.check_name,
        evaluation.passed,
        evaluation.description or "",
    )
