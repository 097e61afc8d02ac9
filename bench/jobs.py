"""What planning saves: a chain of operations against ffmpeg by hand, a copied trim; estimates' errors."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.timing import ratio, timed
from media_assets.errors import BadInput
from media_assets.media import binaries
from media_assets.media.encode import profile
from media_assets.media.hardware import encoders
from media_assets.media.run import run_ffmpeg
from media_assets.operations.described import example
from media_assets.operations.registry import operations
from media_assets.planning.estimates import expected_cpu_seconds
from media_assets.planning.execute import execute
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.plan import Plan, make_plan
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue, SourceFacts

# A film's picture, and a voice: the sound of one is put under the other.
FOOTAGE = ("video/PySceneDetect/testvideo.mp4", "video/auto-editor/example.mp4")
SECONDS = 30
CHAIN: Sequence[dict[str, Any]] = (
    {"op": "trim", "input": "clip", "output": "cut", "params": {"start": 5, "duration": SECONDS}},
    {"op": "resize", "input": "cut", "output": "small", "params": {"width": 960}},
    {"op": "color_correction", "input": "small", "output": "color", "params": {"contrast": 1.1}},
    {"op": "flip", "input": "color", "output": "flipped", "params": {}},
    {"op": "fade", "input": "flipped", "output": "faded", "params": {"fade_in": 1, "fade_out": 1}},
)
# The same, as somebody who knows ffmpeg would write it; each operation's filters of picture and sound.
BY_HAND: Sequence[tuple[str, str]] = (
    ("", ""),
    ("scale=960:540", ""),
    ("eq=contrast=1.1", ""),
    ("hflip", ""),
    (
        f"fade=t=in:d=1,fade=t=out:st={SECONDS - 1}:d=1",
        f"afade=t=in:d=1,afade=t=out:st={SECONDS - 1}:d=1",
    ),
)
# Estimated for all that take one video and nothing else.
_NOT_ESTIMATED = frozenset({"stabilize"})


def run(runs: int = 5) -> dict[str, Any]:
    """Measure; medians in seconds, ratios pair by pair."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(Path(folder) / "data")
        _make_sources(settings)
        sources = {facts.relative: facts for facts in _ingest(settings)}
        times: dict[str, list[float]] = {}

        def measure(name: str, work: Callable[[], object]) -> None:
            times.setdefault(name, []).append(timed(work))

        clip, long = {"clip": sources["clip.mp4"]}, {"clip": sources["minute.mp4"]}
        for _ in range(runs):
            measure("chain", lambda: _ours(settings, clip, CHAIN, "faded"))
            measure("chain_hand", lambda: _by_hand(settings, sources["clip.mp4"].path, folder))
            measure("chain_apart", lambda: _one_by_one(settings, sources["clip.mp4"].path, folder))
            measure("trim_copied", lambda: _ours(settings, long, [_trim(copied=True)], "cut"))
            measure("trim_encoded", lambda: _ours(settings, long, [_trim(copied=False)], "cut"))
        errors = _errors(settings, [sources[f"short{number}.mp4"] for number in range(2)])
    return {
        "runs": runs,
        "median_seconds": {name: round(statistics.median(values), 4) for name, values in times.items()},
        "chain_to_hand": ratio(times["chain"], times["chain_hand"]),
        "chain_to_apart": ratio(times["chain"], times["chain_apart"]),
        "copied_to_encoded": ratio(times["trim_copied"], times["trim_encoded"]),
        **errors,
    }


def _trim(*, copied: bool) -> dict[str, Any]:
    """A minute without its first and last second; encoded by asking for an encoding."""
    params: dict[str, float] = {"start": 1.3, "end": 58.7}
    if copied:
        return {"op": "trim", "input": "clip", "output": "cut", "params": params}
    # The same pixels by the same profile: a part through the leica look at no intensity costs nothing more.
    return {
        "op": "apply_leica_and_trim",
        "input": "clip",
        "output": "cut",
        "params": {**params, "intensity": 0},
    }


def _plan(
    settings: Settings, sources: Mapping[str, SourceFacts], chain: Sequence[Mapping[str, Any]]
) -> Plan:
    specs = [OperationSpec.model_validate(operation) for operation in chain]
    return make_plan(specs, sources, encoders(settings))


def _ours(
    settings: Settings, sources: Mapping[str, SourceFacts], chain: Sequence[Mapping[str, Any]], wanted: str
) -> float:
    """Make one node in an empty store; returns its CPU-seconds."""
    fresh = replace(settings, data_root=settings.data_root / "fresh")
    try:
        (result,) = execute(_plan(settings, sources, chain), [wanted], OutputStore(fresh), fresh)
        if result.error is not None:
            raise result.error
        assert result.outcome is not None
        return result.outcome.output.made.cpu_seconds
    finally:
        shutil.rmtree(fresh.data_root)


def _encoder() -> list[str]:
    """The profile's options, the threads left to the encoder as by hand."""
    video, audio = profile("h264").video or {}, profile("aac").audio or {}
    named = {**video, **audio, "movflags": "+faststart"}
    chosen = {name: value for name, value in named.items() if not name.startswith("threads")}
    return [word for name, value in chosen.items() for word in (f"-{name}", str(value))]


def _ffmpeg(settings: Settings, *arguments: str) -> None:
    subprocess.run([str(binaries.ffmpeg(settings).path), "-v", "error", "-y", *arguments], check=True)


def _by_hand(settings: Settings, clip: Path, folder: str) -> None:
    video = ",".join(part for part, _ in BY_HAND if part)
    audio = ",".join(part for _, part in BY_HAND if part)
    seek = ("-ss", "5", "-t", str(SECONDS), "-i", str(clip))
    _ffmpeg(settings, *seek, "-vf", video, "-af", audio, *_encoder(), f"{folder}/hand.mp4")


def _one_by_one(settings: Settings, clip: Path, folder: str) -> None:
    """Each operation's file is the next one's input."""
    given, seek = clip, ["-ss", "5", "-t", str(SECONDS)]
    for number, (video, audio) in enumerate(BY_HAND):
        made = Path(folder) / f"apart{number}.mp4"
        filters = [*(["-vf", video] if video else []), *(["-af", audio] if audio else [])]
        _ffmpeg(settings, *seek, "-i", str(given), *filters, *_encoder(), str(made))
        given, seek = made, []


def _errors(settings: Settings, footage: Sequence[SourceFacts]) -> dict[str, Any]:
    """How far estimates are off: by the shipped speeds, and with the factors that events would teach.

    Each operation's factor is learnt on one piece of footage and held against the other.
    """
    found: list[list[tuple[float, float]]] = []
    for name, kind in operations().items():
        rule = kind.takes
        if rule.fewest != 1 or "video" not in rule.kinds or name in _NOT_ESTIMATED:
            continue
        document = {**example(kind), "input": "clip"}
        pairs = []
        for source in footage:
            plan = _plan(settings, {"clip": source}, [document])
            try:
                measured = _ours(settings, {"clip": source}, [document], "result")
            except BadInput:
                break  # nothing to do in this footage, such as silence to remove
            pairs.append((measured, expected_cpu_seconds(plan, ["result"])))
        else:
            found.append(pairs)
    fitted = []
    for taught, held in (pair for first, second in found for pair in ((first, second), (second, first))):
        fitted.append((held[0], held[1] * taught[0] / taught[1]))
    return {
        "estimated_operations": len(found),
        "estimate_error": _median_error([pair for pairs in found for pair in pairs]),
        "estimate_error_fitted": _median_error(fitted),
    }


def _median_error(found: Sequence[tuple[float, float]]) -> float:
    """The median absolute error of (measured, expected), as a part of what was measured."""
    return round(statistics.median(abs(expected - measured) / measured for measured, expected in found), 4)


def _ingest(settings: Settings) -> list[SourceFacts]:
    catalogue = SourceCatalogue(settings)
    found = list(catalogue.changes(now=2.0**33).unread)
    return [facts for facts in catalogue.ingest(found) if isinstance(facts, SourceFacts)]


def _make_sources(settings: Settings) -> None:
    root = settings.source_root
    root.mkdir(parents=True, exist_ok=True)
    folder = os.environ.get("MEDIA_ASSETS_FIXTURES")
    footage = [Path(folder) / name for name in FOOTAGE] if folder else []
    if footage and all(path.exists() for path in footage):
        picture = ["-stream_loop", "-1", "-i", f"file:{footage[0]}"]
        inputs = [*picture, "-i", f"file:{footage[1]}", "-map", "0:v", "-map", "1:a", "-t", "40"]
    else:
        picture = ["-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=40,noise=alls=6:allf=t,format=yuv420p"]
        inputs = [*picture, "-f", "lavfi", "-i", "sine=d=40"]
    run_ffmpeg([*inputs, *_encoder(), f"file:{root / 'clip.mp4'}"], settings=settings)
    again = ["-stream_loop", "1", "-i", f"file:{root / 'clip.mp4'}"]
    # A keyframe every two seconds, as cameras and streams have them or oftener.
    keys = ["-g", "60", "-keyint_min", "60", "-sc_threshold", "0"]
    run_ffmpeg([*again, "-t", "60", *_encoder(), *keys, f"file:{root / 'minute.mp4'}"], settings=settings)
    for number, start in enumerate((2, 21)):
        short = ["-ss", str(start), "-i", f"file:{root / 'clip.mp4'}", "-t", "4", *_encoder()]
        run_ffmpeg([*short, f"file:{root / f'short{number}.mp4'}"], settings=settings)
