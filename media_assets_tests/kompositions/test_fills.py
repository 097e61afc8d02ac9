"""What is shown where a segment is longer than its source, and where there is no segment at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from media_assets.errors import DocumentError
from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import (
    document,
    numbered,
    numbers,
    path_of,
    planned,
    rendered,
)
from media_assets_tests.making import solid
from media_assets_tests.measuring import mean_colors, pictures

BLACK = 0
"""What a picture of nothing but black shows as a number."""


def _seen(settings: Settings, *segments: dict[str, Any], **more: Any) -> list[int]:
    return numbers(settings, path_of(rendered(settings, document(list(segments), **more))))


def test_each_fill_rule_shows_what_it_says(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=2)
    ten = {"source": "n.mp4", "in_point": 1, "source_duration": 1 / 3, "duration": 1}
    fills = ("loop", "freeze", "pad", "stretch", "cut")
    seen = np.array(_seen(settings, *({**ten, "fill": fill} for fill in fills))).reshape(5, 30)
    assert seen[0].tolist() == [*range(30, 40)] * 3
    assert seen[1].tolist() == [*range(30, 40), *[39] * 20]
    assert seen[2].tolist() == [*range(30, 40), *[BLACK] * 20]
    assert seen[3].tolist() == sorted([*range(30, 40)] * 3)
    assert seen[4].tolist() == seen[1].tolist()


def test_only_a_cut_that_asks_for_too_much_is_warned_of(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=1)
    long = {"source": "n.mp4", "duration": 2}
    compiled, _ = planned(
        settings, document([{**long, "fill": fill} for fill in ("cut", "freeze", "loop", "pad")])
    )
    assert [place for place, _ in compiled.warnings] == ["$.segments[0]"]
    assert "held for 30 frame(s)" in compiled.warnings[0][1]


def test_a_loop_whose_length_is_no_whole_number_of_frames_stays_in_time(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=1)
    seen = _seen(settings, {"source": "n.mp4", "source_duration": 0.35, "fill": "loop", "duration": 3.5})
    starts = [at for at, number in enumerate(seen) if number == 0]
    assert starts == [round(turn * 10.5 + 1e-9) if turn % 2 == 0 else starts[turn] for turn in range(10)]
    assert all(abs(at - turn * 10.5) <= 0.5 for turn, at in enumerate(starts))


def test_a_segment_may_start_later_and_the_background_is_seen_before(settings: Settings) -> None:
    solid(settings, settings.source_root / "red.mp4", "red")
    segments = [
        {"source": "red.mp4", "duration": 0.5, "start": 0.5},
        {"source": "red.mp4", "duration": 0.5},
        {"source": "red.mp4", "duration": 0.5, "start": 2},
    ]
    made = document(segments, output={"width": 160, "height": 90, "fps": 30, "background": "#204060"})
    colors = mean_colors(settings, path_of(rendered(settings, made)))
    assert len(colors) == 75
    for first, end, color in ((0, 15, (32, 64, 96)), (15, 45, (254, 0, 0)), (45, 60, (32, 64, 96))):
        assert np.abs(colors[first:end] - color).max() < 6


def test_bars_are_of_the_background(settings: Settings) -> None:
    solid(settings, settings.source_root / "tall.mp4", "red", size="90x160")
    segments: list[dict[str, Any]] = [
        {"source": "tall.mp4", "duration": 0.2},
        {"source": "tall.mp4", "duration": 0.2, "effects": [{"op": "crop", "width": 40, "height": 40}]},
    ]
    made = document(segments, output={"width": 160, "height": 90, "fps": 30, "background": "#204060"})
    shots = pictures(settings, path_of(rendered(settings, made)), 160, 90).astype(int)
    assert np.abs(shots[:, :, :10] - (32, 64, 96)).max() < 6
    assert np.abs(shots[:, 45, 80] - (254, 0, 0)).max() < 6


@pytest.mark.parametrize("offset", [0, -0.2, -0.5, -1])
def test_a_transition_lies_where_its_offset_says_and_moves_no_cut(
    settings: Settings, offset: float
) -> None:
    """Under the transition both go on as ever: after it, each shows what it would have shown without."""
    numbered(settings, "n.mp4", seconds=4)
    segments: list[dict[str, Any]] = [
        {"source": "n.mp4", "in_point": 0, "duration": 1.5},
        {"source": "n.mp4", "in_point": 2, "duration": 1.5},
    ]
    plain = _seen(settings, *segments)
    segments[1]["transition"] = {"duration": 1, "offset": offset}
    seen = _seen(settings, *segments)
    begin = 45 + round(offset * 30)
    assert len(seen) == len(plain) == 90
    assert seen[:begin] == plain[:begin]
    assert seen[begin + 30 :] == plain[begin + 30 :]
    assert seen[begin + 1 : begin + 29] != plain[begin + 1 : begin + 29]


def test_a_transition_in_seconds_among_beats(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=4)
    segments: list[dict[str, Any]] = [
        {"source": "n.mp4", "duration": 2},
        {"source": "n.mp4", "duration": 4, "transition": {"duration": 0.5, "unit": "seconds"}},
    ]
    compiled, _ = planned(settings, document(segments, bpm=60))
    assert [(p.piece.id, p.piece.frames) for p in compiled.pieces] == [
        ("s1", 60),
        ("s1>s2", 15),
        ("s2", 105),
    ]


@pytest.mark.parametrize(
    ("transition", "place"),
    [
        ({"duration": 0.4, "offset": -0.5}, "offset"),
        ({"duration": 1.5, "offset": -1.5}, "offset"),
        ({"duration": 1.2}, "duration"),
    ],
)
def test_a_transition_that_does_not_fit_is_refused(
    settings: Settings, transition: dict[str, float], place: str
) -> None:
    numbered(settings, "n.mp4", seconds=1)
    segments = [
        {"source": "n.mp4", "duration": 1},
        {"source": "n.mp4", "duration": 1, "transition": transition},
    ]
    with pytest.raises(DocumentError) as caught:
        planned(settings, document(segments))
    assert any(path.endswith(f"transition.{place}") for path, _ in caught.value.findings), (
        caught.value.findings
    )


def test_a_long_segment_is_rendered_in_parts_and_nobody_can_tell(settings: Settings) -> None:
    numbered(settings, "n.mp4", seconds=30)
    segments = [{"source": "n.mp4", "in_point": 1, "duration": 28}]
    compiled, _ = planned(settings, document(segments))
    assert [p.piece.frames for p in compiled.pieces] == [600, 240]
    assert _seen(settings, *segments) == [*range(30, 870)]
