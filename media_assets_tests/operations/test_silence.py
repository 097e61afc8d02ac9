"""Pauses are cut out exactly, and picture and sound stay in step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import AAC, X264, ingested, make
from media_assets_tests.measuring import SAMPLE_RATE, mean_colors, picture_times, sound_from_zero

# White and a beep from 0.5 s on for 0.2 s, every 1.2 s: the pauses last a second.
_PERIOD, _FIRST, _LENGTH = 1.2, 0.5, 0.2
_SECONDS = 6.0


def _flashing(
    settings: Settings, name: str, rate: str = "30", more: tuple[str, ...] = (), picture: bool = True
) -> SourceFacts:
    on = rf"between(mod(t\,{_PERIOD})\,{_FIRST - 0.0001}\,{_FIRST + _LENGTH - 0.001})"
    flash = f"color=c=black:s=160x90:r={rate}:d={_SECONDS},drawbox=c=white:t=fill:enable={on}"
    beep = f"aevalsrc=0.5*sin(2*PI*1000*t)*{on}:s=48000:d={_SECONDS}"
    shown = ("-f", "lavfi", "-i", flash) if picture else ()
    encoding = (*X264, "-g", "30", *AAC) if picture else ()
    path = settings.source_root / name
    make(settings, path, *shown, "-f", "lavfi", "-i", beep, *encoding, *more)
    return ingested(settings, path)


def _flashes(settings: Settings, path: Path) -> list[float]:
    """When the picture turns white (seconds)."""
    white = mean_colors(settings, path).mean(axis=1) > 128
    times = picture_times(settings, path)
    return [times[i] for i in range(len(white)) if white[i] and (i == 0 or not white[i - 1])]


def _beeps(settings: Settings, path: Path) -> list[float]:
    """When a beep begins (seconds)."""
    loud = np.abs(sound_from_zero(settings, path)) > 0.1
    where = np.flatnonzero(loud)
    first = np.insert(np.diff(where) > SAMPLE_RATE // 50, 0, True)
    return [float(at) / SAMPLE_RATE for at in where[first]]


@pytest.mark.parametrize("rate", ["30", "25", "30000/1001"])
def test_pauses_go_and_picture_and_sound_stay_in_step(rate: str, settings: Settings) -> None:
    source = _flashing(settings, "flashing.mp4", rate)
    output = applied(settings, "silence_remove", source, padding=0.1, min_silence=0.4)
    before = zip(_flashes(settings, source.path), _beeps(settings, source.path), strict=True)
    flashes, beeps = _flashes(settings, output.path), _beeps(settings, output.path)
    assert len(flashes) == len(beeps) == 5
    for flash, beep, (shown, heard) in zip(flashes, beeps, before, strict=True):
        assert flash - beep == pytest.approx(shown - heard, abs=0.002)
    # Of each pause in between twice the padding stays, and of those at the ends once.
    frame = 1 / float(probe(source.path, settings).videos[0].fps or 30)
    assert np.diff(beeps) == pytest.approx([0.4] * 4, abs=2.1 * frame)
    assert output.made.properties.duration == pytest.approx(5 * 0.4, abs=10 * frame)
    assert output.made.properties.fps == str(probe(source.path, settings).videos[0].fps)


def test_frames_are_whole_and_at_equal_distances(settings: Settings) -> None:
    output = applied(settings, "silence_remove", _flashing(settings, "flashing.mp4"), padding=0.1)
    times = picture_times(settings, output.path)
    assert times[0] == 0
    assert np.diff(times) == pytest.approx([1 / 30] * (len(times) - 1), abs=1e-4)
    assert len(times) / 30 == pytest.approx(len(sound_from_zero(settings, output.path)) / 48_000, abs=0.03)


def test_uneven_frames_stay_in_step(settings: Settings) -> None:
    uneven = ("-vf", r"select=lt(mod(n\,7)\,2)+between(mod(t\,1.2)\,0.49\,0.72)", "-fps_mode", "vfr")
    source = _flashing(settings, "uneven.mkv", more=uneven)
    output = applied(settings, "silence_remove", source)
    offsets = np.subtract(_flashes(settings, output.path), _beeps(settings, output.path))
    before = np.subtract(_flashes(settings, source.path), _beeps(settings, source.path))
    assert offsets == pytest.approx(before, abs=0.003)
    assert picture_times(settings, output.path)[0] == 0


def test_sound_alone(settings: Settings) -> None:
    source = _flashing(settings, "beeps.wav", picture=False)
    output = applied(settings, "remove_silence", source, padding=0.05, min_silence=0.4)
    assert output.made.properties.duration == pytest.approx(5 * 0.3, abs=0.03)
    assert np.diff(_beeps(settings, output.path)) == pytest.approx([0.3] * 4, abs=0.003)
    assert len(output.made.notes["measured"]["silences"]) == 6


def test_short_pauses_stay(settings: Settings) -> None:
    source = _flashing(settings, "beeps.wav", picture=False)
    output = applied(settings, "silence_remove", source, min_silence=1.5)
    assert output.made.properties.duration == pytest.approx(_SECONDS, abs=0.03)


def test_a_picture_that_outlasts_its_sound_ends_with_it(settings: Settings) -> None:
    """What is shown after the last sound is a pause too."""
    longer = ("-af", "atrim=end=3", "-t", "6")
    output = applied(settings, "silence_remove", _flashing(settings, "longer.mp4", more=longer))
    assert len(_beeps(settings, output.path)) == 3
    assert output.made.properties.duration == pytest.approx(0.6 + 0.4 + 0.3 + 0.4, abs=0.3)


def test_what_comes_after_is_as_short(settings: Settings) -> None:
    source = _flashing(settings, "flashing.mp4")
    documents: list[dict[str, object]] = [
        {"op": "silence_remove", "inputs": ["a"], "output": "tight"},
        {"op": "resize", "inputs": ["tight"], "output": "small", "params": {"height": 48}},
    ]
    outputs = made(settings, {"a": source}, *documents)
    assert outputs["small"].made.properties.frames == outputs["tight"].made.properties.frames


def test_nothing_but_silence_is_refused(clips: Clips, settings: Settings) -> None:
    path = settings.source_root / "nothing.wav"
    make(settings, path, "-f", "lavfi", "-i", "anullsrc=r=48000:d=2")
    with pytest.raises(BadInput, match="nothing is louder than -40 dB"):
        applied(settings, "silence_remove", ingested(settings, path))
