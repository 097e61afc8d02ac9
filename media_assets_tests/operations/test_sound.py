"""Loudness comes out as asked, and sound that is taken out of a clip is all there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.operations.registry import operation, read_parameters
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import ingested, make
from media_assets_tests.measuring import frequency, loudness, samples

_TONE = "sine=f=440:r=48000"
SOUNDS = {
    "quiet": f"{_TONE},volume=-20dB",
    "noise": "anoisesrc=a=0.9:r=44100:seed=1",
    "bursts": r"aevalsrc=0.9*sin(2*PI*440*t)*(0.02+0.98*gt(sin(2*PI*0.7*t)\,0.8)):s=48000",
    "mono": "sine=f=440:r=22050",
}


def _sound(settings: Settings, expression: str, seconds: float = 4.0) -> SourceFacts:
    path = settings.source_root / "sound.wav"
    make(settings, path, "-f", "lavfi", "-i", expression, "-t", str(seconds), "-c:a", "pcm_s16le")
    return ingested(settings, path)


@pytest.mark.parametrize("target", [-16.0, -23.0])
@pytest.mark.parametrize("sound", sorted(SOUNDS))
def test_loudness_is_the_target(sound: str, target: float, settings: Settings) -> None:
    source = _sound(settings, SOUNDS[sound])
    found = loudness(settings, applied(settings, "normalize_audio", source, target_lufs=target).path)
    # AAC drops the highest frequencies, of which white noise has as many as of others.
    assert found.integrated == pytest.approx(target, abs=0.7 if sound == "noise" else 0.5)
    assert found.true_peak is not None
    assert found.true_peak <= -1.5


@pytest.mark.fixtures
@pytest.mark.parametrize("target", [-16.0, -14.0])
@pytest.mark.parametrize(
    "name",
    [
        "audio/sonic-pi-samples/loop_amen_full.flac",
        "audio/data/admiralbob77_-_Choice_-_Drum-bass.ogg",
        "audio/streamio-ffmpeg/hello.wav",
        "video/moviepy/chaplin.mp4",
    ],
)
def test_loudness_of_footage_is_the_target(
    name: str, target: float, media_fixtures: Path, settings: Settings
) -> None:
    path = settings.source_root / Path(name).name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(media_fixtures / name, path)
    output = applied(settings, "normalize_audio", ingested(settings, path), target_lufs=target)
    found = loudness(settings, output.path)
    assert found.integrated == pytest.approx(target, abs=0.5)
    assert found.true_peak is not None
    assert found.true_peak <= -1.5


def test_names_of_targets_that_documents_use(settings: Settings) -> None:
    kind = operation("loudnorm")
    given = {"target_i": -20, "target_tp": -2, "target_lra": 8}
    read = read_parameters(kind, given, "$").model_dump()
    assert read == {"target_lufs": -20, "true_peak": -2, "loudness_range": 8}


def test_wide_loudness_is_compressed_only_when_asked(settings: Settings) -> None:
    """A quarter of it 20 dB quieter: twenty LU of range."""
    steps = r"aevalsrc=0.3*sin(2*PI*440*t)*(0.1+0.9*gt(mod(t\,16)\,8)):s=48000"
    source = _sound(settings, steps, 32)
    ranges = {}
    for asked in (None, 7):
        parameters = {} if asked is None else {"target_lra": asked}
        found = loudness(settings, applied(settings, "normalize_audio", source, **parameters).path)
        assert found.integrated == pytest.approx(-16, abs=0.5)
        ranges[asked] = found.range or 0
    assert ranges[None] == pytest.approx(20, abs=1)
    assert ranges[7] < 12


def test_measuring_decodes_only_sound(clips: Clips, settings: Settings) -> None:
    commands = applied(settings, "normalize_audio", clips["plain"]).made.commands
    assert all("[0:0]" not in " ".join(command) for command in commands[:-1])
    assert "[0:0]" in " ".join(commands[-1])


def test_a_second_is_enough_to_be_brought_to_the_target(settings: Settings) -> None:
    source = _sound(settings, _TONE, 1)
    found = loudness(settings, applied(settings, "normalize_audio", source).path)
    assert found.integrated == pytest.approx(-16, abs=0.5)


def test_peaks_stay_under_the_ceiling_where_the_target_is_out_of_reach(settings: Settings) -> None:
    clicks = r"aevalsrc=0.01*sin(2*PI*440*t)+0.95*lt(mod(t\,1)\,0.003):s=48000"
    found = loudness(settings, applied(settings, "normalize_audio", _sound(settings, clicks, 6)).path)
    assert found.true_peak is not None
    assert found.true_peak <= -1.5


def test_silence_stays_silence(settings: Settings) -> None:
    output = applied(settings, "normalize_audio", _sound(settings, "anullsrc=r=48000", 1))
    assert np.abs(samples(settings, output.path)).max() < 1e-4
    assert "measured" not in output.made.notes
    assert "loudness_lufs" not in output.made.notes


def test_what_was_measured_is_noted(settings: Settings) -> None:
    output = applied(settings, "normalize_audio", _sound(settings, SOUNDS["quiet"], 1))
    assert output.made.notes["measured"]["integrated"] == pytest.approx(-41.8, abs=4)
    assert len(output.made.commands) == 2
    json.dumps(dict(output.made.notes))


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [
        ("aac", "mov,mp4,m4a,3gp,3g2,mj2", "aac"),
        ("mp3", "mp3", "mp3"),
        ("opus", "ogg", "opus"),
        ("flac", "flac", "flac"),
        ("wav", "wav", "pcm_s16le"),
    ],
)
def test_formats(name: str, container: str, codec: str, clips: Clips, settings: Settings) -> None:
    output = applied(settings, "extract_audio", clips["mono"], format=name)
    info = probe(output.path, settings)
    assert (info.kind, info.container, info.videos) == ("audio", container, ())
    assert info.audio is not None
    assert (info.audio.codec, info.audio.channels, info.audio.sample_rate) == (codec, 2, 48_000)
    sound = samples(settings, output.path)
    assert len(sound) == pytest.approx(96_000, abs=2500)
    assert frequency(sound[24_000:72_000]) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("channel", ["FL", "FR", "FC", "BL", "BR"])
def test_every_channel_is_heard(channel: str, settings: Settings) -> None:
    names = ("FL", "FR", "FC", "LFE", "BL", "BR")
    gains = "|".join(f"{name}={int(name == channel)}*c0" for name in names)
    source = _sound(settings, f"{_TONE},pan=5.1|{gains}", 1)
    assert source.info.audio is not None
    assert source.info.audio.channels == 6
    sound = samples(settings, applied(settings, "extract_audio", source, format="wav").path)
    assert np.abs(sound).max() > 0.015


def test_only_the_sound_is_decoded(clips: Clips, settings: Settings) -> None:
    command = applied(settings, "extract_audio", clips["plain"]).made.commands[0]
    assert "0:0" not in " ".join(command)


@pytest.mark.parametrize("bitrate", ["96k", "192k", "320k"])
def test_an_mp3_has_the_bit_rate(bitrate: str, clips: Clips, settings: Settings) -> None:
    output = applied(settings, "to_mp3", clips["plain"], bitrate=bitrate)
    info = probe(output.path, settings)
    assert info.audio is not None
    assert info.audio.codec == "mp3"
    seconds = info.duration or 0
    assert info.size * 8 / seconds == pytest.approx(int(bitrate[:-1]) * 1000, rel=0.1)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("to_mp3", {"bitrate": "100k"}),
        ("extract_audio", {"format": "wma"}),
        ("normalize_audio", {"target_lufs": 0}),
        ("normalize_audio", {"target_lufs": float("nan")}),
        ("normalize_audio", {"true_peak": 3}),
        ("normalize_audio", {"loudness_range": 0}),
        ("crossfade_transition", {"duration": 0}),
        ("crossfade_transition", {"duration": "1m 30"}),
        ("crossfade_transition", {"transition": "explode"}),
    ],
)
def test_values_out_of_range_are_refused(
    operation: str, parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    inputs = [clips["plain"]] * (2 if operation == "crossfade_transition" else 1)
    with pytest.raises(BadInput, match="do not hold"):
        applied(settings, operation, *inputs, **parameters)
