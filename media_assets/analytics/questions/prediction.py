"""Prediction: what each operation will take, learnt from the latest events of this machine."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.fitting import Measured, fitted
from media_assets.analytics.questions.suppressed import suppressed
from media_assets.analytics.rollups import Rollup
from media_assets.planning.learnt import (
    DETAIL,
    QUANTITIES,
    Curve,
    Factors,
    Influence,
    Quantity,
    scales,
    traits,
)

SAMPLES = Rollup(
    "prediction_samples",
    "operation_events",
    """
    , latest AS (
        SELECT unnest(max(event_id, 100)) AS event_id
        FROM events WHERE outcome = 'rendered'
        GROUP BY day, operation
    )
    SELECT
        day, event_id, operation, machine, "user", CAST(parameters AS VARCHAR) AS parameters,
        cpu_seconds, duration_ms / 1000 AS seconds, peak_memory_bytes AS memory_bytes,
        bytes_written AS disk_bytes,
        expected_cpu_seconds, expected_memory_bytes, expected_bytes,
        predicted_cpu_seconds, predicted_ms / 1000 AS predicted_seconds, predicted_memory_bytes,
        predicted_bytes AS predicted_disk_bytes,
        input_seconds, width, height, fps, source_codec, source_bits_per_pixel, output_format, bytes_read
    FROM events SEMI JOIN latest USING (event_id)
    """,
)
"""Of each day and operation, the latest hundred renders: a curve needs no more, however many there were."""
ROLLUPS = (SAMPLES,)

# Another machine's speeds say nothing of this one's. A window of the latest events follows a machine
# that changes.
_LATEST = """
WITH latest AS (
    SELECT unnest(max(event_id, 300)) AS event_id FROM prediction_samples
    WHERE machine = (SELECT arg_max(machine, event_id) FROM prediction_samples)
    GROUP BY operation, expected_cpu_seconds > 0
)
SELECT * FROM prediction_samples SEMI JOIN latest USING (event_id) ORDER BY event_id DESC
"""
_COLUMNS = (
    *("operation", "quantity", "planned", "events", "typical", "low", "high", "error"),
    *("fixed", "rate", "traits"),
)


def _of_detail(slope: float) -> tuple[Influence, ...]:
    return (Influence(DETAIL, {}, slope, math.log(0.07), math.log(0.003), math.log(0.3)),)


# What has more to be seen takes more to encode, and more bytes: about so before anything is measured.
# Events correct it.
_KNOWN: Mapping[Quantity, tuple[Influence, ...]] = {
    "cpu_seconds": _of_detail(0.35),
    "seconds": _of_detail(0.35),
    "disk_bytes": _of_detail(0.8),
}
_One = tuple[bool, str, Quantity, Measured]


def learnt(connection: Connection) -> Factors:
    """Curves of each operation with events enough, from the rollup as it is."""
    return studied(connection)[0]


def answer(connection: Connection) -> pd.DataFrame:
    """What was learnt of each operation and quantity, as `studied` tells it."""
    return studied(connection)[1]


def studied(connection: Connection) -> tuple[Factors, pd.DataFrame]:
    """The curves, and what may be told of them.

    Columns: operation; quantity (`cpu_seconds`, `seconds`, `memory_bytes`, `disk_bytes`); planned
    (whether over the shipped estimate, or over the work); events (that it was learnt from); typical (the
    middle prediction for these); low, high (factors between which four of five were); error (median of
    these, as a part of what was measured); fixed, rate (of the curve); traits (that make a difference).
    """
    samples = connection.execute(_LATEST).df()
    measured = list(_measured(samples))
    factors = _learnt(measured)
    users = samples.groupby(["operation", samples["expected_cpu_seconds"] > 0])["user"].nunique()
    rows = []
    for planned, operation, quantity, one in measured:
        curves = (factors.planned if planned else factors.unplanned).get(quantity, {})
        if operation in curves:
            row = _row(curves[operation], one)
            rows.append(
                {"operation": operation, "quantity": quantity, "planned": planned, **row}
                | {"users": users.loc[operation, planned]}
            )
    table = pd.DataFrame(rows, columns=[*_COLUMNS, "users"])
    table = table.sort_values(["operation", "planned", "quantity"], ignore_index=True)
    return factors, suppressed(table, connection)


def _learnt(measured: Sequence[_One]) -> Factors:
    sorts: dict[bool, dict[Quantity, dict[str, Measured]]] = {True: {}, False: {}}
    for planned, operation, quantity, one in measured:
        sorts[planned].setdefault(quantity, {})[operation] = one
    return Factors(
        {name: fitted(by, alike=True, known=_KNOWN.get(name, ())) for name, by in sorts[True].items()},
        {name: fitted(by, alike=False) for name, by in sorts[False].items()},
    )


def _measured(samples: pd.DataFrame) -> Iterator[_One]:
    """The samples by operation, and by whether the planner gave an estimate, for each quantity."""
    planned = samples["expected_cpu_seconds"] > 0
    for (operation, has_plan), frame in samples.groupby(["operation", planned], sort=True):
        rows = [_plain(row) for row in frame.to_dict("records")]
        of_each = [scales(row) for row in rows]
        known = [traits(json.loads(row["parameters"]), row) for row in rows]
        for quantity in QUANTITIES:
            x = np.array([one[quantity] for one in of_each], dtype=float)
            y = np.array([row[quantity] or 0.0 for row in rows], dtype=float)
            usable = np.flatnonzero((x > 0) & (y > 0))
            if len(usable):
                chosen = [known[index] for index in usable]
                yield bool(has_plan), str(operation), quantity, Measured(x[usable], y[usable], chosen)


def _row(curve: Curve, one: Measured) -> dict[str, Any]:
    given = np.array(
        [curve.at(float(scale), traits).value for scale, traits in zip(one.scales, one.traits, strict=True)]
    )
    return {
        "events": curve.events,
        "typical": float(np.median(given)),
        "low": curve.low,
        "high": curve.high,
        "error": float(np.median(np.abs(given - one.values) / one.values)),
        "fixed": curve.fixed,
        "rate": curve.rate,
        "traits": ", ".join(influence.trait for influence in curve.influences),
    }


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """A row without NaN: what is missing is None."""
    return {str(name): None if value is None or value != value else value for name, value in row.items()}
