"""How long sensors take when there is nothing to do: files, records and every version are compared."""

from __future__ import annotations

import os
import statistics
import time
from functools import partial
from typing import Any

import dagster as dg

from bench.timing import timed
from media_assets.session import Session
from media_assets.settings import Settings


def measure(settings: Settings, count: int, runs: int) -> dict[str, Any]:
    """Seconds of the first tick of a process, and the median of those after it, by sensor and in all.

    Raises:
        RuntimeError: a sensor found something to do: the home is not what it should be.
    """
    os.environ["MEDIA_ASSETS_ANALYZE"] = "eager"
    with Session(settings) as session:
        repository = session.definitions.get_repository_def()
        names = [sensor.name for sensor in repository.sensor_defs]
        cursors: dict[str, str | None] = dict.fromkeys(names)
        rounds, cpu = [], []
        for _ in range(runs + 1):
            begun = time.process_time()
            taken = {n: timed(partial(_tick, session, repository, n, cursors)) for n in names}
            rounds.append(taken)
            cpu.append(time.process_time() - begun)
    first, others = rounds[0], rounds[1:]
    return {
        # A busy machine stretches seconds, and CPU-seconds little.
        "first_cpu_seconds": round(cpu[0], 3),
        "cpu_seconds": round(statistics.median(cpu[1:]), 3),
        "first_seconds": round(sum(first.values()), 3),
        "seconds": round(statistics.median(sum(one.values()) for one in others), 3),
        "seconds_by_sensor": {
            name: round(statistics.median(one[name] for one in others), 3) for name in names
        },
    }


def _tick(
    session: Session, repository: dg.RepositoryDefinition, name: str, cursors: dict[str, str | None]
) -> None:
    """One evaluation, as the daemon asks for it."""
    context = dg.build_sensor_context(
        instance=session.instance,
        repository_def=repository,
        sensor_name=name,
        resources=dict(repository.get_top_level_resources()),
        cursor=cursors[name],
    )
    found = repository.get_sensor_def(name).evaluate_tick(context)
    cursors[name] = found.cursor or cursors[name]
    if found.run_requests:
        raise RuntimeError(f"{name} asks for {len(found.run_requests)} runs where nothing is to do")
