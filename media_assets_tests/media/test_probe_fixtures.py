"""What `probe` says of real footage, each known trap by its name."""

from __future__ import annotations

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from media_assets.errors import BadInput, CorruptMedia, NotMedia
from media_assets.media.info import MediaInfo, VideoStream
from media_assets.media.probe import probe
from media_assets.settings import Settings

pytestmark = pytest.mark.fixtures


def found(folder: Path, name: str) -> Path:
    """The one fixture of that name."""
    (path,) = (path for path in folder.rglob("*") if path.name == name)
    return path


def picture(info: MediaInfo) -> VideoStream:
    """Its first picture stream."""
    assert info.video is not None
    return info.video


def test_good_files_are_accepted_as_the_manifest_describes_them(
    media_fixtures: Path, settings: Settings
) -> None:
    with (media_fixtures / "MANIFEST.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["path"] is not None]
    good = [row for row in rows if row["path"].split("/")[0] in ("video", "audio")]
    assert len(good) > 30
    for row in good:
        info = probe(media_fixtures / row["path"], settings)
        assert info.kind == row["path"].split("/")[0], row["path"]
        if info.kind == "video":
            assert f"{picture(info).width}x{picture(info).height}" == row["WxH"], row["path"]
            assert float(picture(info).fps or 0) == pytest.approx(float(Fraction(row["fps"])), rel=0.05)
            assert bool(info.audios) == bool(row["audio_codec"]), row["path"]
        # The manifest has the container's claim, which for delayed_start.mp4 includes the delay.
        if not row["path"].endswith("delayed_start.mp4"):
            assert info.duration == pytest.approx(float(row["duration_s"]), rel=0.06), row["path"]


def test_every_odd_file_is_accepted(media_fixtures: Path, settings: Settings) -> None:
    for path in sorted(path for path in (media_fixtures / "video_odd").rglob("*") if path.is_file()):
        info = probe(path, settings)
        assert info.duration, path
        assert MediaInfo.from_json(info.to_json()) == info


def test_every_refusal_of_a_corrupt_file_says_why(media_fixtures: Path, settings: Settings) -> None:
    for path in sorted(path for path in (media_fixtures / "corrupt").rglob("*") if path.is_file()):
        try:
            info = probe(path, settings)
        except BadInput as error:
            assert len(error.message) > 10 or error.message == "it is empty", path
            assert error.where == str(path)
            assert "0x7f" not in error.message, path
        else:
            assert info.videos or info.audios, path


def test_xhe_aac_is_sound_where_ffmpeg_decodes_it_and_refused_with_words_where_not(
    media_fixtures: Path, settings: Settings
) -> None:
    path = found(media_fixtures, "sine-3s-xhe-aac-44khz-mono.mp4")
    try:
        info = probe(path, settings)
    except CorruptMedia as error:
        assert len(error.message) > 10
    else:
        assert info.kind == "audio"
        assert info.duration == pytest.approx(3.0, abs=0.1)


def test_a_flac_on_which_ffprobe_says_nothing_is_refused_with_words(
    media_fixtures: Path, settings: Settings
) -> None:
    with pytest.raises(CorruptMedia, match="ended with status 1 and said nothing"):
        probe(found(media_fixtures, "08 - blocksize 65536.flac"), settings)


def test_an_mp4_without_streams_is_not_media(media_fixtures: Path, settings: Settings) -> None:
    with pytest.raises(NotMedia, match="no picture and no sound"):
        probe(found(media_fixtures, "Mpeg4.mp4"), settings)


def test_a_rotation_that_is_no_number_is_ignored_with_a_warning(
    media_fixtures: Path, settings: Settings
) -> None:
    info = probe(found(media_fixtures, "no_timescale.mp4"), settings)
    assert picture(info).rotation == 0
    assert any("rotation is not a number" in warning for warning in info.warnings)


def test_a_fragmented_file_has_its_true_length(media_fixtures: Path, settings: Settings) -> None:
    info = probe(found(media_fixtures, "sample_fragmented.mp4"), settings)
    assert info.duration == pytest.approx(1.05, abs=0.1)


@pytest.mark.parametrize(
    "name", ["awesome'movie.mov", "file+with+data&streams=works?.mp4", "sideways movie.mov"]
)
def test_quotes_and_signs_in_names(name: str, media_fixtures: Path, settings: Settings) -> None:
    assert probe(found(media_fixtures, name), settings).kind == "video"


def test_all_streams_are_listed_in_the_order_of_the_file(media_fixtures: Path, settings: Settings) -> None:
    info = probe(found(media_fixtures, "nasa_13013.mp4"), settings)
    assert [stream.index for stream in info.videos] == [0, 3]
    assert [stream.index for stream in info.audios] == [1, 4]
    assert [stream.index for stream in info.subtitles] == [2, 5]
    assert info.duration == pytest.approx(13.056, abs=0.01)


def test_rectangular_samples(media_fixtures: Path, settings: Settings) -> None:
    video = picture(probe(found(media_fixtures, "video_with_rectangular_samples.mp4"), settings))
    assert (video.width, video.height, video.sar) == (1280, 1080, Fraction(3, 2))
    assert (video.display_width, video.display_height) == (1920, 1080)


def test_rotated_ten_bit_hlg(media_fixtures: Path, settings: Settings) -> None:
    info = probe(found(media_fixtures, "rotated_hdr_video.mov"), settings)
    video = picture(info)
    assert (video.bit_depth, video.hdr, video.rotation) == (10, "hlg", 90)
    assert (video.display_width, video.display_height) == (1080, 1920)
    assert info.audios == ()


def test_pq_in_av1(media_fixtures: Path, settings: Settings) -> None:
    video = picture(probe(found(media_fixtures, "hdr10-av1.mp4"), settings))
    assert (video.codec, video.hdr, video.bit_depth) == ("av1", "pq", 10)


def test_a_reflected_video_is_mirrored(media_fixtures: Path, settings: Settings) -> None:
    video = picture(probe(found(media_fixtures, "sample_rotate_and_reflect.mp4"), settings))
    assert (video.rotation, video.mirrored, video.display_width) == (90, True, 720)


@pytest.mark.parametrize(
    ("name", "size", "rotation"),
    [
        ("Landscape_1.jpg", (1800, 1200), 0),
        ("Landscape_6.jpg", (1800, 1200), 90),
        ("Portrait_3.jpg", (1200, 1800), 180),
        ("Portrait_8.jpg", (1200, 1800), 270),
    ],
)
def test_exif_orientation(
    name: str, size: tuple[int, int], rotation: int, media_fixtures: Path, settings: Settings
) -> None:
    video = picture(probe(found(media_fixtures, name), settings))
    assert (video.display_width, video.display_height) == size
    assert video.rotation == rotation


def test_time_bases_are_not_taken_for_frame_rates(media_fixtures: Path, settings: Settings) -> None:
    for name in ("sample.flv", "sample_with_ass_subtitles.mkv"):
        video = picture(probe(found(media_fixtures, name), settings))
        assert video.fps == pytest.approx(30, rel=0.01), name


def test_empty_streams_are_left_out_with_a_warning(media_fixtures: Path, settings: Settings) -> None:
    no_picture = probe(found(media_fixtures, "sample_empty_track.mp4"), settings)
    no_sound = probe(found(media_fixtures, "test-no-audio-segment.ts"), settings)
    assert (len(no_picture.videos), len(no_sound.audios)) == (1, 0)
    assert any("picture stream 1" in warning for warning in no_picture.warnings)
    assert any("sound stream 1" in warning for warning in no_sound.warnings)


def test_headers_that_lie_about_the_length(media_fixtures: Path, settings: Settings) -> None:
    cut = probe(found(media_fixtures, "fixture2.mkv"), settings)
    samples = probe(found(media_fixtures, "05 - wrong total number of samples.flac"), settings)
    assert cut.duration == pytest.approx(1.7, abs=0.1)
    assert samples.duration == pytest.approx(4.6, abs=0.1)
    assert any("claims 1132" in warning for warning in cut.warnings)


def test_covers_are_not_videos(media_fixtures: Path, settings: Settings) -> None:
    for name in ("bear-id3.mp3", "bear_with_picture.flac", "Kevin_MacLeod_-_Vibe_Ace.ogg"):
        info = probe(found(media_fixtures, name), settings)
        assert (info.kind, len(info.attached_pictures)) == ("audio", 1), name


@pytest.mark.parametrize("name", ["webp.webp", "png-truncated.png", "tiff.tif", "gif.gif", "wav.wav"])
def test_headers_without_content_are_corrupt(name: str, media_fixtures: Path, settings: Settings) -> None:
    with pytest.raises(CorruptMedia, match="cannot be decoded"):
        probe(found(media_fixtures, name), settings)


def test_a_drawing_is_refused_with_advice(media_fixtures: Path, settings: Settings) -> None:
    with pytest.raises(NotMedia, match="export it as PNG"):
        probe(found(media_fixtures, "icon.svg"), settings)
