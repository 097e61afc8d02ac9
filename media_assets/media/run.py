"""Runs ffmpeg: an argument list, progress, cancel, a time limit, and a clear error."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from media_assets.errors import Cancelled, DiskFull, FfmpegFailed, TimeLimitExceeded
from media_assets.media import binaries
from media_assets.settings import Settings

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 2.0
_NO_FONTS = Path(__file__).with_name("fonts.conf")
_KEPT_LINES = 400
_SHOWN_LINES = 12
# Linux takes 128 KiB for one argument, its end mark included.
_LONGEST_ARGUMENT = 100_000
# The last is a limit on the size of a file (`ulimit -f`), which otherwise ends ffmpeg by SIGXFSZ.
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")
# What ffmpeg says of files that it is told to open without decoding, and how often.
_SAID_ON_PURPOSE = re.compile(r"not on whitelist 'none'$|^ *Last message repeated \d+ times$")
_OUT_TIME = re.compile(r"out_time_us=(-?\d+)")
# ru_maxrss is in KiB on Linux and in bytes on macOS.
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024
# Appending is atomic, counting up is not.
_started: list[None] = []


@dataclass(frozen=True)
class Progress:
    """How far a command is, in `seconds` of output and as a `fraction` in 0…1.

    The fraction is None while the length is unknown, and 1 once the command has ended well.
    """

    fraction: float | None
    seconds: float


@dataclass(frozen=True)
class FfmpegResult:
    """What a finished command took.

    Attributes:
        command: the whole argument list, program first.
        seconds: wall-clock seconds.
        cpu_seconds: user and system seconds of the process.
        peak_memory_bytes: its largest resident set.
        log: its last lines on stderr.
    """

    command: tuple[str, ...]
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    log: tuple[str, ...]


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    settings: Settings,
    expected_seconds: float | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
    timeout: float | None = None,
    log_level: str = "error",
) -> FfmpegResult:
    """Run ffmpeg with `arguments` (all after the program) in a process group of its own.

    It ends with the thread that called, however that ends, where the system can do that (see `_tied`).

    Args:
        arguments: inputs, filters, encoders and outputs, as ffmpeg takes them.
        settings: says which ffmpeg, and the time limit unless `timeout` does.
        expected_seconds: length of the output, for the fraction in progress reports.
        on_progress: called about twice a second, from the calling thread.
        cancel: when set, the process group is ended.
        timeout: seconds the command may run.
        log_level: ffmpeg's `-loglevel`; measuring filters need `info`.

    Raises:
        FfmpegFailed: ffmpeg ended with an error; its last lines are the message.
        DiskFull: the same, because no room was left.
        TimeLimitExceeded, Cancelled: the process group was ended.
        FfmpegMissing: there is no usable ffmpeg.
    """
    _started.append(None)
    limit = timeout or settings.render_timeout
    command = [
        str(binaries.ffmpeg(settings).path),
        *("-nostdin", "-hide_banner", "-y", "-loglevel", log_level),
        *("-stats_period", "0.5", "-progress", "pipe:1"),
        *arguments,
    ]
    started = time.monotonic()
    with _without_long_graph(command) as (passed, graph):
        process = subprocess.Popen(
            [*_tied(), *passed],
            stdin=graph,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # SVT-AV1 writes a banner to stderr that would stand in front of every error. A machine's own
            # fonts must not show in what is drawn: it would differ from the next machine's.
            env={**os.environ, "SVT_LOG": "1", "FONTCONFIG_FILE": str(_NO_FONTS)},
        )
    log: deque[str] = deque(maxlen=_KEPT_LINES)
    lines: queue.Queue[str | None] = queue.Queue()
    readers = [
        threading.Thread(target=_read_progress, args=(process.stdout, lines), daemon=True),
        threading.Thread(target=_read_log, args=(process.stderr, log), daemon=True),
    ]
    for reader in readers:
        reader.start()
    try:
        reached = _follow(lines, started + limit, cancel, expected_seconds, on_progress)
    except BaseException as error:
        _end_group(process)
        if isinstance(error, TimeoutError):
            raise TimeLimitExceeded(
                f"ffmpeg was still running after {limit:g} s and was ended",
                hint="raise MEDIA_ASSETS_RENDER_TIMEOUT, or look at the input",
            ) from None
        raise
    cpu_seconds, peak = _reap(process)
    for reader in readers:
        reader.join()
    if process.returncode != 0:
        raise _failure(command, process.returncode, list(log))
    if on_progress is not None:
        on_progress(Progress(1.0, reached))
    return FfmpegResult(tuple(command), time.monotonic() - started, cpu_seconds, peak, tuple(log))


@contextlib.contextmanager
def _without_long_graph(command: list[str]) -> Iterator[tuple[list[str], IO[bytes]]]:
    """The command, and its standard input: a filter graph too long for an argument, or nothing."""
    at = command.index("-filter_complex") if "-filter_complex" in command else None
    if at is None or len(command[at + 1]) <= _LONGEST_ARGUMENT:
        with Path(os.devnull).open("rb") as nothing:
            yield command, nothing
    else:
        with tempfile.TemporaryFile() as graph:
            graph.write(command[at + 1].encode())
            graph.seek(0)
            yield [*command[:at], "-/filter_complex", "/dev/stdin", *command[at + 2 :]], graph


@functools.cache
def _tied() -> tuple[str, ...]:
    """What stands before a command that the kernel is to end with the thread that started it.

    Nobody else ends it when this process is killed. `setpriv` asks for that and becomes the command: to ask
    in a child of ours, between fork and exec, is not safe beside other threads. Nothing where there is no
    such program (macOS, small containers): a command then goes on to its end, in a folder that is swept.
    """
    program = shutil.which("setpriv") if sys.platform == "linux" else None
    if program is None:
        return ()
    tied = (program, "--pdeathsig", "KILL", "--")
    probe = subprocess.run([*tied, program, "--version"], capture_output=True, check=False)
    return tied if probe.returncode == 0 else ()


def commands_started() -> int:
    """How many ffmpeg commands this process has started."""
    return len(_started)


def _follow(
    lines: queue.Queue[str | None],
    deadline: float,
    cancel: threading.Event | None,
    expected_seconds: float | None,
    on_progress: Callable[[Progress], None] | None,
) -> float:
    """Pass progress on until ffmpeg closes its progress pipe; returns the seconds it reached."""
    seconds = 0.0
    while True:
        if cancel is not None and cancel.is_set():
            raise Cancelled("the work was cancelled and ffmpeg was ended")
        if time.monotonic() > deadline:
            raise TimeoutError
        try:
            line = lines.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            continue
        if line is None:
            return seconds
        match = _OUT_TIME.match(line)
        if match and on_progress is not None:
            seconds = max(0, int(match.group(1))) / 1e6
            fraction = min(1.0, seconds / expected_seconds) if expected_seconds else None
            on_progress(Progress(fraction, seconds))


def _read_progress(stream: IO[bytes] | None, lines: queue.Queue[str | None]) -> None:
    assert stream is not None  # noqa: S101 - opened as a pipe above
    with stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)


def _read_log(stream: IO[bytes] | None, log: deque[str]) -> None:
    assert stream is not None  # noqa: S101 - opened as a pipe above
    with stream:
        for raw in stream:
            line = raw.decode("utf-8", "replace").rstrip()
            if not _SAID_ON_PURPOSE.search(line):
                log.append(line)


def _reap(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Wait for the process and return its CPU seconds and peak memory (bytes)."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _MAXRSS_UNIT


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group: politely, then not."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(_GRACE_SECONDS)
            return
        except subprocess.TimeoutExpired:
            continue


def _failure(command: list[str], returncode: int, log: list[str]) -> FfmpegFailed | DiskFull:
    words = "\n".join(line for line in log if line.strip()) or "ffmpeg said nothing"
    if any(text in words for text in _NO_ROOM) or returncode == -signal.SIGXFSZ:
        return DiskFull(
            f"no space was left while ffmpeg wrote {command[-1].removeprefix('file:')}",
            hint="free some space and run again",
        )
    tail = "\n".join(words.splitlines()[-_SHOWN_LINES:])
    how = f"signal {-returncode}" if returncode < 0 else f"status {returncode}"
    return FfmpegFailed(f"ffmpeg ended with {how}: {tail}", command=command, returncode=returncode)
