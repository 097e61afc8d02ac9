"""The mix of a komposition is right to the sample: held against its sources, before it is encoded."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from media_assets.kompositions.voices import JOIN, SAMPLE_RATE
from media_assets.settings import Settings
from media_assets_tests.kompositions.hearing import Ears, Sound, decibels

LEVEL = 0.25


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Ears:
    folder = tmp_path_factory.mktemp("ears")
    settings = Settings.from_environment(data=folder / "data")
    ears = Ears(settings, folder, {})
    steady = np.full(SAMPLE_RATE * 12, LEVEL * 32768, np.int16)
    ears.add("steady.mov", steady)
    ears.add("steady.wav", steady)
    ears.add("silent.mov", np.zeros(SAMPLE_RATE * 12, np.int16))
    return ears


@pytest.fixture(scope="module")
def noise(ears: Ears) -> Sound:
    """Six seconds of which no two stretches are alike."""
    return ears.add(
        "noise.mov", np.random.default_rng(4).integers(-8000, 8000, SAMPLE_RATE * 6).astype(np.int16)
    )


def _document(segments: list[dict[str, Any]], fps: str = "30", **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "output": {"width": 160, "height": 90, "fps": fps},
        "segments": segments,
        **more,
    }


def _at(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def test_ten_minutes_of_cuts_are_where_the_beats_are(ears: Ears, noise: Sound) -> None:
    """Each cut starts with the very sample of its in point, on the frame nearest its beat."""
    count, beats, rate = 100, 12, Fraction(30000, 1001)
    segments = [
        {"source": "noise.mov", "in_point": (37 * i % 50) / 1000, "duration": float(beats), "fill": "loop"}
        for i in range(count)
    ]
    for i in range(0, count, 2):
        segments[i]["gain_db"] = 0.0
    heard = ears.mix(_document(segments, "30000/1001", bpm=121.0))
    for i in range(count):
        first = round(round(i * beats * 60 * rate / 121) / rate * SAMPLE_RATE)
        start = _at((37 * i % 50) / 1000)
        assert np.array_equal(heard[first : first + 24000], noise[start : start + 24000]), i


def test_a_sound_cut_in_pieces_is_the_same_sound(ears: Ears, noise: Sound) -> None:
    segments = [{"source": "noise.mov", "in_point": i / 5, "duration": 0.2} for i in range(25)]
    heard = ears.mix(_document(segments))
    assert np.abs(heard[:-JOIN] - noise[: len(heard) - JOIN]).max() < 1e-6


def test_a_cut_from_one_sound_to_another_does_not_click(ears: Ears) -> None:
    segments = [
        {"source": "steady.mov", "in_point": 1.0, "duration": 1.0},
        {"source": "silent.mov", "duration": 1.0},
        {"source": "steady.mov", "in_point": 2.0, "duration": 1.0, "gain_db": -6.0},
    ]
    heard = ears.mix(_document(segments))
    assert np.abs(np.diff(heard)).max() <= 1.01 * LEVEL / JOIN
    assert heard[_at(1) - 1] < 2 * LEVEL / JOIN
    assert heard[_at(2)] == pytest.approx(LEVEL * 10 ** (-6 / 20), abs=1e-6)
    assert heard[_at(2) - JOIN - 1] == 0


@pytest.mark.parametrize("offset", [0.0, -0.5, -0.2])
def test_sound_fades_where_the_picture_does(ears: Ears, noise: Sound, offset: float) -> None:
    segments: list[dict[str, Any]] = [
        {"source": "steady.mov", "duration": 2.0},
        {
            "source": "noise.mov",
            "in_point": 1.0,
            "duration": 2.0,
            "transition": {"duration": 0.5, "offset": offset},
        },
    ]
    heard = ears.mix(_document(segments))
    first, end = _at(2 + offset), _at(2.5 + offset)
    assert np.all(heard[JOIN : first - 1] == LEVEL)
    assert np.array_equal(heard[end:-JOIN], noise[_at(1.5 + offset) :][: len(heard) - end - JOIN])
    middle = (first + end) // 2
    expected = np.sqrt(0.5) * (LEVEL + noise[_at(1.25 + offset)])
    assert heard[middle] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("in_point", [0.0, 1.5])
def test_a_loop_repeats_its_range_sample_by_sample(ears: Ears, noise: Sound, in_point: float) -> None:
    segment = {"source": "noise.mov", "in_point": in_point, "source_duration": 0.7}
    heard = ears.mix(_document([{**segment, "duration": 3.0, "fill": "loop"}]))
    turn, start = _at(0.7), _at(in_point)
    for at in range(0, len(heard), turn):
        length = min(turn, len(heard) - at) - JOIN
        assert np.array_equal(heard[at : at + length], noise[start : start + length])


def test_a_loop_has_no_jump_at_its_seam(ears: Ears) -> None:
    segment = {"source": "steady.mov", "in_point": 1.0, "source_duration": 0.5}
    heard = ears.mix(_document([{**segment, "duration": 3.0, "fill": "loop"}]))
    assert np.abs(heard[: -JOIN - 1] - LEVEL).max() < 1e-6


@pytest.mark.parametrize("fill", ["freeze", "pad", "cut"])
def test_a_range_that_ends_is_followed_by_silence(ears: Ears, fill: str) -> None:
    segment = {"source": "steady.mov", "source_duration": 0.5, "duration": 1.0, "fill": fill}
    heard = ears.mix(_document([segment]))
    assert np.all(heard[: _at(0.5) - JOIN] == LEVEL)
    assert not heard[_at(0.5) :].any()
    assert np.abs(np.diff(heard)).max() < 2 * LEVEL / JOIN


def test_gaps_and_colours_are_silent(ears: Ears) -> None:
    segments: list[dict[str, Any]] = [
        {"color": "#203040", "duration": 1.0},
        {"source": "steady.mov", "start": 2.0, "in_point": 1.0, "duration": 1.0},
    ]
    heard = ears.mix(_document(segments))
    assert not heard[: _at(2) - JOIN].any()
    assert np.all(heard[_at(2) : -JOIN - 1] == LEVEL)


def test_a_layer_is_heard_where_it_has_a_gain(ears: Ears) -> None:
    over = {"source": "steady.mov", "start": 1.0, "duration": 1.0}
    for gain, expected in ((None, 0.0), (-6.0, LEVEL * 10 ** (-6 / 20))):
        layer = {"id": "over", "z": 1, "segments": [{**over, **({"gain_db": gain} if gain else {})}]}
        segments = [{"source": "silent.mov", "duration": 3.0}]
        heard = ears.mix(_document(segments, layers=[layer]))
        assert heard[_at(1.5)] == pytest.approx(expected, abs=1e-6)
        assert not heard[: _at(1)].any() and not heard[_at(2) :].any()


def test_clips_of_tracks_are_where_they_should_be(ears: Ears, noise: Sound) -> None:
    track = {
        "id": "t",
        "gain_db": -2.0,
        "clips": [
            {"source": "noise.mov", "in_point": 1.0, "start": 0.25, "duration": 0.5, "gain_db": 2.0},
            {"source": "steady.wav", "start": 2.0, "duration": 4.0, "fade_in": 1.0, "fade_out": 1.0},
        ],
    }
    segments = [{"source": "silent.mov", "duration": 4.0}]
    heard = ears.mix(_document(segments, bpm=60.0, audio=[track]))
    body = slice(_at(0.25), _at(0.75) - JOIN)
    assert np.array_equal(heard[body], noise[_at(1) :][: body.stop - body.start])
    gain = 10 ** (-2 / 20)
    assert heard[_at(2.5)] == pytest.approx(LEVEL * gain / 2, abs=1e-4)
    assert heard[_at(3)] == pytest.approx(LEVEL * gain, abs=1e-4)
    assert heard[_at(3.5)] == pytest.approx(LEVEL * gain / 2, abs=1e-4)


def test_music_is_lowered_under_speech_and_nowhere_else(ears: Ears) -> None:
    segments: list[dict[str, Any]] = [
        {"source": "silent.mov", "duration": 4.0},
        {
            "source": "silent.mov",
            "in_point": 1.0,
            "duration": 4.0,
            "speech": {"ranges": [{"start": 2, "end": 3}]},
        },
    ]
    data = _document(segments, music={"source": "steady.wav", "duck_db": 10.0})
    heard = ears.mix(data)
    # Speech is from 5 to 6 s: a second into the segment.
    for seconds in np.arange(5, 6, 0.1):
        assert decibels(heard[_at(seconds)] / LEVEL) == pytest.approx(-10, abs=0.01)
    assert np.abs(heard[: _at(4.7)] - LEVEL).max() < 1e-5
    assert np.abs(heard[_at(6.7) : -JOIN - 1] - LEVEL).max() < 1e-5
    assert np.abs(np.diff(heard[: -JOIN - 1])).max() < 1e-4
    assert np.array_equal(heard, ears.mix(data))


def test_lowering_does_not_depend_on_what_else_is_heard(ears: Ears) -> None:
    music = {"id": "m", "role": "music", "clips": [{"source": "steady.wav", "duration": 8.0}]}
    voice = {"id": "v", "role": "voice", "clips": [{"source": "silent.mov", "start": 3.0, "duration": 1.0}]}
    alone = [{"source": "silent.mov", "duration": 8.0}]
    cut = [{"source": "silent.mov", "duration": 0.5, "gain_db": 0.0} for _ in range(16)]
    heard = ears.mix(_document(alone, audio=[music, voice]))
    assert np.array_equal(heard, ears.mix(_document(cut, audio=[music, voice])))
    assert decibels(heard[_at(3.5)] / LEVEL) == pytest.approx(-12, abs=0.01)
    assert heard[_at(2)] == pytest.approx(LEVEL, abs=1e-6)


def test_music_that_starts_over_stays_in_time(ears: Ears, noise: Sound) -> None:
    music = {"source": "noise.mov", "in_point": 4.0, "loop": True}
    heard = ears.mix(_document([{"source": "silent.mov", "duration": 7.0}], music=music))
    for at in range(0, _at(6), _at(2)):
        assert np.array_equal(heard[at : at + _at(1.9)], noise[_at(4) : _at(5.9)])
