"""Sound drawn as a picture, frames side by side, and small moving pictures: what a person would see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import X264, ingested, make
from media_assets_tests.measuring import decode, mean_colors, picture_times

_SHADES = (20, 50, 80, 110, 140, 170, 200, 230)


def _still(
    settings: Settings, path: Path, width: int, height: int, form: str = "rgb24"
) -> NDArray[np.int64]:
    """The pixels as (height, width, channels)."""
    raw = decode(settings, "-i", f"file:{path}", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", form)
    return np.frombuffer(raw, np.uint8).reshape(height, width, -1).astype(np.int64)


def _sound(settings: Settings, expression: str, seconds: float) -> SourceFacts:
    path = settings.source_root / "sound.wav"
    make(settings, path, "-f", "lavfi", "-i", f"aevalsrc={expression}:s=48000", "-t", str(seconds))
    return ingested(settings, path)


def _stepping(
    settings: Settings, name: str, more: tuple[str, ...] = (), size: str = "160x90"
) -> SourceFacts:
    """Eight seconds, each a darker or lighter grey."""
    grey = f"color=black:s={size}:r=30:d=8,format=yuv420p,geq=lum=20+30*floor(T):cb=128:cr=128"
    path = settings.source_root / name
    make(settings, path, "-f", "lavfi", "-i", grey, *X264, "-g", "30", *more)
    return ingested(settings, path)


def test_a_waveform_is_tall_where_it_is_loud(settings: Settings) -> None:
    source = _sound(settings, r"0.9*sin(2*PI*440*t)*between(t\,1\,2)", 3)
    output = applied(
        settings, "waveform", source, width=600, height=200, color="white", background="black", scale="lin"
    )
    lit = _still(settings, output.path, 600, 200).mean(axis=2) > 128
    tall = lit.sum(axis=0)
    assert tall[210:390].min() > 110
    assert tall[:190].max() <= 3
    assert tall[410:].max() <= 3
    assert lit[99:101].all()


def test_a_waveform_has_its_colors(settings: Settings) -> None:
    source = _sound(settings, "0.3*sin(2*PI*440*t)", 1)
    output = applied(
        settings, "waveform", source, width=320, height=160, color="#ff8000", background="navy"
    )
    shown = _still(settings, output.path, 320, 160)
    assert shown[80, 160] == pytest.approx([255, 128, 0], abs=4)
    assert shown[2, 160] == pytest.approx([0, 0, 128], abs=4)


def test_a_waveform_over_nothing(settings: Settings) -> None:
    source = _sound(settings, "0.9*sin(2*PI*440*t)", 1)
    output = applied(settings, "waveform", source, width=320, height=160, background="transparent")
    shown = _still(settings, output.path, 320, 160, "rgba")
    assert shown[80, 160, 3] == 255
    assert shown[2, 160, 3] == 0


def test_quiet_sound_is_seen(settings: Settings) -> None:
    source = _sound(settings, "0.03*sin(2*PI*440*t)", 1)
    heights = {}
    for scale in ("lin", "sqrt"):
        output = applied(settings, "waveform", source, height=200, width=320, scale=scale)
        lit = _still(settings, output.path, 320, 200)[:, 100].sum(axis=1) > 200
        heights[scale] = lit.sum()
    assert heights["sqrt"] > 2.5 * heights["lin"]


def test_a_spectrogram_shows_frequencies(settings: Settings) -> None:
    """Low ones at the bottom: 6 kHz for a second, then 18 kHz."""
    source = _sound(settings, r"0.8*sin(2*PI*if(lt(t\,1)\,6000\,18000)*t)", 2)
    output = applied(settings, "spectrogram", source, width=400, height=200, legend=False)
    light = _still(settings, output.path, 400, 200).sum(axis=2)
    assert light[:, 100].argmax() == pytest.approx(150, abs=3)
    assert light[:, 300].argmax() == pytest.approx(50, abs=3)


@pytest.mark.parametrize("size", [(320, 160), (1281, 641)])
def test_a_spectrogram_with_axes_has_the_size(
    size: tuple[int, int], clips: Clips, settings: Settings
) -> None:
    output = applied(settings, "spectrogram", clips["song"], width=size[0], height=size[1])
    found = output.made.properties
    assert (found.width, found.height) == (size[0] - size[0] % 2, size[1] - size[1] % 2)


def test_a_picture_of_sound_decodes_only_sound(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "waveform", clips["plain"])
    assert "[0:0]" not in " ".join(output.made.commands[0])


def _tiles(settings: Settings, path: Path, columns: int, rows: int) -> list[int]:
    info = probe(path, settings).videos[0]
    light = _still(settings, path, info.width, info.height).mean(axis=2)
    across = [round(info.width * (place + 0.5) / columns) for place in range(columns)]
    down = [round(info.height * (place + 0.5) / rows) for place in range(rows)]
    return [round(float(light[y - 3 : y + 3, x - 3 : x + 3].mean())) for y in down for x in across]


_SHOWN = [round((shade - 16) * 255 / 219) for shade in _SHADES]


@pytest.mark.parametrize("uneven", [False, True])
def test_a_contact_sheet_shows_the_right_moments(uneven: bool, settings: Settings) -> None:
    # Every frame for two seconds, then only the first and second of each second: most time with few frames.
    more = ("-vf", r"select=lt(n\,60)+lt(mod(n\,30)\,2)", "-fps_mode", "vfr") if uneven else ()
    source = _stepping(settings, "steps.mkv", more)
    output = applied(settings, "contact_sheet", source, columns=4, rows=2, width=480, margin=4)
    moments = [(place + 0.5) * (source.info.duration or 0) / 8 for place in range(8)]
    shown = [_SHOWN[int(moment)] for moment in moments]
    assert _tiles(settings, output.path, 4, 2) == pytest.approx(shown, abs=3)
    assert output.made.properties.width == 480 - (480 - 20) % 8


def test_a_contact_sheet_is_upright(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "contact_sheet", clips["rotated"], columns=2, rows=1, width=200, margin=0)
    assert (output.made.properties.width, output.made.properties.height) == (200, 178)


def test_margins_have_their_color(settings: Settings) -> None:
    source = _stepping(settings, "steps.mp4")
    output = applied(
        settings, "contact_sheet", source, columns=2, rows=2, width=200, margin=10, background="red"
    )
    properties = output.made.properties
    shown = _still(settings, output.path, properties.width or 0, properties.height or 0)
    assert shown[4, 100] == pytest.approx([255, 0, 0], abs=25)


def test_too_many_columns_are_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(BadInput, match="do not fit"):
        applied(settings, "contact_sheet", clips["plain"], columns=20, width=200)


@pytest.mark.parametrize("name", ["gif_preview", "webp_preview"])
def test_a_preview_has_its_frames_and_size(name: str, settings: Settings) -> None:
    source = _stepping(settings, "steps.mp4")
    output = applied(settings, name, source, start=4.5, duration=2, width=80, fps=10)
    found = output.made.properties
    assert (found.width, found.height) == (80, 44)
    assert found.duration == pytest.approx(2, abs=0.02)
    light = mean_colors(settings, output.path).mean(axis=1)
    if name == "webp_preview":
        # Equal pictures are one that is shown longer.
        assert light == pytest.approx([_SHOWN[4], _SHOWN[5], _SHOWN[6]], abs=4)
        return
    assert found.frames == 20
    assert light == pytest.approx([_SHOWN[4]] * 5 + [_SHOWN[5]] * 10 + [_SHOWN[6]] * 5, abs=4)


def test_a_gif_repeats_for_ever_and_keeps_its_times(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "gif_preview", clips["plain"], fps=12, width=120)
    data = output.path.read_bytes()
    assert data[:6] == b"GIF89a"
    assert data[data.index(b"NETSCAPE2.0") + 11 :][:4] == b"\x03\x01\x00\x00"
    times = picture_times(settings, output.path)
    assert times == pytest.approx([n / 12 for n in range(24)], abs=0.006)


def test_a_webp_repeats_for_ever(clips: Clips, settings: Settings) -> None:
    data = applied(settings, "webp_preview", clips["plain"], width=120).path.read_bytes()
    chunk = data.index(b"ANIM")
    assert data[chunk + 12 : chunk + 14] == b"\x00\x00"


def test_a_gif_has_the_colors_of_its_pictures(settings: Settings) -> None:
    path = settings.source_root / "orange.mp4"
    make(settings, path, "-f", "lavfi", "-i", "color=c=#e08020:s=160x90:r=30:d=1", *X264)
    source = ingested(settings, path)
    shown = mean_colors(settings, applied(settings, "gif_preview", source, width=160).path)
    assert shown[3] == pytest.approx(mean_colors(settings, source.path)[3], abs=4)


def test_a_preview_of_a_preview_starts_from_the_picture(clips: Clips, settings: Settings) -> None:
    """Colours are reduced when the GIF is written: what is made from its node is not dithered."""
    documents: list[dict[str, object]] = [
        {"op": "gif_preview", "inputs": ["a"], "output": "gif", "params": {"width": 120}},
        {"op": "webp_preview", "inputs": ["gif"], "output": "webp", "params": {"width": 120}},
    ]
    outputs = made(settings, {"a": clips["plain"]}, *documents)
    assert outputs["webp"].made.properties.frames == 24


def test_a_preview_that_is_too_long_is_refused(clips: Clips, settings: Settings) -> None:
    path = settings.source_root / "long.mp4"
    make(settings, path, "-f", "lavfi", "-i", "color=black:s=32x32:r=5:d=100", *X264)
    with pytest.raises(BadInput, match="too long"):
        applied(settings, "gif_preview", ingested(settings, path), duration=61)
