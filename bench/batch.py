"""What batching saves: one Dagster run of 100 small partitions against 100 runs of one."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from media_assets.actions import Actions
from media_assets.defs.source_sensor import ingest_config, source_changes
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.media.run import run_ffmpeg
from media_assets.session import Session, failures
from media_assets.settings import Settings

PARTITIONS = 100


def run(runs: int = 5) -> dict[str, Any]:
    """Measure thumbnails of 100 small stills; medians in seconds and their ratio, pair by pair."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        settings = replace(Settings.from_environment(Path(folder)), batch_size=PARTITIONS)
        _make_stills(settings)
        with Session(settings) as session:
            actions = Actions(session)
            files = source_changes(session.instance, actions.media.sources).unread
            _check(session.run([SOURCE_FILE], run_config=ingest_config([f.relative for f in files])))
            keys = [str(key) for key in session.partitions(THUMBNAIL)]
            batch, single = [], []
            for number in range(runs):
                for name in ("batch", "single") if number % 2 else ("single", "batch"):
                    shutil.rmtree(settings.store_root)
                    actions = Actions(session)
                    started = time.monotonic()
                    for part in [keys] if name == "batch" else [[key] for key in keys]:
                        _check(session.run([THUMBNAIL], part))
                    (batch if name == "batch" else single).append(time.monotonic() - started)
    ratios = [one / many for one, many in zip(batch, single, strict=True)]
    return {
        "partitions": PARTITIONS,
        "runs": runs,
        "median_seconds": {
            "batch": round(statistics.median(batch), 4),
            "single": round(statistics.median(single), 4),
        },
        "batch_to_single": round(statistics.median(ratios), 4),
    }


def _make_stills(settings: Settings) -> None:
    settings.source_root.mkdir(parents=True)
    pattern = settings.source_root / "still%03d.png"
    source = f"testsrc2=s=160x90:r=1:d={PARTITIONS}"
    run_ffmpeg(["-f", "lavfi", "-i", source, str(pattern)], settings=settings)
    for path in settings.source_root.iterdir():
        os.utime(path, (0, 0))  # long settled


def _check(results: list[Any]) -> None:
    if problems := failures(results):
        raise RuntimeError("; ".join(problems))
