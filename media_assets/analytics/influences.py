"""Which traits of an operation explain that it takes more or less than its curve says, and how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from media_assets.planning.learnt import GIVEN, Influence, level

Floats = npt.NDArray[np.float64]

FEWEST = 12
"""Measurements from which traits are looked at."""
_MOST_INFLUENCES = 3
_FEWEST_OF_A_LEVEL = 3
_WORTH = 0.9
"""The part of the squared errors that may be left by a trait that is taken."""
_LEVEL_COST = 2.0
"""How many measurements' worth of error each further level, or a slope, has to explain."""
_FAR = 4.0
"""Deviations beyond which an error is taken as if it were that far."""
_NEGLIGIBLE = 0.02
"""Mean error below which nothing needs explaining."""
_MAD = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""


@dataclass(frozen=True)
class _Column:
    """A trait of all measurements: its values as numbers (NaN: none), and which of `texts` each is."""

    name: str
    numbers: Floats
    texts: list[str]
    codes: npt.NDArray[np.intp]

    def applied(self, influence: Influence) -> Floats:
        """What the influence says of each measurement."""
        if influence.levels:
            return np.array([influence.levels.get(text, 0.0) for text in self.texts])[self.codes]
        inside = np.clip(self.numbers, influence.least, influence.most)
        return np.nan_to_num(influence.slope * (inside - influence.centre), nan=0.0)


def found_influences(errors: Floats, traits: Sequence[Mapping[str, Any]]) -> tuple[Influence, ...]:
    """The influences, the strongest first, each found in what those before it leave.

    Args:
        errors: logarithms of measured over given; traits: of the same measurements.
    """
    if len(errors) < FEWEST or float(np.abs(errors - np.median(errors)).mean()) < _NEGLIGIBLE:
        return ()
    columns = [_column(name, traits) for name in sorted({name for one in traits for name in one})]
    inputs = len({tuple(one.get(name) for name in one if name.endswith(GIVEN)) for one in traits})
    left, found = _within(errors), list[Influence]()
    for _ in range(_MOST_INFLUENCES):
        best = _strongest(left, columns, inputs)
        if best is None:
            break
        influence, column = best
        found.append(influence)
        left = left - column.applied(influence)
        columns.remove(column)
    return tuple(found)


def _column(name: str, traits: Sequence[Mapping[str, Any]]) -> _Column:
    values = [one.get(name) for one in traits]
    numbers = [
        float(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else np.nan for v in values
    ]
    texts, codes = np.unique([level(value) for value in values], return_inverse=True)
    return _Column(name, np.array(numbers), [str(text) for text in texts], codes)


def _strongest(left: Floats, columns: Sequence[_Column], inputs: int) -> tuple[Influence, _Column] | None:
    """The trait that leaves least of the errors, if that is worth its levels.

    Args:
        inputs: how many different ones were given: what is said of these is learnt from that many only.
    """
    best, least = None, _WORTH * _squares(left)
    for column in columns:
        for influence in _candidates(column, left):
            parts = max(1, len(influence.levels) - 1)
            seen = min(inputs, len(left)) if column.name.endswith(GIVEN) else len(left)
            price = 1.0 + _LEVEL_COST * parts / max(1.0, seen - parts)
            score = _squares(left - column.applied(influence)) * price
            if score < least:
                best, least = (influence, column), score
    return best


def _candidates(column: _Column, left: Floats) -> Iterator[Influence]:
    """The trait as a set of levels, and as a slope where it is a number."""
    counts = np.bincount(column.codes, minlength=len(column.texts))
    enough = [code for code, count in enumerate(counts) if count >= _FEWEST_OF_A_LEVEL]
    x = column.numbers[known := np.isfinite(column.numbers)]
    # Each source has its own size and detail: as levels they would only name the sources.
    nameable = not (column.name.endswith(GIVEN) and len(x))
    if nameable and 1 < len(enough) <= len(left) // _FEWEST_OF_A_LEVEL:
        middle = float(left.mean())
        # Drawn to the middle as if one more measurement had been there.
        yield Influence(
            column.name,
            {
                column.texts[code]: (float(np.median(left[column.codes == code])) - middle)
                * float(counts[code] / (counts[code] + 1))
                for code in enough
            },
        )
    y = left[known]
    if len(x) >= FEWEST and len(np.unique(x)) > 2:
        centre = float(x.mean())
        slope = float(((x - centre) * (y - y.mean())).sum() / ((x - centre) ** 2).sum())
        least, most = np.quantile(x, (0.02, 0.98))
        yield Influence(column.name, {}, slope, centre, float(least), float(most))


def _squares(values: Floats) -> float:
    return float(((values - values.mean()) ** 2).sum())


def _within(errors: Floats) -> Floats:
    """The errors, none further from the middle than is usual."""
    middle = np.median(errors)
    far = _FAR * max(_MAD * float(np.median(np.abs(errors - middle))), 0.02)
    return np.asarray(np.clip(errors, middle - far, middle + far), dtype=np.float64)
