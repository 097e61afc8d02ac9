"""Errors: which parameters, codecs and sizes make an operation fail, and what to do about each."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions.conditions import PARAMETERS, Condition
from media_assets.analytics.questions.error_mining import failing_conditions
from media_assets.analytics.questions.statistics import deviations, wilson
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.rollups import Rollup

WINDOW_DAYS = 90
"""Older failures are not looked at: what was mended since should not be warned of for ever."""

# What is looked at: of each operation and day at most so many failures and so many successes, each
# standing for as many as there were. What is found is then counted in the events themselves. What is
# cached cannot fail, so it is no success; and a full disk is no fault of parameters.
CASES = Rollup(
    "error_cases",
    "operation_events",
    """
    , performed AS (
        SELECT
            day, operation, outcome = 'failed' AS failed, CAST(parameters AS VARCHAR) AS parameters,
            source_codec, output_format, size_category, resolution_class, source_kind,
            width, height, fps, event_id
        FROM events
        WHERE outcome IN ('rendered', 'failed') AND coalesce(error, '') NOT IN (
            'Cancelled', 'DiskFull', 'DiskRefused', 'SourceChanged', 'WarehouseBusy'
        )
    ), sizes AS (
        SELECT
            day, operation, failed, count(*) / max(CASE WHEN failed THEN 24 ELSE 12 END) AS weight
        FROM performed GROUP BY ALL
    )
    SELECT performed.* EXCLUDE event_id, greatest(weight, 1.0) AS weight
    FROM performed JOIN sizes USING (day, operation, failed)
    WHERE weight <= 1 OR hash(event_id) % 1000000 * weight < 1000000
    """,
)
STAGES = Rollup(
    "error_stages",
    "error_events",
    """
    SELECT
        day, stage, error, retryable, count(*) AS errors,
        list_slice(
            list_sort(list(DISTINCT md5_number_lower("user")) FILTER ("user" IS NOT NULL)), 1, 32
        ) AS users
    FROM events GROUP BY ALL
    """,
)
ROLLUPS = (CASES, STAGES)

# By the error's class, where that tells enough.
_ERROR_ACTIONS = {
    "TimeLimitExceeded": ("raise_time_limit", "raise the time limit"),
    "CorruptMedia": ("check_source", "check the source before it is used"),
    "NotMedia": ("check_source", "check the source before it is used"),
}
# By (what a field's name ends with, test); nothing for any test.
_FIELD_ACTIONS = {
    ("width", "odd"): ("pad_to_even", "pad to even"),
    ("height", "odd"): ("pad_to_even", "pad to even"),
    ("source_codec", ""): ("convert_source", "convert the source to another codec first"),
    ("codec", ""): ("choose_codec", "choose another codec"),
    ("format", ""): ("choose_format", "choose another format"),
    ("size_category", ""): ("split_source", "split the source"),
    ("resolution_class", ""): ("scale_first", "scale the picture first"),
    ("width", "at_least"): ("scale_first", "scale the picture first"),
    ("height", "at_least"): ("scale_first", "scale the picture first"),
    ("fps", "at_least"): ("convert_rate", "convert the frame rate first"),
}
_NO_ACTION = ("", "no action known")

_CASES = """
SELECT * EXCLUDE day FROM error_cases WHERE day > (SELECT max(day) FROM error_cases) - $days
"""
_COUNTED = """
WITH performed AS (
    SELECT * FROM operation_events
    WHERE operation = ? AND outcome IN ('rendered', 'failed')
        AND coalesce(error, '') NOT IN (
            'Cancelled', 'DiskFull', 'DiskRefused', 'SourceChanged', 'WarehouseBusy'
        )
        AND "timestamp" >= (SELECT CAST(max(day) - ? + 1 AS TIMESTAMP) FROM error_cases)
), told AS (SELECT *, coalesce({condition}, false) AS met FROM performed)
SELECT
    count(*) FILTER (met), count(*) FILTER (met AND outcome = 'failed'),
    count(DISTINCT "user") FILTER (met), mode(error ORDER BY error) FILTER (met AND outcome = 'failed'),
    count(*) FILTER (NOT met), count(*) FILTER (NOT met AND outcome = 'failed')
FROM told
"""
_COLUMNS = {
    **dict.fromkeys(("operation", "condition", "error"), "object"),
    **dict.fromkeys(("events", "failed"), "int64"),
    **dict.fromkeys(("failure_rate", "low", "high", "others_rate", "lift"), "float64"),
    **dict.fromkeys(("action", "suggestion", "conditions"), "object"),
    "users": "int64",
}


def answer(connection: Connection) -> pd.DataFrame:
    """Conditions under which operations fail, those that fail most often first.

    Columns: operation, condition, error (the commonest class), events, failed (counted over the last 90
    days, without what was cached), failure_rate with low and high (95 %), others_rate (of the
    operation's other events), lift (their quotient), action, suggestion, conditions (JSON).
    """
    cases = connection.execute(_CASES, {"days": WINDOW_DAYS}).df()
    rows = [
        row
        for operation, own in cases.groupby("operation")  # sorted by name
        for conditions in failing_conditions(own.reset_index(drop=True))
        if (row := _counted(connection, str(operation), conditions))
    ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    table = table.sort_values(["failure_rate", "failed"], ascending=False, kind="stable")
    return suppressed(table, connection)


def stages(connection: Connection) -> pd.DataFrame:
    """At which stages which errors came, the most frequent first: stage, error, retryable, errors."""
    table = connection.execute(
        """
        SELECT stage, error, retryable, CAST(sum(errors) AS BIGINT) AS errors,
            len(list_distinct(flatten(list(users)))) AS users
        FROM error_stages GROUP BY ALL ORDER BY errors DESC, stage, error, retryable
        """
    ).df()
    return suppressed(table, connection)


def _counted(
    connection: Connection, operation: str, conditions: tuple[Condition, ...]
) -> tuple[object, ...] | None:
    """The row of what was found, counted in the events; nothing where they do not bear it out."""
    parts = [condition.sql() for condition in conditions]
    met = " AND ".join(f"({text})" for text, _ in parts)  # of fields' names and question marks
    values = [value for _, own in parts for value in own]
    row = connection.execute(_COUNTED.format(condition=met), [operation, WINDOW_DAYS, *values]).fetchone()
    if row is None or not row[1]:
        return None
    events, failed, users, error, others, others_failed = row
    rate, usual = failed / events, others_failed / max(others, 1)
    low, high = (float(end) for end in wilson(np.array(failed), np.array(events), deviations(0.05)))
    action, what = _action(error, conditions)
    condition = " and ".join(condition.text for condition in conditions)
    return (
        *(operation, condition, error, events, failed, rate, low, high, usual),
        rate / max(usual, 0.5 / max(others, 1)),
        action,
        f"{operation} with {condition}: {rate:.0%} of {events} fail ({error}); {what}",
        json.dumps([condition.to_json() for condition in conditions]),
        users,
    )


def _action(error: str, conditions: tuple[Condition, ...]) -> tuple[str, str]:
    """What to do, by the kind of error, or of the first condition that something can be done about."""
    if error in _ERROR_ACTIONS:
        return _ERROR_ACTIONS[error]
    for condition in conditions:
        for (ending, test), action in _FIELD_ACTIONS.items():
            if condition.field.endswith(ending) and test in ("", condition.test):
                return action
        if condition.field.startswith(PARAMETERS) and condition.test in ("at_least", "at_most"):
            side = "below" if condition.test == "at_least" else "above"
            name = condition.field.removeprefix(PARAMETERS)
            return (f"stay_{side}", f"stay {side} {name} {condition.value:g}")
    return _NO_ACTION
