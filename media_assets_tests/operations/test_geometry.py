"""Pixels are where crop, rotate, flip, pad and fade say, and as bright."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets.store.outputs import Output
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import ingested, make, solid
from media_assets_tests.measuring import decode, mean_colors, samples

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(settings: Settings, size: str = "160x80", more: tuple[str, ...] = ()) -> SourceFacts:
    """Red and green above blue and white, half a second."""
    width, height = size.split("x")
    half = f"s={int(width) // 2}x{int(height) // 2}:r=10:d=0.5"
    colors = ("red", "lime", "blue", "white")
    inputs = [word for name in colors for word in ("-f", "lavfi", "-i", f"color={name}:{half}")]
    layout = "xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0,scale=out_color_matrix=bt709,format=yuv420p"
    tags = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    encoding = ("-c:v", "libx264", "-crf", "8", *tags)
    path = settings.source_root / "quarters.mp4"
    arguments = (*inputs, "-filter_complex", layout, *encoding, *more)
    return ingested(settings, make(settings, path, *arguments))


def frame(settings: Settings, output: Output, at: int = 0) -> NDArray[np.uint8]:
    """One picture of an output, every pixel, as (height, width, RGB)."""
    found = output.made.properties
    assert found.width is not None
    assert found.height is not None
    picked = f"select=eq(n\\,{at})"
    raw = decode(
        settings,
        *("-i", f"file:{output.path}", "-vf", picked, "-frames:v", "1"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24"),
    )
    return np.frombuffer(raw, np.uint8).reshape(found.height, found.width, 3)


def near(pixel: Any, color: tuple[int, ...], within: int = 8) -> bool:
    """Whether a pixel is of that colour."""
    return bool(np.abs(np.asarray(pixel, int) - color).max() <= within)


def _corners(shot: NDArray[np.uint8]) -> list[tuple[int, int, int]]:
    """The colours in the middle of each quarter, by rows."""
    height, width, _ = shot.shape
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    places += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    known = (RED, GREEN, BLUE, WHITE)
    return [next(color for color in known if near(shot[place], color)) for place in places]


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("rotate", {"angle": 0}, (RED, GREEN, BLUE, WHITE)),
        ("rotate", {"angle": 90}, (BLUE, RED, WHITE, GREEN)),
        ("rotate", {"angle": 180}, (WHITE, BLUE, GREEN, RED)),
        ("rotate", {"angle": -90}, (GREEN, WHITE, RED, BLUE)),
        ("flip", {"direction": "horizontal"}, (GREEN, RED, WHITE, BLUE)),
        ("flip", {"direction": "vertical"}, (BLUE, WHITE, RED, GREEN)),
    ],
)
def test_quarters_change_places(
    name: str, parameters: dict[str, Any], expected: tuple[Any, ...], settings: Settings
) -> None:
    shot = frame(settings, applied(settings, name, quarters(settings), **parameters))
    assert shot.shape[:2] == ((160, 80) if parameters.get("angle") in (90, -90) else (80, 160))
    assert _corners(shot) == list(expected)


def test_any_angle_keeps_all_of_the_picture_on_the_colour(settings: Settings) -> None:
    shot = frame(settings, applied(settings, "rotate", quarters(settings), angle=45, fill="#e08020"))
    assert shot.shape[:2] == (170, 170)
    assert near(shot[3, 3], (0xE0, 0x80, 0x20))
    assert near(shot[43, 71], RED)
    assert near(shot[99, 127], GREEN)
    kept = frame(settings, applied(settings, "rotate", quarters(settings), angle=45, expand=False))
    assert kept.shape[:2] == (80, 160)


@pytest.mark.parametrize(
    ("parameters", "size", "expected"),
    [
        ({"x": 0, "y": 0, "width": 40, "height": 20}, (20, 40), RED),
        ({"x": 120, "y": 0, "width": 40, "height": 20}, (20, 40), GREEN),
        ({"x": 80, "y": 60, "width": 80, "height": 20}, (20, 80), WHITE),
        ({"y": 0, "x": 10, "width": 21, "height": 11}, (10, 20), RED),
        ({"x": 90, "width": 40, "y": "center", "height": 20}, (20, 40), None),
        ({"aspect": "1:1"}, (80, 80), None),
        ({"aspect": "9:16", "x": 0}, (80, 44), None),
        ({"aspect": 4}, (40, 160), None),
    ],
)
def test_the_part_is_the_one_asked_for(
    parameters: dict[str, Any], size: tuple[int, int], expected: Any, settings: Settings
) -> None:
    shot = frame(settings, applied(settings, "crop", quarters(settings), **parameters))
    assert shot.shape[:2] == size
    if expected:
        assert near(shot[2:-2, 2:-2].mean(axis=(0, 1)), expected)


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("crop", {"width": 200}, "width 200 reaches beyond"),
        ("crop", {"x": 100, "width": 61}, "x 100 [+] width 61 reaches beyond"),
        ("crop", {"width": 20, "aspect": "1:1"}, "give width and height, or aspect"),
        ("crop", {}, "give width and height, or aspect"),
        ("crop", {"aspect": "1:100"}, "aspect ratio"),
        ("pad", {"width": 100}, "give width and height, or aspect"),
        ("pad", {"aspect": "1:1", "fill": "nocolour"}, "not a colour"),
        ("rotate", {"angle": 720}, "less than or equal"),
        ("flip", {"direction": "both"}, "horizontal"),
        ("fade", {"fade_in": 1, "fade_out": 1}, "the fades take 2 s"),
        ("fade_in", {"duration": 0}, "greater than 0"),
        ("fade", {"picture": False, "sound": False}, "nothing to fade"),
        ("fade_out", {"duration": 0.2, "picture": False}, "no sound to fade"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str, parameters: dict[str, Any], words: str, settings: Settings
) -> None:
    with pytest.raises(BadInput) as caught:
        applied(settings, name, quarters(settings), **parameters)

    assert re.search(words, str(caught.value))


def test_around_a_padded_picture_is_the_colour(settings: Settings) -> None:
    shot = frame(settings, applied(settings, "pad", quarters(settings), aspect="1:1", fill="#e08020"))
    assert shot.shape[:2] == (160, 160)
    assert near(shot[:38].mean(axis=(0, 1)), (0xE0, 0x80, 0x20))
    assert near(shot[-38:].mean(axis=(0, 1)), (0xE0, 0x80, 0x20))
    assert _corners(shot[40:120]) == [RED, GREEN, BLUE, WHITE]


def test_around_a_picture_in_a_given_frame_is_itself_blurred(settings: Settings) -> None:
    output = applied(settings, "fit", quarters(settings), width=90, height=160, fill="blur")
    shot = frame(settings, output)
    assert shot.shape[:2] == (160, 90)
    assert near(shot[4, 4], RED, 60)
    assert near(shot[-4, -4], WHITE, 60)
    assert shot[:50].mean() > 60
    assert near(shot[70, 20], RED)
    assert near(shot[90, 70], WHITE)


def test_anamorphic_pictures_keep_their_shape(clips: Clips, settings: Settings) -> None:
    turned = applied(settings, "rotate", clips["anamorphic"], angle=90).made.properties
    assert (turned.width, turned.height) == (90, 160)
    square = applied(settings, "crop", clips["anamorphic"], aspect="4:3").made.properties
    assert (square.width, square.height) == (90, 90)


def test_fades_are_at_nothing_half_and_all(settings: Settings) -> None:
    path = settings.source_root / "white.mp4"
    white = (
        "-f",
        "lavfi",
        "-i",
        "color=white:s=64x48:r=10:d=2",
        "-f",
        "lavfi",
        "-i",
        "sine=f=1000:r=48000:d=2",
    )
    source = ingested(settings, make(settings, path, *white, "-c:v", "libx264", "-c:a", "aac"))
    output = applied(settings, "fade", source, fade_in=1, fade_out=0.5)
    levels = mean_colors(settings, output.path).mean(axis=1)
    assert len(levels) == 20
    assert levels[0] < 3
    assert levels[5] == pytest.approx(128, abs=8)
    assert levels[10:15].min() > 250
    assert levels[17] == pytest.approx(255 * 0.6, abs=10)
    sound = np.abs(samples(settings, output.path))
    full = sound[52_800:67_200].max()
    assert sound[:480].max() < 0.05 * full
    assert sound[23_520:24_480].max() == pytest.approx(full / 2, rel=0.1)
    assert sound[83_520:84_480].max() == pytest.approx(full / 2, rel=0.1)


@pytest.mark.parametrize("color", ["#e08020", "white", "black"])
def test_a_fade_is_to_the_colour(color: str, settings: Settings) -> None:
    source = ingested(settings, solid(settings, settings.source_root / "b.mp4", "blue", seconds=1))
    colors = mean_colors(settings, applied(settings, "fade_in", source, duration=0.5, color=color).path)
    named = {"white": WHITE, "black": (0, 0, 0)}.get(color, (0xE0, 0x80, 0x20))
    assert near(colors[0], named)
    assert near(colors[-1], BLUE, 20)


def test_one_stream_can_fade_alone(clips: Clips, settings: Settings) -> None:
    shown = applied(settings, "fade_out", clips["plain"], duration=0.5, picture=False)
    whole = mean_colors(settings, shown.path)
    assert whole[-1] == pytest.approx(whole[0], abs=20)
    assert np.abs(samples(settings, shown.path)[-960:]).max() < 0.02
    heard = applied(settings, "fade_out", clips["plain"], duration=0.5, sound=False)
    colors = mean_colors(settings, heard.path)
    assert np.abs(colors[:45] - whole[:45]).max() < 2
    assert colors[-1].max() < 0.2 * whole[-1].max()
    assert np.abs(samples(settings, heard.path)[90_000:94_000]).max() > 0.05


def test_transparent_pictures_stay_so(clips: Clips, settings: Settings) -> None:
    logo = clips["logo"]
    for name, parameters in (
        ("rotate", {"angle": 30}),
        ("pad", {"aspect": "1:1"}),
        ("flip", {}),
        ("crop", {"width": 40}),
    ):
        output = applied(settings, name, logo, **parameters)
        found = output.made.properties
        raw = decode(settings, "-i", f"file:{output.path}", "-f", "rawvideo", "-pix_fmt", "rgba")
        shot = np.frombuffer(raw, np.uint8).reshape(found.height or 0, found.width or 0, 4)
        assert shot[0, 0, 3] == 0, name
        assert near(shot[shot.shape[0] // 2, shot.shape[1] // 2], (255, 0, 0, 255), 10), name
