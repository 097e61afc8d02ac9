"""Questions asked of events: time, memory and growth of each; how well what was planted is found."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from media_assets.settings import PROJECT_ROOT

SIZES = (100_000, 1_000_000)
LARGE = 10_000_000
AIMED = 1_000_000
"""Events at which there are aims."""


def run(runs: int = 1, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Fill a warehouse of each size, judge and ask it, each in a process of its own.

    `runs` is not asked: what is full is made from nothing, once.
    """
    found: dict[str, Any] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "warehouse.duckdb"
            found[str(size)] = {name: _apart(name, path, size) for name in ("filled", "judged", "asked")}
    return found | _growth(found, sizes) | _aimed(found)


def _apart(name: str, path: Path, size: int) -> Any:
    command = [sys.executable, "-m", "bench.analytics.apart", name, str(path), str(size)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} with {size} events failed:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _growth(found: dict[str, Any], sizes: Sequence[int]) -> dict[str, Any]:
    """CPU-seconds of each question at the largest size over those at the smallest, events likewise."""
    least, most = (found[str(size)]["asked"]["questions"] for size in (min(sizes), max(sizes)))
    grown = {
        name: round(
            (most[name]["full"]["cpu_seconds"] + most[name]["answer"]["cpu_seconds"])
            / max(least[name]["full"]["cpu_seconds"] + least[name]["answer"]["cpu_seconds"], 0.01),
            2,
        )
        for name in most
    }
    return {"growth_of_events": max(sizes) / min(sizes), "growth_of_cpu_seconds": grown}


def _aimed(found: dict[str, Any]) -> dict[str, float]:
    """The figures that there are aims for."""
    if str(AIMED) not in found:
        return {}
    asked, judged = found[str(AIMED)]["asked"], found[str(AIMED)]["judged"]
    return {
        "questions_1m_seconds": asked["together"]["seconds"],
        "questions_1m_gigabytes": round(asked["peak_megabytes"] / 1000, 3),
        "sums_refreshed_1m_to_full": asked["rollups_after_to_full"],
        "refreshed_1m_to_full": asked["refresh_to_full"],
        "abuse_1m_missed": judged["missed"],
        "abuse_1m_false_users": judged["false_users_share"],
        "recommended_1m_last_to_ours": asked["recommended"]["last_to_ours"],
    }
