"""The model: how probable each operation is after others, from everybody's chains and from one's own.

What everybody does is told from the last three operations, and, as far as these were seen too seldom,
from fewer of them: interpolated absolute discounting (Ney, Essen and Kneser 1994), the discount of each
order estimated from how many continuations were seen once and twice. One's own counts in the same
context are mixed in as in a Dirichlet distribution around that (MacKay and Peto 1995): they weigh the more,
the more there are of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from media_assets.analytics.recommender.uses import ORDER, Uses, shortened

ANY = ""
"""The kind of source that all sources are of."""

WEIGHT = 16.0
"""Uses of one's own that weigh as much as everybody's, where no evaluation has told better."""

_UNKNOWN_DISCOUNT = 0.5


@dataclass(frozen=True)
class Level:
    """Contexts of one length, one row each.

    Attributes:
        rows: the row of a kind of source and its last operations.
        counts: how often each operation followed, the last column being the end.
        shown: which of them enough people did.
        smoothed: the probability of each, which sums to 1.
    """

    rows: Mapping[tuple[str, str], int]
    counts: np.ndarray
    shown: np.ndarray
    smoothed: np.ndarray


@dataclass(frozen=True)
class Own:
    """Each user's counts: sorted by user and context, in numbers of the model's."""

    keys: np.ndarray
    operations: np.ndarray
    times: np.ndarray

    def counts(self, keys: np.ndarray, width: int) -> np.ndarray:
        """A row of `width` counts for each key (user x contexts + context)."""
        first = np.searchsorted(self.keys, keys, "left")
        lengths = np.searchsorted(self.keys, keys, "right") - first
        row = np.repeat(np.arange(len(keys)), lengths)
        within = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        place = np.repeat(first, lengths) + within
        counts = np.zeros((len(keys), width))
        np.add.at(counts, (row, self.operations[place]), self.times[place])
        return counts


@dataclass(frozen=True)
class Model:
    """What was learnt.

    Attributes:
        operations: names; the number after the last stands for the end of a chain.
        contexts: the number of each kind and context.
        users: the number of each user's hash.
        levels: of no, one, two and three operations.
        own: what each user did.
        weight: uses of one's own that weigh as much as everybody's.
    """

    operations: tuple[str, ...]
    contexts: Mapping[tuple[str, str], int]
    users: Mapping[str, int]
    levels: tuple[Level, ...]
    own: Own
    weight: float

    @property
    def end(self) -> int:
        """The number that stands for the end of a chain."""
        return len(self.operations)

    def common(self, kind: str, context: str) -> np.ndarray:
        """What everybody does: a probability for each operation and the end."""
        for level, order in zip(reversed(self.levels), range(ORDER, -1, -1), strict=True):
            for known in (kind, ANY) if order == 0 else (kind,):
                row = level.rows.get((known, shortened(context, order)))
                if row is not None:
                    found: np.ndarray = level.smoothed[row]
                    return found
        return np.full(self.end + 1, 1 / (self.end + 1))

    def counted(self, kind: str, context: str, users: Sequence[str]) -> np.ndarray:
        """How often a person, who may have several hashes, did each operation in a context."""
        place = self.contexts.get((kind, context))
        numbers = [self.users[user] for user in users if user in self.users]
        if place is None or not numbers:
            return np.zeros(self.end + 1)
        keys = np.array(numbers, dtype=np.int64) * len(self.contexts) + place
        counts: np.ndarray = self.own.counts(keys, self.end + 1).sum(axis=0)
        return counts

    def mixed(self, common: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What a person does, from what everybody does and from that person's counts; rows of each."""
        mixed: np.ndarray = (counts + self.weight * common) / (
            counts.sum(axis=-1, keepdims=True) + self.weight
        )
        return mixed


def learn(uses: Uses, *, fewest: int, weight: float = WEIGHT) -> Model:
    """The model of what was done.

    Args:
        fewest: people who must have done what others are told of. Where fewer are known at all, what
            anybody did counts.
        weight: uses of one's own that weigh as much as everybody's.
    """
    together = uses.rows.groupby(["user", "context", "operation"], as_index=False)["times"].sum()
    columns = [together[name].to_numpy() for name in ("user", "context", "operation", "times")]
    user, context, operation, times = columns
    known = np.array([bool(name) for name in uses.users], dtype=bool)
    people = np.bincount(user, minlength=len(known)) > 0
    least = fewest if (people & known).sum() >= fewest else 0
    levels: list[Level] = []
    for order in range(ORDER + 1):
        rows, of_kind, of_any = _rows(uses, order)
        width = len(uses.operations) + 1
        row = np.concatenate([of_kind[context], of_any[context]])
        told = row >= 0
        cell = row[told] * width + np.tile(operation, 2)[told]
        counts = np.bincount(cell, np.tile(times, 2)[told], len(rows) * width).reshape(-1, width)
        behind = _people(cell, np.tile(user, 2)[told], known, len(rows) * width).reshape(-1, width)
        shown = (counts > 0) & (behind >= least)
        lower = _lower(rows, order, levels, width)
        levels.append(Level(rows, counts, shown, _smoothed(counts, shown, lower, rows)))
    order_of = np.lexsort((operation, context, user))
    own = Own((user * max(len(uses.contexts), 1) + context)[order_of], operation[order_of], times[order_of])
    contexts = {one: number for number, one in enumerate(uses.contexts)}
    users = {name: number for number, name in enumerate(uses.users) if name}
    return Model(uses.operations, contexts, users, tuple(levels), own, weight)


def _rows(uses: Uses, order: int) -> tuple[dict[tuple[str, str], int], np.ndarray, np.ndarray]:
    """The rows of a level, and for each context its row within its kind (-1: not known) and within all."""
    rows: dict[tuple[str, str], int] = {(ANY, ""): 0} if order == 0 else {}
    of_kind, of_any = [], []
    for kind, context in uses.contexts:
        words = shortened(context, order)
        of_any.append(rows.setdefault((ANY, words), len(rows)))
        of_kind.append(rows.setdefault((kind, words), len(rows)) if kind != ANY else -1)
    return rows, np.array(of_kind, dtype=np.int64), np.array(of_any, dtype=np.int64)


def _people(cell: np.ndarray, user: np.ndarray, known: np.ndarray, cells: int) -> np.ndarray:
    """How many users there are in each cell."""
    if not len(cell):
        return np.zeros(cells, dtype=np.int64)
    named = known[user]
    # Sorted, as `np.unique` is ten times slower here: it hashes.
    pairs = np.sort(cell[named] * len(known) + user[named])
    first = np.ones(len(pairs), dtype=bool)
    first[1:] = pairs[1:] != pairs[:-1]
    return np.bincount(pairs[first] // len(known), minlength=cells)


def _lower(
    rows: Mapping[tuple[str, str], int], order: int, levels: Sequence[Level], width: int
) -> np.ndarray | None:
    """For each row, what is taken where it was seen too seldom; None for the level without operations."""
    if order == 0:
        return None
    below = levels[-1]
    places = [below.rows[(kind, shortened(words, order - 1))] for kind, words in rows]
    return below.smoothed[places] if places else np.zeros((0, width))


def _smoothed(
    counts: np.ndarray,
    shown: np.ndarray,
    lower: np.ndarray | None,
    rows: Mapping[tuple[str, str], int],
) -> np.ndarray:
    discounted = _discounted(counts, shown)
    left = 1.0 - discounted.sum(axis=1, keepdims=True)
    if lower is not None:
        smoothed: np.ndarray = discounted + left * lower
        return smoothed
    # Without any operation before: what is done with a kind of source, then with any, then all alike.
    first = rows[(ANY, "")]
    width = counts.shape[1]
    of_any = discounted[first] + left[first] / width
    alike: np.ndarray = discounted + left * of_any
    alike[first] = of_any
    return alike


def _discounted(counts: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """The part of each probability that a level tells by itself."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    discount = once / (once + 2 * twice) if once and twice else _UNKNOWN_DISCOUNT
    kept = np.where(shown, np.maximum(counts - discount, 0.0), 0.0)
    discounted: np.ndarray = kept / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return discounted
