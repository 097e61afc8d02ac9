"""Overlays, words and subtitles are in their place, for their time, in their colour."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.fonts import Font, default_font
from media_assets.media.probe import probe
from media_assets.operations.text import laid_out
from media_assets.settings import Settings
from media_assets.store.outputs import Output
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied, made
from media_assets_tests.making import ingested, make
from media_assets_tests.measuring import decode, frequency, mean_colors, samples


def _black(settings: Settings, size: str = "320x180", sound: bool = True) -> SourceFacts:
    picture = ("-f", "lavfi", "-i", f"color=black:s={size}:r=10:d=2")
    tone = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=2") if sound else ()
    path = settings.source_root / "black.mp4"
    return ingested(settings, make(settings, path, *picture, *tone, "-c:v", "libx264", "-c:a", "aac"))


def _frames(settings: Settings, output: Output) -> NDArray[np.uint8]:
    found = output.made.properties
    raw = decode(
        settings, "-i", f"file:{output.path}", "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "rgb24"
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, found.height or 0, found.width or 0, 3)


def _box(shot: NDArray[np.uint8]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not black."""
    rows, columns = np.where(shot.max(axis=2) > 60)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


# The logo is 48 by 32 with a red rectangle of 32 by 16 in its middle, and nothing around it.
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"position": "top_left", "margin": 10}, (18, 18, 50, 34)),
        ({"position": "bottom_right", "margin": 10}, (270, 146, 302, 162)),
        ({"position": "center"}, (144, 82, 176, 98)),
        ({"x": 0, "y": 100}, (8, 108, 40, 124)),
        ({"position": "top_left", "margin": 0, "width": 0.3}, (16, 16, 80, 48)),
        ({"position": "top_left", "margin": 0, "width": 96}, (16, 16, 80, 48)),
        ({"position": "bottom", "margin": 0.1}, (144, 138, 176, 154)),
    ],
)
def test_the_overlay_is_in_its_place(
    parameters: dict[str, Any], expected: tuple[int, ...], clips: Clips, settings: Settings
) -> None:
    shots = _frames(settings, applied(settings, "overlay", _black(settings), clips["logo"], **parameters))
    assert len(shots) == 20
    for shot in (shots[0], shots[-1]):
        assert _box(shot) == pytest.approx(expected, abs=2)
        left, top, right, bottom = expected
        middle = shot[(top + bottom) // 2, (left + right) // 2].astype(int)
        assert np.abs(middle - (255, 0, 0)).max() < 12


def test_opacity_and_time_hold(clips: Clips, settings: Settings) -> None:
    output = applied(
        settings, "overlay", _black(settings), clips["logo"], opacity=0.5, start=0.5, end="1.5s", width=1.0
    )
    middle = _frames(settings, output)[:, 90, 160, 0].astype(int)
    assert middle[:5].max() < 10
    assert middle[15:].max() < 10
    assert middle[5:15] == pytest.approx(128, abs=10)


def test_a_video_plays_from_its_start_and_is_gone_when_it_is_over(settings: Settings, clips: Clips) -> None:
    path = settings.source_root / "ramp.mp4"
    grey = "color=black:s=64x48:r=10:d=1,format=yuv420p,geq=lum=60+10*N:cb=128:cr=128"
    ramp = ingested(settings, make(settings, path, "-f", "lavfi", "-i", grey, "-c:v", "libx264"))
    output = applied(settings, "overlay", _black(settings), ramp, start=0.5)
    middle = _frames(settings, output)[:, 90, 160, 0].astype(int)
    assert (middle[:5].max() < 10, middle[15:].max() < 10) == (True, True)
    assert np.all(np.diff(middle[5:15]) > 5)
    assert output.made.properties.duration == pytest.approx(2.0, abs=0.03)


def test_sound_is_the_one_below_or_both(settings: Settings) -> None:
    path = settings.source_root / "high.mp4"
    picture = ("-f", "lavfi", "-i", "color=red:s=64x48:r=10:d=1")
    tone = ("-f", "lavfi", "-i", "sine=f=2000:r=48000:d=1")
    high = ingested(settings, make(settings, path, *picture, *tone, "-c:v", "libx264", "-c:a", "aac"))
    below = _black(settings)
    alone = samples(settings, applied(settings, "overlay", below, high).path)
    assert _level(alone[48_000:], 2000) < 0.01
    mixed = samples(settings, applied(settings, "overlay", below, high, mix_sound=True, start=1).path)
    assert frequency(mixed[4_800:43_200]) == pytest.approx(440, abs=3)
    assert _level(mixed[4_800:43_200], 2000) < 0.01
    assert _level(mixed[52_800:91_200], 2000) == pytest.approx(_level(mixed[52_800:91_200], 440), rel=0.15)
    silent = _black(settings, sound=False)
    given = applied(settings, "overlay", silent, high, mix_sound=True)
    assert given.made.properties.audio == "aac"


def _level(sound: NDArray[np.float32], tone: float) -> float:
    turns = np.exp(-2j * np.pi * tone * np.arange(len(sound)) / 48_000)
    return float(2 * abs((sound * turns).mean()))


def test_an_overlay_keeps_its_shape_on_other_than_square_pixels(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "overlay", clips["anamorphic"], clips["logo"], position="center")
    info = probe(output.path, settings)
    assert info.video is not None
    assert float(info.video.sar) == pytest.approx(4 / 3)


def test_text_is_seen_in_its_time_and_nowhere_else(settings: Settings) -> None:
    output = applied(
        settings, "text", _black(settings), text="HI", size=0.3, start=0.5, end=1.5, color="#e08020"
    )
    shots = _frames(settings, output)
    assert shots[:5].max() < 10
    assert shots[15:].max() < 10
    left, top, right, bottom = _box(shots[10])
    assert (left + right) / 2 == pytest.approx(160, abs=3)
    assert 100 < top < bottom <= 180 - 9
    brightest = shots[10].reshape(-1, 3)[shots[10].sum(axis=2).argmax()].astype(int)
    assert np.abs(brightest - (0xE0, 0x80, 0x20)).max() < 50


@pytest.mark.parametrize(
    ("position", "across", "down"),
    [("top_left", 0, 0), ("top", 1, 0), ("right", 2, 1), ("center", 1, 1), ("bottom_right", 2, 2)],
)
def test_text_is_in_its_place(position: str, across: int, down: int, settings: Settings) -> None:
    output = applied(settings, "text", _black(settings), text="Hxg", position=position, margin=10, size=0.2)
    left, top, right, bottom = _box(_frames(settings, output)[0])
    assert [left - 10, (left + right) / 2 - 160, 310 - right][across] == pytest.approx(0, abs=5)
    assert [top - 10, (top + bottom) / 2 - 90, 170 - bottom][down] == pytest.approx(0, abs=14)


def test_a_box_is_behind_the_text_and_a_fade_is_gradual(settings: Settings) -> None:
    words = {"text": "Box", "box": True, "box_color": "blue", "x": 20, "y": 30, "fade": 0.5}
    shots = _frames(settings, applied(settings, "text", _black(settings), **words)).astype(int)
    left, top, _, _ = _box(shots[10].astype(np.uint8))
    assert (left, top) == pytest.approx((20, 30), abs=2)
    corner = shots[:, 32, 22, 2]
    assert corner[0] < 10
    assert corner[3] == pytest.approx(255 * 0.6, abs=15)
    assert corner[10] == pytest.approx(255, abs=12)


@pytest.mark.parametrize(
    "text",
    ["100% %{n} %d", "it's \\ a:b", "a,b;[c]=d", " “ünï” ", "line\nline", "\t tab", "-y", "漢字 🎉"],
)
def test_any_text_can_be_drawn(text: str, clips: Clips, settings: Settings) -> None:
    shots = _frames(settings, applied(settings, "text", _black(settings), text=text))
    assert shots.max() > 100


def test_text_without_expansion_is_as_wide_as_its_letters(settings: Settings) -> None:
    """`%{n}` would be a digit; drawn as given it is as wide as the font says."""
    output = applied(settings, "text", _black(settings), text="%{n}%{n}", size=40, position="center")
    left, _, right, _ = _box(_frames(settings, output)[0])
    assert right - left == pytest.approx(40 * Font(default_font()).width("%{n}%{n}"), abs=6)


def test_another_font_is_used(clips: Clips, settings: Settings) -> None:
    black = _black(settings)
    plain = _frames(settings, applied(settings, "text", black, text="Width", size=60))[0]
    bold = _frames(settings, applied(settings, "text", black, clips["font"], text="Width", size=60))[0]
    assert bold.sum() > 1.05 * plain.sum()


def test_text_on_transparency_is_opaque(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "text", clips["logo"], text="I", size=30, position="left", margin=0)
    raw = decode(settings, "-i", f"file:{output.path}", "-f", "rawvideo", "-pix_fmt", "rgba")
    shot = np.frombuffer(raw, np.uint8).reshape(32, 48, 4)
    assert shot[:, :8, 3].max() > 240
    assert shot[0, 47, 3] == 0


def test_long_lines_are_broken_and_long_words_made_smaller() -> None:
    font = Font(default_font())
    lines, size = laid_out("one two three four five six", font, 40, (250, 400))
    assert (" ".join(lines), size) == ("one two three four five six", 40)
    assert len(lines) > 1
    assert all(font.width(line) * size <= 250 for line in lines)
    lines, size = laid_out("Incomprehensibilities", font, 40, (250, 400))
    assert lines == ["Incomprehensibilities"]
    assert 20 < size < 40
    assert font.width(lines[0]) * size <= 250
    lines, size = laid_out("a\nb\nc\nd", font, 40, (250, 100))
    assert lines == ["a", "b", "c", "d"]
    assert 4 * font.line * size <= 100
    assert laid_out("漢字漢字漢字", font, 40, (100, 400))[1] == 40
    assert laid_out("  two  spaces ", font, 20, (900, 400))[0] == ["  two  spaces "]


def test_letters_that_the_font_has() -> None:
    font = Font(default_font())
    assert all(font.has(letter) for letter in "Aéñßžλ Я€“”")
    assert not font.has("漢")


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("text", {"text": ""}, "at least 1 character"),
        ("text", {"text": " \n"}, "no text"),
        ("text", {"text": "a\0b"}, "NUL"),
        ("text", {"text": "a", "start": 3}, "after the clip's end"),
        ("text", {"text": "a", "start": 1, "end": 0.5}, "before it starts"),
        ("text", {"text": "a", "color": "#12"}, "not a colour"),
        ("text", {"text": "a", "position": "middle"}, "top_left"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    name: str, parameters: dict[str, Any], words: str, clips: Clips, settings: Settings
) -> None:
    with pytest.raises(BadInput, match=words):
        applied(settings, name, clips["plain"], **parameters)


def test_a_damaged_font_is_refused(clips: Clips, settings: Settings) -> None:
    path = settings.source_root / "cut.ttf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(default_font().read_bytes()[:400])
    with pytest.raises(BadInput, match=r"damaged|table"):
        applied(settings, "text", _black(settings), ingested(settings, path), text="a")


def test_subtitles_are_burnt_in_for_their_time(clips: Clips, settings: Settings) -> None:
    shots = _frames(settings, applied(settings, "subtitles", _black(settings), clips["words"]))
    assert shots[:5].max() < 10
    assert shots[16:].max() < 10
    left, top, right, bottom = _box(shots[10])
    assert (left + right) / 2 == pytest.approx(160, abs=4)
    assert 130 < top < bottom < 180


@pytest.mark.parametrize(("position", "middle"), [("top", 20), ("center", 90), ("bottom", 160)])
def test_subtitles_look_as_asked_for(position: str, middle: int, clips: Clips, settings: Settings) -> None:
    look = {"position": position, "color": "yellow", "size": 0.1, "box_color": "blue", "margin": 0.05}
    shot = _frames(settings, applied(settings, "subtitles", _black(settings), clips["words"], **look))[10]
    _, top, _, bottom = _box(shot)
    assert (top + bottom) / 2 == pytest.approx(middle, abs=12)
    assert (shot[..., 0] > 200).sum() > 20
    blue = (shot[..., 2] > 200) & (shot[..., 0] < 60)
    assert blue.sum() > 500


def test_a_stream_of_subtitles_is_beside_picture_and_sound(clips: Clips, settings: Settings) -> None:
    sources = {"in": _black(settings), "lines": clips["words"]}
    document = {"op": "subtitles", "inputs": ["in", "lines"], "output": "out"}
    again = {"op": "resize", "inputs": ["out"], "output": "small", "params": {"width": 160}}
    outputs = made(settings, sources, document | {"params": {"mode": "stream", "language": "eng"}}, again)
    info = probe(outputs["out"].path, settings)
    (stream,) = info.subtitles
    assert (stream.codec, stream.language) == ("mov_text", "eng")
    assert outputs["out"].made.properties.duration == pytest.approx(2.0, abs=0.05)
    lines = decode(settings, "-i", f"file:{outputs['out'].path}", "-map", "0:s", "-f", "srt").decode()
    assert "00:00:00,500 --> 00:00:01,500" in lines
    assert "It's 100% fine: “so”, [he] said" in lines
    assert mean_colors(settings, outputs["out"].path).max() < 5
    assert probe(outputs["small"].path, settings).subtitles == ()


def test_subtitles_need_no_fonts_on_the_machine(
    clips: Clips, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = applied(settings, "subtitles", _black(settings), clips["words"]).content_hash
    monkeypatch.setenv("FONTCONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("HOME", "/nonexistent")

    bare = replace(settings, data_root=settings.data_root / "bare")
    source = _black(bare)
    assert applied(bare, "subtitles", source, clips["words"]).content_hash == here
