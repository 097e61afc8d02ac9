"""What pictures have in common: scenes, ranges, colours and hashes, on pictures whose truth is known."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from media_assets.errors import BadInput, FfmpegFailed
from media_assets.media.analysis.picture import analyse_picture
from media_assets.media.analysis.scenes import (
    black_ranges,
    distance,
    dominant,
    frozen_ranges,
    perceptual_hash,
    scenes,
)
from media_assets.media.analysis.sound import analyse_sound
from media_assets.media.probe import probe
from media_assets.media.stills import contact_sheet, still
from media_assets.settings import Settings
from media_assets_tests.making import X264, clip, make


def test_black_and_frozen_ranges_are_found_to_a_quarter_of_a_second() -> None:
    pictures = np.full((12, 8, 8), 200, np.uint8)
    pictures[2:6] = 10
    pictures[8] = 0
    assert black_ranges(pictures) == ((0.5, 1.5),)
    assert frozen_ranges([0.0, 5.0, 0.2, 0.3, 0.9, 5.0, 5.0]) == ((0.5, 1.5),)
    assert frozen_ranges([]) == ()


def test_dominant_colours_come_with_their_shares() -> None:
    picture = np.zeros((1, 10, 10, 3), np.uint8)
    picture[0, :6] = (200, 30, 30)
    picture[0, 6:9] = (20, 20, 220)
    picture[0, 9, :2] = (250, 250, 250)
    assert dominant(picture) == (("#c81e1e", 0.6), ("#1414dc", 0.3), ("#000000", 0.08))


def test_hashes_of_pictures_that_look_alike_are_near() -> None:
    random = np.random.default_rng(1)
    coarse = random.integers(0, 255, (6, 9)).astype(np.uint8)
    picture = np.asarray(np.kron(coarse, np.ones((20, 20), np.uint8)), np.uint8)
    darker = (picture * 0.8 + random.normal(0, 4, picture.shape)).clip(0, 255).astype(np.uint8)
    smaller = np.asarray(picture[::2, ::2], np.uint8)
    other = np.asarray(np.kron(random.integers(0, 255, (6, 9)), np.ones((20, 20))), np.uint8)
    assert distance(perceptual_hash(picture), perceptual_hash(darker)) <= 8
    assert distance(perceptual_hash(picture), perceptual_hash(smaller)) <= 4
    assert distance(perceptual_hash(picture), perceptual_hash(other)) > 16
    assert len(perceptual_hash(np.zeros((3, 2), np.uint8))) == 16


def test_scenes_lie_between_cuts() -> None:
    pictures = np.zeros((16, 9, 16), np.uint8)
    colors = np.zeros((4, 9, 16, 3), np.uint8)
    colors[2:] = (250, 0, 0)
    found = scenes(pictures, colors, (0.01, 2.0, 2.1, 4.0), (), 4.0)
    assert [(scene.start, scene.end) for scene in found] == [(0.0, 2.0), (2.0, 4.0)]
    assert [scene.colors[0][0] for scene in found] == ["#000000", "#fa0000"]


def test_black_between_pictures_parts_scenes() -> None:
    """A fade out and in has no cut; black at the ends, or around a cut, parts nothing more."""
    pictures, colors = np.zeros((40, 9, 16), np.uint8), np.zeros((10, 9, 16, 3), np.uint8)
    black = ((0.0, 1.0), (3.0, 4.0), (6.0, 7.0), (9.0, 9.8))
    found = scenes(pictures, colors, (6.9,), black, 9.8)
    assert [(scene.start, scene.end) for scene in found] == [(0.0, 3.5), (3.5, 6.9), (6.9, 9.8)]


def test_pyscenedetect_finds_cuts_between_colours_of_one_brightness(
    settings: Settings, tmp_path: Path
) -> None:
    """Red to blue is a cut to the eye, and none to a detector that goes by brightness."""
    pytest.importorskip("scenedetect", reason="the extra `scenes` is not installed")
    halves = "color=c=0xB00000:s=160x90:r=30:d=2,drawbox=c=0x3A3AFF:t=fill:enable='gte(t,1)'"
    path = make(settings, tmp_path / "a.mp4", "-f", "lavfi", "-i", halves, *X264)
    info = probe(path, settings)
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    plain = analyse_picture(path, info, settings, tmp_path / "one")
    other = analyse_picture(path, info, replace(settings, scenes="pyscenedetect"), tmp_path / "two")
    assert plain.cuts == ()
    assert other.cuts == (1.0,)
    assert [(scene.start, scene.end) for scene in other.scenes] == [(0.0, 1.0), (1.0, 2.0)]


@pytest.mark.skipif(
    importlib.util.find_spec("scenedetect") is not None, reason="the extra `scenes` is installed"
)
def test_a_detector_that_is_not_installed_is_named(settings: Settings, tmp_path: Path) -> None:
    path = clip(settings, tmp_path / "a.mp4", seconds=0.2, sound=None)
    with pytest.raises(BadInput, match=r"media-assets\[scenes\]"):
        analyse_picture(path, probe(path, settings), replace(settings, scenes="pyscenedetect"), tmp_path)


def test_loudness_is_that_of_the_standard(settings: Settings, tmp_path: Path) -> None:
    """A full sine in both channels has -3.01 LUFS at 997 Hz by EBU Tech 3341; this one is 20 dB lower."""
    sound = "aevalsrc=0.1*sin(2*PI*997*t)|0.1*sin(2*PI*997*t):s=48000"
    path = clip(
        settings, tmp_path / "a.mp4", seconds=1, sound=sound, more=("-c:a", "pcm_s16le", "-f", "mov")
    )
    found = analyse_sound(path, probe(path, settings), settings, tmp_path)
    assert found.integrated == pytest.approx(-20.0, abs=0.2)
    assert found.true_peak == pytest.approx(-20.0, abs=0.2)


def test_stills_and_sheets_show_their_moments(settings: Settings, tmp_path: Path) -> None:
    path = clip(
        settings, tmp_path / "a.mp4", seconds=2, picture="color=c=red", more=("-g", "10"), sound=None
    )
    info = probe(path, settings)
    done = still(path, info, 1.5, tmp_path / "one.jpg", settings, width=1280)
    assert done.command
    contact_sheet(path, info, [0.2, 0.6, 1.0, 1.4, 1.8], tmp_path / "all.jpg", settings)
    with Image.open(tmp_path / "one.jpg") as one, Image.open(tmp_path / "all.jpg") as sheet:
        assert one.size == (160, 90)
        assert (sheet.width, sheet.height) == (4 * 120 + 6, 2 * 68 + 2)
        red, green, _ = one.convert("RGB").getpixel((80, 45))
        assert red > 200 > 60 > green
    # After the end there is nothing to show, and nothing is left of the try.
    with pytest.raises(FfmpegFailed):
        still(path, info, 60.0, tmp_path / "none.jpg", settings, width=64)
    assert not (tmp_path / "none.jpg").exists()
