"""Shares of a long rendering, for workers that need not be on one machine.

What a short komposition takes is less than what it costs to start another worker: it has no chunks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from media_assets.kompositions.plan import KompositionPlan
from media_assets.store.outputs import OutputStore


@dataclass(frozen=True)
class Chunk:
    """Parts of a plan that one worker renders.

    Attributes:
        komposition: whose they are; number: which chunk of it, from 0.
        rendition: of which rendition, by its id; empty for the video itself.
        fingerprint: of the plan; another one by now means that there is nothing to do.
        parts: fingerprints of pieces, and of the sound.
        estimate: CPU-seconds.
    """

    komposition: str
    number: int
    rendition: str
    fingerprint: str
    parts: tuple[str, ...]
    estimate: float


def chunks(
    key: str, plans: Mapping[str, KompositionPlan], store: OutputStore, cpu_seconds: float
) -> list[Chunk]:
    """What is missing of a komposition, in chunks of about `cpu_seconds`; none where it is less than one.

    Args:
        key: the komposition.
        plans: of the video (its name is empty) and of its renditions, by id.
        store: what is there already.
        cpu_seconds: what is worth a worker.
    """
    missing: dict[str, dict[str, float]] = {}
    seen: set[str] = set()
    for name, plan in plans.items():
        if store.get(plan.fingerprint) is None:
            wanted = {part: cost for part, cost in _parts(plan).items() if part not in seen}
            missing[name] = {part: cost for part, cost in wanted.items() if store.get(part) is None}
            seen |= wanted.keys()
    if sum(sum(costs.values()) for costs in missing.values()) <= cpu_seconds:
        return []
    found: list[Chunk] = []
    for name, costs in missing.items():
        for parts in shared_out(costs, cpu_seconds):
            estimate = sum(costs[part] for part in parts)
            found.append(Chunk(key, len(found), name, plans[name].fingerprint, parts, estimate))
    return found


def shared_out(costs: Mapping[str, float], size: float) -> list[tuple[str, ...]]:
    """Parts in groups of about `size`: the dearest first, each to the group that has least.

    >>> shared_out({"a": 5, "b": 3, "c": 2, "d": 2}, 6)
    [('a', 'd'), ('b', 'c')]
    """
    if not costs:
        return []
    count = min(len(costs), max(1, math.ceil(sum(costs.values()) / size)))
    groups: list[list[str]] = [[] for _ in range(count)]
    loads = [0.0] * count
    for part in sorted(costs, key=lambda part: (-costs[part], part)):
        least = loads.index(min(loads))
        groups[least].append(part)
        loads[least] += costs[part]
    return [tuple(group) for group in groups if group]


def _parts(plan: KompositionPlan) -> dict[str, float]:
    """Each different part with its estimate in CPU-seconds."""
    pieces = {piece.fingerprint: piece.estimate for piece in plan.pieces}
    return {**pieces, plan.sound_fingerprint: plan.sound_estimate}
