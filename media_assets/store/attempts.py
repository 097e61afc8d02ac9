"""What was asked for by itself, on disk: what keeps failing is asked for ever more rarely, and told why.

A document for each asset. It is on disk and not in a sensor's cursor, so that a cursor that is wiped, a
Dagster home that is lost and a second daemon on the same data root change nothing.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

FIRST_PAUSE_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 86_400.0


@dataclass(frozen=True)
class Attempt:
    """How often a partition was asked for, and what became of it.

    Attributes:
        version: what it was to be made from.
        count: how often it was asked for in that version.
        asked_at: when it was last (seconds since the epoch).
        next_at: when it may be asked for again.
        run_id: the run that failed for it, once that is known.
        error: what that run said.
    """

    version: str
    count: int
    asked_at: float
    next_at: float
    run_id: str | None = None
    error: str | None = None

    def told(self, now: float | None = None) -> str:
        """How often it failed, when it is tried again, and what was wrong."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.next_at))
        if self.error is None:
            return f"asked for; again at {when} if nothing came of it"
        times = "once" if self.count == 1 else f"{self.count} times"
        wait = _span(self.next_at - (time.time() if now is None else now))
        return f"failed {times}, tried again {wait} ({when}): {self.error}"


class Attempts:
    """The attempts at partitions of one asset, at one moment."""

    def __init__(
        self,
        entries: Mapping[str, Attempt] | None = None,
        now: float | None = None,
        longest: float = LONGEST_PAUSE_SECONDS,
    ) -> None:
        """Take what is on record.

        Args:
            entries: attempts by partition.
            now: seconds since the epoch.
            longest: the longest pause (s).
        """
        self.now = time.time() if now is None else now
        self._longest = longest
        self.entries = {key: self._clamped(attempt) for key, attempt in (entries or {}).items()}

    def due(self, wanted: Mapping[str, str]) -> list[str]:
        """Those keys that are new, wanted in another version, or whose pause is over."""
        return [key for key in wanted if not self._rests(key, wanted[key])]

    def resting(self, wanted: Mapping[str, str]) -> dict[str, Attempt]:
        """Those keys whose pause is not over."""
        return {key: self.entries[key] for key in wanted if self._rests(key, wanted[key])}

    def untold(self, wanted: Mapping[str, str]) -> set[str]:
        """Keys that were asked for in this version, and of which nobody knows yet what went wrong."""
        return {
            key
            for key, version in wanted.items()
            if key in self.entries and self.entries[key].version == version and not self.entries[key].run_id
        }

    def count(self, key: str, version: str) -> int:
        """How often `key` was asked for in `version`."""
        known = self.entries.get(key)
        return known.count if known is not None and known.version == version else 0

    def asked(self, key: str, version: str) -> None:
        """Note that `key` is asked for in `version` now."""
        count = self.count(key, version) + 1
        self.entries[key] = Attempt(version, count, self.now, self.now + self._pause(count))

    def failed(self, key: str, run_id: str, error: str, at: float) -> None:
        """Note why the last attempt at `key` failed, and when (s): its pause begins then."""
        known = self.entries[key]
        next_at = min(at, self.now) + self._pause(known.count)
        self.entries[key] = replace(known, run_id=run_id, error=error, next_at=next_at)

    def keep_only(self, wanted: Mapping[str, str]) -> None:
        """Drop what is not wanted any more: it was made, or is gone."""
        self.entries = {key: attempt for key, attempt in self.entries.items() if key in wanted}

    def _rests(self, key: str, version: str) -> bool:
        known = self.entries.get(key)
        return known is not None and known.version == version and known.next_at > self.now

    def _pause(self, count: int) -> float:
        # Ten quadruplings are far beyond the longest pause; more would be beyond a float one day.
        return min(FIRST_PAUSE_SECONDS * 4.0 ** (min(count, 10) - 1), self._longest)

    def _clamped(self, attempt: Attempt) -> Attempt:
        """A clock that was set back leaves nobody waiting for longer than the pause itself."""
        latest = self.now + self._pause(attempt.count)
        if attempt.next_at <= latest:
            return attempt
        return replace(attempt, asked_at=min(attempt.asked_at, self.now), next_at=latest)


@contextlib.contextmanager
def attempts_at(
    settings: Settings,
    assets: Sequence[str],
    *,
    longest: float = LONGEST_PAUSE_SECONDS,
    now: float | None = None,
) -> Iterator[Attempts]:
    """The attempts at what a run of `assets` makes, to be changed and written back while nobody else does.

    They are known by the first of `assets`, whose names are as people write them: `web_preview/small`.
    """
    path = _root(settings) / f"{assets[0]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        before = _entries(read_json(path))
        attempts = Attempts(before, now, longest)
        yield attempts
        if attempts.entries == before:
            return
        entries = {key: asdict(attempt) for key, attempt in attempts.entries.items()}
        write_json(path, {"assets": list(assets), "attempts": entries})


def known_attempts(settings: Settings) -> dict[tuple[str, str], Attempt]:
    """Every failed attempt on record by asset and partition, for people to read; nothing is locked."""
    found: dict[tuple[str, str], Attempt] = {}
    for path in sorted(_root(settings).rglob("*.json")):
        document = read_json(path)
        for key, attempt in _entries(document).items():
            if attempt.error is not None and document is not None:
                found |= {(str(asset), key): attempt for asset in document["assets"]}
    return found


def _span(seconds: float) -> str:
    if seconds <= 0:
        return "at the next tick"
    if seconds < 120:
        return f"in {seconds:.0f} s"
    return f"in {seconds / 60:.0f} min" if seconds < 7200 else f"in {seconds / 3600:.1f} h"


def _root(settings: Settings) -> Path:
    return settings.metadata_root / "attempts"


def _entries(document: dict[str, Any] | None) -> dict[str, Attempt]:
    """The attempts in a document; none where it is damaged: all may be asked for once."""
    try:
        return {str(key): _attempt(value) for key, value in (document or {})["attempts"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _attempt(value: Mapping[str, Any]) -> Attempt:
    return Attempt(
        str(value["version"]),
        max(1, int(value["count"])),
        float(value["asked_at"]),
        float(value["next_at"]),
        value.get("run_id"),
        value.get("error"),
    )
