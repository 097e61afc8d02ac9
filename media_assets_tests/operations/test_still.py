"""A still lasts as long as asked for and is moved over evenly; fields become pictures; shaking stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets.store.outputs import Output
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import ingested, make
from media_assets_tests.measuring import decode, picture_times


def _luma(settings: Settings, output: Output) -> NDArray[np.uint8]:
    """Every picture's brightness, as (frames, height, width)."""
    found = output.made.properties
    only = ("-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray")
    raw = decode(settings, "-i", f"file:{output.path}", *only)
    return np.frombuffer(raw, np.uint8).reshape(-1, found.height or 0, found.width or 0)


@pytest.mark.parametrize(
    ("parameters", "frames", "size"),
    [
        ({"duration": "1s", "fps": 25}, 25, (160, 90)),
        ({"duration": 0.5, "fps": "29.97"}, 15, (160, 90)),
        ({"duration": 1, "fps": 10, "width": 64, "height": 64}, 10, (64, 64)),
        ({"duration": 1, "fps": 10, "width": 320}, 10, (320, 180)),
        ({"duration": 1, "fps": 10, "width": 64, "height": 64, "fit": "crop", "zoom": 2}, 10, (64, 64)),
    ],
)
def test_a_still_has_as_many_pictures_as_asked_for(
    parameters: dict[str, Any], frames: int, size: tuple[int, int], clips: Clips, settings: Settings
) -> None:
    found = applied(settings, "image_to_video", clips["still"], **parameters).made.properties
    assert (found.frames, found.audio) == (frames, None)
    assert (found.width, found.height) == pytest.approx(size, abs=2)


def test_the_camera_moves_evenly(settings: Settings) -> None:
    """A white bar in the middle: it grows by the zoom, and a pan shifts it by small equal steps."""
    bar = "color=black:s=320x180,drawbox=140:0:40:180:white:fill"
    path = settings.source_root / "bar.png"
    still = ingested(settings, make(settings, path, "-f", "lavfi", "-i", bar, "-frames:v", "1"))
    options: dict[str, Any] = {"duration": 1, "fps": 20}
    grown = _luma(settings, applied(settings, "image_to_video", still, zoom=2, **options))
    widths = grown[:, 90].sum(axis=1) / 255
    assert (widths[0], widths[-1] / widths[0]) == (pytest.approx(40, abs=2), pytest.approx(2, abs=0.02))
    assert np.all(np.diff(widths) > 0.5)
    moved = _luma(
        settings,
        applied(settings, "image_to_video", still, zoom=1.1, zoom_start=1.1, pan="right", **options),
    )
    row = moved[:, 90].astype(float)
    middles = (row * np.arange(320)).sum(axis=1) / row.sum(axis=1)
    steps = np.diff(middles)
    assert middles[0] - middles[-1] == pytest.approx(32, abs=1.5)
    assert steps.std() < 0.25


def test_a_pan_needs_room(clips: Clips, settings: Settings) -> None:
    with pytest.raises(BadInput, match="zoom above 1"):
        applied(settings, "image_to_video", clips["still"], pan="left")
    with pytest.raises(BadInput, match="takes image"):
        applied(settings, "image_to_video", clips["plain"])


@pytest.mark.parametrize(("rate", "frames"), [("frame", 60), ("field", 120)])
def test_fields_become_whole_pictures(rate: str, frames: int, clips: Clips, settings: Settings) -> None:
    """A bar that moves 8 pixels a field: interlaced it is a comb of rows that differ from the next."""
    moving = "color=black:s=320x180:r=60:d=2[b];color=white:s=24x180:r=60:d=2[w]"
    laid = f"{moving};[b][w]overlay=x='mod(n*4\\,296)',format=yuv420p,interlace=lowpass=off,setfield=prog"
    path = settings.source_root / "unflagged.mp4"
    lines = ("-filter_complex", laid, "-c:v", "libx264", "-crf", "5")
    source = ingested(settings, make(settings, path, *lines))
    assert source.info.video is not None
    assert not source.info.video.interlaced
    output = applied(settings, "deinterlace", source, rate=rate)
    assert len(picture_times(settings, output.path)) == frames
    combed = _combed(_luma(settings, applied(settings, "flip", source)))
    assert _combed(_luma(settings, output)) < 0.25 * combed


def _combed(shots: NDArray[np.uint8]) -> float:
    rows = shots[10:20].astype(float)
    return float(np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2).mean())


def test_a_shaking_picture_becomes_calm(settings: Settings) -> None:
    shake = "crop=320:240:80+12*sin(n*2.1):60+9*cos(n*1.7)"
    path = settings.source_root / "shaky.mp4"
    still = f"testsrc2=s=480x360:r=25:d=0.04,loop=50:1,setpts=N/25/TB,{shake}"
    source = ingested(settings, make(settings, path, "-f", "lavfi", "-i", still, "-c:v", "libx264"))
    output = applied(settings, "stabilize", source, smoothing=1)
    before, after = _moving(settings, source.path), _moving(settings, output.path)
    assert after < 0.5 * before


def _moving(settings: Settings, path: Path) -> float:
    raw = decode(settings, "-i", f"file:{path}", "-f", "rawvideo", "-pix_fmt", "gray")
    shots = np.frombuffer(raw, np.uint8).reshape(-1, 240, 320).astype(float)[:, 40:-40, 40:-40]
    return float(np.abs(np.diff(shots, axis=0)).mean())
