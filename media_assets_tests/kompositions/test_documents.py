"""Every real document there is: rendered, with stand-ins for footage, or refused with its reason."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import DocumentError
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.document import read
from media_assets.kompositions.model import Komposition, Rendition, references
from media_assets.kompositions.render import render
from media_assets.kompositions.renditions import rendition_of
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.kompositions.meant import (
    BERGEN,
    HEARD,
    MEANT,
    MUSIC,
    MUSIC_HZ,
    REFUSED,
    SONG,
    STILLS,
    VOICE_HZ,
    Meant,
)
from media_assets_tests.making import X264, make
from media_assets_tests.measuring import SAMPLE_RATE, pictures, samples

_BITS = 16
_RATE = 15
_SMALL = Rendition(id="small", width=96, height=54, profile="preview")
_LOUD = 0.125
"""How loud the tone of ffmpeg's `sine` is."""
_UNKNOWN, _MOST = 30.0, 80.0
"""Seconds of footage whose length nobody knows, and the most of any other."""
_LONG = {BERGEN: 202.0, SONG: 64.0, "X": 58.0}
"""Seconds of what documents look further into."""


@dataclass(frozen=True)
class StandIns:
    """Footage in which each picture shows its own number, and below it that of its source."""

    settings: Settings
    numbers: Mapping[str, int]
    frames: Mapping[str, int]


@pytest.fixture
def documents(media_fixtures: Path) -> dict[str, Path]:
    """Each document by its name."""
    folder = media_fixtures / "documents" / "kompositions"
    return {p.relative_to(folder).as_posix(): p for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def known_lengths(media_fixtures: Path) -> dict[str, float]:
    """Seconds of the stand-in of each source that has one."""
    with (media_fixtures / "SOURCE_MAP.tsv").open(newline="", encoding="utf-8") as opened:
        rows = list(csv.reader(opened, delimiter="\t"))[1:]
    return {row[0]: float(row[3]) for row in rows if row[3] != "-"}


def _bits(number: int) -> NDArray[np.uint8]:
    return ((number >> np.arange(_BITS)) & 1).astype(np.uint8) * 255


def _footage(settings: Settings, name: str, number: int, seconds: float) -> int:
    """Make a stand-in; returns how many pictures it has."""
    frames = 1 if name in STILLS else round(seconds * _RATE)
    raw = np.stack([np.stack([_bits(frame), _bits(number)]) for frame in range(frames)])
    settings.data_root.mkdir(parents=True, exist_ok=True)
    pixels = settings.data_root / "pixels"
    pixels.write_bytes(raw.tobytes())
    shape = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{_BITS}x2", "-r", str(_RATE), "-i", str(pixels)]
    sound = ["-f", "lavfi", "-i", f"sine=f={VOICE_HZ}:r={SAMPLE_RATE}:d={seconds}"] if name in HEARD else []
    written = [*X264, "-g", "30", "-c:a", "pcm_s16le", "-f", "mov"]
    if name in STILLS:
        written = ["-c:v", "mjpeg", "-q:v", "1", "-f", "image2", "-update", "1"]
    larger = ["-vf", f"scale={_SMALL.width}:{_SMALL.height}:flags=neighbor,format=yuv420p"]
    make(settings, settings.source_root / name, *shape, *sound, *larger, *written)
    return frames


def _stand_ins(settings: Settings, names: set[str], lengths: dict[str, float]) -> StandIns:
    numbers = {name: number for number, name in enumerate(sorted(names - set(MUSIC)), 1)}
    frames = {}
    for name, number in numbers.items():
        seconds = _LONG.get(name, min(_MOST, lengths.get(name, _UNKNOWN)))
        frames[name] = _footage(settings, name, number, seconds)
    tone = ["-f", "lavfi", "-i", f"sine=f={MUSIC_HZ}:r={SAMPLE_RATE}:d=70", "-c:a", "flac", "-f", "flac"]
    music = make(settings, settings.data_root / "music", *tone)
    for name in names & set(MUSIC):
        shutil.copyfile(music, settings.source_root / name)
    return StandIns(settings, numbers, frames)


def _seen(settings: Settings, path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The number that each picture shows, and that of its source."""
    lit = pictures(settings, path, width=_BITS, height=2)[..., 0] > 128
    numbers = lit @ (1 << np.arange(_BITS))
    return numbers[:, 0], numbers[:, 1]


def _not_as_meant(meant: Meant, path: Path, stand_ins: StandIns) -> list[str]:
    """What a finished file shows and sounds like that its author did not mean."""
    frames, sources = _seen(stand_ins.settings, path)
    wrong = []
    if len(frames) != round(meant.seconds * meant.fps):
        wrong.append(f"{len(frames)} pictures, not {meant.seconds * meant.fps:.1f}")
    for shown in meant.shown:
        first, last = round(shown.start * meant.fps), round(shown.end * meant.fps)
        indices = np.arange(first, min(last, len(frames)))
        source = stand_ins.numbers.get(shown.source, 0)
        if (others := indices[sources[indices] != source]).size:
            wrong.append(
                f"{shown.source or 'background'} is not seen at frames {others[:5]} of {first}-{last}"
            )
        seconds = shown.at + (indices - first) / meant.fps * shown.rate
        held = stand_ins.frames.get(shown.source, 1) - 1
        off = frames[indices] - np.minimum(np.floor(seconds * _RATE), held)
        if (late := indices[abs(off) > 1]).size:
            wrong.append(f"{shown.source} is {off[late - first][:5]} pictures off at frames {late[:5]}")
    sound = samples(stand_ins.settings, path) if meant.levels else np.zeros(0, np.float32)
    for second, hertz, expected in meant.levels:
        level = _level(sound, second, hertz)
        if level > -60 if expected is None else abs(level - expected) > 0.2:
            wrong.append(f"{hertz} Hz at {second} s is at {level:.2f} dB, not {expected}")
    return wrong


def _level(sound: NDArray[np.float32], second: float, hertz: int) -> float:
    """How loud a tone is for half a second, in decibels against its source."""
    part = sound[round(second * SAMPLE_RATE) :][: SAMPLE_RATE // 2]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / SAMPLE_RATE)
    return float(20 * np.log10(2 * abs(np.mean(part * wave)) / _LOUD + 1e-9))


@pytest.mark.fixtures
def test_every_document_is_rendered_as_it_was_meant_or_refused(
    settings: Settings,
    documents: dict[str, Path],
    known_lengths: dict[str, float],
    capsys: pytest.CaptureFixture[str],
) -> None:
    held: dict[str, Komposition] = {}
    refused: dict[str, str] = {}
    for name, path in documents.items():
        try:
            found = read(path, lenient=True).komposition.model_copy(update={"renditions": (_SMALL,)})
            held[name] = rendition_of(found, _SMALL.id)
        except DocumentError as error:
            refused[name] = str(error)
    stand_ins = _stand_ins(settings, {n for k in held.values() for n in references(k)}, known_lengths)
    catalogue = SourceCatalogue(settings)
    list(catalogue.ingest(list(catalogue.changes(now=2.0**33).unread)))
    compiler, store = Compiler(settings, catalogue.facts), OutputStore(settings)
    wrong: dict[str, list[str]] = {}
    for name, komposition in held.items():
        try:
            compiled = compiler.compile_as(komposition, "komp_found")
        except DocumentError as error:
            refused[name] = str(error)
            continue
        result = render(compiled.plan, compiled.sources, settings, store)
        wrong[name] = _not_as_meant(MEANT[name], result.final.output.path, stand_ins)
    with capsys.disabled():
        print(f"\nkomposition documents: {len(wrong)} rendered, {len(refused)} refused")
    assert {name: what for name, what in wrong.items() if what} == {}
    assert set(wrong) == set(MEANT)
    assert {name: REFUSED.get(name, "") in said for name, said in refused.items()} == dict.fromkeys(
        REFUSED, True
    )
