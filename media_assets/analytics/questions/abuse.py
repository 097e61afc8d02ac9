"""Whose use is far beyond everybody's and his own: robust z-scores over rolling hours, with reasons.

Each hour in which somebody was active ends three windows (of 1, 6 and 24 hours), and in each of them four
sums are compared: operations, CPU-seconds, failures and bytes. Sums are compared by their logarithms: z is
the distance from the middle one in units of what is usual above it, so a z of 5 is many times as much,
not a little more. The hour of the day is left out: a batch by night is no abuse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.rollups import Rollup
from media_assets.settings import Settings

HOURS = Rollup(
    "abuse_hours",
    "operation_events",
    """
    SELECT
        day, date_trunc('hour', "timestamp") AS hour, "user", count(*) AS operations,
        sum(cpu_seconds) AS cpu_seconds, count(*) FILTER (outcome = 'failed') AS failures,
        CAST(sum(bytes_written) AS BIGINT) AS bytes_written
    FROM events WHERE "user" IS NOT NULL GROUP BY ALL
    """,
)
ROLLUPS = (HOURS,)

MEASURES = ("operations", "cpu_seconds", "failures", "bytes_written")
WINDOW_HOURS = (1, 6, 24)
SAME_EPISODE = timedelta(hours=24)
"""Alarms of one user that are closer are one: the longest window goes on that long after a burst."""
OWN_DAYS = 10
"""Days with work after which a user's own middle counts too: who always does much is no abuser."""
DAYS = 28
"""Before the newest event, that are looked at: what is usual changes, and old alarms were told."""
OWN_SHARE = 0.6
"""Of the threshold, that a user must be from his own middle too: his few windows tell less surely."""
LEAST_SPREAD = 0.5
"""Of logarithms: where all do the same, z = 5 is still twelve times as much."""

_WINDOW_COLUMNS = ("user", "hour", "measure", "hours", "value", "usual", "own_usual", "z")
_HARDLY_MORE = 0.5
_COLUMNS = ("user", "hour", "score", "reasons")

# A day more than is asked for: the first windows reach back into it.
_ACTIVE = """
SELECT
    "user", hour, CAST(operations AS DOUBLE) AS operations, cpu_seconds,
    CAST(failures AS DOUBLE) AS failures, CAST(bytes_written AS DOUBLE) AS bytes_written
FROM abuse_hours
WHERE hour >= (SELECT max(hour) FROM abuse_hours) - to_days(CAST($days AS INTEGER) + 1)
ORDER BY "user", hour
"""
_FAR = 1 << 32
"""Hours between users: more than there are, so that no window reaches from one to another."""


@dataclass(frozen=True)
class Windows:
    """The windows that end with each active hour, ordered by user and time.

    Attributes:
        users: hashes, one for each hour.
        hours: when (UTC).
        firsts: where each user's hours begin, and the end.
        levels: logarithms of one more than each sum, by measure and length.
    """

    users: np.ndarray
    hours: np.ndarray
    firsts: np.ndarray
    levels: Mapping[tuple[str, int], np.ndarray]

    def of(self, row: int) -> slice:
        """All hours of the user of one."""
        at = int(np.searchsorted(self.firsts, row, side="right"))
        return slice(int(self.firsts[at - 1]), int(self.firsts[at]))


@dataclass(frozen=True)
class Usual:
    """What is usual for a measure and a window, and from where on it is abuse (of those who never did it).

    Attributes:
        measure: of `MEASURES`.
        hours: of `WINDOW_HOURS`.
        middle, spread: of logarithms of one more than the sum.
        alarm: the logarithm from which on it is told.
    """

    measure: str
    hours: int
    middle: float
    spread: float
    alarm: float


def windows(connection: Connection, *, days: int = DAYS) -> Windows:
    """The windows of the last `days` before the newest event, from the rollup as it is."""
    active = connection.execute(_ACTIVE, {"days": days}).df()
    hours = active["hour"].to_numpy(dtype="datetime64[h]")
    number = hours.astype(np.int64)
    place = pd.factorize(active["user"])[0] * _FAR + number
    since = number.max(initial=0) - 24 * days
    kept = number >= since
    levels = {}
    for measure in MEASURES:
        until = np.concatenate([[0.0], np.cumsum(active[measure].to_numpy())])
        for length in WINDOW_HOURS:
            first = np.searchsorted(place, place - (length - 1))
            sums = np.maximum(until[1:] - until[first], 0.0)
            levels[measure, length] = np.log1p(sums[kept])
    users = place[kept] // _FAR
    changes = np.flatnonzero(np.diff(users, prepend=-1))
    firsts = np.append(changes, len(users))
    return Windows(active["user"].to_numpy(dtype=object)[kept], hours[kept], firsts, levels)


def usual(found: Windows, settings: Settings) -> list[Usual]:
    """What is usual for each measure and length; nothing where fewer than five users were active.

    Everybody's sums are compared with everybody's, so there has to be an everybody.
    """
    if len(found.firsts) - 1 < settings.fewest_users:
        return []
    least = least_amounts(settings)
    rows = []
    for (measure, hours), levels in found.levels.items():
        middle, spread = _middle(levels)
        alarm = max(middle + settings.abuse_z * spread, math.log1p(least[measure]))
        rows.append(Usual(measure, hours, middle, spread, alarm))
    return rows


def alarming(found: Windows, usually: list[Usual], threshold: float) -> pd.DataFrame:
    """Each user's windows that are abuse by one measure, the oldest first.

    Args:
        usually: what is usual of them.
        threshold: the least z.

    Returns:
        user; hour (the last one of the window); measure; hours (its length); value (the sum); usual,
        own_usual (the middle window of all, and of the user, NaN while he is new); z (by all).
    """
    rows = [row for one in usually for row in _alarming(found, one, threshold)]
    if not rows:
        return _nothing()
    table = pd.DataFrame(rows, columns=list(_WINDOW_COLUMNS)).astype({"hour": "datetime64[us]"})
    order = ["hour", "user", "z", "measure", "hours"]
    return table.sort_values(order, ascending=[True, True, False, True, True], ignore_index=True)


def limits(usually: list[Usual]) -> pd.DataFrame:
    """What is usual and what is abuse: measure, hours, usual, abuse_from (both as people read them)."""
    rows = [
        (one.measure, one.hours, *(amount(one.measure, math.expm1(x)) for x in (one.middle, one.alarm)))
        for one in usually
    ]
    return pd.DataFrame(rows, columns=["measure", "hours", "usual", "abuse_from"])


def distances(found: Windows, usually: list[Usual]) -> pd.DataFrame:
    """How many active hours were how far from what is usual: z (whole, of the highest), hours, users."""
    highest = np.zeros(len(found.hours))
    for one in usually:
        highest = np.maximum(highest, (found.levels[one.measure, one.hours] - one.middle) / one.spread)
    table = pd.DataFrame({"z": np.floor(highest).astype(np.int64), "user": found.users})
    return table.groupby("z")["user"].agg(hours="size", users="nunique").reset_index()


def answer(connection: Connection) -> pd.DataFrame:
    """The hours of abuse, of users by their hashes: never to be shown to others than the operator.

    Columns: user; hour (UTC) with which the windows end; score (the highest z); reasons (in words, the
    most telling first).
    """
    settings, found = Settings.from_environment(), windows(connection)
    return told(alarming(found, usual(found, settings), settings.abuse_z))


def told(alarms: pd.DataFrame) -> pd.DataFrame:
    """One row for each user and hour of `alarming` windows: user, hour, score, reasons."""
    each = ["hour", "user", "measure"]
    # Of each measure the shortest window, if a longer one hardly tells more.
    highest = alarms.groupby(each)["z"].transform("max")
    telling = alarms[alarms["z"] > highest - _HARDLY_MORE].sort_values([*each, "hours"])
    telling = telling.drop_duplicates(each).sort_values(
        ["hour", "user", "z"], ascending=[True, True, False]
    )
    rows: dict[tuple[object, object], tuple[float, list[str]]] = {}
    entries: Iterator[Any] = telling.itertuples()
    for one in entries:
        rows.setdefault((one.user, one.hour), (float(one.z), []))[1].append(reason(one))
    found = [(*key, score, "; ".join(reasons)) for key, (score, reasons) in rows.items()]
    table = pd.DataFrame(found, columns=list(_COLUMNS))
    return table if found else table.astype({"user": "str", "reasons": "str", "score": float})


def reason(window: Any) -> str:
    """A window in words: `4,012 operations in one hour, usual 12, own usual 9; z 23.1`."""
    measure, hours = window.measure, window.hours
    within = "one hour" if hours == 1 else f"{hours} hours"
    own = window.own_usual
    usually = amount(measure, window.usual) + ("" if math.isnan(own) else f", own {amount(measure, own)}")
    return (
        f"{amount(measure, window.value)} {_WORDS[measure]} in {within}, usual {usually}, z {window.z:.1f}"
    )


_WORDS = {
    "operations": "operations",
    "cpu_seconds": "CPU-seconds",
    "failures": "failures",
    "bytes_written": "written",
}


def amount(measure: str, value: float) -> str:
    """A sum as people read it: 4,012 or 1.5 GB."""
    if measure != "bytes_written":
        return f"{value:,.0f}"
    power = min(int(math.log10(max(value, 1)) // 3), 4)
    return f"{_digits(value / 1000**power)} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def least_amounts(settings: Settings) -> dict[str, float]:
    """What a window must have at the least to be abuse, by measure."""
    return {
        "operations": settings.abuse_operations,
        "cpu_seconds": settings.abuse_cpu_seconds,
        "failures": settings.abuse_failures,
        "bytes_written": settings.abuse_bytes,
    }


def _alarming(found: Windows, one: Usual, threshold: float) -> Iterator[tuple[object, ...]]:
    levels = found.levels[one.measure, one.hours]
    middles: dict[int, tuple[float, float]] = {}
    for row in map(int, np.flatnonzero(levels >= one.alarm)):
        level, own = float(levels[row]), found.of(row)
        if own.start not in middles:
            known = len(np.unique(found.hours[own].astype("datetime64[D]"))) >= OWN_DAYS
            middles[own.start] = _middle(levels[own]) if known else (math.nan, math.nan)
        middle, spread = middles[own.start]
        if level < middle + OWN_SHARE * threshold * spread:  # never of who is new: that is no number
            continue
        amounts = (math.expm1(level), math.expm1(one.middle), math.expm1(middle))
        z = (level - one.middle) / one.spread
        yield (found.users[row], found.hours[row], one.measure, one.hours, *amounts, z)


def _middle(levels: np.ndarray) -> tuple[float, float]:
    """The median, and the spread above it: what is below says nothing of how much is too much.

    For a normal distribution the spread is the standard deviation.
    """
    middle = float(np.median(levels))
    above = levels[levels >= middle] - middle
    return middle, max(1.4826 * float(np.median(above)), LEAST_SPREAD)


def _nothing() -> pd.DataFrame:
    kinds = ("str", "datetime64[us]", "str", "int64", *["float64"] * 4)
    columns = zip(_WINDOW_COLUMNS, kinds, strict=True)
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns})
