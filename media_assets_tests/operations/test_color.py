"""Corrections of colour, tables of colours and denoising, measured on even colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import applied
from media_assets_tests.making import X264, ingested, make
from media_assets_tests.measuring import mean_colors, pictures

_SWAP = "LUT_3D_SIZE 2\n" + "".join(
    f"{b} {g} {r}\n" for b in (0, 1) for g in (0, 1) for r in (0, 1)
).replace("  ", " ")


def _even(settings: Settings, color: str, more: str = "null") -> SourceFacts:
    exact = "format=gbrp,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    drawing = f"color={color}:s=64x48:r=10:d=0.4,{exact},{more}"
    tags = ("-crf", "2", "-colorspace", "bt709", "-color_range", "tv")
    path = make(settings, settings.source_root / f"{color}.mp4", "-f", "lavfi", "-i", drawing, *X264, *tags)
    return ingested(settings, path)


def _corrected(settings: Settings, color: str, **parameters: object) -> NDArray[np.float64]:
    output = applied(settings, "color_correction", _even(settings, color), **parameters)
    return np.asarray(mean_colors(settings, output.path)[1])


@pytest.mark.parametrize(
    ("color", "parameters", "expected"),
    [
        ("0x808080", {"brightness": 0.1}, (153, 153, 153)),
        ("0xa0a0a0", {"contrast": 2}, (192, 192, 192)),
        ("0xa06040", {"saturation": 0}, (108, 108, 108)),
        ("0x404040", {"gamma": 2}, (128, 128, 128)),
        ("0x000000", {"gamma": 2}, (0, 0, 0)),
        ("0xffffff", {"gamma": 2}, (255, 255, 255)),
    ],
)
def test_tones(
    color: str, parameters: dict[str, object], expected: tuple[int, ...], settings: Settings
) -> None:
    assert _corrected(settings, color, **parameters) == pytest.approx(expected, abs=3)


def test_temperature_changes_the_hue_and_not_the_brightness(settings: Settings) -> None:
    luma = np.array([0.2126, 0.7152, 0.0722])
    warm = _corrected(settings, "0x808080", temperature=3500)
    cold = _corrected(settings, "0x808080", temperature=12_000)
    assert warm[0] > warm[1] > warm[2] + 25
    assert cold[2] > cold[1] > cold[0] + 10
    assert warm @ luma == pytest.approx(128, abs=3)
    assert cold @ luma == pytest.approx(128, abs=3)


def test_tint_goes_from_green_to_magenta(settings: Settings) -> None:
    green, magenta = (_corrected(settings, "0x808080", tint=tint) for tint in (-1, 1))
    assert green[1] > green[0] + 15
    assert magenta[0] > magenta[1] + 15


def _table(settings: Settings, name: str, text: str) -> SourceFacts:
    path: Path = settings.source_root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return ingested(settings, path)


@pytest.mark.parametrize(
    "name", ["swap.cube", "it's 100%: [a],b;c=d.cube", "back\\slash's.cube", "Ünïcode 色.cube"]
)
def test_a_table_swaps_red_and_blue_whatever_it_is_called(name: str, settings: Settings) -> None:
    output = applied(settings, "lut", _even(settings, "0xc08040"), _table(settings, name, _SWAP))
    assert mean_colors(settings, output.path)[1] == pytest.approx([0x40, 0x80, 0xC0], abs=5)


@pytest.mark.parametrize("interpolation", ["nearest", "trilinear", "tetrahedral", "pyramid", "prism"])
def test_part_of_a_table(interpolation: str, settings: Settings) -> None:
    source, table = _even(settings, "0xff0000"), _table(settings, "swap.cube", _SWAP)
    output = applied(settings, "lut", source, table, intensity=0.25, interpolation=interpolation)
    assert mean_colors(settings, output.path)[1] == pytest.approx([191, 0, 64], abs=5)


def test_none_of_a_table_is_the_original(settings: Settings) -> None:
    source, table = _even(settings, "0xc08040"), _table(settings, "swap.cube", _SWAP)
    output, original = (
        applied(settings, "lut", source, table, intensity=0),
        applied(settings, "resize", source, width=64),
    )
    assert np.array_equal(pictures(settings, output.path), pictures(settings, original.path))


def test_a_table_of_one_dimension(settings: Settings) -> None:
    negative = _table(settings, "negative.cube", "LUT_1D_SIZE 2\n1 1 1\n0 0 0\n")
    output = applied(settings, "lut", _even(settings, "0xc08040"), negative)
    assert mean_colors(settings, output.path)[1] == pytest.approx([0x3F, 0x7F, 0xBF], abs=4)


def test_a_table_is_needed(settings: Settings) -> None:
    with pytest.raises(BadInput, match="lut"):
        applied(settings, "lut", _even(settings, "0xc08040"))


@pytest.mark.parametrize("method", ["hqdn3d", "nlmeans"])
def test_noise_goes_and_edges_stay(method: str, settings: Settings) -> None:
    drawing = "drawbox=32:0:32:48:white:fill,noise=alls=7:allf=t:all_seed=5"
    source = _even(settings, "0x606060", drawing)
    noisy = pictures(settings, applied(settings, "resize", source, width=64).path, 64, 48).astype(float)
    output = applied(settings, "denoise_video", source, method=method, strength=0.7)
    clean = pictures(settings, output.path, 64, 48).astype(float)
    assert clean[3, 8:40, 4:24].std() < 0.7 * noisy[3, 8:40, 4:24].std()
    assert clean[3, 20, 38:60].mean() - clean[3, 20, 4:26].mean() > 130
    assert clean[3, 20, 36].mean() - clean[3, 20, 27].mean() > 110
