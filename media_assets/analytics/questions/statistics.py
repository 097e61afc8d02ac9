"""How sure a figure is: intervals for shares, for their differences, for trends."""

from __future__ import annotations

from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


class Interval(NamedTuple):
    """From where to where a value lies, with the confidence asked for."""

    low: Numbers
    high: Numbers


class Slope(NamedTuple):
    """A trend: change in y per step of x, and from where to where it lies."""

    value: float
    low: float
    high: float


def deviations(alpha: float, tests: int = 1) -> float:
    """Standard deviations either side so that of `tests` true values one lies outside with chance `alpha`.

    >>> round(deviations(0.05), 2)
    1.96
    """
    return NormalDist().inv_cdf(1 - alpha / (2 * max(tests, 1)))


def wilson(hits: Numbers, of: Numbers, z: float) -> Interval:
    """Where a share lies, by Wilson's score interval (Wilson 1927); from 0 to 1 where there is nothing.

    >>> [round(float(end), 3) for end in wilson(np.array(41.0), np.array(41.0), 1.96)]
    [0.914, 1.0]
    """
    counted = np.asarray(of, dtype=float)
    n = np.maximum(counted, 1e-9)
    share = np.asarray(hits, dtype=float) / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(np.maximum(share * (1 - share), 0) / n + z * z / (4 * n * n))
    empty = counted <= 0
    low = np.where(empty, 0.0, np.clip(centre - half, 0, 1))
    return Interval(low, np.where(empty, 1.0, np.clip(centre + half, 0, 1)))


def newcombe(hits: Numbers, of: Numbers, other_hits: Numbers, other_of: Numbers, z: float) -> Interval:
    """Where the difference of two shares lies, by Newcombe's hybrid (1998, method 10) of Wilson's."""
    one, two = wilson(hits, of, z), wilson(other_hits, other_of, z)
    first = np.asarray(hits, dtype=float) / np.maximum(of, 1e-9)
    second = np.asarray(other_hits, dtype=float) / np.maximum(other_of, 1e-9)
    difference = first - second
    return Interval(
        difference - np.sqrt((first - one.low) ** 2 + (two.high - second) ** 2),
        difference + np.sqrt((one.high - first) ** 2 + (second - two.low) ** 2),
    )


def theil_sen(x: Numbers, y: Numbers, z: float) -> Slope:
    """The median of the slopes between all pairs of points, with Sen's interval (Sen 1968).

    Needs two points of different x. A few points far off, such as one bad day, do not move it.
    """
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    slopes = np.sort(((y[second] - y[first])[run != 0]) / run[run != 0])
    n, pairs = len(x), len(slopes)
    spread = z * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = int(np.clip(np.floor((pairs - spread) / 2), 0, pairs - 1))
    high = int(np.clip(np.ceil((pairs + spread) / 2), 0, pairs - 1))
    return Slope(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))
