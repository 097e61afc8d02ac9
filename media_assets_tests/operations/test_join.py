"""Joined clips follow each other to the picture, whatever their sizes, rates and sounds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import DocumentError
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import CLIPS, Clips, applied
from media_assets_tests.making import clip, ingested
from media_assets_tests.measuring import SAMPLE_RATE, frequency, mean_colors, picture_times, samples

RED, GREEN, BLUE = (254, 0, 0), (0, 128, 0), (0, 0, 254)


def _colored(
    settings: Settings,
    color: str,
    hertz: int | None,
    *,
    size: str = "96x64",
    rate: str = "30",
    seconds: float = 1.0,
) -> SourceFacts:
    sound = f"sine=f={hertz}:r=48000" if hertz else None
    path = settings.source_root / f"{color}.mp4"
    clip(settings, path, seconds=seconds, size=size, rate=rate, picture=f"color=c={color}", sound=sound)
    return ingested(settings, path)


def _pitch(sound: NDArray[np.float32], start: float, end: float) -> float:
    return frequency(sound[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)])


def test_order_and_number_of_pictures(settings: Settings) -> None:
    red = _colored(settings, "red", 440)
    blue = _colored(settings, "blue", 880, seconds=0.5)
    green = _colored(settings, "green", None)
    output = applied(settings, "concatenate", red, blue, green)
    colors = mean_colors(settings, output.path)
    assert len(colors) == 30 + 15 + 30
    assert colors[:30] == pytest.approx(np.tile(RED, (30, 1)), abs=8)
    assert colors[30:45] == pytest.approx(np.tile(BLUE, (15, 1)), abs=8)
    assert colors[45:] == pytest.approx(np.tile(GREEN, (30, 1)), abs=8)
    sound = samples(settings, output.path)
    assert _pitch(sound, 0.1, 0.9) == pytest.approx(440, abs=3)
    assert _pitch(sound, 1.05, 1.45) == pytest.approx(880, abs=4)
    assert np.abs(sound[int(1.6 * SAMPLE_RATE) : int(2.4 * SAMPLE_RATE)]).max() < 1e-3


def test_order_counts(settings: Settings) -> None:
    red, blue = _colored(settings, "red", None), _colored(settings, "blue", None)
    one = applied(settings, "concatenate", red, blue)
    other = applied(settings, "concatenate", blue, red)
    assert one.recipe.id != other.recipe.id
    assert mean_colors(settings, other.path)[0] == pytest.approx(BLUE, abs=8)


def test_a_clip_may_follow_itself(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "concatenate", *[clips["plain"]] * 3)
    assert output.made.properties.frames == 180


def test_different_rates_become_the_highest(settings: Settings) -> None:
    slow = _colored(settings, "red", 440, rate="24")
    fast = _colored(settings, "blue", None, rate="50")
    output = applied(settings, "concatenate", slow, fast)
    assert output.made.properties.frames == 100
    assert np.diff(picture_times(settings, output.path)) == pytest.approx(0.02, abs=1e-4)


def test_another_shape_is_letterboxed(settings: Settings) -> None:
    wide = _colored(settings, "red", None)
    tall = _colored(settings, "blue", None, size="64x96")
    output = applied(settings, "concatenate", wide, tall)
    assert (output.made.properties.width, output.made.properties.height) == (96, 64)
    # 42 of 96 columns are blue: a 2:3 picture in a 3:2 one.
    assert mean_colors(settings, output.path)[-1] == pytest.approx((0, 0, 254 * 42 / 96), abs=8)


@pytest.mark.parametrize("other", sorted({*CLIPS} - {"plain", "song", "still", "logo"}))
def test_every_kind_of_clip_is_joined_to_the_picture(other: str, clips: Clips, settings: Settings) -> None:
    output = applied(settings, "concatenate", clips["plain"], clips[other])
    seconds = clips[other].info.duration or 0
    assert output.made.properties.frames == 60 + round(seconds * 30)
    assert output.made.properties.duration == pytest.approx((60 + round(seconds * 30)) / 30, abs=0.03)


def test_many_clips_are_joined(settings: Settings) -> None:
    short = _colored(settings, "red", 440, seconds=0.2, size="32x32", rate="10")
    output = applied(settings, "concatenate", *[short] * 60)
    assert output.made.properties.frames == 120


def test_a_crossfade_mixes_both_pictures_and_both_sounds(settings: Settings) -> None:
    red, blue = _colored(settings, "red", 440, seconds=2), _colored(settings, "blue", 880, seconds=2)
    output = applied(settings, "crossfade_transition", red, blue, duration=1)
    colors = mean_colors(settings, output.path)
    assert len(colors) == 90
    assert output.made.properties.duration == pytest.approx(3, abs=0.03)
    assert colors[28] == pytest.approx(RED, abs=8)
    assert colors[45] == pytest.approx((127, 0, 127), abs=12)
    assert colors[62] == pytest.approx(BLUE, abs=8)
    sound = samples(settings, output.path)
    assert _pitch(sound, 0.1, 0.9) == pytest.approx(440, abs=3)
    assert _pitch(sound, 2.1, 2.9) == pytest.approx(880, abs=3)
    middle = sound[int(1.4 * SAMPLE_RATE) : int(1.6 * SAMPLE_RATE)]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    low, high = (spectrum[round(hertz * len(middle) / SAMPLE_RATE)] for hertz in (440, 880))
    assert low / high == pytest.approx(1, abs=0.3)


def test_a_wipe_shows_both_pictures_side_by_side(settings: Settings) -> None:
    red, blue = _colored(settings, "red", None), _colored(settings, "blue", None)
    output = applied(settings, "crossfade_transition", red, blue, duration=0.4, transition="wipeleft")
    red_part, _, blue_part = mean_colors(settings, output.path)[24]
    assert red_part == pytest.approx(127, abs=25)
    assert blue_part == pytest.approx(127, abs=25)


def test_a_crossfade_longer_than_a_clip_is_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(DocumentError, match="too short"):
        applied(settings, "crossfade_transition", clips["plain"], clips["silent"], duration=2)


def test_a_picture_and_a_mere_sound_do_not_join(clips: Clips, settings: Settings) -> None:
    with pytest.raises(DocumentError, match="all have a picture, or none"):
        applied(settings, "concatenate", clips["plain"], clips["song"])


def test_sounds_join_too(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "concatenate", clips["song"], clips["song"])
    assert output.path.suffix == ".m4a"
    assert len(samples(settings, output.path)) == pytest.approx(4 * SAMPLE_RATE, abs=1100)
