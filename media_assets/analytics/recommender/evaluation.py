"""How good recommendations are on what was done after what they were learnt from, and against simpler ones.

Each of the last days' windows is told by a model of all that came before it. How much one's own history
weighs is chosen on the window before, by likelihood, so that nothing of a window is known when it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.recommender.model import ANY, WEIGHT, Model, learn
from media_assets.analytics.recommender.uses import Uses, read_uses, shortened

POPULAR, LAST, COMMON, OURS = "most popular", "after the last one", "without own history", "recommended"
VARIANTS = (POPULAR, LAST, COMMON, OURS)
"""What is compared: the most frequent of the kind; the most frequent after the last operation; ours."""

WINDOWS = 5
LONGEST_WINDOW = 7
WEIGHTS = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

COLUMNS = (
    *("window", "variant", "kind", "operations", "hit_1", "hit_3", "mrr", "gain", "gain_error"),
    *("arrivals", "ends", "ends_told", "bits"),
)

_AT_ONCE = 100_000
_SUMS = (
    "operations",
    "hit_1",
    "hit_3",
    "mrr",
    "gain",
    "gain_square",
    "arrivals",
    "ends",
    "ends_told",
    "bits",
)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation gave.

    Attributes:
        windows: a row for each window, variant and kind (`all`: together).
        whole: the same over all windows, whose first days are in `window` no more.
        weight: of one's own history, as the last window says.
    """

    windows: pd.DataFrame
    whole: pd.DataFrame
    weight: float


def evaluate(connection: Connection, *, fewest: int) -> Evaluation:
    """Hold recommendations against what was then done; the rollup must be fresh.

    Columns: window (its first day), variant, kind, operations (how many were to be told); hit_1, hit_3
    (share that was the first, or among the first three, 0 to 1); mrr (mean of 1 / rank); gain (of the
    mrr over that of `after the last one`, with its standard error); arrivals (times that an operation was
    done), ends (how many of these were the last of their chain), ends_told (share of arrivals of which it
    was told rightly, at a probability of one half, whether anything followed); bits (of surprise for
    each operation or end; the lower the better).

    Args:
        fewest: people who must have done what others are told of.
    """
    bounds = window_bounds(connection)
    uses = read_uses(connection, bounds)
    weight, parts = WEIGHT, []
    for period, first in enumerate(bounds, start=1):
        told = uses.rows[uses.rows["period"] == period]
        if told.empty or not (uses.rows["period"] < period).any():
            continue
        model = learn(uses.before(period), fewest=fewest, weight=weight)
        window = _Window(model, uses, told)
        if period > 1:
            parts.append(window.sums().assign(window=first))
        weight = window.best_weight()
    sums = pd.concat(parts, ignore_index=True) if parts else _no_sums()
    whole = sums.drop(columns="window").groupby(["variant", "kind"]).sum().reset_index()
    return Evaluation(_ordered(_shares(sums)), _ordered(_shares(whole)), weight)


def window_bounds(connection: Connection) -> list[date]:
    """The first days of the windows, the last of which ends with the last day; none for a day or two."""
    row = connection.execute("SELECT min(day), max(day) FROM recommendation_days").fetchone()
    if row is None or row[0] is None:
        return []
    span = (row[1] - row[0]).days + 1
    length = min(max(span // (WINDOWS + 1), 1), LONGEST_WINDOW)
    count = min(WINDOWS, span // length - 1)
    return [row[1] - timedelta(days=length * left - 1) for left in range(count, 0, -1)]


class _Window:
    """What was done in a window, and the probabilities that a model had given to it."""

    def __init__(self, model: Model, uses: Uses, told: pd.DataFrame) -> None:
        self._model, self._uses = model, uses
        self._context, self._user, self._operation = (
            told[name].to_numpy() for name in ("context", "user", "operation")
        )
        self._times = told["times"].to_numpy(dtype=float)
        self._common = _rows_of(uses, told["context"].to_numpy(), model.common, model.end + 1)
        self._tables = {
            POPULAR: self._plain(0),
            LAST: self._plain(1),
            COMMON: self._common,
        }

    def best_weight(self) -> float:
        """The weight of one's own history under which what was done is most probable."""
        likelihood = dict.fromkeys(WEIGHTS, 0.0)
        for part, counts in self._parts():
            common = self._common[self._context[part]]
            row = np.arange(len(counts))
            for weight in WEIGHTS:
                mixed = replace(self._model, weight=weight).mixed(common, counts)
                told = mixed[row, self._operation[part]]
                likelihood[weight] += float((self._times[part] * np.log(np.maximum(told, 1e-12))).sum())
        return max(WEIGHTS, key=likelihood.__getitem__)

    def sums(self) -> pd.DataFrame:
        """Sums for each variant and kind, to be divided by how many there were."""
        kinds = np.array([kind or "unknown" for kind, _ in self._uses.contexts], dtype=object)
        found = []
        for part, counts in self._parts():
            context, operation, times = self._context[part], self._operation[part], self._times[part]
            tables = {name: table[context] for name, table in self._tables.items()}
            tables[OURS] = self._model.mixed(tables[COMMON], counts)
            ranks = {name: _ranks(table, operation) for name, table in tables.items()}
            for name, table in tables.items():
                scored = _scored(table, operation, times, ranks[name], ranks[LAST])
                found.append(scored.assign(variant=name, kind=kinds[context]))
        each = pd.concat(found, ignore_index=True)
        together = pd.concat([each.assign(kind="all"), each], ignore_index=True)
        return together.groupby(["variant", "kind"], sort=False, as_index=False)[list(_SUMS)].sum()

    def _parts(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of rows, with their users' own counts in their contexts."""
        for start in range(0, len(self._times), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            keys = self._user[part] * len(self._uses.contexts) + self._context[part]
            counts = self._model.own.counts(keys, self._model.end + 1)
            # Those whose users are not known have no history of their own.
            known = np.array([bool(name) for name in self._uses.users], dtype=bool)
            yield part, counts * known[self._user[part]][:, None]

    def _plain(self, order: int) -> np.ndarray:
        """Shares as counted after `order` operations; the kind's own where that was never seen."""
        levels, width = self._model.levels, self._model.end + 1

        def shares(kind: str, context: str) -> np.ndarray:
            for length in range(order, -1, -1):
                row = levels[length].rows.get((kind, shortened(context, length)))
                if row is not None and levels[length].counts[row].any():
                    return _share(levels[length].counts[row])
            return _share(levels[0].counts[levels[0].rows[(ANY, "")]])

        return _rows_of(self._uses, self._context, shares, width)


def _share(counts: np.ndarray) -> np.ndarray:
    share: np.ndarray = counts / max(counts.sum(), 1)
    return share


def _rows_of(
    uses: Uses, needed: np.ndarray, probability: Callable[[str, str], np.ndarray], width: int
) -> np.ndarray:
    table = np.zeros((len(uses.contexts), width))
    for context in np.flatnonzero(np.bincount(needed, minlength=len(table))):
        table[context] = probability(*uses.contexts[context])
    return table


def _ranks(table: np.ndarray, operation: np.ndarray) -> np.ndarray:
    """The rank of what was done among the operations, 1 being the first; 0 for ends."""
    offered = table[:, :-1]
    ends = operation == offered.shape[1]
    own = np.where(ends, 0, operation)
    value = np.take_along_axis(offered, own[:, None], 1)
    before = (offered == value) & (np.arange(offered.shape[1]) < own[:, None])
    ranks: np.ndarray = np.where(ends, 0, (offered > value).sum(axis=1) + before.sum(axis=1) + 1)
    return ranks


def _scored(
    table: np.ndarray, operation: np.ndarray, times: np.ndarray, rank: np.ndarray, other: np.ndarray
) -> pd.DataFrame:
    follows = rank > 0
    worth = np.where(follows, 1.0 / np.maximum(rank, 1), 0.0)
    gain = worth - np.where(follows, 1.0 / np.maximum(other, 1), 0.0)
    told = np.take_along_axis(table, operation[:, None], 1)[:, 0]
    return pd.DataFrame(
        {
            "operations": times * follows,
            "hit_1": times * (rank == 1),
            "hit_3": times * (follows & (rank <= 3)),
            "mrr": times * worth,
            "gain": times * gain,
            "gain_square": times * gain**2,
            "arrivals": times,
            "ends": times * ~follows,
            "ends_told": times * ((table[:, -1] > 0.5) == ~follows),
            "bits": -times * np.log2(np.maximum(told, 1e-6)),
        }
    )


def _shares(sums: pd.DataFrame) -> pd.DataFrame:
    """Sums divided by how many there were."""
    operations, arrivals = sums["operations"].clip(lower=1), sums["arrivals"].clip(lower=1)
    gain = sums["gain"] / operations
    spread = (sums["gain_square"] / operations - gain**2).clip(lower=0)
    shares = sums.assign(
        gain=gain,
        gain_error=(spread / operations) ** 0.5,
        **{name: sums[name] / operations for name in ("hit_1", "hit_3", "mrr")},
        **{name: sums[name] / arrivals for name in ("ends", "ends_told", "bits")},
        operations=sums["operations"].astype("int64"),
        arrivals=sums["arrivals"].astype("int64"),
    )
    return shares[[name for name in COLUMNS if name in shares]].reset_index(drop=True)


def _ordered(shares: pd.DataFrame) -> pd.DataFrame:
    """Windows in time, all kinds first, variants as they are listed."""
    keys = shares.assign(
        variant=shares["variant"].map({name: place for place, name in enumerate(VARIANTS)}),
        apart=shares["kind"] != "all",
    )
    order = keys.sort_values([*(name for name in ("window",) if name in keys), "apart", "kind", "variant"])
    return shares.loc[order.index].reset_index(drop=True)


def _no_sums() -> pd.DataFrame:
    numbers = {name: pd.Series(dtype="float64") for name in _SUMS}
    words = {name: pd.Series(dtype="object") for name in ("variant", "kind", "window")}
    return pd.DataFrame({**words, **numbers})
