"""Runs the commands of a job: within its time, until it is cancelled, again after a passing fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from media_assets.errors import Cancelled, FfmpegFailed, TimeLimitExceeded
from media_assets.media.run import FfmpegResult, Progress, run_ffmpeg
from media_assets.settings import Settings

# What a machine says that is short of something for a moment. Everything else would fail again.
_PASSING = (
    "Resource temporarily unavailable",
    "Cannot allocate memory",
    "Too many open files",
    "Stale file handle",
    "Interrupted system call",
)
_WAITS = (0.5, 2.0)
_KILLED = (-9, -6, 137)


@dataclass(frozen=True)
class Commands:
    """How the commands of one job are run.

    Attributes:
        cancel: when set, the running command is ended and none is started.
        deadline: when the job must be done, on the clock of `time.monotonic`; None for never.
    """

    settings: Settings
    cancel: threading.Event | None = None
    deadline: float | None = None

    def run(
        self,
        arguments: list[str],
        seconds: float | None,
        on_fraction: Callable[[float], None],
        *,
        log_level: str = "error",
    ) -> FfmpegResult:
        """Run ffmpeg for an output of `seconds`; tried again where what failed may pass.

        Raises:
            FfmpegFailed, DiskFull, TimeLimitExceeded, Cancelled.
        """
        for wait in (*_WAITS, None):
            try:
                return run_ffmpeg(
                    arguments,
                    settings=self.settings,
                    expected_seconds=seconds,
                    on_progress=lambda p: _pass_on(p, on_fraction),
                    cancel=self.cancel,
                    timeout=self.seconds_left(),
                    log_level=log_level,
                )
            except FfmpegFailed as error:
                if wait is None or not is_passing(error):
                    raise
                self._pause(wait)
        raise AssertionError("the last try either returns or raises")

    def seconds_left(self) -> float | None:
        """How long the next command may take; None where only the settings say.

        Raises:
            Cancelled, TimeLimitExceeded: none may be started any more.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("the job was cancelled")
        if self.deadline is None:
            return None
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeLimitExceeded("the job's time is over", hint="raise its timeout, or split it")
        return min(left, self.settings.render_timeout)

    def _pause(self, seconds: float) -> None:
        if self.cancel is None:
            time.sleep(seconds)
        elif self.cancel.wait(seconds):
            raise Cancelled("the job was cancelled")


def is_passing(error: FfmpegFailed) -> bool:
    """Whether the same command may succeed later: it was killed, or the machine was short of something."""
    return error.returncode in _KILLED or any(words in error.message for words in _PASSING)


def _pass_on(progress: Progress, on_fraction: Callable[[float], None]) -> None:
    if progress.fraction is not None:
        on_fraction(progress.fraction)
