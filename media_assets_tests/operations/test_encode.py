"""encode: codecs, containers, presets; what does not go together; hardware that is not there."""

from __future__ import annotations

import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.media.encode import PROFILES, profile
from media_assets.media.hardware import Encoders, encoders, on_this_machine
from media_assets.media.probe import probe
from media_assets.operations.encode import PRESETS
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.plan import make_plan
from media_assets.settings import Settings
from media_assets_tests.clips import Clips, applied
from media_assets_tests.measuring import pictures

_CODECS = {"h264": "h264", "hevc": "hevc", "av1": "av1", "vp9": "vp9", "prores": "prores", "ffv1": "ffv1"}
_SOUNDS = {"aac": "aac", "mp3": "mp3", "opus": "opus", "flac": "flac", "wav": "pcm_s16le"}
FAST = {"speed": "ultrafast"}


@pytest.mark.parametrize("name", _CODECS)
def test_a_video_in_every_profile_keeps_its_pictures_and_colours(
    name: str, clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "encode", clips["plain"], profile=name)
    found = output.made.properties
    assert (found.video, found.frames, found.width, found.height) == (_CODECS[name], 60, 160, 90)
    assert found.audio is not None
    assert found.duration == pytest.approx(2.0, abs=0.05)
    assert output.path.suffix == f".{profile(name).extension}"
    before, after = (pictures(settings, p).astype(float) for p in (clips["plain"].path, output.path))
    assert abs(before - after).mean() < 4


@pytest.mark.parametrize("name", _SOUNDS)
def test_the_sound_of_a_video_in_every_sound_profile(name: str, clips: Clips, settings: Settings) -> None:
    found = applied(settings, "encode", clips["surround"], profile=name).made.properties
    assert (found.video, found.audio, found.sample_rate) == (None, _SOUNDS[name], 48_000)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_gives_what_it_says(name: str, clips: Clips, settings: Settings) -> None:
    found = applied(settings, "encode", clips["plain"], profile=name).made.properties
    size = PRESETS[name].size
    if size is None:
        assert found.video is None
    else:
        assert found.height == size.height
        assert found.width == (size.width if size.width > 0 else 640)


@pytest.mark.parametrize("name", ["vp9", "prores", "ffv1", "png"])
def test_transparency_survives_where_the_format_can_carry_it(
    name: str, clips: Clips, settings: Settings
) -> None:
    source = clips["logo" if name == "png" else "transparent"]
    output = applied(settings, "encode", source, profile=name)
    video = probe(output.path, settings).video
    assert video is not None
    assert video.has_alpha


def test_a_transparent_picture_lies_on_black_elsewhere(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "encode", clips["transparent"])
    shots = pictures(settings, output.path, 160, 90)
    assert shots[:, :10, :10].max() < 20
    assert shots[:, 30:60, 60:100].mean() > 40


def test_an_mp4_can_be_played_while_it_is_loaded(clips: Clips, settings: Settings) -> None:
    data = applied(settings, "encode", clips["plain"], container="mp4").path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")


@pytest.mark.parametrize(
    ("wanted", "video", "audio", "suffix"),
    [
        ({"container": "webm", **FAST}, "vp9", "opus", ".webm"),
        ({"format": "mkv", **FAST}, "h264", "aac", ".mkv"),
        ({"video_codec": "libx265", **FAST}, "hevc", "aac", ".mp4"),
        ({"audio_codec": "flac", **FAST}, "h264", "flac", ".mp4"),
        ({"container": "mp3"}, None, "mp3", ".mp3"),
        ({"video_codec": "vp9", **FAST}, "vp9", "opus", ".webm"),
        ({"video_codec": "vp9", "audio_codec": "flac", **FAST}, "vp9", "flac", ".mp4"),
    ],
)
def test_what_is_left_out_follows_from_the_rest(
    wanted: dict[str, object], video: str, audio: str, suffix: str, clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "encode", clips["plain"], **wanted)
    assert (output.made.properties.video, output.made.properties.audio) == (video, audio)
    assert output.path.suffix == suffix


@pytest.mark.parametrize(
    ("source", "wanted", "message"),
    [
        ("plain", {"container": "webm", "video_codec": "h264"}, "webm holds no h264"),
        ("plain", {"profile": "nonsense"}, "youtube_1080p"),
        ("plain", {"container": "exe"}, "mkv"),
        ("plain", {"crf": 60}, "at most 51"),
        ("plain", {"crf": 20, "video_bitrate": "2M"}, "not both"),
        ("plain", {"profile": "flac", "audio_bitrate": "128k"}, "lossless"),
        ("plain", {"profile": "png"}, "for stills"),
        ("logo", {"profile": "h264"}, "not for a still"),
        ("song", {"profile": "h264"}, "needs a picture"),
        ("silent", {"profile": "mp3"}, "needs sound"),
        ("plain", {"video_codec": "divx"}, "video codec"),
        ("plain", {"profile": "prores", "hardware": True}, "no hardware"),
        ("plain", {"video_bitrate": "fast"}, "pattern"),
    ],
)
def test_what_does_not_go_together_is_refused(
    source: str, wanted: dict[str, object], message: str, clips: Clips, settings: Settings
) -> None:
    with pytest.raises((BadInput, DocumentError), match=message):
        applied(settings, "encode", clips[source], **wanted)


def test_hardware_is_used_where_it_works_and_said_where_not(clips: Clips, settings: Settings) -> None:
    wanted = OperationSpec.model_validate(
        {"op": "encode", "input": "in", "output": "out", "params": {"hardware": True}}
    )
    sources = {"in": clips["plain"]}
    without = make_plan([wanted], sources, Encoders("9")).nodes["out"]
    assert "libx264 is used" in without.note
    there = make_plan([wanted], sources, Encoders("9", lambda o: o["c:v"] == "h264_qsv")).nodes["out"]
    assert "h264_qsv" in there.note
    assert without.recipe.id == there.recipe.id
    assert without.recipe.fingerprint != there.recipe.fingerprint


def test_an_encoder_is_probed_by_encoding(settings: Settings) -> None:
    machine = encoders(settings)
    assert machine.works(PROFILES["h264"].video or {})
    assert not machine.works({"c:v": "no_such_encoder"})
    assert on_this_machine(PROFILES["h264"], machine) == (PROFILES["h264"], "")
