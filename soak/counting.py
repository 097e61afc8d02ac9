"""What was rendered, how often, which runs failed and why, and whether an event is missing."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import dagster as dg

from media_assets.actions import Actions
from media_assets.analytics.warehouse import last_events
from media_assets.settings import Settings
from media_assets.store.outputs import SIDECAR, OutputStore
from soak.changes import BROKEN

_ALL = 1_000_000
_WRITTEN = re.compile(r"/store/pending/([^/]+)/([0-9a-f]{64})/")
# How a body says that a source or document changed or went under its hands: the next tick sees to it.
_CHANGED = re.compile(
    r"its latest content is not ingested yet|the file changed after it was ingested|its file is gone"
    r"|changed after it was planned|changed or went away while|there is no such source|it was rejected"
    r"|it changed while it was being read|it is not analysed yet as it is now|No such file"
    r"|there is no such komposition|DocumentError|UnknownSource"
    # What a queued run was to make is no partition any more: Dagster does not begin it.
    r"|Nonexistent partition keys"
)
_DIED = re.compile(r"its process is gone|it never started")


@dataclass(frozen=True)
class Renderings:
    """Commands of ffmpeg that wrote an output, as they were started.

    Attributes:
        commands: how many there were.
        attempts: for each fingerprint, when each attempt at it began, in seconds since the epoch.
    """

    commands: int
    attempts: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class FailedRuns:
    """Runs that failed: under a change, by being killed, and those that nothing explains."""

    changed: tuple[str, ...]
    killed: int
    unexplained: tuple[str, ...]


def renderings(log: Path) -> Renderings:
    """What was started; an attempt is all commands that write under one scratch folder."""
    attempts: dict[str, dict[str, float]] = defaultdict(dict)
    commands = 0
    for line in log.read_text().splitlines() if log.exists() else ():
        moment, _, arguments = json.loads(line)
        found = {match.groups() for match in map(_WRITTEN.search, arguments) if match}
        commands += bool(found)
        for scratch, fingerprint in found:
            attempts[fingerprint].setdefault(scratch, moment)
    return Renderings(commands, {key: tuple(sorted(times.values())) for key, times in attempts.items()})


def made_again(
    found: Renderings, settings: Settings, kills: Sequence[float], events: Sequence[Mapping[str, object]]
) -> Iterator[str]:
    """Outputs that were rendered although they were there, or twice with nothing to explain it.

    Args:
        kills: when processes were killed.
        events: all there are; those of failures explain a second attempt.
    """
    failed = {str(event.get("output")) for event in events if event.get("outcome") == "failed"}
    for output in OutputStore(settings):
        sidecar = json.loads((output.path.parent / SIDECAR).read_text())
        there = datetime.fromisoformat(str(sidecar["created"])).timestamp()
        attempts = found.attempts.get(output.recipe.fingerprint, ())
        name = f"{output.recipe.operation} {output.recipe.fingerprint[:12]}"
        if any(attempt > there for attempt in attempts):
            yield f"rendered although it was there: {name}"
        for first, second in pairwise(attempts):
            interrupted = any(first <= kill <= second for kill in kills)
            if not interrupted and output.recipe.id not in failed:
                yield f"rendered twice: {name}"
    counted = Counter(event["fingerprint"] for event in events if event.get("outcome") == "rendered")
    for fingerprint, times in counted.items():
        if fingerprint is not None and times > 1:
            yield f"{times} events of one rendering: {str(fingerprint)[:12]}"


def all_events(settings: Settings) -> list[dict[str, object]]:
    """Every event of every kind, loaded or not: a writer numbers them all in one row."""
    return list(last_events(settings, _ALL))


def lost_events(events: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Writers whose numbers have a gap."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for event in events:
        numbers[str(event["writer"])].add(int(str(event["sequence"])))
    for writer, found in numbers.items():
        if missing := set(range(1, max(found) + 1)) - found:
            yield f"writer {writer}: {len(missing)} of {max(found)} events are missing"


def failed_runs(actions: Actions) -> FailedRuns:
    """Every failed run, by what its steps said."""
    instance = actions.session.instance
    killed = 0
    changed, unexplained = [], []
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])):
        said = _said(instance, run.run_id)
        if _DIED.search(said):
            killed += 1
        elif _CHANGED.search(said) or BROKEN in said:
            changed.append(said.strip()[:250].replace("\n", " "))
        else:
            unexplained.append(f"run {run.run_id[:8]}: {said[:400] or 'it said nothing'}")
    return FailedRuns(tuple(changed), killed, tuple(unexplained))


def unfinished(settings: Settings) -> list[str]:
    """Files that only exist while something is being written."""
    pending = list((settings.store_root / "pending").iterdir())
    quarantine = settings.store_root / "quarantine"
    put_aside = list(quarantine.iterdir()) if quarantine.exists() else []
    hidden = [
        path
        for path in settings.data_root.rglob(".*")
        if path.is_file() and not path.name.endswith(".lock") and settings.dagster_home not in path.parents
    ]
    found = (*pending, *put_aside, *hidden)
    return [path.relative_to(settings.data_root).as_posix() for path in found]


def _said(instance: dg.DagsterInstance, run_id: str) -> str:
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    texts = []
    for entry in instance.all_logs(run_id, kinds):
        event = entry.dagster_event
        if event is not None and event.is_step_failure and event.step_failure_data.error:
            texts.append(event.step_failure_data.error.to_string())
        elif event is not None:
            texts.append(str(event.message))
    return "\n".join(texts)
