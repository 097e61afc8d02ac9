"""Thumbnails are upright, in the right shape and colour, and the same every time."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from media_assets.errors import FfmpegFailed
from media_assets.media import binaries
from media_assets.media.preview import thumbnail
from media_assets.media.probe import probe
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

_X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
_TOP_RED = "color=blue:s=64x48:r=5:d=1,drawbox=0:0:64:24:red:fill"


def make(settings: Settings, path: Path, *arguments: str) -> Path:
    """Write media to `path` with ffmpeg."""
    run_ffmpeg([*arguments, f"file:{path}"], settings=settings)
    return path


def drawn(path: Path, settings: Settings, width: int = 320) -> npt.NDArray[np.int16]:
    """Pixels (height, width, 3) of the thumbnail of `path`."""
    output = path.parent / f"{path.name}.thumbnail.jpg"
    thumbnail(path, probe(path, settings), output, settings, width)
    video = probe(output, settings).video
    assert video is not None
    assert (video.codec, video.rotation) == ("mjpeg", 0)
    command = [str(binaries.ffmpeg(settings).path), "-v", "error", "-i", f"file:{output}"]
    raw = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], capture_output=True, check=True
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(video.height, video.width, 3).astype(np.int16)


def is_near(pixel: npt.NDArray[np.int16], color: tuple[int, int, int], tolerance: int = 30) -> bool:
    """Whether each component is within `tolerance` (of 255)."""
    return bool(np.all(np.abs(pixel - np.array(color)) <= tolerance))


def test_a_video_gives_its_picture_in_its_colours(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", "-f", "lavfi", "-i", _TOP_RED, *_X264)
    pixels = drawn(path, settings)
    assert pixels.shape == (240, 320, 3)
    assert is_near(pixels[40, 160], (254, 0, 0))
    assert is_near(pixels[200, 160], (0, 0, 254))


def test_a_rotated_video_is_upright(settings: Settings, tmp_path: Path) -> None:
    plain = make(settings, tmp_path / "plain.mp4", "-f", "lavfi", "-i", _TOP_RED, *_X264)
    turned = tmp_path / "turned.mp4"
    make(settings, turned, "-display_rotation", "-90", "-i", f"file:{plain}", "-c", "copy")
    pixels = drawn(turned, settings, 96)
    assert pixels.shape == (128, 96, 3)
    # Turned clockwise, the top is on the right.
    assert is_near(pixels[64, 80], (254, 0, 0))
    assert is_near(pixels[64, 16], (0, 0, 254))


def test_wide_samples_give_a_wide_picture(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", "-f", "lavfi", "-i", f"{_TOP_RED},setsar=3/2", *_X264)
    assert drawn(path, settings).shape == (160, 320, 3)


def test_a_black_beginning_is_not_what_stands_for_a_film(settings: Settings, tmp_path: Path) -> None:
    film = "color=black:s=64x48:r=5:d=2[a];color=lime:s=64x48:r=5:d=6[b];[a][b]concat"
    path = make(settings, tmp_path / "a.mp4", "-filter_complex", film, *_X264, "-g", "5")
    assert is_near(drawn(path, settings)[120, 160], (0, 254, 0))


def test_a_film_of_a_single_keyframe_has_one_too(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=5:d=9"]
    path = make(settings, tmp_path / "a.mkv", *source, *_X264, "-g", "1000", "-sc_threshold", "0")
    assert drawn(path, settings).std() > 20


def test_a_film_without_flagged_keyframes_has_one_too(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=4"]
    refresh = ["-flags", "+global_header", "-x264-params", "intra-refresh=1:keyint=25:bframes=0"]
    drop = ["-bsf:v", "noise=drop=not(n),dump_extra=freq=all"]
    path = make(settings, tmp_path / "a.ts", *source, *_X264, *refresh, *drop)
    assert drawn(path, settings).shape == (240, 320, 3)


def test_transparency_is_shown_on_white(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "color=red@0.0:s=40x20,format=rgba"]
    pixels = drawn(make(settings, tmp_path / "a.png", *source, "-frames:v", "1"), settings)
    assert pixels.shape == (160, 320, 3)
    assert is_near(pixels[80, 160], (255, 255, 255), 6)


def test_white_in_hdr_is_nearly_white(settings: Settings, tmp_path: Path) -> None:
    # 0.58 of the PQ scale is the white of ordinary pictures, 203 cd/m²; without tone mapping it is a
    # middle grey of 148.
    white = "color=0x949494:s=64x48:r=5:d=1,format=yuv420p10le"
    tags = "setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    path = make(settings, tmp_path / "a.mkv", "-f", "lavfi", "-i", f"{white},{tags}", "-c:v", "ffv1")
    pixel = drawn(path, settings)[120, 160]
    assert pixel.max() - pixel.min() < 12
    assert pixel.mean() > 175


def test_sound_is_shown_as_its_waveform(settings: Settings, tmp_path: Path) -> None:
    burst = "sine=frequency=300:duration=2,volume=8,volume=0:enable='gte(t,1)'"
    pixels = drawn(make(settings, tmp_path / "a.wav", "-f", "lavfi", "-i", burst), settings)
    assert pixels.shape == (106, 320, 3)
    loud, quiet = pixels[:, 40:120], pixels[:, 200:280]
    assert (loud.min(axis=2) < 200).mean() > 0.2
    assert (quiet.min(axis=2) < 200).mean() < 0.05


def test_a_very_tall_picture_stays_small(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "color=red:s=10x4000", "-frames:v", "1"]
    pixels = drawn(make(settings, tmp_path / "a.png", *source), settings, 100)
    assert pixels.shape[0] == 400


def test_the_same_file_gives_the_same_bytes(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.mp4", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25:d=4", *_X264)
    info = probe(path, settings)
    for name in ("one.jpg", "two.jpg"):
        thumbnail(path, info, tmp_path / name, settings)
    assert (tmp_path / "one.jpg").read_bytes() == (tmp_path / "two.jpg").read_bytes()


def test_percent_signs_in_names_are_no_sequences(settings: Settings, tmp_path: Path) -> None:
    source = ["-f", "lavfi", "-i", "color=red:s=40x20", "-frames:v", "1", "-update", "1"]
    path = make(settings, tmp_path / "plain.png", *source).rename(tmp_path / "a%03d.png")
    assert is_near(drawn(path, settings)[80, 160], (254, 0, 0))


def test_a_failure_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    path = make(settings, tmp_path / "a.png", "-f", "lavfi", "-i", "color=red:s=40x20", "-frames:v", "1")
    info = probe(path, settings)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FfmpegFailed):
        thumbnail(path, info, tmp_path / "out.jpg", settings)
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.fixtures
def test_all_good_footage_has_a_thumbnail(media_fixtures: Path, settings: Settings, tmp_path: Path) -> None:
    folders = [media_fixtures / "video", media_fixtures / "video_odd"]
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        info = probe(path, settings)
        output = tmp_path / "out.jpg"
        thumbnail(path, info, output, settings)
        shown = probe(output, settings).video
        assert shown is not None
        if info.video is not None:
            expected = 320 * info.video.display_height / info.video.display_width
            assert shown.height == pytest.approx(expected, abs=1), path
