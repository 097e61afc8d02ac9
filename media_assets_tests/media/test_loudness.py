"""Loudness of sounds whose loudness is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_assets.errors import FfmpegFailed
from media_assets.media.loudness import Loudness, measure_loudness
from media_assets.settings import Settings
from media_assets_tests.making import make, solid


@pytest.mark.parametrize(("gain", "expected"), [(0, -3.01), (-20, -23.01), (-40, -43.01)])
def test_a_tone_on_one_channel(gain: float, expected: float, settings: Settings, tmp_path: Path) -> None:
    """A full-scale sine of 997 Hz on one channel has -3.01 LUFS (ITU-R BS.1770)."""
    amplitude = 10 ** (gain / 20)
    tone = f"aevalsrc={amplitude}*sin(2*PI*997*t):s=48000:d=3"
    path = make(settings, tmp_path / "tone.wav", "-f", "lavfi", "-i", tone, "-c:a", "pcm_s16le")
    found = measure_loudness(path, settings)
    assert found.integrated == pytest.approx(expected, abs=0.15)
    assert found.true_peak == pytest.approx(gain, abs=0.15)


def test_silence_has_no_loudness(settings: Settings, tmp_path: Path) -> None:
    path = make(
        settings, tmp_path / "silence.wav", "-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo", "-t", "1"
    )
    assert measure_loudness(path, settings) == Loudness(None, None, 0.0)


def test_a_file_without_sound_is_an_error(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(FfmpegFailed):
        measure_loudness(solid(settings, tmp_path / "silent.mp4", "red", seconds=0.2), settings)
