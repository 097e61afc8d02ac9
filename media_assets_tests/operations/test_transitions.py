"""Transitions: one clip before, the other after, both between as the name says; sound without a dip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput, DocumentError, FfmpegMissing
from media_assets.media import binaries, xfade
from media_assets.media.binaries import Program
from media_assets.operations.registry import operation
from media_assets.settings import Settings
from media_assets.store.outputs import Output
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import AAC, X264, clip, ingested, make
from media_assets_tests.measuring import SAMPLE_RATE, mean_colors, pictures, samples

RED, BLUE = (254, 0, 0), (0, 0, 254)


def _colored(settings: Settings, color: str, size: str = "96x64", seconds: float = 1.0) -> SourceFacts:
    path = settings.source_root / f"{color}.mp4"
    clip(settings, path, seconds=seconds, size=size, picture=f"color=c={color}", sound=None)
    return ingested(settings, path)


def _pair(settings: Settings) -> tuple[SourceFacts, SourceFacts]:
    return _colored(settings, "red"), _colored(settings, "blue")


def _redness(settings: Settings, output: Output, picture: int) -> NDArray[np.float64]:
    """How much of the first clip is seen at each place of one picture (0…1), as (rows, columns)."""
    shot = pictures(settings, output.path, 96, 64)[picture].astype(float)
    share: NDArray[np.float64] = np.clip(shot[..., 0] / 254, 0, 1)
    return share


def test_schemas_list_what_the_ffmpeg_in_use_has(settings: Settings) -> None:
    listed = operation("crossfade_transition").parameters.model_json_schema()["properties"]["transition"]
    assert len(listed["enum"]) >= 58
    assert set(listed["enum"]) <= set(xfade.offered(binaries.ffmpeg(settings)))


def test_every_transition_goes_from_one_to_the_other(settings: Settings) -> None:
    red, blue = _pair(settings)
    names = xfade.offered(binaries.ffmpeg(settings))
    outputs = made(
        settings,
        {"red": red, "blue": blue},
        *[
            {
                "op": "crossfade_transition",
                "inputs": ["red", "blue"],
                "output": name,
                "params": {"duration": 0.4, "transition": name},
            }
            for name in names
        ],
    )
    for name, output in outputs.items():
        colors = mean_colors(settings, output.path)
        assert len(colors) == 48, name
        assert colors[17] == pytest.approx(RED, abs=8), name
        assert colors[31] == pytest.approx(BLUE, abs=8), name
        neither = np.minimum(np.abs(colors - RED).max(axis=1), np.abs(colors - BLUE).max(axis=1))
        assert neither[18:30].max() > 30, name


def test_pictures_beside_the_overlap_are_those_of_the_clips(clips: Clips, settings: Settings) -> None:
    clip_alone = applied(settings, "resize", clips["plain"], width=160)
    output = applied(settings, "crossfade_transition", clips["plain"], clips["plain"], duration=0.5)
    theirs, ours = (pictures(settings, o.path, 160, 90).astype(float) for o in (clip_alone, output))
    assert len(ours) == 105
    # Two encodes of the same pictures: nearer to each other than to the ones beside them.
    assert np.abs(ours[:44] - theirs[:44]).mean() < 0.5
    after = [np.abs(ours[61:104] - theirs[16 + shift : 59 + shift]).mean() for shift in (-1, 0, 1)]
    assert after[1] < 0.7 * min(after[0], after[2])


def test_a_transition_that_ffmpeg_has_not_is_refused_with_the_nearest(settings: Settings) -> None:
    red, blue = _pair(settings)
    with pytest.raises(DocumentError, match=r"no transition 'wipelft'.*wipeleft"):
        applied(settings, "crossfade_transition", red, blue, transition="wipelft")


def test_an_older_ffmpeg_lacks_some(settings: Settings, tmp_path: Path) -> None:
    older = tmp_path / "ffmpeg"
    lines = "     custom  -1  ..FV....... x\n     fade  0  ..FV....... x\n     wipeleft  1  ..FV....... x\n"
    older.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}END\n")
    older.chmod(0o755)
    assert xfade.offered(Program(older, "6.0", "setting")) == ("fade", "wipeleft")
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    with pytest.raises(FfmpegMissing, match="no filter xfade"):
        xfade.offered(Program(silent, "1", "setting"))


def test_without_ffmpeg_the_listed_ones_hold(tmp_path: Path) -> None:
    nowhere = Settings.from_environment(data=tmp_path, environment={"MEDIA_ASSETS_FFMPEG": "/nowhere"})
    assert xfade.require("fade", nowhere) == "fade"
    with pytest.raises(BadInput, match="fadeblack"):
        xfade.require("fadeblak", nowhere)


@pytest.mark.parametrize(
    ("direction", "first"),
    [
        ("right", (slice(None), slice(70, 96))),
        ("left", (slice(None), slice(0, 26))),
        ("down", (slice(46, 64), slice(None))),
        ("up", (slice(0, 18), slice(None))),
        ("down_right", (slice(50, 64), slice(74, 96))),
        ("up_left", (slice(0, 14), slice(0, 22))),
        (135.0, (slice(50, 64), slice(0, 22))),
    ],
)
def test_a_wipe_is_half_way_in_the_middle(
    direction: object, first: tuple[slice, slice], settings: Settings
) -> None:
    """Ahead of the edge is still the first clip; behind it the second; evenly on both sides."""
    output = applied(
        settings, "gradient_wipe", *_pair(settings), duration=0.8, softness=0.2, direction=direction
    )
    assert output.made.properties.frames == 36
    shot = (_redness(settings, output, 17) + _redness(settings, output, 18)) / 2
    assert shot[first].mean() > 0.93
    assert shot[::-1, ::-1][first].mean() < 0.07
    assert shot.mean() == pytest.approx(0.5, abs=0.03)
    assert _redness(settings, output, 5).mean() > 0.98
    assert _redness(settings, output, 30).mean() < 0.02


@pytest.mark.parametrize(("softness", "width"), [(0.0, 0.0), (0.5, 0.4)])
def test_an_edge_is_as_soft_as_was_asked_for(softness: float, width: float, settings: Settings) -> None:
    output = applied(settings, "gradient_wipe", *_pair(settings), duration=0.8, softness=softness)
    row = _redness(settings, output, 18)[32]
    between = ((row > 0.1) & (row < 0.9)).mean()
    # Of a straight ramp, eight tenths lie between those levels.
    assert between == pytest.approx(width, abs=0.06)


def test_a_wipe_goes_on_evenly(settings: Settings) -> None:
    output = applied(settings, "gradient_wipe", *_pair(settings), duration=0.8, softness=0.1)
    shares = [_redness(settings, output, picture).mean() for picture in range(8, 28)]
    assert np.diff(shares) == pytest.approx(-1.1 / 24, abs=0.03)


def test_opacity_rises_and_stays_below_one(settings: Settings) -> None:
    output = applied(
        settings,
        "opacity_transition",
        *_pair(settings),
        duration=0.5,
        start_opacity=0.2,
        end_opacity=0.6,
    )
    shares = [_redness(settings, output, picture).mean() for picture in range(45)]
    assert shares[14] == pytest.approx(1, abs=0.02)
    assert shares[15] == pytest.approx(0.8, abs=0.04)
    assert shares[22] == pytest.approx(0.6, abs=0.04)
    assert shares[30:] == pytest.approx([0.4] * 15, abs=0.04)


def test_opacity_up_to_one_ends_with_the_second_clip_alone(settings: Settings) -> None:
    output = applied(settings, "opacity_transition", *_pair(settings), duration=0.5)
    colors = mean_colors(settings, output.path)
    assert colors[22] == pytest.approx((127, 0, 127), abs=12)
    assert colors[31] == pytest.approx(BLUE, abs=8)


def _noisy(settings: Settings, seed: int) -> SourceFacts:
    noise = ("-f", "lavfi", "-i", f"anoisesrc=r=48000:a=0.2:seed={seed}:d=2")
    drawn = ("-f", "lavfi", "-i", "color=s=32x32:r=10:d=2")
    path = settings.source_root / f"noise-{seed}.mp4"
    return ingested(settings, make(settings, path, *drawn, *noise, *X264, *AAC))


@pytest.mark.parametrize(("curve", "middle"), [("qsin", 0.0), ("tri", -3.0)])
def test_unlike_sounds_cross_without_a_dip(curve: str, middle: float, settings: Settings) -> None:
    sources = (_noisy(settings, 1), _noisy(settings, 2))
    output = applied(settings, "crossfade_transition", *sources, duration=1, curve=curve)
    sound = samples(settings, output.path)

    def level(start: float, end: float) -> float:
        part = sound[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        return float(10 * np.log10((part**2).mean()))

    assert level(1.4, 1.6) - level(0.2, 0.8) == pytest.approx(middle, abs=0.6)


@pytest.mark.parametrize("name", ["crossfade_transition", "gradient_wipe", "opacity_transition"])
def test_transparency_and_sounds_alone(name: str, clips: Clips, settings: Settings) -> None:
    joint = {"op": name, "inputs": ["a", "a"], "output": "out", "params": {"duration": 0.5}}
    kept = {"op": "encode", "inputs": ["out"], "output": "kept", "params": {"profile": "ffv1"}}
    output = made(settings, {"a": clips["transparent"]}, joint, kept)["kept"]
    assert output.made.properties.frames == 105
    shots = pictures(settings, output.path, 16, 9)
    assert len(shots) == 105
    heard = applied(settings, name, clips["song"], clips["song"], duration=0.5)
    assert len(samples(settings, heard.path)) == pytest.approx(3.5 * SAMPLE_RATE, abs=1100)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gradient_wipe", {"softness": 1.5}),
        ("gradient_wipe", {"direction": "sideways"}),
        ("gradient_wipe", {"duration": 0}),
        ("opacity_transition", {"end_opacity": 2}),
        ("crossfade_transition", {"curve": "loud"}),
        ("crossfade_transition", {"transition": "custom"}),
    ],
)
def test_values_out_of_range_are_refused(
    name: str, parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    with pytest.raises(BadInput, match="do not hold"):
        applied(settings, name, clips["plain"], clips["plain"], **parameters)
