"""Renders a group of nodes that touch: measures, copies packets where it can, makes the rest at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.errors import MediaAssetsError
from media_assets.media import binaries
from media_assets.media.loudness import measure_loudness
from media_assets.media.run import FfmpegResult
from media_assets.media.verify import Expected, verify
from media_assets.operations.clip import Clip
from media_assets.planning.commanding import Commands
from media_assets.planning.commands import measure_arguments, render_arguments
from media_assets.planning.copied import render_copy
from media_assets.planning.copying import Copy, way_to_copy
from media_assets.planning.estimates import disk_bytes, expected_cpu_seconds
from media_assets.planning.plan import Node, Plan
from media_assets.store.outputs import Made
from media_assets.store.space import check_render


@dataclass(frozen=True)
class Group:
    """Nodes of a plan that share a source or each other."""

    plan: Plan
    nodes: Sequence[Node]
    commands: Commands
    on_fraction: Callable[[float], None]

    def render(self, paths: Mapping[str, Path]) -> dict[str, Made]:
        """Write those of the nodes whose fingerprint is in `paths`, and verify each.

        Raises:
            FfmpegFailed, VerificationFailed, Cancelled, TimeLimitExceeded, DiskFull: with nodes and files.
        """
        # Two nodes may be one output: the same operation under two names.
        asked = {node.recipe.fingerprint: node for node in self.nodes}
        missing = [node for fingerprint, node in asked.items() if fingerprint in paths]
        try:
            check_render(disk_bytes(missing), self.commands.settings)
            return self._render(missing, paths)
        except MediaAssetsError as error:
            error.where = error.where or self._place(missing)
            raise

    def _place(self, nodes: Sequence[Node]) -> str:
        """The nodes that are being made, and the files that they come from."""
        names = [node.name for node in nodes]
        files = sorted(source.relative for source in self.plan.origins(names))
        return f"{', '.join(names)} (from {', '.join(files)})"

    def _render(self, missing: Sequence[Node], paths: Mapping[str, Path]) -> dict[str, Made]:
        scratch = next(iter(paths.values())).parent.parent
        ways = {node.name: way_to_copy(self.plan, node, self.commands.settings) for node in missing}
        copied = [(node, way) for node in missing if (way := ways[node.name]) is not None]
        made = {}
        for node, way in copied:
            path = paths[node.recipe.fingerprint]
            made[node.recipe.fingerprint] = self._copy(node, way, path, scratch)
        encoded = [node for node in missing if ways[node.name] is None]
        return made | (self._encode(encoded, paths, scratch) if encoded else {})

    def _copy(self, node: Node, way: Copy, path: Path, scratch: Path) -> Made:
        folder = scratch / f"parts-{node.recipe.fingerprint[:16]}"
        folder.mkdir()

        def run(arguments: list[str], seconds: float) -> FfmpegResult:
            return self.commands.run(arguments, seconds, lambda fraction: None)

        workers = self.commands.settings.workers
        results = render_copy(self.plan, node, way, path, folder, run, workers)
        self.on_fraction(1.0)
        return self._made(node, path, results, own_runs=len(results), expected=None)

    def _encode(self, missing: Sequence[Node], paths: Mapping[str, Path], scratch: Path) -> dict[str, Made]:
        """Everything by one command, after the passes that measure."""
        measuring = [n.name for n in self.plan.closure([n.name for n in missing]) if n.operation.measures]
        plan, measured = self.plan, dict[str, dict[str, Any]]()
        results: list[FfmpegResult] = []
        steps = len(measuring) + 1
        for step, name in enumerate(measuring):
            node, kept = plan.nodes[name], scratch / f"measured-{step}"
            while (arguments := measure_arguments(plan, node, measured, kept)) is not None:
                done = self._run(arguments, node.clip, step, steps, log_level="info")
                results.append(done)
                if name not in measured:
                    measured[name] = node.operation.measured(done.log, kept)
                else:
                    again = node.operation.measured_again(done.log, node.parameters, measured[name])
                    measured[name] = again
            plan = plan.settled(name, node.operation.settled(node.clip, node.parameters, measured[name]))
        missing = [plan.nodes[node.name] for node in missing]
        targets = {node.name: paths[node.recipe.fingerprint] for node in missing}
        longest = max(missing, key=lambda node: node.clip.duration or 0).clip
        results.append(self._run(render_arguments(plan, targets, measured), longest, steps - 1, steps))
        expected = expected_cpu_seconds(plan, list(targets)) / len(missing)
        made = {}
        for index, node in enumerate(missing):
            made[node.recipe.fingerprint] = self._made(
                node,
                targets[node.name],
                results,
                own_runs=len(results) if index == 0 else 0,
                share=len(missing),
                measured=measured.get(node.name),
                expected=expected,
            )
        return made

    def _run(
        self, arguments: list[str], clip: Clip, step: int, steps: int, log_level: str = "error"
    ) -> FfmpegResult:
        def pass_on(fraction: float) -> None:
            self.on_fraction((step + fraction) / steps)

        return self.commands.run(arguments, clip.duration, pass_on, log_level=log_level)

    def _made(
        self,
        node: Node,
        path: Path,
        results: Sequence[FfmpegResult],
        *,
        own_runs: int,
        share: int = 1,
        measured: Mapping[str, Any] | None = None,
        expected: float | None,
    ) -> Made:
        """Verify one of `share` files that the same commands made; their cost is shared out evenly."""
        settings, clip = self.commands.settings, node.clip
        plain = {k: v for k, v in (measured or {}).items() if not isinstance(v, Path)}
        wanted = Expected(
            video=clip.picture is not None,
            audio=clip.sound is not None,
            width=clip.picture.width if clip.picture else None,
            height=clip.picture.height if clip.picture else None,
            duration=clip.duration,
            tolerance=_tolerance(clip),
            subtitle=clip.subtitle,
        )
        with ThreadPoolExecutor(1) as pool:
            heard = pool.submit(self._loudness, path, node)
            properties = verify(path, wanted, settings)
        notes = {
            **heard.result(),
            **({"measured": plain} if plain else {}),
            **({"expected_cpu_seconds": round(expected, 4)} if expected is not None else {}),
        }
        version = binaries.ffmpeg(settings).version
        return Made.of(results, properties, version, notes, share=share, own_runs=own_runs)

    def _loudness(self, path: Path, node: Node) -> dict[str, float]:
        """How loud the written sound is (LUFS, dBTP), where some operation was about sound; else nothing.

        It takes another decode of the sound, a tenth of what a short chain on pictures takes in all.
        """
        chain = self.plan.closure([node.name])
        about_sound = node.clip.picture is None or any("audio" in n.operation.takes.needs for n in chain)
        if node.clip.sound is None or not about_sound:
            return {}
        found = measure_loudness(path, self.commands.settings)
        values = {"loudness_lufs": found.integrated, "true_peak_db": found.true_peak}
        return {name: value for name, value in values.items() if value is not None}


def _tolerance(clip: Clip) -> float:
    """Seconds by which a duration may miss: two frames, or 1 % of what may be only a container's word."""
    frames = 2 / float(clip.picture.fps) if clip.picture else 0.0
    return max(0.15, frames, 0.01 * (clip.duration or 0))
