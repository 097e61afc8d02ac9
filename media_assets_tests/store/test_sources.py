"""Sources are noticed from stat alone, read once, and never hold each other up."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from media_assets.errors import BadInput, UnknownSource, UnsafePath
from media_assets.settings import Settings
from media_assets.store.scan import scan
from media_assets.store.sources import Rejection, SourceCatalogue, SourceFacts
from media_assets_tests.making import clip

LATER = 2.0**33
"""A time by which every file has settled (seconds since the epoch)."""


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short clip."""
    folder = tmp_path_factory.mktemp("video")
    return clip(Settings.from_environment(folder), folder / "a.mp4", seconds=1, size="64x36")


@pytest.fixture
def catalogue(settings: Settings) -> SourceCatalogue:
    """An empty catalogue."""
    return SourceCatalogue(settings)


def drop(catalogue: SourceCatalogue, name: str, content: Path | bytes) -> Path:
    """Put a file into the source folder."""
    path = catalogue.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return path


def ingest(catalogue: SourceCatalogue) -> list[SourceFacts | Rejection]:
    """Read all that changed."""
    return list(catalogue.ingest(catalogue.changes(LATER).unread))


def test_a_new_file_is_read_once(catalogue: SourceCatalogue, video: Path) -> None:
    drop(catalogue, "a.mp4", video)
    (facts,) = ingest(catalogue)
    assert isinstance(facts, SourceFacts)
    assert (facts.id, facts.relative, facts.info.kind) == ("src_a_mp4", "a.mp4", "video")
    assert catalogue.changes(LATER).unread == ()
    assert catalogue.facts("a.mp4") == catalogue.facts("src_a_mp4") == facts


def test_a_young_file_is_growing_and_is_left_alone(catalogue: SourceCatalogue, video: Path) -> None:
    path = drop(catalogue, "a.mp4", video)
    written = path.stat().st_mtime
    young = catalogue.changes(written + 0.5)
    assert (young.unread, [f.id for f in young.growing]) == ((), ["src_a_mp4"])
    assert [f.id for f in catalogue.changes(written + 5).unread] == ["src_a_mp4"]


def test_a_clock_that_was_set_back_does_not_hide_a_file(catalogue: SourceCatalogue, video: Path) -> None:
    path = drop(catalogue, "a.mp4", video)
    assert [f.id for f in catalogue.changes(path.stat().st_mtime - 3600).unread] == ["src_a_mp4"]


def test_a_touched_file_keeps_its_version(catalogue: SourceCatalogue, video: Path) -> None:
    path = drop(catalogue, "a.mp4", video)
    (before,) = ingest(catalogue)
    os.utime(path, (1, 1))
    assert [f.id for f in catalogue.changes(LATER).unread] == ["src_a_mp4"]
    (after,) = ingest(catalogue)
    assert isinstance(before, SourceFacts)
    assert isinstance(after, SourceFacts)
    assert (after.sha256, after.info) == (before.sha256, before.info)


def test_a_renamed_file_is_known_without_being_read(catalogue: SourceCatalogue, video: Path) -> None:
    """Its bytes are changed behind the file system's back: if it were read, the hash would tell."""
    path = drop(catalogue, "a.mp4", video)
    (before,) = ingest(catalogue)
    status = path.stat()
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.rename(catalogue.root / "b.mp4")
    changes = catalogue.changes(LATER)
    assert ([f.id for f in changes.unread], changes.removed) == (["src_b_mp4"], ("src_a_mp4",))
    (after,) = ingest(catalogue)
    assert isinstance(before, SourceFacts)
    assert isinstance(after, SourceFacts)
    assert after.sha256 == before.sha256


def test_a_lost_memo_is_rebuilt_from_the_records(catalogue: SourceCatalogue, video: Path) -> None:
    drop(catalogue, "a.mp4", video)
    drop(catalogue, "bad.mp4", b"bad")
    ingest(catalogue)
    (catalogue.settings.metadata_root / "memo.json").unlink()
    assert catalogue.changes(LATER).unread == ()
    assert set(catalogue.versions()) == {"src_a_mp4"}


def test_a_damaged_memo_or_record_is_no_disaster(catalogue: SourceCatalogue, video: Path) -> None:
    drop(catalogue, "a.mp4", video)
    ingest(catalogue)
    (catalogue.settings.metadata_root / "memo.json").write_text("{not json")
    (catalogue.settings.metadata_root / "sources" / "src_a_mp4.json").write_text("")
    assert [f.id for f in catalogue.changes(LATER).unread] == ["src_a_mp4"]
    (facts,) = ingest(catalogue)
    assert isinstance(facts, SourceFacts)


def test_a_file_that_goes_bad_is_rejected_and_comes_back(catalogue: SourceCatalogue, video: Path) -> None:
    drop(catalogue, "a.mp4", video)
    ingest(catalogue)
    drop(catalogue, "a.mp4", b"no longer a video")
    (rejection,) = ingest(catalogue)
    assert isinstance(rejection, Rejection)
    assert catalogue.rejections() == [rejection]
    with pytest.raises(UnknownSource, match="rejected"):
        catalogue.facts("a.mp4")
    drop(catalogue, "a.mp4", video)
    ingest(catalogue)
    assert catalogue.rejections() == []
    assert catalogue.facts("a.mp4").info.kind == "video"


def test_a_file_that_changed_after_it_was_read_is_not_used(catalogue: SourceCatalogue, video: Path) -> None:
    path = drop(catalogue, "a.mp4", video)
    ingest(catalogue)
    assert catalogue.unchanged("a.mp4").id == "src_a_mp4"
    os.utime(path, (5, 5))
    with pytest.raises(BadInput, match="changed after"):
        catalogue.unchanged("a.mp4")
    path.unlink()
    with pytest.raises(UnknownSource, match="gone"):
        catalogue.unchanged("a.mp4")


def test_hidden_and_unfinished_files_are_passed_over(catalogue: SourceCatalogue) -> None:
    for name in (".hidden.mp4", "a.mp4.part", "b.crdownload", "c.tmp", "d.mp4~", ".git/e.mp4"):
        drop(catalogue, name, b"x")
    assert scan(catalogue.root) == {}


def test_files_in_folders_and_with_odd_names_are_found(catalogue: SourceCatalogue, video: Path) -> None:
    names = [
        "holiday/day 1/a.mp4",
        "a'b\"c.mp4",
        "-n.mp4",
        "%d.mp4",
        "line\nbreak.mp4",
        "日本.mp4",
        "a&b=c?.mp4",
    ]
    for name in names:
        drop(catalogue, name, video)
    found = ingest(catalogue)
    assert sorted(facts.relative for facts in found) == sorted(names)
    assert all(isinstance(facts, SourceFacts) for facts in found)


@pytest.mark.skipif(sys.platform == "darwin", reason="the file system takes no such names")
def test_a_name_that_is_not_text_is_reported(catalogue: SourceCatalogue, video: Path) -> None:
    shutil.copy(video, os.fsdecode(os.fsencode(catalogue.root) + b"/caf\xe9.mp4"))
    (rejection,) = ingest(catalogue)
    assert isinstance(rejection, Rejection)
    assert "UTF-8" in rejection.message
    assert rejection.to_json()["path"] == "caf?.mp4"
    assert catalogue.changes(LATER).unread == ()


def test_links_out_of_the_folder_and_special_files_are_refused(
    catalogue: SourceCatalogue, video: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(video.read_bytes())
    (catalogue.root / "out.mp4").symlink_to(outside)
    (catalogue.root / "nothing.mp4").symlink_to(catalogue.root / "gone.mp4")
    (catalogue.root / "loop").symlink_to(catalogue.root, target_is_directory=True)
    os.mkfifo(catalogue.root / "pipe.mp4")
    drop(catalogue, "a.mp4", video)
    (catalogue.root / "in.mp4").symlink_to(catalogue.root / "a.mp4")
    results = {result.relative: result for result in ingest(catalogue)}
    accepted = {name for name, result in results.items() if isinstance(result, SourceFacts)}
    assert accepted == {"a.mp4", "in.mp4"}
    assert set(results) == {"a.mp4", "in.mp4", "out.mp4", "nothing.mp4", "loop", "pipe.mp4"}


def test_a_socket_among_the_sources_holds_nobody_up(tmp_path: Path, video: Path) -> None:
    catalogue = SourceCatalogue(Settings.from_environment(tmp_path))
    drop(catalogue, "a.mp4", video)
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(catalogue.root)  # a socket's path may be only a hundred bytes long
        try:
            listener.bind("s.mp4")
        finally:
            os.chdir(here)
        kinds = {result.relative: type(result) for result in ingest(catalogue)}
    assert kinds == {"a.mp4": SourceFacts, "s.mp4": Rejection}


@pytest.mark.parametrize(
    "reference",
    ["../x.mp4", "/etc/passwd", "a/../../x", "http://x/y.mp4", "file:///etc/passwd", "", "a\0b"],
)
def test_a_reference_never_leaves_the_source_folder(catalogue: SourceCatalogue, reference: str) -> None:
    with pytest.raises((UnsafePath, UnknownSource)):
        catalogue.facts(reference)


def test_an_empty_file_is_rejected_at_once(catalogue: SourceCatalogue) -> None:
    drop(catalogue, "empty.mp4", b"")
    (rejection,) = ingest(catalogue)
    assert isinstance(rejection, Rejection)
    assert "empty" in rejection.message
