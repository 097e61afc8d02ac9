"""Which parameters an operation is given: one's own habit, or what is usual among others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from media_assets.analytics.connection import Connection

DAYS = 90
"""How far back parameters are looked at, from the last event on."""

_HABIT = 3
"""Uses from which on one speaks of a habit."""

Value = int | float | bool | str

# Only what succeeded, and only what somebody asked for: parameters of who opted out are not there.
_RECENT = """
CREATE OR REPLACE TEMP TABLE recent_parameters AS
SELECT
    coalesce(source_kind, '') AS source_kind, operation, "user",
    regexp_extract(coalesce(previous, ''), '[^>]*$') AS after,
    CAST(parameters AS VARCHAR) AS parameters, count(*) AS times, max("timestamp") AS latest
FROM operation_events
WHERE success AND position > 0 AND "user" IS NOT NULL
    AND "timestamp" > (SELECT max("timestamp") FROM operation_events) - to_days(?)
GROUP BY ALL
"""

_OTHERS = """
WITH texts AS (SELECT DISTINCT parameters FROM recent_parameters),
given AS (
    SELECT parameters, unnest(json_keys(CAST(parameters AS JSON))) AS parameter FROM texts
),
named AS (
    SELECT parameters, parameter,
        CAST(json_extract(CAST(parameters AS JSON), '$."' || parameter || '"') AS VARCHAR) AS value
    FROM given
),
kinds AS (
    SELECT * FROM recent_parameters
    UNION ALL SELECT * REPLACE ('' AS source_kind) FROM recent_parameters WHERE source_kind <> ''
),
totals AS (SELECT source_kind, operation, sum(times) AS uses FROM kinds GROUP BY ALL)
SELECT
    source_kind, operation, parameter, value, CAST(any_value(uses) AS BIGINT) AS uses,
    CAST(sum(times) AS BIGINT) AS times, list(DISTINCT hash("user")) AS people
FROM kinds JOIN named USING (parameters) JOIN totals USING (source_kind, operation)
GROUP BY ALL ORDER BY source_kind, operation, parameter, value
"""

_OWN = """
SELECT operation, after, parameters, times, latest FROM recent_parameters
WHERE list_contains(?::VARCHAR[], "user") ORDER BY latest DESC, parameters
"""


@dataclass(frozen=True)
class Suggested:
    """A value for a parameter.

    Attributes:
        share: of uses that had exactly this value, 0 to 1.
        uses: of how many.
        reason: whose, in words.
    """

    name: str
    value: Value
    share: float
    uses: int
    reason: str


@dataclass(frozen=True)
class Use:
    """What a person gave to an operation, how often, and when last."""

    operation: str
    after: str
    values: Mapping[str, Value]
    times: int
    latest: datetime


@dataclass(frozen=True)
class Practice:
    """What is usual, by kind of source and operation, and what one person did, the latest first."""

    usual: Mapping[tuple[str, str], tuple[Suggested, ...]]
    own: tuple[Use, ...] = ()


def read_practice(connection: Connection, *, fewest: int, users: Sequence[str] = ()) -> Practice:
    """What parameters were given to operations that succeeded in the last `DAYS` days.

    Args:
        fewest: people who must have given a parameter, or a word, that others are told of.
        users: keyed hashes of the person whose own uses are wanted.
    """
    connection.execute(_RECENT, [DAYS])
    least = fewest if _people(connection) >= fewest else 1
    found = connection.execute(_OTHERS).df()
    usual: dict[tuple[str, str], tuple[Suggested, ...]] = {}
    for (kind, operation), rows in found.groupby(["source_kind", "operation"], sort=True):
        given = [_usual(str(name), part, least) for name, part in rows.groupby("parameter", sort=True)]
        usual[(str(kind), str(operation))] = tuple(one for one in given if one is not None)
    own = connection.execute(_OWN, [list(users)]).fetchall() if users else []
    return Practice(
        usual,
        tuple(
            Use(operation, after, json.loads(text), times, latest)
            for operation, after, text, times, latest in own
        ),
    )


def suggest(practice: Practice, kind: str, after: str, operation: str) -> tuple[Suggested, ...]:
    """Values for the parameters that are given in at least half of all uses.

    One's own uses right after the same operation come first, if there are some, then all of one's own,
    then what others did with that kind of source, then what others did.
    """
    mine = [use for use in practice.own if use.operation == operation]
    here = [use for use in mine if use.after == after]
    if sum(use.times for use in here) >= _HABIT:
        return _habits(here, f"yours after {after}" if after else "yours at the beginning")
    if mine:
        return _habits(mine, "yours")
    return practice.usual.get((kind, operation)) or practice.usual.get(("", operation), ())


def _habits(uses: Sequence[Use], whose: str) -> tuple[Suggested, ...]:
    total = sum(use.times for use in uses)
    found = []
    for name in sorted({name for use in uses for name in use.values}):
        times: dict[Value, int] = {}
        # The latest come first, and of values used as often the first one stays.
        for use in uses:
            if name in use.values:
                times[use.values[name]] = times.get(use.values[name], 0) + use.times
        if 2 * sum(times.values()) >= total:
            value = max(times, key=times.__getitem__)
            found.append(Suggested(name, value, times[value] / total, total, whose))
    return tuple(found)


def _usual(name: str, rows: pd.DataFrame, least: int) -> Suggested | None:
    """The median of numbers, as one that was used; of words the most frequent that enough people used."""
    uses, times = int(rows["uses"].iloc[0]), rows["times"].to_numpy()
    if 2 * times.sum() < uses or len(set().union(*rows["people"])) < least:
        return None
    values = [json.loads(value) for value in rows["value"]]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        ordered = sorted(zip(values, times.tolist(), strict=True))
        before = pd.Series([count for _, count in ordered]).cumsum()
        value, count = ordered[int((before * 2 >= times.sum()).to_numpy().argmax())]
        return Suggested(name, value, count / uses, uses, "the median of all")
    chosen = [
        (int(count), str(value), value)
        for value, count, people in zip(values, times, rows["people"], strict=True)
        if len(people) >= least and isinstance(value, bool | str | int | float)
    ]
    if not chosen:
        return None
    count, _, value = max(chosen, key=lambda one: one[:2])
    return Suggested(name, value, count / uses, uses, "the most frequent of all")


def _people(connection: Connection) -> int:
    row = connection.execute('SELECT count(DISTINCT "user") FROM recent_parameters').fetchone()
    return int(row[0]) if row else 0
