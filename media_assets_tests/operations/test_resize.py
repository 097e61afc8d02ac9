"""A resized picture has the size that was asked for, and its shape: upright, unstretched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import X264, clip, ingested, make, solid
from media_assets_tests.measuring import decode, mean_colors


def _first(settings: Settings, path: Path, width: int, height: int) -> NDArray[np.uint8]:
    """The first picture as (height, width, RGB), every pixel."""
    raw = decode(settings, "-i", f"file:{path}", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24")
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize(
    ("source", "parameters", "size"),
    [
        ("plain", {"width": 80}, (80, 44)),
        ("plain", {"height": 45}, (80, 44)),
        ("plain", {"width": 94}, (94, 52)),
        ("plain", {"width": -2, "height": 180}, (320, 180)),
        ("plain", {"width": 101, "height": 77}, (100, 76)),
        ("vertical", {"width": 160, "height": 90}, (160, 90)),
        ("vertical", {"height": 80}, (44, 80)),
        ("rotated", {"height": 80}, (44, 80)),
        ("anamorphic", {"height": 90}, (214, 90)),
        ("odd", {"width": 80}, (80, 46)),
        ("plain", {"width": 64, "height": 64, "fit": "crop"}, (64, 64)),
        ("plain", {"width": 64, "height": 64, "fit": "stretch"}, (64, 64)),
        ("rotated", {"width": 64, "height": 64, "fit": "crop"}, (64, 64)),
    ],
)
def test_sizes(
    source: str, parameters: dict[str, Any], size: tuple[int, int], clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "resize", clips[source], **parameters)
    video = probe(output.path, settings).video
    assert video is not None
    assert (video.width, video.height, video.rotation) == (*size, 0)
    assert video.sar == 1


def test_the_shape_is_kept_and_the_rest_is_black(settings: Settings) -> None:
    white = ingested(settings, solid(settings, settings.source_root / "white.mp4", "white", seconds=0.5))
    picture = _first(settings, applied(settings, "resize", white, width=160, height=160).path, 160, 160)
    assert picture[:34].max() <= 4
    assert picture[-34:].max() <= 4
    assert picture[37:-37].min() >= 250


def test_full_range_pictures_are_padded_with_black_too(settings: Settings) -> None:
    path = settings.source_root / "full.mp4"
    gray = "color=gray:s=160x90:r=30:d=0.5,scale=out_range=pc,format=yuv420p"
    tags = ("-color_range", "pc", "-colorspace", "bt709")
    make(settings, path, "-f", "lavfi", "-i", gray, *X264, *tags)
    output = applied(settings, "resize", ingested(settings, path), width=160, height=160)
    picture = _first(settings, output.path, 160, 160)
    assert picture[:34].max() <= 4
    assert picture[60:100].mean() == pytest.approx(128, abs=4)


@pytest.mark.parametrize("width", [94, 100, 98])
def test_a_side_that_follows_leaves_no_border(width: int, settings: Settings) -> None:
    white = ingested(settings, solid(settings, settings.source_root / "white.mp4", "white", seconds=0.5))
    output = applied(settings, "resize", white, width=width)
    height = output.made.properties.height
    assert height is not None
    assert _first(settings, output.path, width, height).min() >= 250


def test_crop_fills_the_frame_from_the_middle(settings: Settings) -> None:
    """Red, green and blue thirds: only green is left in a square."""
    thirds = (f"color={color}:s=90x90:d=0.5[{color}]" for color in ("red", "green", "blue"))
    bars = ";".join(thirds) + ";[red][green][blue]hstack=3"
    path = make(settings, settings.source_root / "bars.mp4", "-f", "lavfi", "-i", bars, *X264)
    output = applied(settings, "resize", ingested(settings, path), width=60, height=60, fit="crop")
    middle = _first(settings, output.path, 60, 60)[:, 4:-4].astype(int)
    assert (middle[..., 1] > middle[..., 0] + 60).all()
    assert (middle[..., 1] > middle[..., 2] + 60).all()


def test_a_turned_picture_is_upright(settings: Settings) -> None:
    """Red above blue as a person sees it, whatever the file stores."""
    plain = "color=blue:s=64x48:r=10:d=0.5,drawbox=0:0:64:24:red:fill"
    stored = make(settings, settings.data_root / "stored.mp4", "-f", "lavfi", "-i", plain, *X264)
    path = settings.source_root / "turned.mp4"
    make(settings, path, "-display_rotation", "180", "-i", f"file:{stored}", "-c", "copy")
    picture = _first(settings, applied(settings, "resize", ingested(settings, path), width=32).path, 32, 24)
    assert picture[4, 16, 2] > 200 > picture[4, 16, 0]
    assert picture[20, 16, 0] > 200 > picture[20, 16, 2]


@pytest.mark.parametrize("operation", ["trim", "resize"])
@pytest.mark.parametrize("size", ["1280x720", "64x48"])
def test_untagged_colours_are_those_that_players_show(
    size: str, operation: str, settings: Settings
) -> None:
    """A player takes an untagged picture for BT.709 from 720 lines on, and for BT.601 below."""
    matrix = "bt709" if size == "1280x720" else "smpte170m"
    orange = f"color=0xe08020:s={size}:r=5:d=0.4,format=gbrp,scale=out_color_matrix={matrix},format=yuv420p"
    untagged = "setparams=colorspace=unknown:color_primaries=unknown:color_trc=unknown:range=unspecified"
    path = settings.source_root / "untagged.mp4"
    make(settings, path, "-f", "lavfi", "-i", f"{orange},{untagged}", *X264)
    parameters = {"width": 64} if operation == "resize" else {}
    output = applied(settings, operation, ingested(settings, path), **parameters)
    assert mean_colors(settings, output.path)[0] == pytest.approx([0xE0, 0x80, 0x20], abs=6)


def test_high_dynamic_range_is_brought_to_an_ordinary_screen(settings: Settings) -> None:
    path = settings.source_root / "hlg.mp4"
    tags = ("-x264-params", "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc")
    # 75 % of the signal is the white of ordinary pictures (ITU-R BT.2408).
    white = "color=black:s=64x48:r=5:d=0.4,format=yuv420p10le,geq=lum=721:cb=512:cr=512"
    make(settings, path, "-f", "lavfi", "-i", white, *X264, "-pix_fmt", "yuv420p10le", *tags)
    source = ingested(settings, path)
    assert source.info.video is not None
    assert source.info.video.hdr == "hlg"
    output = applied(settings, "trim", source)
    video = probe(output.path, settings).video
    assert video is not None
    assert (video.hdr, video.color_transfer, video.color_space) == (None, "bt709", "bt709")
    red, green, blue = mean_colors(settings, output.path)[0]
    assert max(red, green, blue) - min(red, green, blue) < 3
    assert red > 150


@pytest.mark.parametrize(
    "parameters",
    [{}, {"width": 0}, {"width": -3}, {"width": 20_000}, {"width": 80, "fit": "squeeze"}, {"width": 80.5}],
)
def test_a_size_that_is_none_is_refused(
    parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    with pytest.raises(BadInput):
        applied(settings, "resize", clips["plain"], **parameters)


def test_sound_passes_by(settings: Settings) -> None:
    source = ingested(settings, clip(settings, settings.source_root / "a.mp4", seconds=1))
    output = applied(settings, "resize", source, width=80)
    assert output.made.properties.duration == pytest.approx(1.0, abs=0.03)
    assert output.made.properties.audio == "aac"
