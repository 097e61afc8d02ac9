"""Keyed pictures: the screen is gone, the rest stands, over whatever is laid under."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import X264, clip, ingested, make
from media_assets_tests.measuring import decode, mean_colors, picture_times, pictures

_EXACT = "format=gbrp,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"


def _screen(settings: Settings, screen: str, figure: str = "0xc04040", rate: str = "10") -> SourceFacts:
    """A square of `figure` in the middle of a screen."""
    drawing = f"color={screen}:s=96x64:r={rate}:d=0.5,drawbox=32:16:32:32:{figure}:fill,{_EXACT}"
    path = settings.source_root / "screen.mp4"
    tags = ("-crf", "4", "-colorspace", "bt709", "-color_range", "tv")
    return ingested(settings, make(settings, path, "-f", "lavfi", "-i", drawing, *X264, *tags))


def _rgba(settings: Settings, path: Path, width: int = 96, height: int = 64) -> NDArray[np.uint8]:
    raw = decode(settings, "-i", f"file:{path}", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba")
    return np.frombuffer(raw, np.uint8).reshape(height, width, 4)


@pytest.mark.parametrize(("screen", "color"), [("0x00ff00", "#00ff00"), ("0x0000ff", "blue")])
def test_the_screen_becomes_transparent(screen: str, color: str, settings: Settings) -> None:
    output = applied(settings, "chroma_key", _screen(settings, screen), color=color)
    video = probe(output.path, settings).video
    assert video is not None
    assert video.has_alpha
    shot = _rgba(settings, output.path)
    assert shot[:12, :, 3].max() <= 2
    assert shot[20:44, 36:60, 3].min() >= 250
    assert shot[32, 48, :3] == pytest.approx((0xC0, 0x40, 0x40), abs=8)


def test_the_usual_screens_are_keyed_without_being_told(settings: Settings) -> None:
    for screen in ("0x00ff00", "0x00b140"):
        shot = _rgba(settings, applied(settings, "chroma_key", _screen(settings, screen)).path)
        assert shot[4, 4, 3] <= 2
        assert shot[32, 48, 3] >= 250


@pytest.mark.parametrize("size", ["96x64", "64x96", "200x40"])
def test_a_background_fills_the_frame(size: str, settings: Settings) -> None:
    path = settings.source_root / "blue.mp4"
    blue = ingested(
        settings, clip(settings, path, seconds=0.2, size=size, picture="color=c=blue", sound=None)
    )
    output = applied(settings, "chroma_key", _screen(settings, "0x00ff00"), blue)
    assert output.path.suffix == ".mp4"
    shots = pictures(settings, output.path, 96, 64).astype(int)
    # The background is shorter: its last picture stands.
    assert len(shots) == 5
    for shot in shots:
        assert shot[[2, 2, -3, -3], [2, -3, 2, -3]] == pytest.approx(np.tile((0, 0, 254), (4, 1)), abs=8)
        assert shot[32, 48] == pytest.approx((0xC0, 0x40, 0x40), abs=10)


def test_a_still_lies_under_a_clip_with_uneven_times(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "chroma_key", clips["uneven"], clips["still"], similarity=0.05)
    alone = applied(settings, "resize", clips["uneven"], width=160)
    theirs = picture_times(settings, alone.path)
    assert picture_times(settings, output.path) == pytest.approx(theirs, abs=0.001)


def test_a_transparent_background_leaves_transparency(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "chroma_key", _screen(settings, "0x00ff00"), clips["logo"])
    shot = _rgba(settings, output.path)
    assert shot[2, 2, 3] <= 2
    assert shot[32, 20, 3] >= 250
    assert shot[32, 48, 3] >= 250


def test_what_was_transparent_stays_so(clips: Clips, settings: Settings) -> None:
    shot = _rgba(settings, applied(settings, "chroma_key", clips["transparent"]).path, 160, 90)
    assert shot[0, 0, 3] <= 2


def test_spill_is_taken_out_of_what_is_left(settings: Settings) -> None:
    source = _screen(settings, "0x00ff00", figure="0x90a890")
    with_spill = _rgba(settings, applied(settings, "chroma_key", source, despill=0).path)[32, 48].astype(
        int
    )
    without = _rgba(settings, applied(settings, "chroma_key", source, despill=1).path)[32, 48].astype(int)
    assert with_spill[1] - with_spill[0] > 15
    assert without[1] - without[0] < 6


def test_sound_is_that_of_the_keyed_clip(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "chroma_key", clips["plain"], clips["silent"])
    assert output.made.properties.audio == "aac"
    silent = applied(settings, "chroma_key", clips["silent"], clips["plain"])
    assert silent.made.properties.audio is None
    assert len(mean_colors(settings, silent.path)) == 60


@pytest.mark.parametrize("parameters", [{"color": "greenish"}, {"similarity": 0}, {"blend": 2}])
def test_values_that_are_none_are_refused(
    parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    with pytest.raises(BadInput, match="do not hold"):
        applied(settings, "chroma_key", clips["plain"], **parameters)
