"""Plan → files: looks into the store, renders what is missing with the fewest commands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.media import binaries
from media_assets.media.loudness import measure_loudness
from media_assets.media.run import FfmpegResult, Progress, run_ffmpeg
from media_assets.media.verify import Expected, verify
from media_assets.operations.clip import Clip
from media_assets.planning.commands import groups, measure_arguments, render_arguments
from media_assets.planning.plan import Node, Plan
from media_assets.settings import Settings
from media_assets.store.outputs import Made, Outcome, OutputStore


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
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> list[NodeResult]:
    """Make every wanted node of `plan`, one result each, in their order.

    Nodes found in the store cost no command; the others are rendered in groups that share a decode.
    A group that fails gives its error to each of its nodes and leaves other groups alone.

    Raises:
        BadInput: the plan has no node of a wanted name.
    """
    unknown = [name for name in wanted if name not in plan.nodes]
    if unknown:
        raise BadInput(f"the plan makes no {unknown[0]!r}", hint="it makes " + ", ".join(plan.nodes))
    results: dict[str, NodeResult] = {}
    for names in groups(plan, wanted):
        nodes = [plan.nodes[name] for name in names]
        work = _Group(plan, nodes, settings, on_progress, cancel)
        try:
            outcomes = store.produce([node.recipe for node in nodes], work.render)
        except MediaAssetsError as error:
            error.where = error.where or ", ".join(names)
            results |= {node.name: NodeResult(node, None, error) for node in nodes}
        else:
            made = zip(nodes, outcomes, strict=True)
            results |= {node.name: NodeResult(node, outcome) for node, outcome in made}
    return [results[name] for name in wanted]


@dataclass(frozen=True)
class _Group:
    """Nodes that one command makes."""

    plan: Plan
    nodes: Sequence[Node]
    settings: Settings
    on_progress: Callable[[Progress], None] | None
    cancel: threading.Event | None

    def render(self, paths: Mapping[str, Path]) -> dict[str, Made]:
        """Write those of the nodes whose fingerprint is in `paths`."""
        # Two nodes may be one output: the same operation under two names.
        asked = {node.recipe.fingerprint: node for node in self.nodes}
        missing = [node for fingerprint, node in asked.items() if fingerprint in paths]
        measuring = [n.name for n in self.plan.closure([n.name for n in missing]) if n.operation.measures]
        plan, measured = self.plan, dict[str, dict[str, Any]]()
        results: list[FfmpegResult] = []
        steps = len(measuring) + 1
        for step, name in enumerate(measuring):
            node = plan.nodes[name]
            scratch = next(iter(paths.values())).parent.parent / f"measured-{step}"
            while (measuring_pass := measure_arguments(plan, node, measured, scratch)) is not None:
                done = self._run(measuring_pass, node.clip, step, steps, log_level="info")
                results.append(done)
                if name not in measured:
                    measured[name] = node.operation.measured(done.log, scratch)
                else:
                    measured[name] = node.operation.measured_again(
                        done.log, node.parameters, measured[name]
                    )
            plan = plan.settled(name, node.operation.settled(node.clip, node.parameters, measured[name]))
        missing = [plan.nodes[node.name] for node in missing]
        targets = {node.name: paths[node.recipe.fingerprint] for node in missing}
        longest = max(missing, key=lambda node: node.clip.duration or 0).clip
        arguments = render_arguments(plan, targets, measured)
        results.append(self._run(arguments, longest, steps - 1, steps))
        return {
            node.recipe.fingerprint: self._made(
                node, paths[node.recipe.fingerprint], results, measured.get(node.name), index, len(missing)
            )
            for index, node in enumerate(missing)
        }

    def _run(
        self, arguments: list[str], clip: Clip, step: int, steps: int, log_level: str = "error"
    ) -> FfmpegResult:
        def pass_on(progress: Progress) -> None:
            if self.on_progress is not None:
                fraction = None if progress.fraction is None else (step + progress.fraction) / steps
                self.on_progress(Progress(fraction, progress.seconds))

        return run_ffmpeg(
            arguments,
            settings=self.settings,
            expected_seconds=clip.duration,
            on_progress=pass_on,
            cancel=self.cancel,
            log_level=log_level,
        )

    def _made(
        self,
        node: Node,
        path: Path,
        results: Sequence[FfmpegResult],
        measured: dict[str, Any] | None,
        index: int,
        outputs: int,
    ) -> Made:
        """Verify one of `outputs` files that the same commands made; their cost is shared out evenly."""
        clip = node.clip
        plain = {k: v for k, v in (measured or {}).items() if not isinstance(v, Path)}
        expected = Expected(
            video=clip.picture is not None,
            audio=clip.sound is not None,
            width=clip.picture.width if clip.picture else None,
            height=clip.picture.height if clip.picture else None,
            duration=clip.duration,
            tolerance=_tolerance(clip),
            subtitle=clip.subtitle,
        )
        return Made(
            properties=verify(path, expected, self.settings),
            commands=tuple(result.command for result in results),
            own_runs=len(results) if index == 0 else 0,
            seconds=sum(result.seconds for result in results) / outputs,
            cpu_seconds=sum(result.cpu_seconds for result in results) / outputs,
            peak_memory_bytes=max(result.peak_memory_bytes for result in results),
            ffmpeg_version=binaries.ffmpeg(self.settings).version,
            notes=self._loudness(path, clip) | ({"measured": plain} if plain else {}),
        )

    def _loudness(self, path: Path, clip: Clip) -> dict[str, float]:
        """How loud the written sound is (LUFS, dBTP); nothing for silence."""
        if clip.sound is None:
            return {}
        found = measure_loudness(path, self.settings)
        values = {"loudness_lufs": found.integrated, "true_peak_db": found.true_peak}
        return {name: value for name, value in values.items() if value is not None}


def _tolerance(clip: Clip) -> float:
    """Seconds by which a duration may miss: two frames, or 1 % of what may be only a container's word."""
    frames = 2 / float(clip.picture.fps) if clip.picture else 0.0
    return max(0.15, frames, 0.01 * (clip.duration or 0))
