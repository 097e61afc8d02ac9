"""Dagster as `make dev` starts it, on loopback: started, killed as by a power cut, stopped, measured."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from media_assets.settings import PROJECT_ROOT
from soak.studio import Studio

# A busy machine takes its time.
_STOP_SECONDS = 120.0
_STARTING_SECONDS = 120.0
_UNREAPED_SECONDS = 20.0
_MEGABYTE = 1 << 20
_COMMAND = ("-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p")
_DAEMON, _CODE = "dagster._daemon", "api grpc"


@dataclass(frozen=True)
class Memory:
    """Resident megabytes of the daemon and of the process that runs the sensors."""

    daemon: float
    code: float


class Service:
    """`dagster dev` on a studio."""

    def __init__(self, studio: Studio, log: Path) -> None:
        self._studio = studio
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._seen: dict[int, psutil.Process] = {}
        self._started = 0.0
        self._ended: dict[int, float] = {}

    def start(self) -> None:
        """Start it; what it says is appended to the log."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        self._started = time.monotonic()
        home = {"DAGSTER_HOME": str(self._studio.settings.dagster_home)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *_COMMAND, port],
                cwd=PROJECT_ROOT,
                env=self._studio.environment | home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> int:
        """End every process of it at once, the runs and their ffmpeg too; returns how many there were."""
        tree = self._tree()
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()  # so that none starts another meanwhile
        tree = self._tree()
        for process in tree:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(tree, timeout=_STOP_SECONDS)
        self._reap()
        return len(tree)

    def stop(self) -> list[str]:
        """End it as Ctrl-C does; returns the command lines of what did not end by itself."""
        if self._process is None:
            return []
        tree = self._tree()
        os.kill(self._process.pid, signal.SIGINT)
        _, alive = psutil.wait_procs(tree, timeout=_STOP_SECONDS)
        left = [_words(process) for process in alive]
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()
        return left

    @property
    def lives(self) -> bool:
        """Whether its daemon and its web server are there still."""
        if self._process is None or self._process.poll() is not None:
            return False
        starting = time.monotonic() - self._started < _STARTING_SECONDS
        return starting or self._named(_DAEMON) is not None

    def memory(self) -> Memory | None:
        """What it takes now; None while it is starting."""
        daemon, code = self._named(_DAEMON), self._named(_CODE)
        if daemon is None or code is None:
            return None
        try:
            return Memory(_resident(daemon), _resident(code))
        except psutil.NoSuchProcess:
            return None

    def zombies(self) -> list[str]:
        """Processes of it that had ended at the last look, 20 s ago or more, and are not waited for yet."""
        now, found = time.monotonic(), {}
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.status() == psutil.STATUS_ZOMBIE:
                    found[process.pid] = self._ended.get(process.pid, now)
        self._ended = found
        return [f"process {pid}" for pid, since in found.items() if now - since > _UNREAPED_SECONDS]

    def _tree(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        try:
            root = psutil.Process(self._process.pid)
            found = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            found = []
        for process in found:
            self._seen[process.pid] = process
        # What lost its parent is not below it any more.
        return [process for process in self._seen.values() if process.is_running()]

    def _reap(self) -> None:
        if self._process is not None:
            self._process.wait()
        self._process = None
        self._seen.clear()
        self._ended.clear()

    def _named(self, part: str) -> psutil.Process | None:
        """The largest of its processes with that in its command line."""
        found = [process for process in self._tree() if part in _words(process)]
        return max(found, key=_resident_or_none, default=None)


def left_behind(root: Path) -> Iterator[str]:
    """Processes of anyone that were started on that data root, or write to it."""
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error):
            if process.environ().get("MEDIA_ASSETS_DATA") == str(root) or str(root) in _words(process):
                yield f"{process.pid}: {_words(process)}"


def _words(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return "a process that is gone"


def _resident(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / _MEGABYTE


def _resident_or_none(process: psutil.Process) -> float:
    try:
        return _resident(process)
    except psutil.Error:
        return 0.0
