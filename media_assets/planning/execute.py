"""Plan → files: looks into the store, renders what is missing with the fewest commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.planning.commanding import Commands
from media_assets.planning.commands import groups
from media_assets.planning.plan import Node, Plan
from media_assets.planning.progress import Listener, Meter, weights
from media_assets.planning.rendering import Group
from media_assets.settings import Settings
from media_assets.store.outputs import Outcome, OutputStore


@dataclass(frozen=True)
class NodeResult:
    """What became of one wanted node: an outcome, or the error that stopped it."""

    node: Node
    outcome: Outcome | None
    error: MediaAssetsError | None = None


def execute(
    plan: Plan,
    wanted: Sequence[str],
    store: OutputStore,
    settings: Settings,
    *,
    workers: int = 1,
    on_progress: Listener | None = None,
    cancel: threading.Event | None = None,
    timeout: float | None = None,
) -> list[NodeResult]:
    """Make every wanted node of `plan`, one result each, in their order.

    Nodes found in the store cost no command; the others are rendered in groups that share a decode,
    `workers` groups at a time. A group that fails gives its error to each of its nodes and leaves other
    groups alone.

    Args:
        on_progress: told how far the whole job is, from any thread.
        cancel: when set, what runs is ended, and every node that is not made yet has the error Cancelled.
        timeout: seconds for all of it.

    Raises:
        BadInput: the plan has no node of a wanted name.
    """
    unknown = [name for name in wanted if name not in plan.nodes]
    if unknown:
        raise BadInput(f"the plan makes no {unknown[0]!r}", hint="it makes " + ", ".join(plan.nodes))
    sets = groups(plan, wanted)
    meter = Meter(weights(sets, {name: plan.nodes[name].clip for name in wanted}), on_progress)
    deadline = None if timeout is None else time.monotonic() + timeout
    commands = Commands(settings, cancel, deadline)

    def make(names: Sequence[str]) -> list[NodeResult]:
        return _make(plan, names, store, commands, meter)

    with ThreadPoolExecutor(max(1, min(workers, len(sets)))) as pool:
        results = {result.node.name: result for made in pool.map(make, sets) for result in made}
    return [results[name] for name in wanted]


def _make(
    plan: Plan, names: Sequence[str], store: OutputStore, commands: Commands, meter: Meter
) -> list[NodeResult]:
    """The results of one group."""
    nodes = [plan.nodes[name] for name in names]
    group = Group(plan, nodes, commands, lambda fraction: meter.report(names[0], fraction))
    try:
        outcomes = store.produce(
            [node.recipe for node in nodes], group.render, waiting=commands.seconds_left
        )
    except MediaAssetsError as error:
        error.where = error.where or ", ".join(names)
        return [NodeResult(node, None, error) for node in nodes]
    meter.report(names[0], 1.0)
    return [NodeResult(node, outcome) for node, outcome in zip(nodes, outcomes, strict=True)]
