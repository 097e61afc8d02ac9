"""Which runs a tick asks for: what is wanted, not under way, and not resting after a failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dagster as dg
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.storage.dagster_run import RunRecord

from media_assets.defs.batches import covered, makes, range_tags, ranges, under_way
from media_assets.settings import Settings
from media_assets.store.attempts import LONGEST_PAUSE_SECONDS, Attempt, Attempts, attempts_at

RUNS_PER_TICK = 10
# A schedule asks as often as its expression says: only what two daemons ask for at once is left out.
SCHEDULED_PAUSE_SECONDS = 30.0
_FAILED_RUNS_LOOKED_AT = 50
_SHOWN = 5
_LONGEST_ERROR = 500
_OVER = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_FAILURES = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
    dg.DagsterEventType.RUN_CANCELED,
}


def request_due(
    instance: dg.DagsterInstance,
    assets: Sequence[dg.AssetKey],
    order: Sequence[str],
    wanted: Mapping[str, str],
    settings: Settings,
    *,
    longest: float = LONGEST_PAUSE_SECONDS,
) -> dg.SensorResult:
    """Runs for the wanted partitions that are not under way and are due, at most ten a tick.

    Where none is requested, the skip reason names those that rest, with the last error of each.

    Args:
        instance: where runs are looked up.
        assets: what each run makes; the first one tells what is under way.
        order: every partition key, in order of creation.
        wanted: {partition: the version it should be made from}.
        settings: say where attempts are kept, and how many partitions go into one run.
        longest: the longest pause after a failure (s).
    """
    names = [asset.to_user_string() for asset in assets]
    with attempts_at(settings, names, longest=longest) as attempts:
        attempts.keep_only(wanted)
        busy = under_way(instance, assets[0], order)
        untold = attempts.untold(wanted) - busy
        learn_failures(instance, assets[0], lambda run: covered(run, order), attempts, untold)
        due = {key: wanted[key] for key in attempts.due(wanted) if key not in busy}
        batches = _batches(due, order, attempts, settings.batch_size)[:RUNS_PER_TICK]
        for key in (key for batch in batches for key in batch):
            attempts.asked(key, wanted[key])
        resting = {key: one for key, one in attempts.resting(wanted).items() if key not in busy}
    return dg.SensorResult(
        # No checks: they are run when somebody asks, and would be run with every batch else.
        run_requests=[
            dg.RunRequest(asset_selection=list(assets), asset_check_keys=[], tags=range_tags(b))
            for b in batches
        ],
        skip_reason=None if batches else told(resting, attempts.now),
    )


def told(resting: Mapping[str, Attempt], now: float) -> str | None:
    """Which partitions rest, after how many attempts, why, and until when; None where none does."""
    soonest = sorted(resting.items(), key=lambda item: item[1].next_at)
    lines = [f"{key} {attempt.told(now)}" for key, attempt in soonest[:_SHOWN]]
    more = [f"and {len(soonest) - _SHOWN} more"] if len(soonest) > _SHOWN else []
    return "\n".join([*lines, *more]) or None


def together(*results: dg.SensorResult) -> dg.SensorResult:
    """One result of several; why nothing is requested is told where that is so of all."""
    runs = [run for result in results for run in result.run_requests or []]
    reasons = [result.skip_reason.skip_message for result in results if result.skip_reason]
    skip = "\n".join(reason for reason in reasons if reason)
    return dg.SensorResult(run_requests=runs, skip_reason=skip if skip and not runs else None)


def learn_failures(
    instance: dg.DagsterInstance,
    asset: dg.AssetKey,
    taken: Callable[[dg.DagsterRun], set[str]],
    attempts: Attempts,
    untold: set[str],
) -> None:
    """Note what the latest failed run said of each of the `untold`; a run is looked at once.

    Args:
        instance: where runs are looked up.
        asset: what they made.
        taken: the partitions that a run takes.
        attempts: where it is noted.
        untold: partitions of which it is not known why they failed.
    """
    if not untold:
        return
    rest = set(untold)
    records = instance.get_run_records(dg.RunsFilter(statuses=_OVER), limit=_FAILED_RUNS_LOOKED_AT)
    for record in records:
        if not makes(record.dagster_run, asset):
            continue
        keys = {
            key
            for key in rest & taken(record.dagster_run)
            if _is_answer(record, attempts.entries[key], attempts.now)
        }
        if not keys:
            continue
        reasons, other = failure_reasons(instance, record.dagster_run)
        for key in keys:
            end = record.end_time or attempts.now
            attempts.failed(key, record.dagster_run.run_id, reasons.get(key, other), end)
        rest -= keys
        if not rest:
            return


def failure_reasons(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[dict[str, str], str]:
    """Why each partition failed in a run, by the run's own account; and what ended the run itself."""
    reasons: dict[str, str] = {}
    other = "the run was cancelled" if run.status == dg.DagsterRunStatus.CANCELED else "the run failed"
    for entry in instance.all_logs(run.run_id, of_type=_FAILURES):
        event = entry.dagster_event
        data = event.event_specific_data if event is not None else None
        if isinstance(data, StepFailureData):
            found = data.user_failure_data.metadata.get("reasons") if data.user_failure_data else None
            if isinstance(found, dg.JsonMetadataValue) and isinstance(found.data, dict):
                reasons |= {str(key): _short(str(text)) for key, text in found.data.items()}
            other = _short(data.error.message) if data.error is not None else other
        elif event is not None and event.message and not reasons:
            other = other if other != "the run failed" else _short(event.message)
    return reasons, other


def _batches(
    due: Mapping[str, str], order: Sequence[str], attempts: Attempts, size: int
) -> list[list[str]]:
    """Runs for what is due; the oftener it failed, the fewer partitions share its run.

    One that takes the whole run down with it would keep its neighbours from ever being recorded.
    """
    groups: dict[int, list[str]] = {}
    for key, version in due.items():
        groups.setdefault(min(attempts.count(key, version), 10), []).append(key)
    batches: list[list[str]] = []
    for count in sorted(groups):
        batches += ranges(groups[count], order, max(1, size // 4**count))
    return batches


def _is_answer(record: RunRecord, attempt: Attempt, now: float) -> bool:
    """Whether a run came after an attempt; where the clock was set back, nobody can tell."""
    return attempt.asked_at > now or record.create_timestamp.timestamp() >= attempt.asked_at - 1.0


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST_ERROR else words[: _LONGEST_ERROR - 1] + "…"
