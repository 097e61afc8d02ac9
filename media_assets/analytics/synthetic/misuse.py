"""People who do not ask for much often, but burn CPU, fill the disk or fail without end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from media_assets.analytics.synthetic.planted import OTHERS, Planted
from media_assets.analytics.synthetic.rows import inputs, outcomes
from media_assets.analytics.synthetic.sequences import KINDS, Shape, coded

FEWEST_EVENTS = 5_000
"""With fewer events in all, what is planted here would be most of them."""
_USERS_EACH = 400
"""One user in so many, and one at the least, misuses in each way."""


@dataclass(frozen=True)
class _Way:
    """How somebody misuses: operations of one day, each on a source of its own.

    Attributes:
        operations: which ones, at random.
        times: how many.
        hours: within how many.
        seconds: length of each source; as usual without.
        bytes: size of each source; as usual for its length without.
        fails: each does.
    """

    operations: tuple[str, ...]
    times: int
    hours: float
    seconds: float | None = None
    bytes: float | None = None
    fails: bool = False


_WAYS: Mapping[str, _Way] = {
    "cpu_seconds": _Way(("denoise_video",), 60, 3.0, seconds=6000.0),
    "failures": _Way(OTHERS["video"], 50, 5.0, fails=True),
    "bytes_written": _Way(("trim",), 60, 3.0, seconds=600.0, bytes=2e10),
}


@dataclass(frozen=True)
class Misuse:
    """Rows of one way of misuse, by several users.

    Attributes:
        measure: what there is too much of.
        users: their numbers.
        rows: as `outcomes` gives them; requests are numbered from 0.
    """

    measure: str
    users: tuple[int, ...]
    rows: pd.DataFrame


def misuses(planted: Planted, shape: Shape, users: int, hidden: np.ndarray, seed: int) -> Iterator[Misuse]:
    """What is done beside ordinary work by some of the users in the middle, who do neither much nor little.

    Args:
        users: how many there are.
        hidden: which of them have opted out.
        seed: the rows are drawn apart from all others, which are the same without these.
    """
    if shape.events < FEWEST_EVENTS:
        return
    chance = np.random.default_rng([seed, 7])
    candidates = iter(number for number in range(users // 2, users) if not hidden[number])
    for measure, way in _WAYS.items():
        chosen = tuple(next(candidates) for _ in range(max(1, users // _USERS_EACH)))
        yield Misuse(measure, chosen, _rows(way, chosen, planted, shape, chance))


def _rows(
    way: _Way, users: tuple[int, ...], planted: Planted, shape: Shape, chance: np.random.Generator
) -> pd.DataFrame:
    count = way.times * len(users)
    start = shape.until - shape.days * 86400.0 * chance.uniform(0.05, 0.6, len(users))
    seconds = np.repeat(start, way.times) + chance.uniform(0, way.hours * 3600, count)
    performed = pd.DataFrame(
        {
            "user": np.repeat(np.array(users), way.times),
            "chain": np.arange(count),
            "position": np.ones(count, dtype=np.int16),
            "operation": coded(chance.integers(len(way.operations), size=count), way.operations),
            "previous": coded(np.zeros(count, dtype=np.int16), ("",)),
            "source_kind": coded(np.zeros(count, dtype=np.int8), KINDS),
            "seconds": seconds,
            "abusive": True,
        }
    )
    sources = inputs(performed, chance)
    if way.seconds is not None:
        longer = way.seconds / sources["input_seconds"]
        sources["bytes_read"] = (sources["bytes_read"] * longer).astype(np.int64)
        sources["input_seconds"] = way.seconds
    if way.bytes is not None:
        sources["bytes_read"] = (way.bytes * chance.uniform(0.7, 1.3, count)).astype(np.int64)
    rows = outcomes(performed, sources, planted, shape, chance)
    if not way.fails:
        return rows
    errors = rows["error"].cat.categories
    return rows.assign(
        outcome=pd.Categorical(["failed"] * len(rows)),
        success=False,
        error=pd.Categorical.from_codes(np.zeros(len(rows), dtype=np.int8), errors),
        bytes_written=np.zeros(len(rows), dtype=np.int64),
        output_seconds=0.0,
    )
