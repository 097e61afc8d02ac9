"""Commands that somebody types while the daemon works: one at a time, each a process of its own."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from media_assets.settings import PROJECT_ROOT
from soak.studio import Studio

_LONGEST_SECONDS = 300.0
# 0: done, 1: something was wrong with what was asked for, 2: what was asked for is not there.
_USUAL = (0, 1, 2)
_NOTHING_WRONG = ("status", "clean --dry-run")


@dataclass
class _Running:
    words: str
    process: subprocess.Popen[bytes]
    output: IO[bytes]


class Commands:
    """Runs commands on a studio.

    Attributes:
        ended: how often each command ended with which status.
        wrong: what no command should do: a traceback, an unknown status.
        told: what commands that did not succeed said.
    """

    def __init__(self, studio: Studio, chance: random.Random, folder: Path) -> None:
        self.ended: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.told: list[str] = []
        self._studio = studio
        self._chance = chance
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._running: _Running | None = None

    @property
    def busy(self) -> bool:
        """Whether one is running."""
        self._collect(0.0)
        return self._running is not None

    def start(self, videos: list[str]) -> None:
        """Start one, drawn at random."""
        documents = sorted(self._studio.settings.komposition_root.glob("*.json"))
        choices: list[tuple[str, list[str]]] = [
            ("status", ["status", "--json"]),
            ("verify --quick", ["verify", "--quick", "--json"]),
            ("clean --dry-run", ["clean", "--dry-run", "--json"]),
        ]
        if documents:
            choices.append(
                ("komposition render", ["komposition", "render", str(self._chance.choice(documents))])
            )
        if videos:
            choices.append(("run", ["run", str(self._studio.job(self._chance.choice(videos)))]))
        words, arguments = self._chance.choice(choices)
        self._start(words, arguments)

    def run(self, words: str, arguments: list[str]) -> None:
        """Run one to its end."""
        self.finish()
        self._start(words, arguments)
        self.finish()

    def finish(self) -> None:
        """Wait for the one that is running."""
        self._collect(_LONGEST_SECONDS)

    def _start(self, words: str, arguments: list[str]) -> None:
        output = (self._folder / f"{sum(self.ended.values()) + 1:03d}.txt").open("w+b")
        process = subprocess.Popen(
            [sys.executable, "-m", "media_assets.cli", *arguments],
            cwd=PROJECT_ROOT,
            env=self._studio.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._running = _Running(words, process, output)

    def _collect(self, seconds: float) -> None:
        running = self._running
        if running is None:
            return
        try:
            status = running.process.wait(timeout=seconds) if seconds else running.process.poll()
        except subprocess.TimeoutExpired:
            running.process.kill()
            status = running.process.wait()
            self.wrong.append(f"{running.words}: took longer than {_LONGEST_SECONDS:.0f} s")
        if status is None:
            return
        self._running = None
        running.output.seek(0)
        text = running.output.read().decode("utf-8", "replace")
        running.output.close()
        self.ended[f"{running.words}: {status}"] += 1
        if "Traceback" in text or status not in _USUAL or (status and running.words in _NOTHING_WRONG):
            self.wrong.append(f"{running.words} ended with {status} ({running.output.name}): {text[-600:]}")
        elif status:
            self.told.append(f"{running.words} ({running.output.name}): {text.strip()[-300:]}")
