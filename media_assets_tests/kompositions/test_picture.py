"""The right picture is on the right frame, whatever the sources are."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import (
    document,
    numbered,
    numbers,
    packet_times,
    path_of,
    planned,
    rendered,
)
from media_assets_tests.making import clip, make, solid
from media_assets_tests.measuring import mean_colors, pictures


@pytest.mark.parametrize("name", ["n.mp4", "n.mkv", "n.ts", "n.mov"])
def test_a_frame_shows_what_is_on_screen_at_its_time(settings: Settings, name: str) -> None:
    numbered(settings, name, seconds=16)
    starts = (0, 0.5, 2.51, 1.666667, 13.99)
    result = rendered(
        settings, document([{"source": name, "in_point": s, "duration": 0.2} for s in starts])
    )
    wanted = [math.floor((s + 0.001) * 30 + 1e-9) + n for s in starts for n in range(6)]
    assert numbers(settings, path_of(result)) == wanted


@pytest.mark.parametrize(("rate", "fps"), [("25", "30"), ("30", "24"), ("60", "30"), ("24000/1001", "25")])
def test_frame_rates_are_converted_by_time_alone(settings: Settings, rate: str, fps: str) -> None:
    numbered(settings, "n.mp4", rate=rate)
    data = document([{"source": "n.mp4", "in_point": 1, "duration": 2}])
    data["output"] = {"width": 160, "height": 90, "fps": fps}
    shown = numbers(settings, path_of(rendered(settings, data)))
    wanted = [
        math.floor((1 + n / Fraction(fps) + Fraction(1, 1000)) * Fraction(rate))
        for n in range(2 * int(fps))
    ]
    assert shown == wanted


@pytest.mark.parametrize("taken", [0.5, 1, 2, 3, 1 / 3])
def test_a_stretched_segment_shows_all_that_it_takes(settings: Settings, taken: float) -> None:
    numbered(settings, "n.mp4")
    segment = {"source": "n.mp4", "in_point": 0.5, "duration": 1, "stretch": True, "source_duration": taken}
    shown = numbers(settings, path_of(rendered(settings, document([segment]))))
    exact = Fraction(repr(taken))
    assert shown == [math.floor(15 + (n * exact / 30 + Fraction(1, 1000)) * 30) for n in range(30)]


def test_a_frame_goes_on_from_a_crossfade_into_the_body(settings: Settings) -> None:
    numbered(settings, "n.mp4")
    solid(settings, settings.source_root / "black.mp4", "black")
    segments = [
        {"source": "black.mp4", "duration": 1},
        {"source": "n.mp4", "in_point": 1, "duration": 1, "transition": {"duration": 0.4}},
    ]
    shown = numbers(settings, path_of(rendered(settings, document(segments))))
    # From the middle of a crossfade out of black on, white columns are more than half white.
    assert shown[37:] == list(range(37, 60))


def test_every_cut_is_on_its_beat_and_the_count_is_exact(settings: Settings) -> None:
    colors = ["red", "lime", "blue"]
    for color in colors:
        solid(settings, settings.source_root / f"{color}.mp4", color)
    beats = [1, 0.5, 2, 1, 1, 0.5, 3, 1, 1, 2]
    segments = [{"source": f"{colors[i % 3]}.mp4", "duration": beat} for i, beat in enumerate(beats)]
    result = rendered(settings, document(segments, bpm=127))
    strongest = np.argmax(mean_colors(settings, path_of(result)), axis=1)
    cuts = [int(i) + 1 for i in np.flatnonzero(np.diff(strongest))]
    position, wanted = Fraction(0), []
    for beat in beats:
        position += Fraction(beat)
        wanted.append(math.floor(position * 60 / 127 * 30 + Fraction(1, 2)))
    assert cuts == wanted[:-1]
    assert len(strongest) == wanted[-1] == result.frames


def test_a_crossfade_mixes_both_pictures_and_ends_on_neither_side_pure(settings: Settings) -> None:
    solid(settings, settings.source_root / "red.mp4", "red")
    solid(settings, settings.source_root / "blue.mp4", "blue")
    segments = [
        {"source": "red.mp4", "duration": 1},
        {"source": "blue.mp4", "duration": 1, "transition": {"duration": 0.5}},
    ]
    shown = mean_colors(settings, path_of(rendered(settings, document(segments))))
    red, blue = shown[:, 0] / shown[0, 0], shown[:, 2] / shown[-1, 2]
    overlap = np.arange(1, 16) / 16
    assert np.abs(blue[30:45] - overlap).max() < 0.03
    assert np.abs(red[30:45] - (1 - overlap)).max() < 0.03
    assert red[29] > 0.97 and blue[29] < 0.03
    assert blue[45] > 0.97 and red[45] < 0.03


def test_a_source_that_is_too_short_holds_its_last_picture(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=1)
    solid(settings, settings.source_root / "black.mp4", "black")
    segments = [
        {"source": "n.mp4", "in_point": 0.5, "duration": 1},
        # The source ended before this transition begins: the picture held goes on under it.
        {"source": "black.mp4", "duration": 1, "transition": {"duration": 0.5}},
    ]
    shown = numbers(settings, path_of(rendered(settings, document(segments))))
    assert shown[:30] == [*range(15, 30), *[29] * 15]
    assert shown[30:35] == [29] * 5


def test_sources_of_all_kinds_join_into_one_even_stream(settings: Settings) -> None:
    root = settings.source_root
    clip(settings, root / "pal.mp4", rate="25", size="160x90", picture="color=c=white", sound=None)
    clip(settings, root / "odd.mkv", size="135x75", picture="color=c=white", more=("-pix_fmt", "yuv444p"))
    clip(settings, root / "wide.mp4", size="80x90", picture="color=c=white", more=("-vf", "setsar=2"))
    upright = clip(settings, root / "tall.mov", size="160x90", picture="color=c=white")
    make(
        settings,
        root / "turned.mov",
        *("-display_rotation", "90", "-i", f"file:{upright}", "-c", "copy"),
    )
    make(settings, root / "still.png", "-f", "lavfi", "-i", "color=white:s=90x90", "-frames:v", "1")
    clip(
        settings,
        root / "full.mp4",
        picture="color=c=white",
        more=("-vf", "scale=out_range=pc", "-color_range", "pc"),
    )
    names = ["pal.mp4", "odd.mkv", "wide.mp4", "turned.mov", "still.png", "full.mp4"]
    result = rendered(settings, document([{"source": name, "duration": 1} for name in names]))
    shown = pictures(settings, path_of(result), width=160, height=90)
    assert len(shown) == result.frames == 180
    # Widths of the white picture inside 160 x 90, and white is white in each.
    widths = [int((shown[30 * i + 15, 45, :, 1] > 128).sum()) for i in range(6)]
    assert widths == [160, 160, 160, pytest.approx(50, abs=2), 90, 160]
    assert all(shown[30 * i + 15, 45, 80].min() > 250 for i in range(6))


def test_joined_pieces_are_evenly_spaced(settings: Settings) -> None:
    numbered(settings, "n.mp4")
    for fps, step in (("30", 512), ("30000/1001", 1001), ("25", 512)):
        segments = [{"source": "n.mp4", "in_point": i / 100, "duration": 0.35} for i in range(40)]
        data = document(segments)
        data["output"] = {"width": 160, "height": 90, "fps": fps}
        path = path_of(rendered(settings, data))
        stamps = sorted(packet_times(settings, path))
        assert set(np.diff(stamps)) == {step}
        assert stamps[0] == 0


def test_a_warning_is_part_of_the_plan(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=1)
    compiled, _ = planned(settings, document([{"source": "n.mp4", "duration": 2}]))
    assert compiled.to_json()["warnings"][0]["place"] == "$.segments[0]"


def test_a_percent_sign_in_a_stills_name_is_just_a_name(settings: Settings) -> None:
    make(
        settings,
        settings.source_root / "card.png",
        *("-f", "lavfi", "-i", "color=red:s=160x90", "-frames:v", "1"),
    )
    odd = Path(settings.source_root / "100%d.png")
    (settings.source_root / "card.png").rename(odd)
    result = rendered(settings, document([{"source": "100%d.png", "duration": 0.5}]))
    assert mean_colors(settings, path_of(result))[:, 0].min() > 240
