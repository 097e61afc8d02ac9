"""Real footage, odd footage above all, goes into one komposition."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from media_assets.errors import MediaAssetsError
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import document, packet_times, path_of, rendered
from media_assets_tests.measuring import loudness, samples

pytestmark = pytest.mark.fixtures


def _pictures_under(folder: Path, settings: Settings) -> list[tuple[Path, float]]:
    """Every file that has a picture, and its seconds."""
    found = []
    for path in sorted(folder.rglob("*")):
        try:
            info = probe(path, settings) if path.is_file() else None
        except MediaAssetsError:
            continue
        if info is not None and info.video is not None:
            found.append((path, info.video.duration or info.duration or 1.0))
    return found


def test_all_odd_footage_joins_into_one_even_video(settings: Settings, media_fixtures: Path) -> None:
    settings.source_root.mkdir(parents=True)
    segments = []
    for number, (path, seconds) in enumerate(_pictures_under(media_fixtures / "video_odd", settings)):
        name = f"{number}{path.suffix}"
        shutil.copyfile(path, settings.source_root / name)
        start = round(min(0.4 * seconds, 20), 3)
        segments.append({"source": name, "in_point": start, "duration": 0.4})
    assert len(segments) > 20
    result = rendered(settings, document(segments, loudness={}))
    stamps = sorted(packet_times(settings, path_of(result)))
    assert set(np.diff(stamps)) == {512}
    assert len(stamps) == 12 * len(segments)
    measured = loudness(settings, path_of(result))
    assert measured.integrated == pytest.approx(-14, abs=1)


def test_a_loop_lies_on_the_beats_of_the_timeline(settings: Settings, media_fixtures: Path) -> None:
    settings.source_root.mkdir(parents=True)
    loop = next(media_fixtures.rglob("loop_amen_full.flac"))
    clip = next(media_fixtures.rglob("smpte-2997.mp4"))
    shutil.copyfile(loop, settings.source_root / "loop.flac")
    shutil.copyfile(clip, settings.source_root / "clip.mp4")
    # Sixteen beats at 140 a minute; twice over by looping.
    segments = [{"source": "clip.mp4", "duration": 4} for _ in range(8)]
    data = document(segments, bpm=140, music={"source": "loop.flac", "loop": True})
    result = rendered(settings, data)
    assert result.frames == round(32 * 60 / 140 * 30)
    sound = samples(settings, path_of(result))
    length = round(16 * 60 / 140 * 48_000)
    first, second = sound[2000 : length - 2000], sound[length + 2000 : 2 * length - 2000]
    assert np.corrcoef(first, second[: len(first)])[0, 1] > 0.98
