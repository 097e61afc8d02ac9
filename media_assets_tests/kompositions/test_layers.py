"""Layers lie over each other as they say, and pictures go into frames as they are asked to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.kompositions.document import parse
from media_assets.kompositions.renditions import rendition_of
from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import document, path_of, planned, rendered
from media_assets_tests.making import make, solid
from media_assets_tests.measuring import pictures

RED, BLUE, GREEN = (254, 0, 0), (0, 0, 254), (0, 128, 0)


@pytest.fixture
def colors(settings: Settings) -> Settings:
    """Clips of one colour each, and a still whose brightness grows to the right and whose red downwards."""
    for name in ("red", "blue", "green"):
        solid(settings, settings.source_root / f"{name}.mp4", name)
    ramp = "geq=r='255*Y/H':g='255*X/W':b=0"
    make(
        settings,
        settings.source_root / "ramp.png",
        *("-f", "lavfi", "-i", f"nullsrc=s=320x180,format=gbrp,{ramp}", "-frames:v", "1"),
    )
    return settings


def _shots(settings: Settings, data: dict[str, Any]) -> NDArray[np.int_]:
    return pictures(settings, path_of(rendered(settings, data)), 160, 90).astype(int)


def _base(**more: Any) -> dict[str, Any]:
    return document([{"source": "red.mp4", "duration": 1}], **more)


def _is(found: Any, color: tuple[float, ...], within: float = 8) -> bool:
    return bool(np.abs(np.asarray(found) - color).max() < within)


def test_a_layer_is_seen_in_its_box_and_its_time_over_what_lies_under_it(colors: Settings) -> None:
    box = {"x": 0.5, "y": 0.0, "width": 0.5, "height": 0.5}
    layers = [
        {"id": "over", "z": 2, "box": box, "segments": [{"color": "blue", "start": 0.2, "duration": 0.4}]},
        {"id": "between", "z": 1, "segments": [{"source": "green.mp4", "start": 0.4, "duration": 0.4}]},
    ]
    shots = _shots(colors, _base(layers=layers))
    assert len(shots) == 30
    for first, end, left, right in ((0, 6, RED, RED), (6, 12, RED, BLUE), (12, 18, GREEN, BLUE)):
        assert _is(shots[first:end, 60, 40], left)
        assert _is(shots[first:end, 20, 120], right)
    assert _is(shots[18:24, 20, 120], GREEN)
    assert _is(shots[24:, 20, 120], RED)


def test_opacity_and_blend_modes_mix_as_they_are_defined(colors: Settings) -> None:
    def mixed(**layer: Any) -> Any:
        above = {"id": "a", "z": 1, "segments": [{"color": "#404040", "duration": 1}], **layer}
        base = document([{"color": "#808040", "duration": 1}], layers=[above])
        return _shots(colors, base)[10, 45, 80]

    assert _is(mixed(opacity=0.5), (96, 96, 64))
    assert _is(mixed(blend="multiply"), (32, 32, 16))
    assert _is(mixed(blend="screen"), (160, 160, 112))
    assert _is(mixed(blend="addition"), (192, 192, 128))
    assert _is(mixed(blend="addition", opacity=0.5), (160, 160, 96))
    assert _is(mixed(blend="darken"), (64, 64, 64))


def test_text_is_drawn_over_the_picture_and_fades_with_its_transparency(colors: Settings) -> None:
    effects = [
        {"op": "text", "text": "I" * 20, "size": 0.9, "color": "white"},
        {"op": "fade_in", "duration": 0.5},
    ]
    title = {
        "id": "title",
        "z": 1,
        "segments": [{"color": "transparent", "duration": 1, "effects": effects}],
    }
    shots = _shots(colors, _base(layers=[title]))
    brightest = shots[:, :, :, 1].max(axis=(1, 2))
    assert brightest[0] < 20
    assert 80 < brightest[7] < 180
    assert brightest[20] > 230
    assert _is(shots[:, 2, 2], RED)


def test_effects_of_a_layer_are_on_each_of_its_segments(colors: Settings) -> None:
    grey = [{"op": "color_correction", "saturation": 0}]
    layer = {
        "id": "l",
        "z": 1,
        "box": {"x": 0.5, "width": 0.5},
        "effects": grey,
        "segments": [{"source": "blue.mp4", "duration": 0.5}, {"source": "green.mp4", "duration": 0.5}],
    }
    right = _shots(colors, _base(layers=[layer]))[:, 45, 120]
    assert (np.ptp(right, axis=1) < 8).all()


def test_what_a_layer_hides_is_not_rendered(colors: Settings) -> None:
    over = [{"id": "o", "z": 1, "segments": [{"source": "blue.mp4", "duration": 1}]}]
    hidden, _ = planned(colors, _base(layers=over))
    alone, _ = planned(colors, document([{"source": "blue.mp4", "duration": 1}]))
    assert [p.fingerprint for p in hidden.pieces] == [p.fingerprint for p in alone.pieces]
    assert rendered(colors, _base(layers=over)).segments[1].sources == ("src_blue_mp4",)


def test_a_layer_under_the_main_one_is_seen_where_that_has_nothing(colors: Settings) -> None:
    main = [{"source": "red.mp4", "duration": 0.5}, {"source": "red.mp4", "start": 0.8, "duration": 0.2}]
    under = [{"id": "u", "z": -1, "segments": [{"source": "blue.mp4", "duration": 1}]}]
    shots = _shots(colors, document(main, layers=under))[:, 45, 80]
    assert _is(shots[:15], RED)
    assert _is(shots[15:24], BLUE)
    assert _is(shots[24:], RED)


def test_a_title_over_part_of_a_clip_renders_only_that_part_anew(colors: Settings) -> None:
    title = {"id": "t", "z": 1, "segments": [{"color": "transparent", "start": 0.5, "duration": 0.2}]}
    plan, _ = planned(colors, _base(layers=[title]))
    assert [(p.piece.id, p.piece.first_frame, p.piece.frames) for p in plan.pieces] == [
        ("s1", 0, 15),
        ("s1+2", 15, 6),
        ("s1+3", 21, 9),
    ]


def test_a_transition_under_a_title_is_one_movement(colors: Settings) -> None:
    """Where a title begins in the middle of a transition, the pictures are those without the title."""
    segments = [
        {"source": "red.mp4", "duration": 0.5},
        {"source": "blue.mp4", "duration": 1, "transition": {"duration": 0.5}},
    ]
    title = {"id": "t", "z": 1, "segments": [{"color": "transparent", "start": 0.7, "duration": 0.5}]}
    with_title = _shots(colors, document(segments, layers=[title]))
    without = _shots(colors, document(segments))
    assert np.abs(with_title - without).mean(axis=(1, 2, 3)).max() < 1.5


@pytest.mark.parametrize("fit", ["contain", "cover"])
def test_a_tall_picture_goes_into_a_wide_frame(colors: Settings, fit: str) -> None:
    solid(colors, colors.source_root / "tall.mp4", "blue", size="90x160")
    shots = _shots(colors, document([{"source": "tall.mp4", "duration": 0.2, "fit": fit}]))
    assert _is(shots[:, 45, 5], (0, 0, 0) if fit == "contain" else BLUE)
    assert _is(shots[:, 45, 80], BLUE)


def test_a_view_moves_smoothly_from_one_framing_to_the_other(colors: Settings) -> None:
    """The still's green tells how far to the right a place in it lies, its red how far down."""
    view = {"start": {"x": 0.5, "zoom": 1}, "end": {"x": 0.75, "y": 0.25, "zoom": 2}, "easing": "linear"}
    segment = {"source": "ramp.png", "duration": 2, "view": view}
    shots = pictures(colors, path_of(rendered(colors, document([segment]))), 32, 18).astype(float)
    across, down = shots[:, 9, 16, 1] / 255, shots[:, 9, 16, 0] / 255
    assert abs(across[0] - 0.51) < 0.04
    assert abs(down[0] - 0.5) < 0.04
    assert abs(across[-1] - 0.75) < 0.04
    assert abs(down[-1] - 0.25) < 0.04
    steps = np.diff(across)
    assert abs(across[30] - (across[0] + across[-1]) / 2) < 0.02
    assert steps.min() > -0.008
    assert steps.max() < 0.02


def test_a_view_is_one_movement_through_transitions_and_parts(colors: Settings) -> None:
    view = {"end": {"x": 0.8, "y": 0.2, "zoom": 2}}
    still = {"source": "ramp.png", "duration": 1, "view": view}
    segments = [still, {"source": "red.mp4", "duration": 0.5, "transition": {"duration": 0.25}}]
    empty = {"id": "t", "z": 1, "segments": [{"color": "transparent", "start": 0.3, "duration": 0.2}]}
    whole, parted = (_shots(colors, document(segments, layers=layers)) for layers in ([], [empty]))
    assert np.abs(whole - parted).mean(axis=(1, 2, 3)).max() < 1.5


def test_a_rendition_shows_the_same_at_the_same_time_in_another_shape(colors: Settings) -> None:
    square = {"id": "square", "width": 90, "height": 90, "fit": "cover"}
    data = _base(renditions=[square])
    other = rendition_of(parse(data, "t"), "square").model_dump(mode="json", exclude_none=True)
    made = rendered(colors, other)
    shots = pictures(colors, path_of(made), 90, 90)
    assert made.frames == 30
    assert _is(shots[:, 5, 5], RED)
    first_look = rendition_of(parse(_base(output={"width": 1920, "height": 1080}), "t"), "preview")
    assert (first_look.output.width, first_look.output.height, first_look.profile) == (640, 360, "preview")


def test_a_logo_in_a_box_stays_whole_where_the_output_is_filled(colors: Settings) -> None:
    solid(colors, colors.source_root / "logo.mp4", "blue", 1, size="90x90")
    box = {"x": 0.5, "y": 0.0, "width": 0.5, "height": 0.5}
    layer = {"id": "logo", "z": 1, "box": box, "segments": [{"source": "logo.mp4", "duration": 0.2}]}
    data = _base(layers=[layer])
    data["output"] = {**data["output"], "fit": "cover"}
    shots = _shots(colors, data)
    seen = np.nonzero(shots[2, 20, :, 2] > 128)[0]
    assert (seen.min(), seen.max()) == pytest.approx((98, 142), abs=2)
    layer["segments"] = [{"source": "logo.mp4", "duration": 0.2, "fit": "cover"}]
    seen = np.nonzero(_shots(colors, data)[2, 20, :, 2] > 128)[0]
    assert (seen.min(), seen.max()) == (80, 159)
