"""What is wrong with the machine is not held against a file, and a strange folder stops nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from media_assets.errors import DiskRefused, FfmpegMissing, UnknownSource, UnsafePath
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json
from media_assets.store.outputs import OutputStore
from media_assets.store.scan import scan
from media_assets.store.sources import Rejection, SourceCatalogue, SourceFacts
from media_assets_tests.making import clip

_LATER = 2**33
_SCAN_AS_NOBODY = """
import os, sys
from pathlib import Path
from media_assets.store.scan import scan
if os.geteuid() == 0:
    os.setuid(65534)
for found in scan(Path(sys.argv[1])).values():
    print(found.relative, "|", found.problem)
"""


def test_a_missing_ffprobe_is_not_the_fault_of_the_file(settings: Settings) -> None:
    clip(settings, settings.source_root / "a.mp4", seconds=0.2, sound=None)
    without = SourceCatalogue(replace(settings, ffprobe="/nowhere/ffprobe"))
    with pytest.raises(FfmpegMissing):
        list(without.ingest(without.changes(now=_LATER).unread))
    assert without.rejections() == []
    mended = SourceCatalogue(settings)
    (facts,) = mended.ingest(mended.changes(now=_LATER).unread)
    assert isinstance(facts, SourceFacts)


def test_a_touched_file_needs_no_ffprobe(settings: Settings) -> None:
    path = clip(settings, settings.source_root / "a.mp4", seconds=0.2, sound=None)
    catalogue = SourceCatalogue(settings)
    (first,) = catalogue.ingest(catalogue.changes(now=_LATER).unread)
    os.utime(path, (1, 1))
    without = SourceCatalogue(replace(settings, ffprobe="/nowhere/ffprobe"))
    (again,) = without.ingest(without.changes(now=_LATER).unread)
    assert not isinstance(first, Rejection)
    assert not isinstance(again, Rejection)
    assert (again.sha256, again.info) == (first.sha256, first.info)


@pytest.mark.parametrize(
    "reference", ["src_/../../secret", "src_a/../../../secret", "src_\ud800", "\ud800.mp4"]
)
def test_an_id_is_no_way_out_of_the_records(reference: str, settings: Settings) -> None:
    (settings.metadata_root / "sources").mkdir(parents=True)
    (settings.data_root / "secret.json").write_text("{}")
    with pytest.raises((UnsafePath, UnknownSource)):
        SourceCatalogue(settings).facts(reference)


def test_a_very_long_reference_is_merely_unknown(settings: Settings) -> None:
    with pytest.raises(UnknownSource):
        SourceCatalogue(settings).facts("src_" + "a" * 5000)


def test_links_that_lead_in_a_circle_are_found_with_a_problem(tmp_path: Path) -> None:
    (tmp_path / "one.mp4").symlink_to("two.mp4")
    (tmp_path / "two.mp4").symlink_to("one.mp4")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to("..")
    problems = {found.relative: found.problem for found in scan(tmp_path).values()}
    assert problems == {
        "one.mp4": "it is a link to nothing",
        "two.mp4": "it is a link to nothing",
        "folder/up": "it is a link to a folder",
    }


def test_a_folder_that_may_not_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    root = tmp_path / "source"
    (root / "shut").mkdir(parents=True)
    (root / "shut" / "a.mp4").write_bytes(b"x")
    (root / "b.mp4").write_bytes(b"x")
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.is_relative_to(Path(tempfile.gettempdir()).resolve()) or folder.parent == folder:
            break
        folder.chmod(folder.stat().st_mode | 0o055)
    (root / "shut").chmod(0)
    command = [sys.executable, "-c", _SCAN_AS_NOBODY, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (root / "shut").chmod(0o755)
    assert done.stdout.splitlines() == [
        "b.mp4 | None",
        "shut | it is a folder that cannot be read: Permission denied",
    ]


def test_what_a_dead_process_left_is_swept_though_its_number_lives_on(settings: Settings) -> None:
    store = OutputStore(settings)
    left = store.root / "pending" / f"{os.getpid()}-left"
    left.mkdir()
    # Last written before this process was born: an earlier one of the same number made it.
    os.utime(left, (1, 1))
    assert store.sweep() == 1
    assert not left.exists()


def test_a_folder_where_a_document_should_be_is_named_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "memo.json"
    path.mkdir()
    assert read_json(path) is None
    with pytest.raises(DiskRefused, match=r"memo\.json: a folder stands"):
        write_json(path, {})
    assert list(tmp_path.iterdir()) == [path]
