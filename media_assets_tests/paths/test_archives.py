"""An archive, or a tree to take over, writes nothing but what it may, where it may."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from media_assets.registry.legacy import import_legacy
from media_assets.store.backup import DamagedBackup, restore
from media_assets_tests.paths.conftest import Kept, files_below

Member = Callable[[tarfile.TarInfo], bytes]


def _as(kind: bytes, target: str = "") -> Member:
    def make(info: tarfile.TarInfo) -> bytes:
        info.type, info.linkname = kind, target
        return b""

    return make


def _plain(info: tarfile.TarInfo) -> bytes:
    info.mode = 0o6777
    return b"out"


BAD: Mapping[str, tuple[str, Member]] = {
    "up": ("metadata/../../escaped", _plain),
    "up at the start": ("../escaped", _plain),
    "up under a dot": ("./metadata/./../../escaped", _plain),
    "absolute": ("{outside}/escaped", _plain),
    "absolute after a folder": ("metadata//{outside}/../../../../escaped", _plain),
    "media": ("source/a.mp4", _plain),
    "an output": ("store/aa/x.bin", _plain),
    "a hidden place": (".git/config", _plain),
    "the data root": ("metadata", _plain),
    "link": ("metadata/link", _as(tarfile.SYMTYPE, "/etc")),
    "link up": ("metadata/link", _as(tarfile.SYMTYPE, "../../..")),
    "hard link": ("metadata/hard", _as(tarfile.LNKTYPE, "/etc/passwd")),
    "hard link to what was there": ("metadata/hard", _as(tarfile.LNKTYPE, "../../canary.mp4")),
    "device": ("metadata/device", _as(tarfile.CHRTYPE)),
    "block device": ("metadata/disk", _as(tarfile.BLKTYPE)),
    "pipe": ("metadata/pipe", _as(tarfile.FIFOTYPE)),
    "folder": ("metadata/folder", _as(tarfile.DIRTYPE)),
}


def _archive(path: Path, name: str, member: Member) -> Path:
    """A backup that holds one good document and that member, both in its manifest."""
    good = b"{}"
    with tarfile.open(path, "w:gz") as archive:
        files = {}
        for called, make in (("kompositions/good.json", lambda info: good), (name, member)):
            info = tarfile.TarInfo(called)
            data = make(info)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
            files[called] = hashlib.sha256(data).hexdigest()
        text = json.dumps({"format": 1, "created": "now", "files": files}).encode()
        info = tarfile.TarInfo("manifest.json")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return path


@pytest.mark.parametrize("kind", list(BAD))
def test_a_backup_with_anything_else_in_it_is_refused_whole(kept: Kept, kind: str) -> None:
    name, member = BAD[kind]
    outside = kept.canary.parent
    path = _archive(kept.settings.data_root / "bad.tar.gz", name.replace("{outside}", str(outside)), member)
    before = files_below(kept.settings.data_root)
    with pytest.raises(DamagedBackup) as caught:
        restore(kept.settings, path, force=True)
    assert caught.value.where == str(path)
    assert files_below(kept.settings.data_root) == before
    assert not (outside / "escaped").exists()


def test_a_manifest_names_no_file_elsewhere(kept: Kept) -> None:
    """What is not in the archive is not taken from where its name leads."""
    digest = hashlib.sha256(kept.canary.read_bytes()).hexdigest()
    text = json.dumps({"format": 1, "created": "now", "files": {"metadata/../../../canary.mp4": digest}})
    path = kept.settings.data_root / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("manifest.json")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
    with pytest.raises(DamagedBackup):
        restore(kept.settings, path, force=True)


@pytest.mark.parametrize(
    "called",
    [
        "../../escaped.mp4",
        "/etc/escaped.mp4",
        "..\\..\\escaped.mp4",
        "a\0b.mp4",
        "-rf.mp4",
        "....//escaped.mp4",
        "con:escaped.mp4",
        "\ud800.mp4",
        "x" * 400 + ".mp4",
        ".hidden.mp4",
        "..",
        "%d.mp4",
        "a\nb.mp4",
    ],
)
def test_a_name_in_old_metadata_stays_in_the_source_folder(kept: Kept, called: str) -> None:
    tree = kept.settings.data_root.parent / "tree"
    tree.mkdir()
    (tree / "file_3f2a9c1d.mp4").write_bytes((kept.settings.source_root / "a.mp4").read_bytes() + b"1")
    (tree / "secret_11111111.mp4").symlink_to(kept.canary)
    entry = {"path": "../canary.mp4", "original_name": called}
    document = {"source_files": {"file_3f2a9c1d": entry, "file_11111111": {"path": str(kept.canary)}}}
    (tree / "file_registry.json").write_text(json.dumps(document))
    outside = files_below(kept.settings.data_root.parent)
    report = import_legacy(tree, kept.settings)
    after = files_below(kept.settings.data_root.parent)
    imported = [one.source for one in report.files if one.fate == "imported"]
    assert len(imported) == 1
    assert set(after) - set(outside) <= {f"data/source/{imported[0]}"} | {
        name for name in after if name.startswith("data/store/")
    }
    assert (kept.settings.source_root / str(imported[0])).resolve().parent == kept.settings.source_root
    for path in tree.iterdir():
        path.unlink()
    tree.rmdir()
