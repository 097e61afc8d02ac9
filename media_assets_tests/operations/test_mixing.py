"""Sounds put under pictures and together: what is heard, when, and how loud."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.registry import operation
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import clip, ingested, make
from media_assets_tests.measuring import (
    SAMPLE_RATE,
    frequency,
    loudness,
    mean_colors,
    pictures,
    sound_from_zero,
)


def _sound(settings: Settings, name: str, expression: str, seconds: float) -> SourceFacts:
    path = settings.source_root / f"{name}.wav"
    make(settings, path, "-f", "lavfi", "-i", expression, "-t", str(seconds), "-c:a", "pcm_s16le")
    return ingested(settings, path)


def _tone(settings: Settings, hertz: int, seconds: float, volume: float = 0.1) -> SourceFacts:
    """A stereo tone, so that no mono level comes into it."""
    tone = rf"{volume}*sin(2*PI*{hertz}*t)"
    return _sound(settings, f"tone{hertz}", f"aevalsrc={tone}|{tone}:s=48000", seconds)


def _part(sound: NDArray[np.float32], start: float, end: float) -> NDArray[np.float32]:
    return sound[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)]


def _decibels(sound: NDArray[np.float32], hertz: float) -> float:
    """The level of that frequency on both sides: as one channel ffmpeg gives their sum over sqrt(2)."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) / len(sound) * 4
    middle = round(hertz * len(sound) / SAMPLE_RATE)
    return float(20 * np.log10(spectrum[middle - 2 : middle + 3].max() / np.sqrt(2) + 1e-9))


def _rms(sound: NDArray[np.float32]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(sound, dtype=np.float64))) + 1e-9))


def test_the_new_sound_is_under_the_old_picture(clips: Clips, settings: Settings) -> None:
    source = clips["plain"]
    output = applied(settings, "replace_audio", source, _tone(settings, 1000, 3))
    sound = sound_from_zero(settings, output.path)
    assert frequency(_part(sound, 0.2, 1.8)) == pytest.approx(1000, abs=2)
    assert len(sound) / SAMPLE_RATE == pytest.approx(2, abs=0.03)
    shown, before = pictures(settings, output.path), pictures(settings, source.path)
    assert len(shown) == len(before)
    assert np.abs(shown.astype(int) - before).mean() < 5


def test_a_silent_clip_gets_sound(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "combine", clips["silent"], clips["mono"])
    assert frequency(_part(sound_from_zero(settings, output.path), 0.5, 1.5)) == pytest.approx(440, abs=2)


def test_offset_and_gain(clips: Clips, settings: Settings) -> None:
    new = _tone(settings, 1000, 3)
    output = applied(settings, "add_audio", clips["plain"], new, offset="500ms", gain=-6)
    sound = sound_from_zero(settings, output.path)
    assert _rms(_part(sound, 0, 0.45)) < -60
    assert _decibels(_part(sound, 0.6, 1.6), 1000) == pytest.approx(-26, abs=0.5)


@pytest.mark.parametrize(
    ("when_short", "seconds", "heard"), [("silence", 2, 0), ("loop", 2, 1), ("cut", 1, 0)]
)
def test_a_short_sound(
    when_short: str, seconds: float, heard: bool, clips: Clips, settings: Settings
) -> None:
    new = _tone(settings, 1000, 0.75)
    output = applied(settings, "replace_audio", clips["plain"], new, when_short=when_short, offset=0.25)
    sound = sound_from_zero(settings, output.path)
    assert len(sound) / SAMPLE_RATE == pytest.approx(seconds, abs=0.03)
    assert len(pictures(settings, output.path)) == 30 * seconds
    assert _decibels(_part(sound, 0.3, 0.9), 1000) == pytest.approx(-20, abs=0.5)
    if seconds == 2:
        assert (_rms(_part(sound, 1.2, 1.9)) > -30) == heard


def test_trimmed_and_replaced_as_by_two_operations(clips: Clips, settings: Settings) -> None:
    colors = "color=c=red:s=160x90:r=30:d=4[a];color=c=blue:s=160x90:r=30:d=2[b];[a][b]concat"
    path = settings.source_root / "colors.mp4"
    make(settings, path, "-f", "lavfi", "-i", colors, "-c:v", "libx264", "-g", "30", "-pix_fmt", "yuv420p")
    source, new = ingested(settings, path), _tone(settings, 1000, 1)
    output = applied(settings, "trim_and_replace_audio", source, new, start=3.5, duration="1.5s")
    shown = mean_colors(settings, output.path)
    assert len(shown) == 45
    assert [shot.argmax() for shot in shown] == [0] * 15 + [2] * 30
    sound = sound_from_zero(settings, output.path)
    assert _decibels(_part(sound, 0.02, 0.9), 1000) == pytest.approx(-20, abs=0.5)
    assert _rms(_part(sound, 1.05, 1.45)) < -60


def test_an_offset_beyond_the_picture_is_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(BadInput, match="beyond the picture's end"):
        applied(settings, "replace_audio", clips["plain"], clips["song"], offset=2.5)


def test_a_mix_adds_sounds_up(clips: Clips, settings: Settings) -> None:
    first, second = _tone(settings, 500, 2), _tone(settings, 2000, 2)
    output = applied(settings, "mix", first, second, gains=[0, -6])
    sound = _part(sound_from_zero(settings, output.path), 0.5, 1.5)
    assert _decibels(sound, 500) == pytest.approx(-20, abs=0.5)
    assert _decibels(sound, 2000) == pytest.approx(-26, abs=0.5)


def test_what_would_clip_is_held(settings: Settings) -> None:
    loud = [_tone(settings, hertz, 2, 0.9) for hertz in (500, 700, 900)]
    found = loudness(settings, applied(settings, "mix", *loud).path)
    assert found.true_peak is not None
    assert found.true_peak <= -0.5


@pytest.mark.parametrize(("duration", "seconds"), [("first", 2.0), ("longest", 3.0), ("shortest", 1.0)])
def test_how_long_a_mix_is(duration: str, seconds: float, clips: Clips, settings: Settings) -> None:
    others = [_tone(settings, 1000, 3), _tone(settings, 2000, 1)]
    output = applied(settings, "mix", clips["plain"], *others, duration=duration)
    info = probe(output.path, settings)
    assert info.duration == pytest.approx(seconds, abs=0.03)
    assert len(pictures(settings, output.path)) == 30 * seconds


def test_music_gives_way_while_somebody_speaks(settings: Settings) -> None:
    """With the parameters of a document, and with the defaults."""
    voice = r"0.3*sin(2*PI*440*t)*between(t\,1\,2)"
    main = _sound(settings, "voice", f"aevalsrc={voice}|{voice}:s=48000", 4)
    music = _tone(settings, 2000, 4, 0.3)
    document = {"mode": "ducking", "main_weight": 1.0, "bg_weight": 0.3, "ducking_threshold": -20}
    for parameters, least, pause in ((document, 5, -20.9), ({"mode": "ducking"}, 12, -10.5)):
        output = applied(settings, "mix", main, music, **parameters)
        sound = sound_from_zero(settings, output.path)
        speaking, later = _part(sound, 1.4, 1.9), _part(sound, 3.4, 3.9)
        assert _decibels(later, 2000) == pytest.approx(pause, abs=0.5)
        assert _decibels(speaking, 2000) < _decibels(later, 2000) - least
        assert _decibels(speaking, 440) == pytest.approx(-10.5, abs=0.5)
        assert _decibels(_part(sound, 0.3, 0.9), 2000) == pytest.approx(pause, abs=0.5)


def test_more_gains_than_inputs_are_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(BadInput, match="3 gains for 2 inputs"):
        applied(settings, "mix", clips["plain"], clips["song"], gains=[0, 0, 0])


def test_the_sound_of_a_mix_goes_back_under_another_picture(clips: Clips, settings: Settings) -> None:
    sources = {"clip": clips["plain"], "music": _tone(settings, 2000, 1)}
    documents: list[dict[str, object]] = [
        {"op": "mix", "inputs": ["clip", "music"], "output": "mixed", "params": {"when_short": "loop"}},
        {"op": "resize", "inputs": ["clip"], "output": "small", "params": {"height": 48}},
        {"op": "combine", "inputs": ["small", "mixed"], "output": "final"},
    ]
    final = made(settings, sources, *documents)["final"]
    sound = _part(sound_from_zero(settings, final.path), 1.2, 1.8)
    assert _decibels(sound, 2000) == pytest.approx(-20, abs=0.5)
    assert final.made.properties.height == 48


@pytest.mark.parametrize("gain", [-12, 6])
def test_volume(gain: float, settings: Settings) -> None:
    output = applied(settings, "volume", _tone(settings, 1000, 1), gain=gain)
    sound = _part(sound_from_zero(settings, output.path), 0.2, 0.8)
    assert _decibels(sound, 1000) == pytest.approx(-20 + gain, abs=0.3)


def test_more_volume_than_there_is_room_for_does_not_clip(settings: Settings) -> None:
    found = loudness(settings, applied(settings, "gain", _tone(settings, 1000, 1, 0.5), gain=20).path)
    assert found.true_peak == pytest.approx(-1, abs=0.6)


def test_one_side_becomes_the_middle(settings: Settings) -> None:
    sides = _sound(settings, "sides", "aevalsrc=0.1*sin(2*PI*500*t)|0.1*sin(2*PI*2000*t):s=48000", 1)
    for channel, heard, gone in (("left", 500, 2000), ("right", 2000, 500)):
        output = applied(settings, "to_mono", sides, channel=channel)
        sound = _part(sound_from_zero(settings, output.path), 0.2, 0.8)
        assert output.made.properties.channels == 1
        # 3 dB less than for two equal sides: there is one channel.
        assert _decibels(sound, heard) == pytest.approx(-23, abs=0.5)
        assert _decibels(sound, gone) < -60
    both = _part(sound_from_zero(settings, applied(settings, "to_mono", sides).path), 0.2, 0.8)
    assert _decibels(both, 500) == pytest.approx(-29, abs=0.5)
    assert _decibels(both, 2000) == pytest.approx(-29, abs=0.5)


def test_a_mono_mp3(clips: Clips, settings: Settings) -> None:
    properties = applied(settings, "to_mp3", clips["surround"], channels=1).made.properties
    assert (properties.audio, properties.channels) == ("mp3", 1)


def test_noise_goes_and_the_tone_stays(settings: Settings) -> None:
    tone = r"0.3*sin(2*PI*440*t)*gt(mod(t\,2)\,1)"
    noisy = f"aevalsrc={tone}|{tone}:s=48000[t];anoisesrc=a=0.01:r=48000:seed=1[n];[t][n]amix=normalize=0"
    source = _sound(settings, "noisy", noisy, 6)
    before = sound_from_zero(settings, source.path)
    after = sound_from_zero(settings, applied(settings, "denoise_audio", source, strength=20).path)
    assert len(after) == pytest.approx(len(before), abs=1500)
    assert _rms(_part(after, 4.3, 4.9)) < _rms(_part(before, 4.3, 4.9)) - 8
    assert _decibels(_part(after, 5.2, 5.8), 440) == pytest.approx(
        _decibels(_part(before, 5.2, 5.8), 440), abs=1
    )


def test_names_that_documents_use() -> None:
    names = {"combine": "replace_audio", "add_audio": "replace_audio", "loudnorm": "normalize_audio"}
    names |= {"denoise_sound": "denoise_audio", "gain": "volume"}
    assert {name: operation(name).name for name in names} == names


def test_only_what_is_needed_is_decoded(clips: Clips, settings: Settings) -> None:
    """The old sound and the other clip's picture are left alone."""
    other = clip(settings, settings.source_root / "other.mp4", seconds=2, sound="sine=f=1000:r=48000")
    output = applied(settings, "replace_audio", clips["plain"], ingested(settings, other))
    command = " ".join(output.made.commands[0])
    assert "[0:1]" not in command
    assert "[1:0]" not in command
