"""How fast a komposition renders, against one hand-written ffmpeg command with the same encoder settings.

Ten 1080p clips to 720p30, two crossfades, music, loudness. The hand-written command may use all cores as
ffmpeg likes. Runs are paired and alternate, so that a busy machine is busy for both.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.timing import ratio, timed
from media_assets.kompositions.document import parse
from media_assets.kompositions.model import references
from media_assets.kompositions.plan import plan
from media_assets.kompositions.render import RenderedKomposition, render
from media_assets.media import binaries
from media_assets.media.encode import profile
from media_assets.media.run import run_ffmpeg
from media_assets.media.verify import read_properties
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.scan import Found
from media_assets.store.sources import SourceCatalogue, SourceFacts

SECONDS = 2.7
OVERLAP = 0.5
CROSSFADED = (3, 7)
"""Clips (from 0) that come in by a crossfade."""
FOOTAGE = "long_1080p_lowbitrate.mp4"


def run(runs: int = 5) -> dict[str, Any]:
    """Measure, and return medians in seconds and ratios to the hand-written command or to a cold run."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(data=Path(folder))
        _make_sources(settings)
        sources = _ingest(settings)
        times: dict[str, list[float]] = {name: [] for name in ("hand", "cold", "changed", "unchanged")}
        for number in range(runs):
            fresh = replace(settings, data_root=Path(folder) / f"run{number}")
            store = OutputStore(fresh)
            pair: list[tuple[str, Callable[[], object]]] = [
                ("hand", lambda: _by_hand(settings, sources)),
                ("cold", lambda fresh=fresh, store=store: _render(fresh, store, sources)),  # type: ignore[misc]
            ]
            for name, work in pair if number % 2 else pair[::-1]:
                times[name].append(timed(work))
            times["changed"].append(timed(lambda: _render(fresh, store, sources, changed=True)))  # noqa: B023
            times["unchanged"].append(timed(lambda: _render(fresh, store, sources, changed=True)))  # noqa: B023
            shutil.rmtree(fresh.data_root)
    return {
        "runs": runs,
        "workers": settings.workers,
        "footage": _footage() is not None,
        "median_seconds": {name: round(statistics.median(values), 4) for name, values in times.items()},
        "cold_to_hand": ratio(times["cold"], times["hand"]),
        "changed_to_cold": ratio(times["changed"], times["cold"]),
        "unchanged_to_cold": ratio(times["unchanged"], times["cold"]),
    }


def _footage() -> Path | None:
    folder = os.environ.get("MEDIA_ASSETS_FIXTURES")
    return next(Path(folder).rglob(FOOTAGE), None) if folder else None


def _make_sources(settings: Settings) -> None:
    root = settings.source_root
    root.mkdir(parents=True, exist_ok=True)
    footage = _footage()
    if footage is not None:
        shutil.copyfile(footage, root / "clip.mp4")
    else:
        picture = "testsrc2=s=1920x1080:r=30:d=60,noise=alls=6:allf=t,format=yuv420p"
        inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=d=60"]
        encoder = ["-c:v", "libx264", "-preset", "veryfast", "-g", "60", "-c:a", "aac"]
        run_ffmpeg([*inputs, *encoder, f"file:{root / 'clip.mp4'}"], settings=settings)
    left, right = (f"0.3*sin({pitch}*PI*t)*exp(-3*mod(t\\,0.5))" for pitch in (440, 550))
    music = f"aevalsrc={left}|{right}:s=48000:d=60"
    run_ffmpeg(["-f", "lavfi", "-i", music, f"file:{root / 'music.wav'}"], settings=settings)


def _ingest(settings: Settings) -> dict[str, SourceFacts]:
    catalogue = SourceCatalogue(settings)
    found: list[Found] = list(catalogue.changes(now=2.0**33).unread)
    return {facts.relative: facts for facts in catalogue.ingest(found) if isinstance(facts, SourceFacts)}


def _document(*, changed: bool) -> dict[str, Any]:
    segments: list[dict[str, Any]] = [
        {"source": "clip.mp4", "in_point": 5.0 * n + 1, "duration": SECONDS} for n in range(10)
    ]
    for index in CROSSFADED:
        segments[index]["transition"] = {"duration": OVERLAP}
    if changed:
        segments[5]["in_point"] += 0.5
    return {
        "version": 1,
        "output": {"width": 1280, "height": 720, "fps": 30},
        "segments": segments,
        "music": {"source": "music.wav", "gain_db": -3, "fade_out": 1},
        "loudness": {"target_lufs": -14, "true_peak_db": -1},
    }


def _render(
    settings: Settings, store: OutputStore, sources: dict[str, SourceFacts], *, changed: bool = False
) -> RenderedKomposition:
    komposition = parse(_document(changed=changed), "bench")
    wanted = {name: sources[name] for name in references(komposition)}
    compiled = plan(komposition, wanted, binaries.ffmpeg(settings).version, identifier="komp_bench")
    return render(compiled, wanted, settings, store)


def _by_hand(settings: Settings, sources: dict[str, SourceFacts]) -> None:
    """The command that somebody who knows ffmpeg would write for the same video."""
    inputs: list[str] = []
    graph: list[str] = []
    for index, segment in enumerate(_document(changed=False)["segments"]):
        # A clip that is faded out of goes on under the next.
        length = SECONDS + (OVERLAP if index + 1 in CROSSFADED else 0)
        path = str(sources["clip.mp4"].path)
        inputs += ["-ss", str(segment["in_point"]), "-t", str(length), "-i", path]
        graph.append(f"[{index}:v]fps=30,scale=1280:720,setsar=1,format=yuv420p,settb=1/30[v{index}]")
    inputs += ["-i", str(sources["music.wav"].path)]
    joined: list[str] = []
    for index in range(10):
        if index in CROSSFADED:
            before = joined.pop()
            graph.append(f"[{before}][v{index}]xfade=duration={OVERLAP}:offset={SECONDS}[x{index}]")
            joined.append(f"x{index}")
        else:
            joined.append(f"v{index}")
    total = 10 * SECONDS
    graph.append("".join(f"[{name}]" for name in joined) + f"concat=n={len(joined)}:v=1:a=0[v]")
    fade = f"volume=-3dB,atrim=end={total},afade=t=out:st={total - 1}:d=1"
    # A gain and a limiter, as ours applies: loudnorm would cost the hand-written command far more.
    graph.append(f"[10:a]{fade},volume=2dB,alimiter=limit=0.89:level=false,aresample=48000[a]")
    video, audio = profile("h264").video or {}, profile("aac").audio or {}
    encoder = [
        word
        for name, value in {**video, **audio}.items()
        if not name.startswith("threads")
        for word in (f"-{name}", str(value))
    ]
    with tempfile.TemporaryDirectory() as folder:
        command = [str(binaries.ffmpeg(settings).path), "-v", "error", "-y", *inputs]
        command += ["-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]", *encoder]
        path = Path(folder) / "out.mp4"
        subprocess.run([*command, "-movflags", "+faststart", str(path)], check=True)
        assert read_properties(path, settings).frames == round(total * 30)


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]) if len(sys.argv) > 1 else 5), indent=1))
