"""What Dagster is told of kompositions: events of parts, how far a run is, and what came of it."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import dagster as dg

from media_assets.analytics.outcomes import Parts
from media_assets.defs.recording import as_metadata, output_metadata, place_of
from media_assets.kompositions.compiling import Compiled
from media_assets.kompositions.outcomes import RenderedKomposition, Step
from media_assets.progress import Pace
from media_assets.settings import Settings

_SECONDS_BETWEEN_LINES = 5.0


class Told:
    """What a rendering calls: with each part that ended, and with how far it is."""

    def __init__(
        self, context: dg.AssetExecutionContext, asset: dg.AssetKey, key: str, settings: Settings
    ) -> None:
        """Tell the run of `context` of the komposition `key`."""
        self._context = context
        self._key = key
        self._parts = Parts(place_of(context, settings, asset, key))
        self.pace = Pace(key, 0.0)
        self._lock = threading.Lock()
        self._last = time.monotonic()

    def __call__(self, step: Step) -> None:
        """Append the event of a part."""
        self._parts.ended(step.kind, f"{self._key}/{step.id}", step.result)

    def progress(self, fraction: float) -> None:
        """Tell listeners at once, and the run's log every few seconds: a line there costs 20 to 60 ms."""
        self.pace(fraction)
        now = time.monotonic()
        with self._lock:
            due = now - self._last >= _SECONDS_BETWEEN_LINES
            if due:
                self._last = now
        if due:
            self._context.log.info(f"{self._key}: {fraction:.0%} rendered")

    def share(self, start: float, size: float) -> Callable[[float], None]:
        """Progress of a part of the whole that is `size` of it, from `start` on."""
        return lambda fraction: self.progress(start + size * fraction)


def plan_metadata(compiled: Compiled, version: int) -> dict[str, dg.MetadataValue]:
    """What the UI shows of a plan; `version` is that of the document."""
    plan = compiled.plan
    rows = [
        (p.piece.id, str(p.piece.first_frame), str(p.piece.frames), ", ".join(p.sources))
        for p in plan.pieces
    ]
    return as_metadata(
        {
            "version": version,
            "duration": plan.duration,
            "frames": plan.frames,
            "resolution": f"{plan.output.width}x{plan.output.height}",
            "pieces": _table(("piece", "first frame", "frames", "sources"), rows),
            "derived_from": compiled.derived_from,
            "renditions": _sizes(compiled) or None,
            "warnings": [f"{place}: {text}" for place, text in plan.warnings] or None,
            "estimated_cpu_seconds": round(sum(p.estimate for p in compiled.plans.values()), 1),
        }
    )


def video_metadata(
    compiled: Compiled,
    made: Mapping[str, RenderedKomposition],
    published: Mapping[str, Path],
    preview: Path | None,
    version: int,
) -> dict[str, dg.MetadataValue]:
    """What the UI shows of a video and its renditions.

    Args:
        made, published: by the rendition's id, which is empty for the video itself.
        version: of the document that it was made from.
    """
    main = made[""]
    # The final file's own time is that of the join; what counts is the whole rendering's.
    joined = output_metadata(main.final, preview, published[""])
    shown = {name: value for name, value in joined.items() if name not in ("render_seconds", "speed")}
    runs = sum(one.ffmpeg_runs for one in made.values())
    seconds = sum(one.seconds for one in made.values())
    footage = sum(one.duration for one in made.values())
    others = {name: one.to_json() | {"output": str(published[name])} for name, one in made.items() if name}
    loudness = None if main.loudness is None else f"{main.loudness:.1f} LUFS"
    return shown | as_metadata(
        {
            "version": version,
            "cached": runs == 0,
            "seconds": round(seconds, 3),
            "render_seconds": round(seconds, 3) if runs else None,
            "speed": f"{footage / seconds:.1f} x realtime" if runs else None,
            "segments": _segments(made),
            "derived_from": dg.MetadataValue.json(compiled.derived_from),
            "renditions": {name: str(published[name]) for name in made if name} or None,
            "result": dg.MetadataValue.json(main.to_json() | {"renditions": others}),
            "loudness": loudness,
        }
    )


def _segments(made: Mapping[str, RenderedKomposition]) -> dg.MetadataValue:
    """A line for each segment, transition and sound of a video, and of its renditions."""
    rows = []
    for name, one in made.items():
        for row in (*one.segments, *one.transitions, one.sound):
            effects, sources = ", ".join(row.effects), ", ".join(row.sources)
            did = "cached" if row.cached else "rendered"
            id_ = f"{name}: {row.id}" if name else row.id
            rows.append((id_, sources, effects, did, f"{row.seconds:.2f}"))
    return _table(("segment", "source", "effects", "rendered or cached", "seconds"), rows)


def _sizes(compiled: Compiled) -> dict[str, str]:
    return {name: f"{plan.output.width}x{plan.output.height}" for name, plan in compiled.renditions.items()}


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> dg.MetadataValue:
    lines = [head, tuple("---" for _ in head), *rows]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))
