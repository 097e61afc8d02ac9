"""Trees with random ids: known content is matched, sources get ids, nothing is overwritten or lost."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import BadInput
from media_assets.registry.legacy import LegacyReport, Matched, import_legacy
from media_assets.settings import Settings
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.making import ingested, solid


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("colours")
    settings = Settings.from_environment(root)
    return {
        name: solid(settings, root / f"{name}.mp4", name, 0.2, size="32x32")
        for name in ("red", "blue", "green")
    }


@pytest.fixture
def tree(tmp_path: Path, colours: dict[str, Path]) -> Path:
    """Four files by random ids: a source of known content, two of one name, and a generated one."""
    folder = tmp_path / "legacy"
    for place, colour in (
        ("source/file_0a1b2c3d.mp4", "red"),
        ("source/file_11111111.mp4", "blue"),
        ("source/file_22222222.mp4", "green"),
        ("temp/temp_4f05849a.mp4", "red"),
    ):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(colours[colour], folder / place)
    with (folder / "temp/temp_4f05849a.mp4").open("ab") as file:
        file.write(b"\0\0\0\x08free")
    (folder / "source/file_33333333.mp4").write_bytes(b"no media")
    (folder / ".hidden_44444444.mp4").write_bytes(b"no media")
    (folder / "source/link_55555555.mp4").symlink_to("/etc/hostname")
    return write(
        folder,
        {
            "source_files": {
                "file_0a1b2c3d": {
                    "original_name": "Seen Before.mp4",
                    "path": "/elsewhere/file_0a1b2c3d.mp4",
                },
                "file_11111111": {"original_name": "../../escape/clip.mp4"},
                "file_22222222": {"original_name": "clip.mp4"},
                "file_99999999": {"path": "/elsewhere/file_99999999.mp4"},
            },
            "generated_files": {"temp_4f05849a_mp4": {"source_file_ids": ["file_0a1b2c3d"]}},
        },
    )


def write(folder: Path, document: Any) -> Path:
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    (folder / "metadata" / "file_registry.json").write_text(json.dumps(document))
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.is_symlink()
    }


def by_id(report: LegacyReport) -> dict[str, Matched]:
    return {one.legacy_id: one for one in report.files}


def test_a_tree_is_taken_over(tree: Path, settings: Settings, colours: dict[str, Path]) -> None:
    known = settings.source_root / "mine.mp4"
    known.parent.mkdir(parents=True)
    shutil.copy2(colours["red"], known)
    ingested(settings, known)
    before = contents(tree)
    planned = import_legacy(tree, settings, dry_run=True)
    assert contents(settings.source_root).keys() == {"mine.mp4"}
    report = import_legacy(tree, settings)
    assert report.files == planned.files
    found = by_id(report)
    assert (found["file_0a1b2c3d"].fate, found["file_0a1b2c3d"].id) == ("known", "src_mine_mp4")
    assert (found["file_11111111"].fate, found["file_11111111"].source) == ("imported", "clip.mp4")
    other = found["file_22222222"]
    assert (other.fate, other.source) == ("imported", f"clip_{(other.sha256 or '')[:8]}.mp4")
    assert {
        one.legacy_id: (one.reason or "").split(":")[0] for one in report.files if one.fate == "left"
    } == {
        "file_33333333": found["file_33333333"].reason.split(":")[0],  # type: ignore[union-attr]
        "file_99999999": "its metadata name a file that is not in the folder",
        "temp_4f05849a_mp4": "it was made from file_0a1b2c3d",
    }
    assert set(report.to_json()["ids"]) == {"file_0a1b2c3d", "file_11111111", "file_22222222"}
    assert contents(tree) == before
    assert set(contents(settings.source_root)) == {"mine.mp4", "clip.mp4", other.source}
    ids = {file.id for file in SourceCatalogue(settings).changes(now=2**33).unread}
    assert ids == {found["file_11111111"].id, other.id}


def test_again_nothing_is_copied(tree: Path, settings: Settings) -> None:
    import_legacy(tree, settings)
    there = contents(settings.source_root)
    again = import_legacy(tree, settings)
    assert contents(settings.source_root) == there
    assert {one.id for one in again.files if one.id} == {
        file.id for file in SourceCatalogue(settings).changes(now=2**33).unread
    }


def test_what_has_the_name_already_is_never_overwritten(tree: Path, settings: Settings) -> None:
    settings.source_root.mkdir(parents=True)
    mine = settings.source_root / "clip.mp4"
    mine.write_bytes(b"mine")
    report = by_id(import_legacy(tree, settings))
    assert mine.read_bytes() == b"mine"
    assert report["file_11111111"].source == f"clip_{(report['file_11111111'].sha256 or '')[:8]}.mp4"


def test_content_that_is_not_what_was_noted_is_left(tree: Path, settings: Settings) -> None:
    write(
        tree, [{"file_id": "file_11111111", "path": "file_11111111.mp4", "checksum": "sha256:" + "0" * 64}]
    )
    write(tree, {"files": [{"file_id": "file_11111111", "checksum": "sha256:" + "0" * 64}]})
    found = by_id(import_legacy(tree, settings, dry_run=True))["file_11111111"]
    assert (found.fate, found.reason) == ("left", "its content is not what its metadata say")


@pytest.mark.parametrize("text", ["{", '"text"', "[[1]]", '{"files": [1, null, {}]}', '{"a": {"b": 1}}'])
def test_odd_metadata_never_end_in_a_traceback(tree: Path, settings: Settings, text: str) -> None:
    (tree / "metadata" / "file_registry.json").write_text(text)
    if text == "{":
        with pytest.raises(BadInput, match="it is not JSON"):
            import_legacy(tree, settings, dry_run=True)
    else:
        report = import_legacy(tree, settings, dry_run=True)
        assert {one.legacy_id for one in report.files} >= {"file_0a1b2c3d", "temp_4f05849a"}


def test_a_folder_that_cannot_be_one_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        import_legacy(tmp_path / "gone", settings)
    settings.source_root.mkdir(parents=True)
    with pytest.raises(BadInput, match="part of the data root"):
        import_legacy(settings.source_root, settings)
