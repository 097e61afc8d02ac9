"""What is heard and seen in files: tempo, speech, silence, cuts, sharpness, motion, focus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import CorruptMedia, NotMedia
from media_assets.media.analysis import beats as listening
from media_assets.media.analysis.beats import Beats, NoBeat, analyse_beats, beats_of
from media_assets.media.analysis.decoding import decode_sound
from media_assets.media.analysis.picture import analyse_picture, picture_content
from media_assets.media.analysis.rhythm import SOUND_RATE
from media_assets.media.analysis.sound import analyse_sound, sound_content
from media_assets.media.analysis.spectrum import SOUND_RATE as VOICE_RATE
from media_assets.media.info import MediaInfo
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets_tests.making import X264, clip, make

# librosa takes seconds to load: once is enough.
pytestmark = pytest.mark.xdist_group("librosa")

LOOPS = {"loop_amen_full.flac": 140.0, "loop_garzul.flac": 120.0, "loop_compus.flac": 148.0}


def clicks(times: NDArray[np.float64], seconds: float) -> NDArray[np.float32]:
    """A short tone at each time."""
    sound = np.zeros(round(seconds * SOUND_RATE), np.float32)
    tone = np.sin(np.arange(2000) * 0.3) * np.exp(-np.arange(2000) / 300)
    for time in times:
        part = sound[round(time * SOUND_RATE) :][:2000]
        part += 0.7 * tone[: len(part)].astype(np.float32)
    return sound


def of(settings: Settings, path: Path, tmp_path: Path, seconds: float = 60) -> NDArray[np.float32]:
    """The sound of a file, as it is listened to for speech."""
    info = probe(path, settings)
    return decode_sound(path, info, settings, tmp_path, rate=VOICE_RATE, seconds=seconds)


@pytest.mark.fixtures
@pytest.mark.parametrize(("name", "bpm"), LOOPS.items())
def test_tempo_of_loops_is_within_a_percent(
    media_fixtures: Path, settings: Settings, tmp_path: Path, name: str, bpm: float
) -> None:
    path = media_fixtures / "audio" / "sonic-pi-samples" / name
    found = analyse_beats(path, probe(path, settings), settings, tmp_path)
    assert found.bpm == pytest.approx(bpm, rel=0.01)
    assert len(found.times) == 16
    assert np.abs(np.array(found.times) - np.arange(16) * 60 / bpm).max() < 0.03
    assert found.steady
    assert list(tmp_path.glob("*.f32")) == []


@pytest.mark.fixtures
@pytest.mark.parametrize(
    ("name", "bpm"), [("Kevin_MacLeod_-_Vibe_Ace.ogg", 130), ("admiralbob77_-_Choice_-_Drum-bass.ogg", 136)]
)
def test_tempo_of_long_music(
    media_fixtures: Path, settings: Settings, tmp_path: Path, name: str, bpm: float
) -> None:
    path = media_fixtures / "audio" / "data" / name
    found = analyse_beats(path, probe(path, settings), settings, tmp_path)
    assert found.bpm == pytest.approx(bpm, rel=0.01)
    assert np.all(np.diff(found.times) > 0.3)


@pytest.mark.fixtures
def test_speech_has_no_beat(media_fixtures: Path, settings: Settings, tmp_path: Path) -> None:
    path = media_fixtures / "audio" / "data" / "198-209-0000.ogg"
    found = analyse_beats(path, probe(path, settings), settings, tmp_path)
    assert found.bpm is None
    with pytest.raises(NoBeat, match="does not repeat"):
        found.found("talk.ogg")
    assert Beats.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("sound", "reason"),
    [
        (np.zeros(SOUND_RATE * 5, np.float32), "silent"),
        (np.zeros(SOUND_RATE, np.float32), "shorter"),
        (np.random.default_rng(1).normal(0, 0.1, SOUND_RATE * 5).astype(np.float32), "repeat"),
    ],
    ids=["silence", "short", "noise"],
)
def test_nothing_to_tap_to_is_said(sound: NDArray[np.float32], reason: str) -> None:
    found = beats_of(sound)
    assert found.bpm is None
    assert reason in (found.reason or "")


def test_beats_are_where_clicks_are() -> None:
    times = np.arange(0.2, 15, 60 / 97.3)
    found = beats_of(clicks(times, 15))
    assert found.bpm == pytest.approx(97.3, rel=0.002)
    assert np.abs(np.array(found.times[: len(times)]) - times[: len(found.times)]).max() < 0.01


def test_a_tempo_that_wanders_is_followed() -> None:
    gaps = 0.5 * (1 + 0.07 * np.sin(np.arange(50) / 7))
    times = np.cumsum(gaps)
    found = beats_of(clicks(times, 27))
    assert not found.steady
    heard = np.array(found.times)
    off = [np.abs(heard - time).min() for time in times[2:-2]]
    assert np.mean(np.array(off) < 0.03) > 0.9


def test_listening_stops_after_its_limit(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(settings, tmp_path / "long.wav", "-f", "lavfi", "-i", "sine=f=440:d=9")
    monkeypatch.setattr(listening, "LONGEST_SECONDS", 4.0)
    assert analyse_beats(path, probe(path, settings), settings, tmp_path).seconds == 4.0


@pytest.mark.fixtures
def test_speech_is_told_from_music(media_fixtures: Path, settings: Settings, tmp_path: Path) -> None:
    """Speech, then drums: measured on real sound."""
    speech = of(settings, media_fixtures / "audio/data/198-209-0000.ogg", tmp_path)
    drums = [of(settings, media_fixtures / "audio/sonic-pi-samples" / name, tmp_path) for name in LOOPS]
    for loop in drums:
        assert sound_content(loop).speech == ()
    both = sound_content(np.concatenate([speech, *drums]))
    covered = sum(end - start for start, end in both.speech)
    assert covered > 0.85 * len(speech) / VOICE_RATE
    assert both.speech[-1][1] < len(speech) / VOICE_RATE + 1.0


@pytest.mark.fixtures
@pytest.mark.parametrize(
    "name",
    ["video_odd/torchcodec/nasa_13013.mp4", "video_odd/streamio-ffmpeg/file+with+data&streams=works?.mp4"],
)
def test_speech_in_footage(media_fixtures: Path, settings: Settings, tmp_path: Path, name: str) -> None:
    found = sound_content(of(settings, media_fixtures / name, tmp_path))
    assert sum(end - start for start, end in found.speech) > 0.7 * found.seconds


def test_silence_and_loudness(settings: Settings, tmp_path: Path) -> None:
    tone = "aevalsrc='0.5*sin(2*PI*440*t)*not(between(t,1,2.2))':d=4:s=48000"
    path = make(settings, tmp_path / "gap.wav", "-f", "lavfi", "-i", tone)
    found = analyse_sound(path, probe(path, settings), settings, tmp_path)
    ((start, end),) = found.silences
    assert start == pytest.approx(1.0, abs=0.05)
    assert end == pytest.approx(2.2, abs=0.05)
    assert found.loudness[0] == pytest.approx(-9.03, abs=0.2)
    assert found.loudness[1] < -70
    assert found.speech == ()


def test_cuts_sharpness_and_brightness(settings: Settings, tmp_path: Path) -> None:
    """A sharp picture, then from 2 s on a dark and blurred one."""
    graph = "[0:v]trim=duration=2[a];[0:v]trim=duration=2,gblur=8,eq=brightness=-0.4[b];[a][b]concat"
    path = make(
        settings,
        tmp_path / "cut.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=4", "-filter_complex", graph),
        *X264,
    )
    found = analyse_picture(path, probe(path, settings), settings, tmp_path)
    assert list(found.cuts) == pytest.approx([2.0], abs=0.05)
    assert len(found.sharpness) == 4
    assert found.sharpness[0] > 4 * found.sharpness[3]
    assert found.brightness[0] > found.brightness[3] + 0.2
    assert found.seconds == 4.0


def test_the_focus_follows_what_moves() -> None:
    """A bright square that moves up and down at the right; texture everywhere."""
    random = np.random.default_rng(2)
    pictures = np.repeat(random.integers(90, 110, (1, 90, 160), np.uint8), 12, axis=0)
    for index in range(12):
        top = 20 + 5 * (index % 4)
        pictures[index, top : top + 20, 120:140] = 250
    colors = np.repeat(pictures[::4, :, :, None], 3, axis=3)
    found = picture_content(pictures, (), colors)
    assert len(found.focus) == 3
    for x, y in found.focus:
        assert x == pytest.approx(130 / 160, abs=0.08)
        assert y == pytest.approx(38 / 90, abs=0.12)
    still = picture_content(pictures[:1], (), colors[:1])
    assert still.motion == (0.0,)
    assert still.focus[0][0] > 0.55


@pytest.mark.parametrize("seconds", [0.04, 0.2])
def test_a_moment_of_picture_is_seen(settings: Settings, tmp_path: Path, seconds: float) -> None:
    path = clip(settings, tmp_path / "moment.mp4", seconds=seconds, sound=None)
    assert len(analyse_picture(path, probe(path, settings), settings, tmp_path).sharpness) == 1


def test_what_cannot_be_analysed_is_a_typed_error(settings: Settings, tmp_path: Path) -> None:
    path = clip(settings, tmp_path / "mute.mp4", seconds=0.5, sound=None)
    info = probe(path, settings)
    with pytest.raises(NotMedia, match="no sound"):
        analyse_beats(path, info, settings, tmp_path)
    with pytest.raises(NotMedia, match="no picture"):
        analyse_picture(path, MediaInfo("audio", "wav", 1), settings, tmp_path)
    path.write_bytes(b"\0" * 4000)
    with pytest.raises(CorruptMedia):
        analyse_picture(path, info, settings, tmp_path)
