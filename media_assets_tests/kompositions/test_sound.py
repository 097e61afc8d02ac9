"""The sound is as loud as asked, in step with the picture, and continuous."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import document, flashing, path_of, rendered, sounding
from media_assets_tests.making import clip, make
from media_assets_tests.measuring import SAMPLE_RATE, frequency, loudness, mean_colors, samples

# A noise whose level changes, so that gating and the limiter have something to do.
RESTLESS = "(random(0)-0.5)*(0.05+0.6*lt(mod(t\\,2)\\,0.2))"


def _level(sound: NDArray[np.float32]) -> float:
    """Root mean square, in decibels of full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(sound.astype(np.float64) ** 2)) + 1e-12))


def _music(settings: Settings, expression: str = "0.1*sin(440*PI*t)", seconds: float = 5) -> None:
    sound = f"aevalsrc={expression}|{expression}:s=48000:d={seconds}"
    make(settings, settings.source_root / "music.wav", "-f", "lavfi", "-i", sound)


def _onset(sound: NDArray[np.float32], threshold: float) -> float:
    """Seconds until it first is louder than that."""
    return int(np.argmax(np.abs(sound) > threshold)) / SAMPLE_RATE


def _seconds(sound: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    return sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


@pytest.mark.parametrize(
    ("expression", "target", "peak"),
    [
        ("0.05*sin(880*PI*t)", -14.0, -1.0),
        (RESTLESS, -14.0, -1.0),
        (RESTLESS, -23.0, -3.0),
        (RESTLESS, -12.0, -2.0),
    ],
)
def test_loudness_is_within_half_a_unit_and_peaks_under_the_ceiling(
    settings: Settings, expression: str, target: float, peak: float
) -> None:
    sounding(settings, "a.mp4", seconds=10, expression=expression)
    data = document(
        [{"source": "a.mp4", "duration": 10}], loudness={"target_lufs": target, "true_peak_db": peak}
    )
    result = rendered(settings, data)
    measured = loudness(settings, path_of(result))
    assert measured.integrated == pytest.approx(target, abs=0.5)
    assert measured.true_peak is not None and measured.true_peak <= peak + 0.2
    assert result.loudness == measured.integrated


def test_silence_is_not_amplified(settings: Settings) -> None:
    clip(settings, settings.source_root / "a.mp4", sound=None)
    result = rendered(settings, document([{"source": "a.mp4", "duration": 2}], loudness={}))
    sound = samples(settings, path_of(result))
    assert len(sound) == 2 * SAMPLE_RATE
    assert not sound.any()
    assert result.loudness is None


def test_sound_and_picture_stay_together_for_a_minute(settings: Settings) -> None:
    flashing(settings, "flash.mp4", 62, 2)
    # Thirty joins, each starting anew in the source.
    segments = [{"source": "flash.mp4", "in_point": 2 * i, "duration": 2} for i in range(30)]
    path = path_of(rendered(settings, document(segments)))
    white = np.flatnonzero(mean_colors(settings, path)[:, 1] > 128) / 30
    sound = samples(settings, path)
    clicks = [2 * i + _onset(_seconds(sound, 2 * i, 2 * i + 1), 0.2) for i in range(30)]
    assert len(white) == 30
    offsets = np.array(clicks) - white
    assert np.abs(offsets).max() < 0.020
    assert abs(offsets[-1] - offsets[0]) < 0.001
    assert len(sound) == 60 * SAMPLE_RATE


def test_a_voice_cut_in_two_goes_on_without_a_gap(settings: Settings) -> None:
    sounding(settings, "a.mp4", expression="0.5*sin(1000*PI*t)")
    segments = [{"source": "a.mp4", "in_point": i / 2, "duration": 0.5} for i in range(6)]
    sound = samples(settings, path_of(rendered(settings, document(segments))))
    inside = _seconds(sound, 0.1, 2.9)
    # A steady tone has an energy of its own and nothing else, at every moment.
    windows = inside[: len(inside) // 480 * 480].reshape(-1, 480)
    levels = np.sqrt((windows**2).mean(axis=1))
    assert levels.min() > 0.34 and levels.max() < 0.37


def test_crossfaded_sounds_keep_their_power(settings: Settings) -> None:
    sounding(settings, "low.mp4", expression="0.2*sin(400*PI*t)")
    sounding(settings, "high.mp4", expression="0.2*sin(2000*PI*t)")
    segments = [
        {"source": "low.mp4", "duration": 2},
        {"source": "high.mp4", "duration": 2, "transition": {"duration": 1}},
    ]
    sound = samples(settings, path_of(rendered(settings, document(segments))))
    before, middle, after = (_level(_seconds(sound, t, t + 0.2)) for t in (1, 2.4, 3.5))
    assert middle == pytest.approx(before, abs=0.5)
    assert after == pytest.approx(before, abs=0.5)
    assert frequency(_seconds(sound, 1, 2)) == pytest.approx(200, abs=2)
    assert frequency(_seconds(sound, 3, 4)) == pytest.approx(1000, abs=2)


@pytest.mark.parametrize("taken", [0.5, 1.0, 6.0])
def test_stretched_sound_keeps_its_pitch(settings: Settings, taken: float) -> None:
    sounding(settings, "a.mp4", seconds=7, expression="0.3*sin(1000*PI*t)")
    segment = {"source": "a.mp4", "duration": 2, "stretch": True, "source_duration": taken}
    sound = samples(settings, path_of(rendered(settings, document([segment]))))
    assert frequency(_seconds(sound, 0.5, 1.5)) == pytest.approx(500, abs=5)
    assert _level(_seconds(sound, 1.5, 1.9)) == pytest.approx(_level(_seconds(sound, 0.5, 1)), abs=1)


@pytest.mark.parametrize(
    ("channels", "expression"),
    [("mono", "0.2*sin(600*PI*t)"), ("5.1", "|".join(["0.1*sin(600*PI*t)"] * 6))],
)
def test_mono_and_surround_are_heard_on_both_sides(
    settings: Settings, channels: str, expression: str
) -> None:
    sounding(settings, "a.mp4", expression=expression, channels=channels)
    result = rendered(settings, document([{"source": "a.mp4", "duration": 1}]))
    properties = result.final.output.made.properties
    assert (properties.channels, properties.sample_rate) == (2, SAMPLE_RATE)
    assert frequency(samples(settings, path_of(result))) == pytest.approx(300, abs=2)


def test_music_loops_fades_and_covers_silent_segments(settings: Settings) -> None:
    _music(settings, seconds=1.5)
    sounding(settings, "a.mp4", expression="0.5*sin(4000*PI*t)")
    music = {
        "source": "music.wav",
        "in_point": 0.5,
        "gain_db": -6,
        "fade_in": 1,
        "fade_out": 1,
        "loop": True,
    }
    result = rendered(settings, document([{"source": "a.mp4", "duration": 4}], music=music))
    sound = samples(settings, path_of(result))
    assert frequency(_seconds(sound, 1, 3)) == pytest.approx(220, abs=2)
    # Both channels carry it, and each is added at -3 dB for measuring.
    full = 20 * np.log10(0.1 / np.sqrt(2)) + 20 * np.log10(np.sqrt(2)) - 6
    assert _level(_seconds(sound, 1.2, 2.8)) == pytest.approx(full, abs=0.3)
    assert _level(_seconds(sound, 0.4, 0.6)) == pytest.approx(full - 6, abs=0.6)
    assert _level(_seconds(sound, 3.4, 3.6)) == pytest.approx(full - 6, abs=0.6)
    assert _level(_seconds(sound, 3.98, 4)) < full - 30


def test_music_that_ends_is_told_and_followed_by_silence(settings: Settings) -> None:
    _music(settings, seconds=1)
    clip(settings, settings.source_root / "a.mp4", sound=None)
    data = document([{"source": "a.mp4", "duration": 2}], music={"source": "music.wav"})
    sound = samples(settings, path_of(rendered(settings, data)))
    assert _level(_seconds(sound, 1.2, 2)) < -80
    assert len(sound) == 2 * SAMPLE_RATE


def test_a_gain_lets_a_segment_be_heard_under_music(settings: Settings) -> None:
    _music(settings)
    sounding(settings, "a.mp4", expression="0.5*sin(4000*PI*t)")
    segments: list[dict[str, Any]] = [
        {"source": "a.mp4", "duration": 1},
        {"source": "a.mp4", "duration": 1, "gain_db": 0},
    ]
    sound = samples(
        settings, path_of(rendered(settings, document(segments, music={"source": "music.wav"})))
    )
    assert frequency(_seconds(sound, 0, 1)) == pytest.approx(220, abs=2)
    assert frequency(_seconds(sound, 1, 2)) == pytest.approx(2000, abs=2)


def test_sound_that_starts_late_in_its_file_stays_where_it_is(settings: Settings) -> None:
    late = "aevalsrc=0.5*sin(1000*PI*t):s=48000:d=1"
    picture = ("-f", "lavfi", "-i", "color=s=160x90:r=30:d=3", "-itsoffset", "1")
    make(settings, settings.source_root / "a.mkv", *picture, "-f", "lavfi", "-i", late)
    for start in (0.0, 0.7):
        data = document([{"source": "a.mkv", "in_point": start, "duration": 2}])
        sound = samples(settings, path_of(rendered(settings, data)))
        assert _onset(sound, 0.1) == pytest.approx(1 - start, abs=0.005)


def test_speech_music_and_loudness_come_together_in_the_finished_file(settings: Settings) -> None:
    _music(settings, seconds=12)
    sounding(settings, "a.mp4", seconds=6, expression="0.1*sin(4000*PI*t)*gt(t\\,2)*lt(t\\,4)")
    segments: list[dict[str, Any]] = [
        {"source": "a.mp4", "duration": 3},
        {"source": "a.mp4", "duration": 6, "speech": {"ranges": [{"start": 2, "end": 4}]}},
    ]
    loud = {"target_lufs": -18.0}
    data = document(segments, music={"source": "music.wav", "duck_db": 12}, loudness=loud)
    path = path_of(rendered(settings, data))
    sound = samples(settings, path)
    free, under = (
        np.abs(np.fft.rfft(_seconds(sound, t, t + 1) * np.hanning(SAMPLE_RATE)))[220] for t in (1, 5.5)
    )
    assert 20 * np.log10(under / free) == pytest.approx(-12, abs=0.5)
    assert frequency(_seconds(sound, 5.5, 6.5)) == pytest.approx(2000, abs=2)
    assert loudness(settings, path).integrated == pytest.approx(-18, abs=0.5)
