"""While a run waits for its place in a pool, the place of a run whose process died is freed."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import dagster as dg
from sqlalchemy.exc import DatabaseError

from media_assets.defs.batches import fail_dead_runs

_PAUSE_SECONDS = 2.0


@contextlib.contextmanager
def freeing_places(instance: dg.DagsterInstance) -> Iterator[None]:
    """Look for dead runs again and again, on a thread, until the block is left.

    Without a daemon nobody else does, and a process that waits for a killed one would wait for ever.
    """
    over = threading.Event()

    def look() -> None:
        while not over.wait(_PAUSE_SECONDS):
            # What is wrong with the database is told by whoever needs it, not by this thread.
            with contextlib.suppress(DatabaseError):
                fail_dead_runs(instance)

    thread = threading.Thread(target=look, name="dead runs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
