"""Renders one piece of the picture: what its layers show, by one ffmpeg command."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from media_assets.kompositions.encoding import encoding
from media_assets.kompositions.layering import crossed, stacked
from media_assets.kompositions.pictures import shown
from media_assets.kompositions.plan import KompositionPlan, PlannedPiece, SourceFacts
from media_assets.media.graph import Stream, Target, arguments
from media_assets.media.run import FfmpegResult, Progress, run_ffmpeg
from media_assets.media.verify import Expected, verify
from media_assets.settings import Settings
from media_assets.store.outputs import Made


def render_piece(
    planned: PlannedPiece,
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    path: Path,
    settings: Settings,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: threading.Event | None = None,
) -> Made:
    """Write one piece, by one ffmpeg command, and check it to the frame.

    Effects that measure take commands of their own before it.

    Args:
        planned: the piece.
        plan: the plan it belongs to.
        sources: what is known of each source, by the reference that the piece's shots use.
        path: where to write.
        settings: which ffmpeg, and its limits.
        on_progress: told how far the piece is.
        cancel: ends ffmpeg when set.

    Raises:
        FfmpegFailed, VerificationFailed, Cancelled, TimeLimitExceeded, DiskFull.
    """
    piece, output = planned.piece, plan.output
    runs: list[FfmpegResult] = []

    def run(stream: Stream) -> Sequence[str]:
        target = Target([stream], None, {})
        command = ["-filter_complex_threads", "1", *arguments([target])]
        runs.append(run_ffmpeg(command, settings=settings, cancel=cancel, log_level="info"))
        return runs[-1].log

    # Beside the folder that is put in place: what was measured is thrown away with what surrounds it.
    beside = path.parent
    layers = []
    for layer, content in enumerate(piece.contents):
        pictures = []
        for number, shot in enumerate(content.shots):
            scratch = beside.with_name(f"{beside.name}-shot{layer}-{number}")
            pictures.append(shown(shot, sources, output.background, run, scratch))
        frame, crossing = content.shots[0].frame, content.crossing
        picture = crossed(pictures, crossing, piece.frames, frame) if crossing else pictures[0]
        layers.append((content, picture))
    picture = stacked(layers, output, piece.frames)
    target = Target([picture], path, encoding(plan.profile, output.rate))
    runs.append(
        run_ffmpeg(
            ["-filter_complex_threads", "1", *arguments([target])],
            settings=settings,
            expected_seconds=float(piece.frames / output.rate),
            on_progress=on_progress,
            cancel=cancel,
        )
    )
    expected = Expected(True, False, output.width, output.height, piece.frames)
    # Every packet is counted, and all pieces together are decoded at their ends by the final check.
    properties = verify(path, expected, settings, decode_tail=False)
    return Made.of(runs, properties, plan.ffmpeg_version)
