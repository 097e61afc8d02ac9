"""What was acknowledged, and whether it is still there: nothing lost, nothing made twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_assets.analytics import warehouse
from media_assets.analytics.events import read_events
from media_assets.settings import Settings
from media_assets_tests.warm import Command

_MATERIALIZATIONS = """
SELECT asset_key, "partition", max(id) FROM event_logs
WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY asset_key, "partition"
"""
_MANY = 10_000_000


@dataclass(frozen=True)
class Stored:
    """A whole output: which file it is, when it was made and what it holds."""

    inode: int
    created: str
    content_hash: str


@dataclass
class Verdict:
    """What became of one fault.

    Attributes:
        how: what it was done with, where there are several ways.
        acknowledged: things that were told to be done, and had to be there afterwards.
        lost: those that were not; repeated: outputs that were made though they were in the store.
        wrong: everything else that should not be, such as a traceback.
        verify: findings of the last verification.
    """

    fault: str
    rounds: int = 0
    how: str = ""
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    verify: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        """Whether everything was as it should be, and something was tried."""
        return self.rounds > 0 and not (self.lost or self.repeated or self.wrong or self.verify)

    @property
    def words(self) -> str:
        """What is not as it should be, as numbers."""
        counts = {name: len(getattr(self, name)) for name in ("lost", "repeated", "wrong", "verify")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count)

    def check(self, command: Command, status: int = 0) -> Any:
        """Note a command that did not end as it should; what it printed."""
        told = f"{' '.join(command.words[:2])} ended with {command.status}, not {status}"
        if command.status != status:
            self.wrong.append(f"{told}: {command.err.read_text()[-600:]} {command.out.read_text()[-300:]}")
        if "Traceback" in command.err.read_text():
            self.wrong.append(f"{' '.join(command.words[:2])}: {command.err.read_text()[-1500:]}")
        return command.json

    def check_verified(self, command: Command) -> None:
        """Note what a verification found."""
        found = command.json
        if not isinstance(found, dict) or "findings" not in found:
            self.wrong.append(f"verify ended with {command.status}: {command.err.read_text()[-600:]}")
        else:
            self.verify += [f"{f['kind']} {f['path']}: {f['problem']}" for f in found["findings"]]


def tell(text: str, verdict: Verdict) -> None:
    """A line for who waits."""
    print(f"{text} {verdict.words}", file=sys.stderr, flush=True)


class Ledger:
    """What a data root has acknowledged so far."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._records: dict[tuple[str, str | None], int] = {}
        self._outputs: dict[str, Stored] = {}
        self._files: dict[Path, str] = {}
        self._events: set[str] = set()
        self._free: set[str] = set()

    @property
    def size(self) -> int:
        """How much there is that has to stay."""
        return len(self._records) + len(self._outputs) + len(self._files) + len(self._events)

    def take(self, *commands: Command) -> None:
        """Take down what is recorded, stored and told now."""
        self._records |= records(self._settings)
        found = stored(self._settings)
        self._outputs |= {name: one for name, one in found.items() if name not in self._free}
        for command in commands:
            if command.words[0] == "run" and isinstance(command.json, dict):
                for output in command.json.get("outputs", []):
                    if output["status"] != "failed":
                        path = Path(output["path"])
                        self._files[path] = digest(path) or "not there"
            elif "append_events" in command.out.name or command.words[0].replace(".", "").isdigit():
                # The last line may be torn: then the append was not told.
                *whole, _ = command.out.read_text().split("\n")
                self._events |= set(whole)

    def forget(self, fingerprints: set[str]) -> None:
        """Let go of outputs that clean may take, and of their readable names."""
        self._free |= fingerprints
        gone = {self._outputs.pop(name).content_hash for name in fingerprints if name in self._outputs}
        self._files = {path: known for path, known in self._files.items() if known not in gone}

    def compare(self, verdict: Verdict) -> None:
        """Note what is not there any more, and what was made again."""
        now, events = records(self._settings), event_ids(self._settings)
        for place, known in self._records.items():
            if now.get(place, 0) < known:
                verdict.lost.append(f"the record of {place}")
        for event in self._events:
            if events.count(event) != 1:
                verdict.lost.append(f"event {event} is there {events.count(event)} times")
        self.compare_files(verdict)

    def compare_files(self, verdict: Verdict) -> None:
        """The same of outputs and their readable names alone."""
        outputs = stored(self._settings)
        for fingerprint, one in self._outputs.items():
            other = outputs.get(fingerprint)
            if other is None:
                verdict.lost.append(f"the output {fingerprint}")
            elif other.inode != one.inode:
                verdict.repeated.append(f"{fingerprint}, made {one.created} and {other.created}")
        for path, known in self._files.items():
            if digest(path) != known:
                verdict.lost.append(f"the file {path.name}")
        verdict.acknowledged = self.size


def stored(settings: Settings) -> dict[str, Stored]:
    """Every whole output, read without putting anything aside."""
    found = {}
    for sidecar in settings.store_root.glob("??/*/sidecar.json"):
        with contextlib.suppress(FileNotFoundError):  # put aside or cleaned meanwhile
            document = json.loads(sidecar.read_text())
            inode = (sidecar.parent / document["file_name"]).stat().st_ino
            found[sidecar.parent.name] = Stored(inode, document["created"], document["content_hash"])
    return found


def records(settings: Settings) -> dict[tuple[str, str | None], int]:
    """The newest materialization of every partition in Dagster's event log."""
    path = settings.dagster_home / "history" / "runs" / "index.db"
    if not path.exists():
        return {}
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as opened:
        return {(asset, part): number for asset, part, number in opened.execute(_MATERIALIZATIONS)}


class Events(dict[str, int]):
    """How often each event is there."""

    def count(self, event: str) -> int:
        """How often that one is."""
        return self.get(event, 0)


def event_ids(settings: Settings) -> Events:
    """Every event, loaded or waiting; one that waits and is loaded counts once, as for those who read."""
    found = Events()
    if settings.warehouse_path.exists():
        with warehouse.connect(settings.warehouse_path, read_only=True) as connection:
            for (event,) in connection.execute("SELECT event_id FROM operation_events").fetchall():
                found[str(event)] = found.get(str(event), 0) + 1
    for record in read_events(settings.event_root, _MANY):
        found.setdefault(str(record["event_id"]), 1)
    return found


def digest(path: Path) -> str | None:
    """SHA-256 of a file that is there."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return None
