"""Graphs of any size become one command; equal branches stay apart; names are passed as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_assets.errors import BadInput, DiskFull
from media_assets.media.graph import Target, arguments, concatenate, generate, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings
from media_assets_tests.measuring import pictures

_RAW = {"f": "rawvideo", "pix_fmt": "gray"}
AWKWARD = (
    *(
        "it's",
        "a:b",
        "a\\b",
        "a\\",
        "'",
        "a,b;c[d]e",
        "%{n}%d",
        "=",
        "a=b",
        "-x",
        "ünï 日本 🎉",
        '$HOME `x` "q"',
    ),
    *(" before", "after ", "  both  ", " ", "\nline\n", "a\tb\t", "end\\ ", "a\\'b\\:c"),
)


def test_equal_branches_meet_in_one_filter(settings: Settings, tmp_path: Path) -> None:
    opened = generate("color=red:s=16x16:r=10:d=0.5")
    pairs = [[opened.video().filter("setsar", 1)] for _ in range(3)]
    (joined,) = concatenate(pairs, video=True, audio=False)
    path = tmp_path / "out.mkv"
    run_ffmpeg(arguments([Target([joined], path, {"c:v": "ffv1"})]), settings=settings)
    assert len(pictures(settings, path)) == 15


def test_a_graph_longer_than_one_argument_may_be_still_runs(settings: Settings, tmp_path: Path) -> None:
    picture = generate("color=red:s=16x16:r=10:d=0.2").video()
    picture = picture.filter("metadata", "add", key="k", value="x" * 140_000)
    path = tmp_path / "out.gray"
    run_ffmpeg(arguments([Target([picture], path, _RAW)]), settings=settings)
    assert path.stat().st_size == 2 * 16 * 16


def test_a_chain_too_long_to_be_followed_is_refused() -> None:
    picture = generate("color=red:s=16x16").video()
    for _ in range(2000):
        picture = picture.filter("null")
    with pytest.raises(BadInput, match="too long for one command"):
        arguments([Target([picture], None, {})])


@pytest.mark.parametrize("copies", [1, 2, 3])
def test_copies_of_a_stream_are_equal(copies: int, settings: Settings, tmp_path: Path) -> None:
    streams = generate("testsrc2=s=32x32:r=10:d=0.3").video().split(copies, audio=False)
    paths = [tmp_path / f"{index}.gray" for index in range(copies)]
    targets = [Target([stream], path, _RAW) for stream, path in zip(streams, paths, strict=True)]
    run_ffmpeg(arguments(targets), settings=settings)
    assert len({path.read_bytes() for path in paths}) == 1


def test_a_file_is_opened_as_what_it_is_and_nothing_else_is(tmp_path: Path) -> None:
    video = open_file(tmp_path / "-i %d.png", f="png_pipe", ss=3).video()
    words = arguments([Target([video], None, {})])
    before = words[: words.index("-i")]
    assert words[words.index("-i") + 1] == f"file:{tmp_path}/-i %d.png"
    assert {*zip(before[::2], before[1::2], strict=True)} == {
        ("-f", "png_pipe"),
        ("-ss", "3"),
        ("-protocol_whitelist", "file"),
    }


@pytest.mark.parametrize("text", AWKWARD)
def test_a_value_reaches_the_filter_as_it_is(text: str, settings: Settings, tmp_path: Path) -> None:
    """With a name and without, before other values and at the end; to a file with an awkward name."""
    path = tmp_path / f"{text.replace('/', '').replace(chr(0), '')} .txt"
    picture = generate("color=red:s=16x16:r=10:d=0.1").video()
    picture = picture.filter("metadata", "add", "first", text, function="equal")
    picture = picture.filter("metadata", mode="add", key="second", value=text)
    picture = picture.filter("metadata", "print", file=str(path))
    run_ffmpeg(arguments([Target([picture], None, {})]), settings=settings)
    printed = path.read_bytes().decode()
    assert f"first={text}\nsecond={text}\n" in printed or f"second={text}\nfirst={text}\n" in printed


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told_from_other_failures(settings: Settings) -> None:
    picture = generate("testsrc2=s=320x180:r=10:d=1").video()
    with pytest.raises(DiskFull, match="no space"):
        run_ffmpeg(arguments([Target([picture], Path("/dev/full"), _RAW)]), settings=settings)
