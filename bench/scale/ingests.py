"""Thousands of small files read in batches, each a run of Dagster's, as the source sensor asks for them."""

from __future__ import annotations

from typing import Any

from bench.scale.home import make_sources
from bench.timing import timed
from media_assets.defs.source_sensor import ingest_config
from media_assets.defs.sources import SOURCE_FILE
from media_assets.session import Session, failures
from media_assets.settings import Settings


def measure(settings: Settings, count: int, runs: int) -> dict[str, Any]:
    """Milliseconds a file, in the first thousand and in the last: do batches get slower?

    Raises:
        RuntimeError: a run failed, or a file is no partition afterwards.
    """
    names = make_sources(settings, count)
    size = settings.batch_size
    with Session(settings) as session:

        def ingest(part: list[str]) -> None:
            if problems := failures(session.run([SOURCE_FILE], run_config=ingest_config(part))):
                raise RuntimeError("; ".join(problems))

        seconds = [timed(lambda at=at: ingest(names[at : at + size])) for at in range(0, count, size)]
        found = len(session.partitions(SOURCE_FILE))
    if found != count:
        raise RuntimeError(f"{found} partitions of {count} files")
    some = min(len(seconds), max(1, 1000 // size))
    first, last = sum(seconds[:some]) / (some * size), sum(seconds[-some:]) / (some * size)
    return {
        "batch": size,
        "seconds": round(sum(seconds), 2),
        "ms_a_file": round(sum(seconds) / count * 1000, 2),
        "ms_a_file_first_thousand": round(first * 1000, 2),
        "ms_a_file_last_thousand": round(last * 1000, 2),
        "last_to_first": round(last / first, 4),
    }
