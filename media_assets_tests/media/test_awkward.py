"""Names and texts by the thousand: each reaches ffmpeg exactly as it is."""

from __future__ import annotations

import os
import random
from fractions import Fraction
from pathlib import Path

import pytest

from media_assets.errors import UnsafePath
from media_assets.media import binaries
from media_assets.media.concat import concat_list
from media_assets.media.graph import Target, arguments, concatenate, generate, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.media.verify import read_properties
from media_assets.settings import Settings
from media_assets_tests.measuring import decode

_PIECES = [
    *"'\"\\:;,=%[]{}()<>|&$`~!?*#@^+-_./ \t\n\r",
    *("%d", "%{pts}", "\\n", "\\'", "''", "-i", "--", "file:", "http://", "../", "a", "B", "7"),
    *("é", "ß", "日本", "☃", "🎬", "\u200f", "\u0301", "ﷺ", "\x7f", "\x1b[31m"),
]
_IN_ONE_COMMAND = 40


def awkward(count: int, seed: int, *, in_names: bool) -> list[str]:
    """Texts of a few awkward pieces each, no two alike."""
    pick = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        text = "".join(pick.choice(_PIECES) for _ in range(pick.randrange(1, 9)))
        if in_names:
            text = text.replace("/", "").strip(".") or "x"
        found[text] = None
    return list(found)


@pytest.mark.parametrize("seed", range(25))
def test_a_text_reaches_a_filter_exactly(seed: int, settings: Settings, tmp_path: Path) -> None:
    """A thousand texts: each is given to a frame as metadata, and printed again by another filter."""
    texts = awkward(_IN_ONE_COMMAND, seed, in_names=False)
    picture = generate("color=s=16x16:r=1:d=1").video()
    for number, text in enumerate(texts):
        picture = picture.filter("metadata", mode="add", key=f"k{number:03}", value=text)
    printed = tmp_path / "it's [here]; 100%, \\ok:.txt"
    picture = picture.filter("metadata", mode="print", file=str(printed))
    run_ffmpeg(arguments([Target([picture], None, {})]), settings=settings)
    _, _, said = printed.read_bytes().decode().partition("\n")
    assert said == "".join(f"k{number:03}={text}\n" for number, text in enumerate(texts))


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A thousand names of one short sound."""
    folder = tmp_path_factory.mktemp("named")
    settings = Settings.from_environment(data=folder / "data")
    first = folder / "first.wav"
    run_ffmpeg(["-f", "lavfi", "-i", "sine=d=0.1:r=8000", f"file:{first}"], settings=settings)
    paths = []
    for name in awkward(1000, 99, in_names=True):
        path = folder / f"{name}.wav"
        os.link(first, path)
        paths.append(path)
    return paths


def test_a_thousand_names_are_joined_by_a_list(
    named: list[Path], settings: Settings, tmp_path: Path
) -> None:
    some = [path for path in named if not {*"\r\n"} & {*path.name}]
    listing, joined = tmp_path / "list.txt", tmp_path / "joined.wav"
    listing.write_text(concat_list(some, [Fraction(1, 10)] * len(some)))
    sound = open_file(listing, f="concat", safe=0).audio()
    run_ffmpeg(arguments([Target([sound], joined, {"c": "copy"})]), settings=settings)
    assert read_properties(joined, settings).duration == pytest.approx(len(some) / 10, abs=0.5)
    with pytest.raises(UnsafePath, match="line break"):
        concat_list(named, [Fraction(1, 10)] * len(named))


def test_names_are_opened_as_inputs_and_written_as_outputs(
    named: list[Path], settings: Settings, tmp_path: Path
) -> None:
    """Twenty commands of fifty inputs; each writes to a name as awkward as those it reads."""
    for start in range(0, len(named), 50):
        some = named[start : start + 50]
        (joined,) = concatenate([[open_file(path).audio()] for path in some], video=False, audio=True)
        output = tmp_path / f"{some[0].stem}.wav"
        run_ffmpeg(arguments([Target([joined], output, {})]), settings=settings)
        assert len(decode(settings, "-i", f"file:{output}", "-f", "s16le")) == 50 * 1600


def test_a_name_is_never_an_option_or_a_pattern(settings: Settings, tmp_path: Path) -> None:
    for name in ("-version.wav", "%05d.wav", "-", "pipe:0.wav", "concat:a|b.wav", "file:x.wav"):
        path = tmp_path / name
        tone = generate("sine=d=0.1:r=8000").audio()
        run_ffmpeg(arguments([Target([tone], path, {"f": "wav"})]), settings=settings)
        assert path.stat().st_size > 1600
    assert binaries.ffmpeg(settings).path.exists()
