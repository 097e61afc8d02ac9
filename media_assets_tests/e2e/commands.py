"""Commands of the console script, each in a process of its own, forked from one with the imports done.

Importing Dagster and the project takes longer than most commands do; this way a worker does it once.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_FORKED = multiprocessing.get_context("forkserver")
_FORKED.set_forkserver_preload(["media_assets_tests.e2e.imports"])


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """Run a command; its exit status, and what it wrote on stdout and stderr.

    Raises:
        TimeoutError: it was not done in so many seconds, and was killed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = _FORKED.Process(target=_become, args=(arguments, dict(environment), out, err))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{' '.join(arguments)}: not done in {seconds} s:\n{err.read_text()}")
        return process.exitcode, out.read_text(), err.read_text()


def _become(arguments: Sequence[str], environment: Mapping[str, str], out: Path, err: Path) -> None:
    """Run the console script in this process."""
    for path, standard in ((out, 1), (err, 2)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, standard)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["media-assets", *arguments]
    importlib.import_module("media_assets.cli").main()
