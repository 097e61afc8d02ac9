"""What `recover` costs a record: a new Dagster home from many records, of 1,000 and of 5,000.

One source is ingested and a workflow run on it; its records are then told of many sources.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import warnings
from pathlib import Path
from typing import Any

from bench.timing import timed
from media_assets.actions import Actions
from media_assets.media.run import run_ffmpeg
from media_assets.recovering import recover
from media_assets.session import Session
from media_assets.settings import Settings
from media_assets.store.journal import Journal
from media_assets.store.sources import SourceCatalogue

SIZES = (1_000, 5_000)
_NAME, _ID = "red.mp4", "src_red_mp4"


def run(runs: int = 3) -> dict[str, Any]:
    """Milliseconds a record by the number of records; medians of `runs`."""
    warnings.simplefilter("ignore")
    found = {}
    for records in SIZES:
        with tempfile.TemporaryDirectory(prefix="media-assets-bench-") as folder:
            settings = _root(Path(folder), records)
            there = len(list(Journal(settings)))
            taken = [_recovered(settings, there) for _ in range(max(1, min(runs, 3)))]
            found[str(records)] = round(statistics.median(taken) * 1000 / there, 3)
    smallest, largest = (found[str(size)] for size in (SIZES[0], SIZES[-1]))
    return {
        "milliseconds_a_record": found,
        "recover_5k_ms_a_record": largest,
        "recover_5k_to_1k": round(largest / smallest, 3),
    }


def _recovered(settings: Settings, records: int) -> float:
    """Seconds of a recovery into a new home; opening the home is not counted."""
    shutil.rmtree(settings.dagster_home)
    with Session(settings) as session:
        found: list[Any] = []
        seconds = timed(lambda: found.append(recover(session)))
    if found[0].reported != records:
        raise RuntimeError(f"{found[0].reported} of {records} records came back")
    return seconds


def _root(root: Path, records: int) -> Settings:
    """A data root with so many records, or a few more."""
    settings = Settings.from_environment(root)
    source = settings.source_root / _NAME
    source.parent.mkdir(parents=True)
    picture = ["-f", "lavfi", "-i", "testsrc=s=160x90:d=1", "-pix_fmt", "yuv420p", str(source)]
    run_ffmpeg(picture, settings=settings)
    os.utime(source, (0, 0))  # long settled
    with Session(settings) as session:
        actions = Actions(session)
        actions.ingest()
        actions.run_workflow("web_preview")
    told = sorted((settings.metadata_root / "recorded").rglob(f"{_ID}.json"))
    facts = settings.metadata_root / "sources" / f"{_ID}.json"
    for number in range(records // len(told)):
        for path in (*told, facts):
            text = (
                path.read_text().replace(_ID, f"src_n{number:06}_mp4").replace(_NAME, f"n{number:06}.mp4")
            )
            path.with_name(f"src_n{number:06}_mp4.json").write_text(text)
    (settings.metadata_root / "memo.json").unlink()
    SourceCatalogue(settings).forget([])  # makes it anew from the records
    return settings
