"""Makes the dashboard: asks every question, and puts the page in the place of the one before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.dashboard.key_sections import WINDOW, key_sections, tiles
from media_assets.analytics.dashboard.other_sections import other_sections
from media_assets.analytics.dashboard.page import body, nothing_yet, page
from media_assets.analytics.prices import prices_of
from media_assets.analytics.questions import costs, questions
from media_assets.analytics.rollups import refresh
from media_assets.analytics.schema import KINDS
from media_assets.errors import disk_errors
from media_assets.settings import Settings
from media_assets.store.files import write_bytes

TITLE = "Media Assets: what was done"
_STEPS = (
    (
        "Put a video, a sound or a picture into the folder of sources, and have it taken in.",
        "media-assets ingest",
    ),
    ("Do something to it.", "media-assets run --help"),
    ("Load what was done.", "media-assets analytics"),
    ("Make this page again; Dagster does so every day.", "media-assets analytics dashboard"),
)
_ENDED = " UNION ALL ".join(f'SELECT "timestamp" AS ended FROM {kind.table}' for kind in KINDS)  # noqa: S608
_TIMES = f"SELECT min(ended), max(ended) FROM ({_ENDED})"  # noqa: S608 - our own names


@dataclass(frozen=True)
class Made:
    """A page that was made.

    Attributes:
        path: where it is.
        content: what it says, without when it was made.
        bytes: its size.
        events: that it was made from, of all kinds.
        figures: the key figures on it.
    """

    path: Path
    content: str
    bytes: int
    events: int
    figures: pd.DataFrame


def make_dashboard(connection: Connection, settings: Settings, now: datetime) -> Made:
    """Make the page from the events that are loaded, and write it at once.

    Args:
        connection: to the warehouse; rollups are brought up to the events.
        now: with its time zone; stands on the page.

    Raises:
        BadInput: the table of prices is none.
        DiskFull, DiskRefused: there is no room, or no permission; the page before is as it was.
    """
    prices = prices_of(settings)
    figures = questions()["kpis"].asked(connection)
    counted = _counted(connection)
    if any(counted.values()):
        refresh(connection, costs.ROLLUPS)
        sections = [*key_sections(connection, prices), *other_sections(connection, settings)]
        content = body(tiles(figures), WINDOW, sections)
    else:
        content = nothing_yet(_STEPS)
    path = settings.dashboard_path
    data = page(TITLE, _facts(connection, counted, now), content).encode()
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
    return Made(path, content, len(data), sum(counted.values()), figures)


def _facts(connection: Connection, counted: dict[str, int], now: datetime) -> str:
    made = f"Made {now:%d %B %Y, %H:%M} {now.tzname() or 'UTC'}"
    if not any(counted.values()):
        return f"{made}, from no events."
    parts = ", ".join(f"{count:,} of {kind}s" for kind, count in counted.items() if count)
    row = connection.execute(_TIMES).fetchone()
    first, last = row if row else (now, now)
    return (
        f"{made}, from {sum(counted.values()):,} events ({parts}) "
        f"from {first:%d %B %Y} to {last:%d %B %Y}. Figures of very few people are left out."
    )


def _counted(connection: Connection) -> dict[str, int]:
    """How many events there are of each kind."""
    found = {}
    for kind in KINDS:
        row = connection.execute(f"SELECT count(*) FROM {kind.table}").fetchone()  # noqa: S608 - our own names
        found[kind.kind] = int(row[0]) if row else 0
    return found
