"""Whose use is far beyond everybody's and his own: robust z-scores over rolling hours, with reasons.

Each hour in which somebody was active ends three windows (of 1, 6 and 24 hours), and in each of them four
sums are compared: operations, CPU-seconds, failures and bytes. Sums are compared by their logarithms: z is
the distance from the middle one in units of what is usual above it, so a z of 5 is many times as much,
not a little more. The hour of the day is left out: a batch by night is no abuse.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.suppressed import known_users
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

_HARDLY_MORE = 0.5
_COLUMNS = ("user", "hour", "score", "reasons")

_LEVELS = ",\n    ".join(
    f"ln(1 + sum({measure}) OVER within_{hours}) AS {measure}_{hours}"
    for measure in MEASURES
    for hours in WINDOW_HOURS
)
_WITHIN = ",\n    ".join(
    f"""within_{hours} AS (
        PARTITION BY "user" ORDER BY hour RANGE BETWEEN INTERVAL {hours - 1} HOUR PRECEDING AND CURRENT ROW
    )"""
    for hours in WINDOW_HOURS
)
_NAMES = [f"{measure}_{hours}" for measure in MEASURES for hours in WINDOW_HOURS]
_WINDOWS = f"""
CREATE OR REPLACE TEMP TABLE abuse_windows AS
WITH newest AS (SELECT max(hour) AS hour FROM abuse_hours)
SELECT "user", hour, {_LEVELS}
FROM abuse_hours
WHERE hour >= (SELECT hour FROM newest) - to_days(CAST($days AS INTEGER) + 1)
WINDOW {_WITHIN}
QUALIFY hour >= (SELECT hour FROM newest) - to_days(CAST($days AS INTEGER))
"""  # noqa: S608 - our own words
_MIDDLES = f"""
SELECT {", ".join(f"median({name})" for name in _NAMES)} FROM abuse_windows
"""  # noqa: S608
# The spread above the middle: what is below it, such as failed work that wrote nothing, says nothing of
# how much is too much. For a normal distribution it is the standard deviation.
_SPREADS = f"""
SELECT {", ".join(f"1.4826 * median({n} - ${n}) FILTER ({n} >= ${n})" for n in _NAMES)} FROM abuse_windows
"""  # noqa: S608
_HIGHEST = ", ".join(f"({name} - ${name}_middle) / ${name}_spread" for name in _NAMES)
_DISTANCES = f"""
SELECT
    CAST(floor(greatest({_HIGHEST}, 0)) AS BIGINT) AS z, count(*) AS hours,
    count(DISTINCT "user") AS users
FROM abuse_windows GROUP BY ALL ORDER BY ALL
"""  # noqa: S608
_ABOVE = """
SELECT "user", hour, {name} AS level FROM abuse_windows WHERE {name} >= ? ORDER BY ALL
"""
_OWN = """
SELECT
    "user", count(DISTINCT CAST(hour AS DATE)) AS days, median({name}) AS own_middle,
    greatest(1.4826 * mad({name}), ?) AS own_spread
FROM abuse_windows WHERE "user" IN (SELECT unnest(?)) GROUP BY ALL ORDER BY ALL
"""


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

    @property
    def name(self) -> str:
        """The column of its windows."""
        return f"{self.measure}_{self.hours}"


def usual(connection: Connection, settings: Settings | None = None, *, days: int = DAYS) -> list[Usual]:
    """What is usual for each measure and window; nothing where fewer than five users are known.

    Everybody's sums are compared with everybody's, so there has to be an everybody. The windows stay in
    the connection's temporary table `abuse_windows`.
    """
    settings = settings or Settings.from_environment()
    fewest = settings.fewest_users
    if known_users(connection, fewest) < fewest:
        return []
    connection.execute(_WINDOWS, {"days": days})
    middles = connection.execute(_MIDDLES).fetchone()
    if middles is None or middles[0] is None:
        return []
    spreads = connection.execute(_SPREADS, dict(zip(_NAMES, middles, strict=True))).fetchone() or ()
    least = least_amounts(settings)
    found = []
    for name, middle, measured in zip(_NAMES, middles, spreads, strict=True):
        measure, hours = name.rsplit("_", 1)
        spread = max(measured, LEAST_SPREAD)
        alarm = max(middle + settings.abuse_z * spread, math.log1p(least[measure]))
        found.append(Usual(measure, int(hours), middle, spread, alarm))
    return found


def alarming(connection: Connection, found: list[Usual], threshold: float) -> pd.DataFrame:
    """Each user's windows that are abuse by one measure, the oldest first.

    Args:
        found: what is usual, from the same connection.
        threshold: the least z.

    Returns:
        user; hour (the last one of the window); measure; hours (its length); value (the sum); usual,
        own_usual (the middle window of all, and of the user, NaN while he is new); z (by all).
    """
    parts = [part for one in found if not (part := _alarming(connection, one, threshold)).empty]
    whole = pd.concat(parts) if parts else _nothing()
    order = ["hour", "user", "z", "measure", "hours"]
    return whole.sort_values(order, ascending=[True, True, False, True, True], ignore_index=True)


def limits(found: list[Usual]) -> pd.DataFrame:
    """What is usual and what is abuse: measure, hours, usual, abuse_from (both as people read them)."""
    rows = [
        (one.measure, one.hours, *(amount(one.measure, math.expm1(x)) for x in (one.middle, one.alarm)))
        for one in found
    ]
    return pd.DataFrame(rows, columns=["measure", "hours", "usual", "abuse_from"])


def distances(connection: Connection, found: list[Usual]) -> pd.DataFrame:
    """How many active hours were how far from what is usual: z (whole, of the highest), hours, users."""
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="int64") for name in ("z", "hours", "users")})
    values = {f"{one.name}_middle": one.middle for one in found}
    values |= {f"{one.name}_spread": one.spread for one in found}
    return connection.execute(_DISTANCES, values).df()


def answer(connection: Connection) -> pd.DataFrame:
    """The hours of abuse, of users by their hashes: never to be shown to others than the operator.

    Columns: user; hour (UTC) with which the windows end; score (the highest z); reasons (in words, the
    most telling first).
    """
    settings = Settings.from_environment()
    return told(alarming(connection, usual(connection, settings), settings.abuse_z))


def told(windows: pd.DataFrame) -> pd.DataFrame:
    """One row for each user and hour of `alarming` windows: user, hour, score, reasons."""
    rows = []
    for (hour, user), group in windows.groupby(["hour", "user"], sort=True):
        # Of each measure the shortest window, if a longer one hardly tells more.
        highest = group.groupby("measure")["z"].transform("max")
        telling = group[group["z"] > highest - _HARDLY_MORE].sort_values(["hours", "measure"])
        telling = telling.drop_duplicates("measure").sort_values("z", ascending=False, kind="stable")
        reasons = "; ".join(reason(one) for one in telling.itertuples())
        rows.append((user, hour, float(telling["z"].max()), reasons))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    return table if rows else table.astype({"user": "str", "reasons": "str", "score": float})


def reason(window: object) -> str:
    """A window in words: `4,012 operations in one hour, usual 12, own usual 9; z 23.1`."""
    measure, hours = window.measure, window.hours  # type: ignore[attr-defined]
    within = "one hour" if hours == 1 else f"{hours} hours"
    own = window.own_usual  # type: ignore[attr-defined]
    usually = amount(measure, window.usual) + ("" if math.isnan(own) else f", own {amount(measure, own)}")  # type: ignore[attr-defined]
    return (
        f"{amount(measure, window.value)} {_WORDS[measure]} in {within}, "  # type: ignore[attr-defined]
        f"usual {usually}, z {window.z:.1f}"  # type: ignore[attr-defined]
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


def _alarming(connection: Connection, one: Usual, threshold: float) -> pd.DataFrame:
    found = connection.execute(_ABOVE.format(name=one.name), [one.alarm]).df()
    if found.empty:
        return found
    users = found["user"].unique().tolist()
    own = connection.execute(_OWN.format(name=one.name), [LEAST_SPREAD, users]).df()
    found = found.merge(own, on="user")
    known = found["days"] >= OWN_DAYS
    middle = found["own_middle"].where(known)
    by_own = (found["level"] - middle) / found["own_spread"]
    z = (found["level"] - one.middle) / one.spread
    far = (z >= threshold) & (~known | (by_own >= OWN_SHARE * threshold))
    table = pd.DataFrame(
        {
            "user": found["user"],
            "hour": found["hour"],
            "measure": one.measure,
            "hours": one.hours,
            "value": found["level"].map(math.expm1),
            "usual": math.expm1(one.middle),
            "own_usual": middle.map(math.expm1),
            "z": z,
        }
    )
    return table[far]


def _nothing() -> pd.DataFrame:
    words = dict.fromkeys(("user", "measure"), "str") | {"hour": "datetime64[us]", "hours": "int64"}
    numbers = dict.fromkeys(("value", "usual", "own_usual", "z"), "float64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (words | numbers).items()})
