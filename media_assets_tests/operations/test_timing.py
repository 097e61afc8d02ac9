"""Operations on time give the pictures, in number and order, and the sound that they promise."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.operations.clip import Clip, Picture, Sound
from media_assets.operations.registry import operation, read_parameters
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import ingested, make
from media_assets_tests.measuring import frequency, picture_times, pictures, samples, sound_from_zero


def _shades(settings: Settings, name: str, seconds: int = 2, more: tuple[str, ...] = ()) -> SourceFacts:
    """Pictures at 10 a second, each 8 shades of grey above the last; a tone that rises each second."""
    tone = "aevalsrc=0.5*sin(2*PI*t*500*(1+floor(t))):s=48000"
    grey = "format=yuv420p,geq=lum=20+8*N:cb=128:cr=128"
    path = settings.source_root / name
    inputs = ("-f", "lavfi", "-i", f"color=black:s=64x48:r=10:d={seconds}", "-f", "lavfi", "-i", tone)
    filters = ("-vf", grey, "-t", str(seconds))
    encoding = ("-c:v", "libx264", "-crf", "12", "-bf", "2", "-c:a", "aac")
    return ingested(settings, make(settings, path, *inputs, *filters, *encoding, *more))


def _numbers(settings: Settings, path: Path) -> list[int]:
    shots = pictures(settings, path, 2, 2).mean(axis=(1, 2, 3)) * 219 / 255 + 16
    return [round((shot - 20) / 8) for shot in shots]


@pytest.mark.parametrize("factor", [0.5, 1.5, 2, 4])
@pytest.mark.parametrize("pitch", ["keep", "follow"])
def test_speed_changes_the_length_to_the_picture_and_keeps_pitch(
    factor: float, pitch: str, clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "speed", clips["plain"], factor=factor, pitch=pitch)
    times = picture_times(settings, output.path)
    assert len(times) == round(60 / factor)
    assert times[-1] + 1 / 30 == pytest.approx(2 / factor, abs=1 / 30)
    sound = samples(settings, output.path)
    assert len(sound) / 48_000 == pytest.approx(2 / factor, abs=0.03)
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    assert frequency(middle) == pytest.approx(440 * (factor if pitch == "follow" else 1), rel=0.01)


def test_speed_plays_pictures_and_sound_in_step(settings: Settings) -> None:
    output = applied(settings, "speed", _shades(settings, "a.mp4"), factor=2)
    assert _numbers(settings, output.path) == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14, 16, 18], abs=1)
    sound = sound_from_zero(settings, output.path)
    assert frequency(sound[4_800:19_200]) == pytest.approx(500, abs=10)
    assert frequency(sound[28_800:43_200]) == pytest.approx(1000, abs=10)


def test_the_first_picture_reversed_is_the_last(settings: Settings) -> None:
    output = applied(settings, "reverse", _shades(settings, "a.mp4"))
    assert _numbers(settings, output.path) == list(range(19, -1, -1))
    sound = sound_from_zero(settings, output.path)
    assert frequency(sound[9_600:38_400]) == pytest.approx(1000, abs=10)
    assert frequency(sound[57_600:86_400]) == pytest.approx(500, abs=10)


def test_pictures_at_uneven_distances_are_reversed_in_their_time(settings: Settings) -> None:
    """Ten pictures in the first second, two in the next: reversed, the slow ones come first."""
    uneven = ("-vf", r"geq=lum=20+8*N:cb=128:cr=128,select=lt(n\,10)+not(mod(n\,5))", "-fps_mode", "vfr")
    source = _shades(settings, "a.mkv", more=uneven)
    numbers = _numbers(settings, applied(settings, "reverse", source).path)
    assert numbers == sorted(numbers, reverse=True)
    assert (numbers[0], numbers[-1]) == (15, 0)
    assert numbers.count(10) + numbers.count(15) == pytest.approx(len(numbers) / 2, abs=1)


@pytest.mark.parametrize("name", ["reverse", "loop"])
def test_what_would_not_fit_into_memory_is_refused(name: str) -> None:
    kind, long = operation(name), Clip("video", 600.0, _picture(1920, 1080), Sound(48_000, 2))
    parameters = read_parameters(kind, kind.example, "$")
    with pytest.raises(BadInput, match=r"600\.0 s would take 52\.4 GiB") as caught:
        kind.expect([long], parameters)
    assert "at most 22.9 s" in str(caught.value.hint)
    fits = Clip("video", 22.9, _picture(1920, 1080), Sound(48_000, 2))
    assert kind.expect([fits], parameters).picture == fits.picture
    assert kind.buffered_frames([fits], parameters) == 687


def _picture(width: int, height: int) -> Picture:
    return Picture(width, height, Fraction(30))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"at": 0.5, "duration": 0.3}, [0, 1, 2, 3, 4, 5, 5, 5, 5, *range(6, 20)]),
        ({"at": 0.5, "duration": 0.3, "mode": "hold"}, [0, 1, 2, 3, 4, 5, 5, 5, *range(8, 20)]),
        ({"duration": 0.2}, [*range(20), 19, 19]),
        ({"at": 0, "duration": 0.2}, [0, 0, *range(20)]),
        ({"at": "00:00:00:05", "duration": 0.1}, [0, 1, 2, 3, 4, 5, 5, *range(6, 20)]),
    ],
)
def test_one_picture_stands(parameters: dict[str, object], expected: list[int], settings: Settings) -> None:
    output = applied(settings, "freeze_frame", _shades(settings, "a.mp4"), **parameters)
    assert _numbers(settings, output.path) == expected


@pytest.mark.parametrize(("sound", "heard"), [("silent", 0.0), ("continue", 0.3)])
def test_sound_pauses_or_runs_on_while_a_picture_stands(
    sound: str, heard: float, clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "freeze_frame", clips["plain"], at=1, duration=0.5, sound=sound)
    level = np.abs(sound_from_zero(settings, output.path)[52_800:67_200]).max()
    assert (level > 0.05) == (heard > 0)
    assert output.made.properties.duration == pytest.approx(2.5, abs=0.03)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"count": 3}, [*range(20)] * 3),
        ({"duration": 2.5}, [*range(20), 0, 1, 2, 3, 4]),
        ({"duration": "500ms"}, [0, 1, 2, 3, 4]),
        ({"count": 1}, [*range(20)]),
    ],
)
def test_a_loop_has_every_picture_each_time(
    parameters: dict[str, object], expected: list[int], settings: Settings
) -> None:
    output = applied(settings, "loop", _shades(settings, "a.mp4"), **parameters)
    assert _numbers(settings, output.path) == expected
    assert len(samples(settings, output.path)) == pytest.approx(len(expected) * 4800, abs=1100)


@pytest.mark.parametrize(
    ("fps", "rate"), [(12.5, "25/2"), ("29.97", "30000/1001"), (60, "60"), ("film", "24")]
)
@pytest.mark.parametrize("source", ["plain", "uneven", "ntsc"])
def test_a_rate_is_as_asked_for(
    source: str, fps: object, rate: str, clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "fps", clips[source], fps=fps)
    count = round((clips[source].info.duration or 0) * Fraction(rate))
    assert (output.made.properties.frames, output.made.properties.fps) == (count, rate)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("speed", {"factor": 0.05}),
        ("speed", {"factor": 17}),
        ("speed", {}),
        ("freeze_frame", {"at": 2.5}),
        ("freeze_frame", {"duration": 0}),
        ("loop", {}),
        ("loop", {"count": 2, "duration": 3}),
        ("fps", {"fps": 0}),
        ("fps", {"fps": "fast"}),
        ("fps", {"fps": 1000}),
    ],
)
def test_values_that_make_no_sense_are_refused(
    name: str, parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    with pytest.raises((BadInput, DocumentError), match="do not hold"):
        applied(settings, name, clips["plain"], **parameters)


def test_sound_alone_is_sped_up_reversed_and_looped(clips: Clips, settings: Settings) -> None:
    for name, parameters, seconds in (
        ("speed", {"factor": 2}, 1.0),
        ("reverse", {}, 2.0),
        ("loop", {"count": 2}, 4.0),
    ):
        output = applied(settings, name, clips["song"], **parameters)
        assert len(samples(settings, output.path)) == pytest.approx(seconds * 48_000, abs=1100)
