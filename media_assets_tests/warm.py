"""Commands in processes of their own, forked from one that has imported everything.

A kill then falls into work, not into imports, and a command costs a second instead of four.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_assets.settings import PROJECT_ROOT

CLI = "media_assets.cli:main"
_POLL_SECONDS = 0.05
# From linux/prctl.h and linux/capability.h.
_PR_CAPBSET_DROP = 24
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 41
_PATIENCE_SECONDS = 300.0


@dataclass
class Command:
    """A command that was started: its process group has the process's number.

    Attributes:
        status: its exit status, negative for a signal; None while it runs.
    """

    words: tuple[str, ...]
    pid: int
    out: Path
    err: Path
    status: int | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def json(self) -> Any:
        """What it printed, if that is a whole JSON document: then it told its result."""
        try:
            return json.loads(self.out.read_text())
        except ValueError:
            return None


class Warm:
    """Starts commands, from any thread; use as a context manager.

    Args:
        folder: where their output goes.
        environment: what is set for all of them.
        prefix: a command before the process itself, such as one that gives it a name space of its own.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, prefix: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._count = 0
        self._asking = threading.Lock()
        self._environment = dict(environment or {})
        folder.mkdir(parents=True, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "MEDIA_ASSETS_DATA")}
        self._server = subprocess.Popen(
            [*prefix, sys.executable, "-m", __name__],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=kept | self._environment,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Warm:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._server.stdout:
            self._server.stdin.close()
            self._server.wait(30)

    def start(self, root: Path, *words: str | Path, entry: str = CLI, **environment: str) -> Command:
        """Start a command on a data root."""
        texts = tuple(map(str, words))
        with self._asking:
            self._count += 1
            stem = self.folder / f"{self._count:04}-{Path(texts[0]).name if texts else 'run'}"
        out, err = stem.with_suffix(".out"), stem.with_suffix(".err")
        environment = {"MEDIA_ASSETS_DATA": str(root), "MEDIA_ASSETS_SETTLE_SECONDS": "0.05", **environment}
        asked = {"entry": entry, "words": texts, "out": str(out), "err": str(err), "env": environment}
        return Command(texts, self._ask(asked)["pid"], out, err)

    def poll(self, command: Command) -> int | None:
        """The exit status of a command that has ended."""
        if command.status is None:
            command.status = self._ask({"poll": command.pid})["status"]
        return command.status

    def wait(self, *commands: Command, seconds: float = _PATIENCE_SECONDS) -> None:
        """Wait until all have ended.

        Raises:
            TimeoutError: one has not; all are killed then.
        """
        deadline = time.monotonic() + seconds
        while any(self.poll(command) is None for command in commands):
            if time.monotonic() > deadline:
                late = [" ".join(command.words) for command in commands if command.status is None]
                for command in commands:
                    self.kill(command)
                raise TimeoutError(f"still running after {seconds:g} s: {'; '.join(late)}")
            time.sleep(_POLL_SECONDS)

    def run(self, root: Path, *words: str | Path, entry: str = CLI, **environment: str) -> Command:
        """Start a command and wait for it."""
        command = self.start(root, *words, entry=entry, **environment)
        self.wait(command)
        return command

    def kill(self, command: Command) -> None:
        """kill -9, if it still runs."""
        if self.poll(command) is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(command.pid, signal.SIGKILL)

    def _ask(self, document: Mapping[str, Any]) -> dict[str, Any]:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        with self._asking:
            self._server.stdin.write(json.dumps(document) + "\n")
            self._server.stdin.flush()
            line = self._server.stdout.readline()
        if not line:
            raise RuntimeError("the process that starts commands has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _serve() -> None:
    """Answer requests, a line each, until there are no more."""
    warnings.simplefilter("ignore")
    from media_assets import cli, definitions, jobs, upkeep

    assert cli
    assert jobs
    assert upkeep
    definitions.defs()
    for request in _requests():
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = {"status": os.waitstatus_to_exitcode(status) if pid else None}
        else:
            answer = {"pid": os.fork() or _become(request)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _requests() -> Iterator[dict[str, Any]]:
    while line := sys.stdin.readline():
        yield json.loads(line)


def _become(request: Mapping[str, Any]) -> int:
    """Be the process that was asked for; does not return."""
    status = 70
    try:
        os.setsid()
        os.environ.update(request["env"])
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        for number, path in ((0, os.devnull), (1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, flags if number else os.O_RDONLY, 0o644), number)
        sys.argv = ["media-assets", *request["words"]]
        _restrict()
        module, name = request["entry"].split(":")
        getattr(importlib.import_module(module), name)()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the last thing that this process does is to tell
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _restrict() -> None:
    """Give up what the environment says: room in files, and a superuser's rights."""
    if limit := os.environ.get("MEDIA_ASSETS_FAULTS_FILE_SIZE"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    if os.environ.get("MEDIA_ASSETS_FAULTS_PLAIN") and os.geteuid() == 0:
        _drop_capabilities()


def _drop_capabilities() -> None:
    """Let permissions hold for this process, and for those it starts, though its user is root."""
    library = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAPABILITIES):
        library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if library.capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


if __name__ == "__main__":
    _serve()
