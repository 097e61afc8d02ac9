"""Who did which chain of operations when: the random part of synthetic events, one row per operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from media_assets.analytics.synthetic.planted import OTHERS, Chain, Planted

KINDS = ("video", "audio", "image")
_KIND_SHARES = (0.62, 0.26, 0.12)
_RANDOM_CHAINS = 600
_LONGEST = 7
_HABITUAL = 0.7
"""Share of a user's planted chains that are of the one he likes best."""
_BURST_SECONDS = 2 * 3600.0
_STEP_SECONDS = 20.0


@dataclass(frozen=True)
class Shape:
    """How many events of which time: `events` about, over `days` before `until` (seconds since 1970)."""

    events: int
    days: int
    until: float


@dataclass(frozen=True)
class _Library:
    """Every chain that can be drawn: operations as numbers, padded with -1; its length; its kind."""

    steps: np.ndarray
    lengths: np.ndarray
    names: tuple[str, ...]


def operations_performed(
    planted: Planted, shape: Shape, chance: np.random.Generator
) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """One row per operation: user, request, position, operation, previous, kind, time; and who abuses.

    Columns: user (number), chain (number of the request), position (from 1), operation, previous (up
    to five before it, joined by `>`), source_kind, seconds (since 1970), abusive.
    """
    users = max(60, min(5000, shape.events // 400))
    abusers = tuple(range(users - max(4, users // 100), users))
    share = 0.03
    library, choices = _library(planted, chance)
    mean = 3.7
    requests = int(shape.events * (1 - share) / mean)
    activity = 1.0 / np.arange(1, users + 1) ** 0.6
    activity[list(abusers)] = activity[users // 2]
    user = chance.choice(users, requests, p=activity / activity.sum())
    kind_of_user = chance.choice(len(KINDS), users, p=_KIND_SHARES)
    odd = chance.random(requests) < 0.15
    kind = np.where(odd, chance.choice(len(KINDS), requests, p=_KIND_SHARES), kind_of_user[user])
    drawn = _drawn(choices, user, kind, users, chance)
    seconds = shape.until - shape.days * 86400.0 * _weekly(chance.random(requests), shape.days)
    bursts = _bursts(abusers, int(shape.events * share / mean), choices, shape, chance)
    user = np.concatenate([user, bursts["user"]])
    kind = np.concatenate([kind, bursts["kind"]])
    drawn = np.concatenate([drawn, bursts["drawn"]])
    seconds = np.concatenate([seconds, bursts["seconds"]])
    abusive = np.arange(len(user)) >= requests
    return _expanded(library, user, kind, drawn, seconds, abusive), abusers


def coded(codes: np.ndarray, texts: Sequence[str]) -> pd.Categorical[str]:
    """Texts by number; -1 is none."""
    return pd.Categorical.from_codes(codes, pd.Index(list(texts)))


def _library(planted: Planted, chance: np.random.Generator) -> tuple[_Library, dict[int, _Choices]]:
    """The chains, and for each kind which of them are drawn how often."""
    chains: list[Chain] = []
    choices = {}
    for number, kind in enumerate(KINDS):
        first = len(chains)
        own = planted.chains[kind]
        chains += own
        others = OTHERS[kind]
        lengths = np.minimum(chance.geometric(0.35, _RANDOM_CHAINS), _LONGEST)
        chains += [tuple(chance.choice(others, size, replace=size > len(others))) for size in lengths]
        choices[number] = _Choices(first, tuple(own.values()), len(chains) - first - len(own))
    names = tuple(sorted({name for chain in chains for name in chain}))
    number_of = {name: i for i, name in enumerate(names)}
    steps = np.full((len(chains), _LONGEST), -1, dtype=np.int16)
    for row, chain in enumerate(chains):
        steps[row, : len(chain)] = [number_of[name] for name in chain]
    return _Library(steps, (steps >= 0).sum(axis=1), names), choices


@dataclass(frozen=True)
class _Choices:
    """Planted chains begin at `first`, with their shares; `others` random ones follow."""

    first: int
    shares: tuple[float, ...]
    others: int

    def drawn(self, likes: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """A chain for each request; `likes` is the planted chain that its user likes best."""
        count = len(likes)
        shares = np.array(self.shares)
        planted = chance.random(count) < shares.sum()
        habitual = chance.random(count) < _HABITUAL
        common = chance.choice(len(shares), count, p=shares / shares.sum())
        rank = 1.0 / np.arange(1, self.others + 1) ** 0.5
        random = len(shares) + chance.choice(self.others, count, p=rank / rank.sum())
        return self.first + np.where(planted, np.where(habitual, likes, common), random)


def _drawn(
    choices: dict[int, _Choices],
    user: np.ndarray,
    kind: np.ndarray,
    users: int,
    chance: np.random.Generator,
) -> np.ndarray:
    drawn = np.zeros(len(user), dtype=np.int64)
    for number, choice in choices.items():
        shares = np.array(choice.shares)
        likes = chance.choice(len(shares), users, p=shares / shares.sum())
        mine = kind == number
        drawn[mine] = choice.drawn(likes[user[mine]], chance)
    return drawn


def _weekly(where: np.ndarray, days: int) -> np.ndarray:
    """Fractions of the time span, fewer on two of seven days and none ahead of the end."""
    day = np.floor(where * days)
    weekend = (day % 7) >= 5
    moved = weekend & ((where * 1e6) % 1 < 0.6)
    return np.where(moved, np.clip(where - 2.0 / days, 0.0, 1.0), where)


def _bursts(
    abusers: tuple[int, ...],
    requests: int,
    choices: dict[int, _Choices],
    shape: Shape,
    chance: np.random.Generator,
) -> dict[str, np.ndarray]:
    """What abusers do beside their ordinary work: all of it within two hours of one day each."""
    each = max(40, requests // len(abusers))
    user = np.repeat(np.array(abusers), each)
    start = shape.until - shape.days * 86400.0 * chance.uniform(0.05, 0.6, len(abusers))
    seconds = np.repeat(start, each) + chance.uniform(0, _BURST_SECONDS, len(user))
    kind = np.zeros(len(user), dtype=np.int64)
    choice = choices[0]
    drawn = choice.drawn(np.zeros(len(user), dtype=np.int64), chance)
    return {"user": user, "kind": kind, "drawn": drawn, "seconds": seconds}


def _expanded(
    library: _Library,
    user: np.ndarray,
    kind: np.ndarray,
    drawn: np.ndarray,
    seconds: np.ndarray,
    abusive: np.ndarray,
) -> pd.DataFrame:
    """One row per operation of each request, in the order of requests."""
    lengths = library.lengths[drawn]
    request = np.repeat(np.arange(len(drawn)), lengths)
    position = np.arange(len(request)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    chain = drawn[request]
    histories = [
        ">".join(library.names[step] for step in row[max(0, place - 5) : place])
        for row, size in zip(library.steps, library.lengths, strict=True)
        for place in range(size)
    ]
    offsets = np.cumsum(library.lengths) - library.lengths
    previous = offsets[chain] + position
    distinct = sorted(set(histories))
    code = {text: i for i, text in enumerate(distinct)}
    codes = np.array([code[text] for text in histories])[previous]
    return pd.DataFrame(
        {
            "user": user[request],
            "chain": request,
            "position": (position + 1).astype(np.int16),
            "operation": coded(library.steps[chain, position], library.names),
            "previous": coded(codes, distinct),
            "source_kind": coded(kind[request], KINDS),
            "seconds": seconds[request] + position * _STEP_SECONDS,
            "abusive": abusive[request],
        }
    )
