"""Whatever lies in the source folder, under whatever name, is a source, or is refused and left alone."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from media_assets.errors import UnsafePath
from media_assets.media.graph import Target, arguments, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.store.outputs import OutputStore
from media_assets.store.scan import look
from media_assets.store.sources import Rejection, SourceFacts
from media_assets.store.thumbnails import make_thumbnail
from media_assets_tests.paths.conftest import CANARY, Kept

_LATER = 2**33

STRANGE = [
    "-version.mp4",
    "--help",
    "%05d.mp4",
    "%%.mp4",
    "a\nb.mp4",
    "a\rb\x1b[31m.mp4",
    'it\'s "quoted".mp4',
    "semi;colon,[in];$(touch x)`touch y`.mp4",
    "back\\slash.mp4",
    "concat:a.mp4|b.mp4",
    "http:127.0.0.1:9",
    "pipe:0",
    "movie=a.mp4,x",
    "*?.mp4",
    "~root.mp4",
    "mp4x",
    "n" * 251 + ".mp4",
    "\u202egnp.mp4",
    " .mp4 ",
    "日本語🎬.mp4",
    "CON.mp4",
]


def test_a_strange_name_is_a_source_like_any_other(kept: Kept) -> None:
    """Each is read, and its picture made: the name is nothing but a name to ffmpeg."""
    content = (kept.settings.source_root / "a.mp4").read_bytes()
    for name in STRANGE:
        (kept.settings.source_root / name).write_bytes(content)
    results = list(kept.catalogue.ingest(kept.catalogue.changes(now=_LATER).unread))
    assert [r for r in results if isinstance(r, Rejection)] == []
    found = {r.relative: r for r in results if isinstance(r, SourceFacts)}
    assert found.keys() == set(STRANGE)
    assert len({r.id for r in results}) == len(STRANGE)
    store = OutputStore(kept.settings)
    for name in STRANGE[:5]:
        outcome = make_thumbnail(found[name], store, kept.settings)
        assert outcome.output.path.is_relative_to(kept.settings.store_root)
    # As inputs, together.
    streams = [open_file(facts.path, f=facts.info.demuxer).video() for facts in found.values()]
    run_ffmpeg(arguments([Target([s], None, {"frames:v": 1}) for s in streams]), settings=kept.settings)


def _link(target: str) -> Callable[[Path, Kept], None]:
    def make(path: Path, kept: Kept) -> None:
        path.symlink_to(target.replace("{canary}", str(kept.canary)))

    return make


def _socket(path: Path, kept: Kept) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the whole path may be longer than a socket's may be
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _junk(path: Path, kept: Kept) -> None:
    path.write_bytes(b"x")


REFUSED: Mapping[str, Callable[[Path, Kept], None]] = {
    "out.mp4": _link("{canary}"),
    "relative.mp4": _link("../../canary.mp4"),
    "device.mp4": _link("/dev/zero"),
    "memory.mp4": _link("/proc/self/mem"),
    "folder.mp4": _link(".."),
    "loop.mp4": _link("loop.mp4"),
    "record.mp4": _link("../metadata/memo.json"),
    "fifo.mp4": lambda path, kept: os.mkfifo(path),
    "socket.mp4": _socket,
    "\udcff\udcfe.mp4": _junk,
}


def test_what_is_no_plain_file_below_the_folder_is_refused(kept: Kept) -> None:
    """None is opened: a pipe that nobody writes to would stop everything."""
    for name, make in REFUSED.items():
        make(kept.settings.source_root / name, kept)
    found = {file.relative: file for file in kept.catalogue.changes(now=_LATER).unread}
    assert found.keys() == REFUSED.keys()
    results = list(kept.catalogue.ingest(list(found.values())))
    assert {type(result) for result in results} == {Rejection}
    assert {result.error for result in results if isinstance(result, Rejection)} == {"UnsafePath"}
    records = "".join(path.read_text() for path in kept.settings.metadata_root.rglob("*") if path.is_file())
    assert CANARY not in records


@pytest.mark.parametrize(
    "path",
    [
        "{out}",
        "{canary}",
        "/etc/passwd",
        "../kompositions/x.mp4",
        "out/canary.mp4",
        "a.mp4\0",
        "",
        ".",
        "x/../a.mp4",
    ],
)
def test_a_run_is_not_told_to_read_elsewhere(kept: Kept, path: str) -> None:
    """The paths in a run's configuration come from whoever launches it."""
    (kept.settings.source_root / "out").symlink_to(kept.canary.parent)
    (kept.settings.source_root / "x").mkdir()
    given = path.replace("{out}", kept.out).replace("{canary}", str(kept.canary))
    found = look(kept.settings.source_root, given)
    if found is not None:
        (result,) = kept.catalogue.ingest([found])
        assert isinstance(result, Rejection)
        assert result.error == UnsafePath.__name__
