"""Looks: each does to colours, edges and corners what its name says, as much as `intensity` says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.operations.registry import operation
from media_assets.settings import Settings
from media_assets.store.outputs import Output
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import X264, ingested, make
from media_assets_tests.measuring import decode, mean_colors, picture_times, pictures

# What leaves the picture as it was, for every operation that can.
_NOTHING: dict[str, dict[str, object]] = {
    "vintage_color": {"intensity": 0},
    "film_noir": {"intensity": 0},
    "warm_cinematic": {"intensity": 0},
    "horror_desaturated": {"intensity": 0},
    "social_media_pack": {"intensity": 0},
    "leica_look": {"intensity": 0},
    "leica_look_enhanced": {"intensity": 0},
    "dreamy_soft": {"intensity": 0},
    "vhs_look": {"intensity": 0},
    "glitch_aesthetic": {"intensity": 0},
    "apply_leica_and_trim": {"intensity": 0},
    "gaussian_blur": {"sigma": 0},
    "vignette": {"intensity": 0},
    "chromatic_aberration": {"amount": 0},
    "denoise_video": {"strength": 0},
    "color_correction": {},
}


def _frames(settings: Settings, path: Path, width: int = 160, height: int = 90) -> NDArray[np.uint8]:
    return pictures(settings, path, width, height)


def _drawn(settings: Settings, name: str, drawing: str, seconds: float = 0.4) -> SourceFacts:
    """A clip of a lavfi drawing, nearly lossless, tagged BT.709."""
    exact = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tags = ("-crf", "2", "-colorspace", "bt709", "-color_range", "tv", "-t", str(seconds))
    path = settings.source_root / f"{name}.mp4"
    make(settings, path, "-f", "lavfi", "-i", f"{drawing},format=gbrp,{exact}", *X264, *tags)
    return ingested(settings, path)


def _even(settings: Settings, color: str) -> SourceFacts:
    return _drawn(settings, f"even-{color}", f"color={color}:s=160x90:r=10")


def _color(settings: Settings, name: str, source: SourceFacts, **parameters: Any) -> NDArray[np.float64]:
    output = applied(settings, name, source, **parameters)
    return np.asarray(mean_colors(settings, output.path)[1])


def _all(settings: Settings, source: SourceFacts, more: Sequence[Any] = ()) -> dict[str, Output]:
    """What every look makes of `source` as its example says, and the picture as it was, by one command."""
    looks = [
        {"op": n, "inputs": ["in"], "output": n, "params": {} if "trim" in n else operation(n).example}
        for n in _NOTHING
    ]
    same = {"op": "resize", "inputs": ["in"], "output": "same", "params": {"width": 160}}
    return made(settings, {"in": source}, same, *looks, *more)


def test_nothing_of_it_is_the_original(clips: Clips, settings: Settings) -> None:
    same = {"op": "resize", "inputs": ["in"], "output": "same", "params": {"width": 160}}
    looks = [{"op": n, "inputs": ["in"], "output": n, "params": p} for n, p in _NOTHING.items()]
    outputs = made(settings, {"in": clips["plain"]}, same, *looks)
    original = _frames(settings, outputs["same"].path)
    for name, output in outputs.items():
        assert np.array_equal(_frames(settings, output.path), original), name


def test_all_of_it_is_not_and_times_stay(clips: Clips, settings: Settings) -> None:
    outputs = _all(settings, clips["uneven"])
    original = outputs.pop("same").path
    times, shot = picture_times(settings, original), _frames(settings, original)[10].astype(int)
    for name, output in outputs.items():
        assert picture_times(settings, output.path) == pytest.approx(times, abs=0.001), name
        assert np.abs(shot - _frames(settings, output.path)[10]).mean() > 0.4, name


def test_transparency_stays(clips: Clips, settings: Settings) -> None:
    kept = [
        {"op": "encode", "inputs": [name], "output": f"{name}-kept", "params": {"profile": "ffv1"}}
        for name in ["same", *_NOTHING]
    ]
    outputs = _all(settings, clips["transparent"], kept)
    original = _alpha(settings, outputs["same-kept"].path)
    assert original.min() == 0
    assert original.max() > 150
    for name in _NOTHING:
        if name != "gaussian_blur":
            assert np.array_equal(_alpha(settings, outputs[f"{name}-kept"].path), original), name


def _alpha(settings: Settings, path: Path) -> NDArray[np.uint8]:
    raw = decode(
        settings,
        "-i",
        f"file:{path}",
        "-vf",
        "alphaextract,format=gray",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
    )
    return np.frombuffer(raw, np.uint8)


def test_half_of_a_look_lies_half_way(settings: Settings) -> None:
    red = _even(settings, "0xc04040")
    plain = {"vignette": 0, "grain": 0, "contrast": 1, "brightness": 0}
    whole = _color(settings, "film_noir", red, **plain)
    half = _color(settings, "film_noir", red, intensity=0.5, **plain)
    assert whole == pytest.approx([whole[0]] * 3, abs=2)
    assert half == pytest.approx((whole + np.array([0xC0, 0x40, 0x40])) / 2, abs=3)


def test_old_prints_have_no_black_and_cream_for_white(settings: Settings) -> None:
    plain = {"vignette": 0, "grain": 0}
    black = _color(settings, "vintage_color", _even(settings, "black"), **plain)
    bright = _color(settings, "vintage_color", _even(settings, "0xb0b0b0"), **plain)
    assert black == pytest.approx([23, 23, 23], abs=3)
    assert bright[0] - bright[2] > 15


def test_warm_below_and_cool_above(settings: Settings) -> None:
    dark = _color(settings, "warm_cinematic", _even(settings, "0x505050"))
    bright = _color(settings, "warm_cinematic", _even(settings, "0xc8c8c8"), midtone_warmth=0)
    assert dark[0] - dark[2] > 20
    assert bright[0] - bright[2] < -2
    for level in (0, 255):
        ends = _color(settings, "warm_cinematic", _even(settings, f"0x{level:02x}{level:02x}{level:02x}"))
        assert ends == pytest.approx([level] * 3, abs=3)


def test_horror_is_dark_cold_and_pale(settings: Settings) -> None:
    red, green, blue = _color(settings, "horror_desaturated", _even(settings, "0xc08060"))
    assert red + green + blue < 0xC0 + 0x80 + 0x60 - 60
    assert red - blue < (0xC0 - 0x60) * 0.4


def test_social_media_colours_are_louder(settings: Settings) -> None:
    red, _, blue = _color(settings, "social_media_pack", _even(settings, "0xa07060"))
    assert red - blue == pytest.approx(0x40 * 1.3, abs=6)


def test_leica_is_calm_and_dark_in_the_corners(settings: Settings) -> None:
    source = _even(settings, "0x50a060")
    shot = _frames(settings, applied(settings, "leica_look", source).path)[1].astype(int)
    middle, corner = shot[45, 80], shot[1, 1]
    assert middle.max() - middle.min() < 0.95 * 0x50
    assert corner.sum() < 0.85 * middle.sum()
    stronger = _frames(settings, applied(settings, "leica_look_enhanced", source).path)[1].astype(int)
    assert stronger[1, 1].sum() < corner.sum()


def test_leica_and_trim_is_trim_and_leica(clips: Clips, settings: Settings) -> None:
    part = {"start": 0.5, "duration": 1}
    chain = made(
        settings,
        {"in": clips["plain"]},
        {"op": "trim", "inputs": ["in"], "output": "part", "params": part},
        {"op": "leica_look", "inputs": ["part"], "output": "both", "params": {"intensity": 0.6}},
    )
    output = applied(settings, "apply_leica_and_trim", clips["plain"], intensity=0.6, **part)
    assert output.made.properties.frames == 30
    assert output.content_hash == chain["both"].content_hash


def test_leica_and_trim_seeks_in_a_long_clip(settings: Settings) -> None:
    source = _drawn(settings, "long", "testsrc2=s=64x48:r=10", seconds=12)
    output = applied(settings, "apply_leica_and_trim", source, start=9, duration=1)
    assert "-ss" in output.made.commands[0]
    assert output.made.properties.frames == 10


def test_blur_has_the_width_that_was_asked_for(settings: Settings) -> None:
    line = _drawn(settings, "line", "color=black:s=160x90:r=10,drawbox=78:0:4:90:white:fill")
    row = _frames(settings, applied(settings, "gaussian_blur", line, sigma=8).path)[1].mean(axis=(0, 2))
    places = np.arange(160)
    middle = (row * places).sum() / row.sum()
    assert middle == pytest.approx(79.5, abs=0.5)
    assert np.sqrt((row * (places - middle) ** 2).sum() / row.sum()) == pytest.approx(8, rel=0.1)


def test_what_is_transparent_does_not_bleed_into_a_blur(clips: Clips, settings: Settings) -> None:
    """The logo is red in a transparent border of black: blurred, it is as red."""
    output = applied(settings, "gaussian_blur", clips["logo"], sigma=4)
    raw = decode(settings, "-i", f"file:{output.path}", "-f", "rawvideo", "-pix_fmt", "rgba")
    shot = np.frombuffer(raw, np.uint8).reshape(32, 48, 4)
    edge = shot[16, 6]
    assert 20 < edge[3] < 200
    assert edge[0] > 225


def test_a_vignette_darkens_corners_alone(settings: Settings) -> None:
    white = _even(settings, "white")
    shot = _frames(settings, applied(settings, "vignette", white, intensity=0.6).path)[1].astype(int)
    assert shot[40:50, 70:90].min() >= 253
    assert shot[0, 0].mean() == pytest.approx(255 * 0.4, abs=6)
    assert shot[-1, -1].mean() == pytest.approx(255 * 0.4, abs=6)
    black = _color(settings, "vignette", _even(settings, "black"), intensity=1)
    assert black == pytest.approx([0, 0, 0], abs=2)


def test_fringes_grow_towards_the_edges(settings: Settings) -> None:
    lines = ",".join(f"drawbox={x}:0:2:90:white:fill" for x in (10, 79, 148))
    source = _drawn(settings, "lines", f"color=black:s=160x90:r=10,{lines}")
    row = _frames(settings, applied(settings, "chromatic_aberration", source, amount=4).path)[1, 45]

    def place(channel: int, start: int, end: int) -> float:
        part = row[start:end, channel].astype(float) ** 2
        return float((part * np.arange(start, end)).sum() / part.sum())

    assert place(0, 60, 100) == pytest.approx(place(2, 60, 100), abs=1)
    assert place(0, 130, 160) - place(2, 130, 160) > 3
    assert place(0, 0, 30) - place(2, 0, 30) < -3


def test_a_glitch_moves_red_and_blue_apart(settings: Settings) -> None:
    line = _drawn(settings, "line", "color=black:s=160x90:r=10,drawbox=76:0:8:90:white:fill")
    output = applied(settings, "glitch_aesthetic", line, red_shift=8, blue_shift=-8, noise_strength=0)
    row = _frames(settings, output.path)[1, 45].astype(int)
    assert row[72, 2] > row[72, 0] + 80
    assert row[88, 0] > row[88, 2] + 80


@pytest.mark.parametrize("name", ["vhs_look", "glitch_aesthetic", "film_noir", "leica_look_enhanced"])
def test_noise_is_new_in_every_picture(name: str, settings: Settings) -> None:
    shots = _frames(settings, applied(settings, name, _even(settings, "gray")).path).astype(int)
    assert np.abs(shots[1, 30:60, 50:110] - shots[2, 30:60, 50:110]).mean() > 0.5


def test_tape_smears_colours(settings: Settings) -> None:
    sides = _drawn(settings, "sides", "color=0xc02020:s=160x90:r=10,drawbox=80:0:80:90:0x2020c0:fill")
    output = applied(settings, "vhs_look", sides, noise=0, scanlines=0)
    row = _frames(settings, output.path)[1, 45].astype(int)
    between = np.abs(row[60:100, 0] - row[60:100, 2]) < 100
    assert between.sum() > 8


def test_soft_glows_around_what_is_bright(settings: Settings) -> None:
    square = _drawn(settings, "square", "color=0x303030:s=160x90:r=10,drawbox=70:35:20:20:white:fill")
    plain = {"brightness": 0, "negative_sharpen": 0}
    shot = _frames(settings, applied(settings, "dreamy_soft", square, **plain).path)[1].astype(int)
    assert shot[45, 64].mean() > 0x30 + 15
    assert shot[5, 5].mean() == pytest.approx(0x30, abs=3)
