"""Finds the conditions under which an operation fails, alone and in pairs, without being told any.

Sequential covering: the condition that explains most failures is taken, its events are set aside, and
the rest is looked at again. What is left of a condition that only went along with another explains
nothing more, so it is not found.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from media_assets.analytics.questions.conditions import (
    CATEGORIES,
    NUMBERS,
    PARAMETERS,
    TESTS,
    Condition,
    passes,
    spelt,
)
from media_assets.analytics.questions.statistics import Interval, Numbers, wilson

Mask = NDArray[np.bool_]
Sums = NDArray[np.float64]
"""Failures, events and squared weights, along the first dimension."""

SURE = 4.0
"""Standard deviations: of the thousands of conditions looked at, none is to be found by chance."""
_FEWEST_CASES = 10
_FEWEST_FAILURES = 8
_LEAST_MORE = 0.05
"""A condition's events fail this much more often than the others, with all uncertainty."""
_PAIR_WEIGHT = 0.9
"""One condition is better than two that explain as much."""
_MOST_CONDITIONS = 10
_MOST_VALUES = 12
_CUTS = 10
_MOST_PAIRED = 24
_NONE = 1e-9
_WHOLE = ("width", "height")


@dataclass(frozen=True)
class _Feature:
    """A condition, and of which cases it holds."""

    condition: Condition
    mask: Mask


@dataclass(frozen=True)
class _Cases:
    """An operation's cases: which failed, and how many events each stands for."""

    failed: Numbers
    weight: Numbers

    def sums(self, masks: Numbers) -> Sums:
        """Failures, events and squared weights of the cases of each mask (rows)."""
        return np.stack([masks @ one for one in self._columns()])

    def sums_of_both(self, masks: Numbers) -> Sums:
        """The same of each two masks together: for all pairs at once, in two more dimensions."""
        return np.stack([(masks * one) @ masks.T for one in self._columns()])

    def whole(self) -> Sums:
        """The same of all cases."""
        return np.stack([one.sum() for one in self._columns()])

    def _columns(self) -> tuple[Numbers, Numbers, Numbers]:
        return (self.weight * self.failed, self.weight, self.weight**2)


def failing_conditions(cases: pd.DataFrame) -> list[tuple[Condition, ...]]:
    """One or two conditions each, under which an operation's cases fail, the worst first.

    Args:
        cases: of one operation: failed, weight, parameters (JSON), and the columns that events have.
    """
    found: list[tuple[Condition, ...]] = []
    failed, weight = (cases[name].to_numpy(dtype=float) for name in ("failed", "weight"))
    if failed.sum() < _FEWEST_FAILURES:
        return found
    features = list(_features(cases))
    masks = np.array([feature.mask for feature in features], dtype=float).reshape(len(features), len(cases))
    left = np.ones(len(cases))
    while len(found) < _MOST_CONDITIONS:
        best = _best(features, masks, _Cases(failed, weight * left))
        if not best:
            break
        found.append(tuple(features[number].condition for number in best))
        left = left * (1 - np.prod(masks[list(best)], axis=0))
    return found


def _best(features: list[_Feature], masks: Numbers, cases: _Cases) -> tuple[int, ...]:
    """The condition, or the two, that surely explain most failures; none where nothing is sure."""
    if not features or (cases.failed * (cases.weight > 0)).sum() < _FEWEST_FAILURES:
        return ()
    sums, whole = cases.sums(masks), cases.whole()
    singles = _explained(sums, whole[:, None])
    best, score = int(np.argmax(singles)), float(np.max(singles))
    chosen = _promising(sums, whole)
    both = cases.sums_of_both(masks[chosen])
    alone = sums[:, chosen, None] - both  # of the first without the second
    explained = _explained(both, whole[:, None, None]) * _PAIR_WEIGHT
    for without in (alone, alone.transpose(0, 2, 1)):
        worse = _share(both).low - _share(without).high >= _LEAST_MORE
        explained = np.where(worse & (without[1] > _NONE), explained, 0.0)
    fields = np.array([features[number].condition.field for number in chosen])
    explained[fields[:, None] == fields[None, :]] = 0.0
    if explained.size and np.max(explained) > score:
        first, second = np.unravel_index(int(np.argmax(explained)), explained.shape)
        return (int(chosen[first]), int(chosen[second]))
    return (best,) if score > 0 else ()


def _promising(sums: Sums, whole: Sums) -> NDArray[np.intp]:
    """Conditions whose events fail more often than all: those that do most, for pairs of them."""
    failures, events, _ = sums
    more = failures - whole[0] / max(float(whole[1]), _NONE) * events
    ranked = np.argsort(-more, kind="stable")[:_MOST_PAIRED]
    return np.sort(ranked[(more[ranked] > 0) & (failures[ranked] >= _FEWEST_FAILURES)])


def _explained(sums: Sums, whole: Sums) -> Numbers:
    """How many failures a condition surely explains beyond what others have; 0 where it is not sure."""
    others = whole - sums
    more = _share(sums).low - _share(others).high
    rate, usual = (one[0] / np.maximum(one[1], _NONE) for one in (sums, others))
    sure = (more >= _LEAST_MORE) & (rate >= 2 * usual)
    enough = (_effective(sums) >= _FEWEST_CASES) & (_effective(others) >= _FEWEST_CASES)
    # Rounded: sums differ in their last digits with the rows' order.
    return np.where(sure & enough & (sums[0] >= _FEWEST_FAILURES), sums[1] * more, 0.0).round(6)


def _share(sums: Sums) -> Interval:
    """Where the share of failures lies."""
    effective = _effective(sums)
    return wilson(sums[0] / np.maximum(sums[1], _NONE) * effective, effective, SURE)


def _effective(sums: Sums) -> Numbers:
    """As many cases as are as sure as these, which stand for several events each (Kish 1965)."""
    effective: Numbers = sums[1] ** 2 / np.maximum(sums[2], _NONE)
    return effective


def _features(cases: pd.DataFrame) -> Iterator[_Feature]:
    """Every condition that some cases meet and some do not: parities first, then values, then ranges."""
    fields = [(name, cases[name].to_numpy(dtype=object)) for name in (*CATEGORIES, *NUMBERS)]
    codes, sets = pd.factorize(cases["parameters"])
    known = [json.loads(text) for text in sets]
    for name in sorted({name for one in known for name in one}):
        values = np.array([one.get(name) for one in known], dtype=object)
        fields.append((PARAMETERS + name, values[codes]))
    found = []
    for field, values in fields:
        codes, distinct = pd.factorize(values)
        plain = [_plain(field, value) for value in distinct]
        for condition in _conditions(field, plain, codes):
            met = np.array([passes(value, condition) for value in plain] + [False])
            mask = met[codes]  # what is missing has the code -1, the last of `met`
            if _FEWEST_CASES <= mask.sum() <= len(mask) - _FEWEST_CASES:
                found.append(_Feature(condition, mask))
    yield from sorted(found, key=_place)


def _place(feature: _Feature) -> tuple[int, str, str, str]:
    """By what features are sorted, so that of equal ones the same is taken whatever the rows' order."""
    asked = feature.condition
    return (TESTS.index(asked.test), asked.field, asked.test, str(asked.value))


def _plain(field: str, value: object) -> object:
    """A value as Python has it: where some are missing, pandas makes fractions of whole numbers."""
    found = value.item() if isinstance(value, np.generic) else value
    return int(found) if field in _WHOLE and isinstance(found, float) else found


def _conditions(field: str, values: list[object], codes: NDArray[np.intp]) -> Iterator[Condition]:
    """What may be asked of a field that has these values."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if any(isinstance(value, int) and value % 2 for value in numbers):
        yield Condition(field, "odd")
    common = np.bincount(codes[codes >= 0], minlength=len(values))
    for number in np.argsort(-common, kind="stable")[:_MOST_VALUES]:
        # A fraction of an input's rate is asked for by its range: DuckDB may write it in another way.
        if field.startswith(PARAMETERS) or not isinstance(values[number], float):
            yield Condition(field, "is", spelt(values[number]))
    if len(numbers) > 2:
        cuts = np.unique(np.quantile(numbers, np.linspace(0, 1, _CUTS + 1), method="nearest"))
        for low, high in itertools.pairwise(cuts):
            yield Condition(field, "at_least", float(high))
            yield Condition(field, "at_most", float(low))
