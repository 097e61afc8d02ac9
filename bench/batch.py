"""What batching saves: one Dagster run of 100 small partitions against 100 runs of one.

Measured for two assets: `source_file` (hash and probe a still) and `thumbnail` (one ffmpeg command each).
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from media_assets.actions import Actions
from media_assets.defs.source_sensor import ingest_config
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.media.run import run_ffmpeg
from media_assets.session import Session, failures
from media_assets.settings import Settings

PARTITIONS = 100


def run(runs: int = 5) -> dict[str, Any]:
    """Measure both assets; medians in seconds, and the ratios pair by pair."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings.from_environment(Path(folder)), batch_size=PARTITIONS)
        paths = _make_stills(settings)
        with Session(settings) as session:

            def ingest(part: list[str]) -> None:
                _check(session.run([SOURCE_FILE], run_config=ingest_config(part)))

            def thumbnails(part: list[str]) -> None:
                _check(session.run([THUMBNAIL], part))

            ingest(paths)
            keys = [str(key) for key in session.partitions(THUMBNAIL)]
            found = {
                "ingest": _pairs(runs, paths, ingest, lambda: shutil.rmtree(settings.metadata_root)),
                "thumbnail": _pairs(runs, keys, thumbnails, lambda: _empty_store(session)),
            }
    return {
        "partitions": PARTITIONS,
        "runs": runs,
        "median_seconds": {
            f"{name} {kind}": round(statistics.median(times), 4)
            for name, kinds in found.items()
            for kind, times in kinds.items()
        },
        **{
            f"{name}_batch_to_single": round(
                statistics.median(a / b for a, b in zip(kinds["batch"], kinds["single"], strict=True)), 4
            )
            for name, kinds in found.items()
        },
    }


def _pairs(
    runs: int, items: list[str], work: Callable[[list[str]], None], forget: Callable[[], None]
) -> dict[str, list[float]]:
    """Wall seconds of `runs` pairs, each time from nothing."""
    times: dict[str, list[float]] = {"batch": [], "single": []}
    for number in range(runs):
        for name in ("batch", "single") if number % 2 else ("single", "batch"):
            forget()
            started = time.monotonic()
            for part in [items] if name == "batch" else [[item] for item in items]:
                work(part)
            times[name].append(time.monotonic() - started)
    return times


def _empty_store(session: Session) -> None:
    shutil.rmtree(session.settings.store_root, ignore_errors=True)
    Actions(session)  # makes its folders again


def _make_stills(settings: Settings) -> list[str]:
    settings.source_root.mkdir(parents=True)
    pattern = settings.source_root / "still%03d.png"
    source = f"testsrc2=s=160x90:r=1:d={PARTITIONS}"
    run_ffmpeg(["-f", "lavfi", "-i", source, str(pattern)], settings=settings)
    for path in settings.source_root.iterdir():
        os.utime(path, (0, 0))  # long settled
    return sorted(path.name for path in settings.source_root.iterdir())


def _check(results: list[Any]) -> None:
    if problems := failures(results):
        raise RuntimeError("; ".join(problems))
