"""Measurements → curves: lines of least relative error; what few measurements say is drawn to all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from media_assets.analytics.influences import found_influences
from media_assets.planning.learnt import EVERY, GIVEN, LEAST, Curve, Influence

Floats = npt.NDArray[np.float64]

FEWEST = 5
"""Measurements of one operation from which it has a curve of its own."""
_FEWEST_FOR_A_LINE = 20
_FEWEST_TO_SHIFT = 12
_LEAST_SPREAD = 1.5
"""Largest over smallest scale (without the outermost tenths) from which a fixed part can be told apart."""
_GAIN = 0.95
"""A line has to lower the spread of errors to this part to be taken instead of a ratio."""
_OF_EACH = 50
_ROUNDS = 12
_OUTLYING = 2.5
"""Standard deviations beyond which a measurement counts for less."""
_MAD = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""
_LEAST_NOISE = 0.02
_OVERCOUNTED = 0.8
"""How much of the smallest scale may be fixed costs that are not there."""


@dataclass(frozen=True)
class Measured:
    """Measurements of one operation, the newest first.

    Attributes:
        scales, values: what was known beforehand, and what was measured; all above 0.
        traits: of each.
    """

    scales: Floats
    values: Floats
    traits: Sequence[Mapping[str, Any]]


def fitted(
    measured: Mapping[str, Measured], *, alike: bool, known: tuple[Influence, ...] = ()
) -> dict[str, Curve]:
    """Curves by operation.

    Args:
        alike: scales are estimates of the values, so that operations tell about each other: the curve
            of all of them is under `EVERY`, and few measurements of one are drawn towards it.
        known: influences that were there before anything was measured.
    """
    if known:
        without = {
            name: replace(one, values=one.values / np.exp(_explained(known, one)))
            for name, one in measured.items()
        }
        found = fitted(without, alike=alike)
        return {
            name: replace(curve, influences=(*known, *curve.influences)) for name, curve in found.items()
        }
    enough = {name: one for name, one in measured.items() if len(one.values) >= FEWEST}
    if not alike:
        return {name: _with_traits(_line(one) or _ratio(one), one) for name, one in enough.items()}
    if not enough:
        return {}
    every = _pooled(list(enough.values()))
    errors = {name: _errors(every, one) for name, one in enough.items()}
    centres = np.array([np.median(values) for values in errors.values()])
    counts = np.array([len(values) for values in errors.values()])
    noises = np.array([_deviation(values) for values in errors.values()])
    # Five measurements may be alike by chance: the noise is that of all operations together.
    noise = max(float(np.sqrt(np.average(noises**2, weights=counts))), _LEAST_NOISE)
    drawn = shrunk(centres, noise, counts)
    bare = {}
    for (name, one), shift in zip(enough.items(), drawn, strict=True):
        shifted = replace(every, fixed=every.fixed * np.exp(shift), rate=every.rate * np.exp(shift))
        own = _line(one)
        better = own is not None and _spread(own, one) < _GAIN * _spread(shifted, one)
        bare[name] = own if own is not None and better else shifted
    common = _common(bare, enough)
    found = {name: _with_traits(bare[name], one, common) for name, one in enough.items()}
    unknown = float(np.median(drawn))
    scattered = np.concatenate(list(errors.values()))
    low, high = np.quantile(scattered - unknown, (0.1, 0.9))
    found[EVERY] = Curve(
        float(every.fixed * np.exp(unknown)),
        float(every.rate * np.exp(unknown)),
        low=float(np.exp(min(low, 0.0))),
        high=float(np.exp(max(high, 0.0))),
        influences=common,
        events=len(scattered),
    )
    return found


def shrunk(means: Floats, noise: float, counts: npt.NDArray[np.int64]) -> Floats:
    """Means of groups, each drawn to the middle of all the more, the less is known of it.

    Empirical Bayes with normal groups (Efron and Morris, 1975): a group's weight is the variance between
    groups over that and the variance of its mean.

    Args:
        noise: standard deviation within groups; counts: measurements in them.
    """
    # The variance of a median is pi / 2 times that of a mean.
    own = noise**2 * (np.pi / 2) / counts
    middle = float(np.median(means))
    between = max(0.0, float(np.mean((means - middle) ** 2 - own)))
    if between == 0.0:
        return np.full_like(means, middle)
    return np.asarray(middle + (means - middle) * between / (between + own), dtype=np.float64)


def _common(curves: Mapping[str, Curve], measured: Mapping[str, Measured]) -> tuple[Influence, ...]:
    """What traits of what is given do to all operations alike, from the newest of each."""
    errors = [_errors(curves[name], one)[:_OF_EACH] for name, one in measured.items()]
    given = [
        {name: value for name, value in its.items() if name.endswith(GIVEN)}
        for one in measured.values()
        for its in one.traits[:_OF_EACH]
    ]
    return found_influences(np.concatenate([part - np.median(part) for part in errors]), given)


def _with_traits(curve: Curve, one: Measured, common: tuple[Influence, ...] = ()) -> Curve:
    """The curve with what traits explain of its errors, and the range of what they do not."""
    errors = _errors(curve, one)
    left = errors - _explained(common, one)
    own = found_influences(left, one.traits)
    left = left - _explained(own, one)
    influences = (*common, *own)
    # A curve that few measurements were drawn to stays where it is.
    centre = float(np.median(left)) if len(left) >= _FEWEST_TO_SHIFT else 0.0
    low, high = np.quantile(left - centre, (0.1, 0.9))
    # Few measurements show less than their whole range.
    wider = 1.0 + 2.0 / len(left)
    factor = float(np.exp(centre))
    return Curve(
        float(curve.fixed * factor),
        float(curve.rate * factor),
        influences,
        float(np.exp(low * wider)),
        float(np.exp(high * wider)),
        len(left),
    )


def _explained(influences: tuple[Influence, ...], one: Measured) -> Floats:
    return np.array([sum(influence.of(its) for influence in influences) for its in one.traits])


def _pooled(all_of: Sequence[Measured]) -> Curve:
    """One curve of all operations, of each the newest measurements: a frequent one must not rule."""
    together = Measured(
        np.concatenate([one.scales[:_OF_EACH] for one in all_of]),
        np.concatenate([one.values[:_OF_EACH] for one in all_of]),
        (),
    )
    ratio, line = _ratio(together), _line(together)
    better = line is not None and _spread(line, together) < _GAIN * _spread(ratio, together)
    return line if line is not None and better else ratio


def _ratio(one: Measured) -> Curve:
    return Curve(0.0, float(np.median(one.values / one.scales)))


def _line(one: Measured) -> Curve | None:
    """fixed + rate x scale with the least relative errors, outliers counting for less; None: too little.

    Least squares, each weighted by one over the value that the last round gave it.
    """
    scales, values = one.scales, one.values
    low, high = np.quantile(scales, (0.1, 0.9))
    if len(values) < _FEWEST_FOR_A_LINE or high < _LEAST_SPREAD * low:
        return None
    curve = _ratio(one)
    for _ in range(_ROUNDS):
        given = _bases(curve, scales)
        errors = np.log(values / given)
        limit = _OUTLYING * max(_deviation(errors), _LEAST_NOISE)
        apart = np.abs(errors - np.median(errors))
        weights = np.minimum(1.0, limit / np.maximum(apart, 1e-12)) / given**2
        whole = weights.sum()
        x, y = (weights * scales).sum() / whole, (weights * values).sum() / whole
        across = (weights * (scales - x) ** 2).sum()
        rate = float((weights * (scales - x) * (values - y)).sum() / across) if across > 0 else 0.0
        # The shipped speeds may count more for starting than this machine takes: below nothing, a little.
        rate = min(max(rate, 0.0), float(y / (x - _OVERCOUNTED * scales.min())))
        curve = Curve(float(y - rate * x), rate)
    return curve


def _bases(curve: Curve, scales: Floats) -> Floats:
    """What `Curve.base` says of each scale."""
    rising = curve.rate * scales
    return np.maximum(curve.fixed + rising, LEAST * rising)


def _errors(curve: Curve, one: Measured) -> Floats:
    """Logarithms of measured over given."""
    return np.asarray(np.log(one.values / _bases(curve, one.scales)), dtype=np.float64)


def _spread(curve: Curve, one: Measured) -> float:
    errors = _errors(curve, one)
    return float(np.mean(np.abs(errors)))


def _deviation(errors: Floats) -> float:
    return float(_MAD * np.median(np.abs(errors - np.median(errors))))
