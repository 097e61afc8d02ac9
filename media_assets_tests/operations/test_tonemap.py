"""High dynamic range comes down by the curve that was asked for; other pictures stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_assets.errors import DocumentError
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made, planned
from media_assets_tests.making import X264, ingested, make
from media_assets_tests.measuring import mean_colors


def _bright(settings: Settings, level: int = 721) -> SourceFacts:
    """HLG of one grey: 721 is the white of ordinary pictures (75 %, ITU-R BT.2408)."""
    path: Path = settings.source_root / f"hlg-{level}.mp4"
    tags = ("-x264-params", "colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc")
    grey = f"color=black:s=64x48:r=5:d=0.4,format=yuv420p10le,geq=lum={level}:cb=512:cr=512"
    make(settings, path, "-f", "lavfi", "-i", grey, *X264, "-pix_fmt", "yuv420p10le", *tags)
    return ingested(settings, path)


def test_each_curve_is_another_and_ordinary(settings: Settings) -> None:
    source, levels = _bright(settings), {}
    for curve in ("hable", "mobius", "reinhard", "clip", "linear"):
        output = applied(settings, "tonemap", source, curve=curve)
        video = probe(output.path, settings).video
        assert video is not None
        assert (video.hdr, video.color_transfer) == (None, "bt709")
        levels[curve] = mean_colors(settings, output.path)[0].mean()
    assert levels["clip"] >= 250
    assert levels["mobius"] > levels["hable"] + 10
    assert len({round(level / 3) for level in levels.values()}) >= 4


def test_a_lower_peak_is_brighter(settings: Settings) -> None:
    source = _bright(settings)
    low, high = (
        mean_colors(settings, applied(settings, "tonemap", source, peak=peak).path)[0].mean()
        for peak in (400, 4000)
    )
    assert low > high + 10


def test_the_usual_curve_is_what_every_operation_gets(settings: Settings) -> None:
    source = _bright(settings, 500)
    toned, resized = applied(settings, "tonemap", source), applied(settings, "resize", source, width=64)
    theirs = mean_colors(settings, resized.path)[0]
    assert mean_colors(settings, toned.path)[0] == pytest.approx(theirs, abs=1)


def test_two_curves_by_one_command(settings: Settings) -> None:
    source = _bright(settings)
    documents = [
        {"op": "tonemap", "inputs": ["in"], "output": curve, "params": {"curve": curve}}
        for curve in ("hable", "clip")
    ]
    together = made(settings, {"in": source}, *documents)
    levels = [mean_colors(settings, together[c].path)[0].mean() for c in ("hable", "clip")]
    assert levels[1] > levels[0] + 30


def test_ordinary_pictures_stay(clips: Clips, settings: Settings) -> None:
    toned = applied(settings, "tonemap", clips["plain"], curve="clip")
    resized = applied(settings, "resize", clips["plain"], width=160)
    assert mean_colors(settings, toned.path) == pytest.approx(mean_colors(settings, resized.path), abs=0.5)


def test_it_takes_the_source_itself(clips: Clips, settings: Settings) -> None:
    first = {"op": "resize", "inputs": ["in"], "output": "small", "params": {"width": 80}}
    then = {"op": "tonemap", "inputs": ["small"], "output": "toned"}
    with pytest.raises(DocumentError, match="the source itself"):
        planned(settings, {"in": clips["hdr"]}, first, then)
