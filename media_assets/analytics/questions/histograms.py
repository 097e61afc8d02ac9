"""Histograms whose buckets grow by a constant factor: they add up, and give percentiles within 2 %.

The buckets are those of DDSketch (Masson, Rim, Lee: DDSketch, VLDB 2019, section 2): bucket i holds what
is above g^(i-1) and up to g^i, where g = (1 + a) / (1 - a), and 2 g^i / (g + 1) is within the share a of
all that is in it.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

ERROR = 0.02
"""The share by which a percentile may be off, at the most."""
GROWTH = (1 + ERROR) / (1 - ERROR)
_MIDDLE = 2 / (GROWTH + 1)


def bucket_of(value: str) -> str:
    """The bucket of a positive column, or of an expression of columns, in SQL.

    >>> bucket_of("duration_ms")
    'CAST(ceil(ln(duration_ms) / 0.04000533461369913) AS SMALLINT)'
    """
    return f"CAST(ceil(ln({value}) / {math.log(GROWTH)!r}) AS SMALLINT)"


def middle(bucket: pd.Series[int]) -> pd.Series[float]:
    """What stands for the values in each bucket."""
    return pd.Series(_MIDDLE * np.power(GROWTH, bucket.to_numpy(dtype=float)), index=bucket.index)


def percentiles(histogram: pd.DataFrame, keys: list[str], shares: dict[str, float]) -> pd.DataFrame:
    """The values that stand at given shares of each group's events, in order.

    Args:
        histogram: `keys`, `bucket` and `events`, several rows of one bucket being added up.
        keys: what makes a group.
        shares: such as {"p50": 0.5}, by the name of the column they go into.

    Returns:
        A row for each group: `keys`, `timed` (its events) and the columns.
    """
    counts = histogram.groupby([*keys, "bucket"], observed=True)["events"].sum().reset_index()
    counts = counts.sort_values([*keys, "bucket"], ignore_index=True)
    groups = counts.groupby(keys, observed=True, sort=False)["events"]
    so_far, whole = groups.cumsum(), groups.transform("sum")
    found = groups.sum().rename("timed").reset_index()
    for name, share in shares.items():
        # The first bucket that reaches the rank: ranks are whole events, the last is the whole.
        reached = counts[so_far >= np.maximum(np.ceil(share * whole), 1)]
        first = reached.groupby(keys, observed=True, sort=False)["bucket"].first()
        found[name] = middle(first).to_numpy()
    return found
