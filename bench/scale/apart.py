"""One measurement in a process of its own, so that its memory is its own: `python -m bench.scale.apart`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from bench.scale import ingests, pages, rescans, ticks
from bench.timing import peak_megabytes
from media_assets import definitions  # noqa: F401 - what every process of Dagster's loads is no growth
from media_assets.settings import PROJECT_ROOT, Settings

MEASURES: dict[str, Callable[[Settings, int, int], dict[str, Any]]] = {
    "rescan": rescans.measure,
    "tick": ticks.measure,
    "ingest": ingests.measure,
    "pages": pages.measure,
}


def measured(name: str, root: Path, count: int, runs: int) -> dict[str, Any]:
    """Run one of them on a data root and wait; what it found, with the memory that it took (MB).

    Raises:
        RuntimeError: it failed; what it printed follows.
    """
    command = [sys.executable, "-m", "bench.scale.apart", name, str(root), str(count), str(runs)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} with {count} sources failed:\n{done.stderr[-4000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and print one line of JSON."""
    name, root, count, runs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    warnings.simplefilter("ignore")
    os.environ["MEDIA_ASSETS_DATA"] = str(root)
    before = psutil.Process().memory_info().rss / 1e6
    found = MEASURES[name](Settings.from_environment(root), count, runs)
    print(
        json.dumps(
            found | {"megabytes_before": round(before, 1), "peak_megabytes": round(peak_megabytes(), 1)}
        )
    )


if __name__ == "__main__":
    main()
