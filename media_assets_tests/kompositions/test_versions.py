"""Every saved change of a document is kept and can be had again."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import pytest

from media_assets.errors import BadInput
from media_assets.kompositions import versions
from media_assets.kompositions.document import MAX_BYTES
from media_assets.kompositions.versions import keep, kept_at, read_kept, restore, split_version
from media_assets.settings import Settings

KEY = "komp_x"


def _saved(settings: Settings, text: str) -> Path:
    path = settings.komposition_root / "x.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _numbers(settings: Settings) -> list[int]:
    return [version.number for version in versions.versions(KEY, settings)]


def test_each_change_is_a_version_and_the_same_again_is_none(settings: Settings) -> None:
    kept = [keep(_saved(settings, text), KEY, settings) for text in ("A", "A", "B", "A")]
    assert [version.number for version in kept] == [1, 1, 2, 3]
    assert kept[0].sha256 == kept[3].sha256 == hashlib.sha256(b"A").hexdigest()
    assert [version.size for version in versions.versions(KEY, settings)] == [1, 1, 1]
    assert [kept_at(KEY, number, settings).read_text() for number in (1, 2, 3)] == ["A", "B", "A"]
    assert kept_at(KEY, 2, settings).suffix == ".json"


def test_a_restored_version_is_a_new_one_and_what_was_there_is_kept(settings: Settings) -> None:
    path = _saved(settings, "A")
    keep(path, KEY, settings)
    path.chmod(0o640)
    path.write_text("not seen by anyone")
    assert restore(path, KEY, 1, settings).number == 3
    assert path.read_text() == "A"
    assert path.stat().st_mode & 0o777 == 0o640
    assert kept_at(KEY, 2, settings).read_text() == "not seen by anyone"
    path.unlink()
    assert restore(path, KEY, 2, settings).number == 4
    assert path.read_text() == "not seen by anyone"
    assert not [found for found in path.parent.iterdir() if found != path]


def test_what_cannot_be_had_is_said(settings: Settings) -> None:
    path = _saved(settings, "A")
    with pytest.raises(BadInput, match="none was ever kept"):
        kept_at(KEY, 1, settings)
    keep(path, KEY, settings)
    with pytest.raises(BadInput, match=r"there is no version 2.*1 to 1"):
        restore(path, KEY, 2, settings)
    kept_at(KEY, 1, settings).write_text("B")
    with pytest.raises(BadInput, match="damaged"):
        restore(path, KEY, 1, settings)
    assert path.read_text() == "A"
    with pytest.raises(BadInput, match="larger"):
        keep(_saved(settings, "x" * (MAX_BYTES + 1)), KEY, settings)
    with pytest.raises(BadInput, match="cannot be read"):
        keep(path.with_name("none.json"), KEY, settings)


def test_a_lost_list_is_told_by_the_files(settings: Settings) -> None:
    for text in ("A", "B"):
        keep(_saved(settings, text), KEY, settings)
    (settings.metadata_root / "documents" / KEY / "versions.json").write_text("{")
    assert _numbers(settings) == [1, 2]
    assert keep(_saved(settings, "C"), KEY, settings).number == 3
    assert [kept_at(KEY, number, settings).read_text() for number in (1, 2, 3)] == ["A", "B", "C"]


def test_what_is_read_is_the_version_that_is_named(settings: Settings) -> None:
    path = _saved(settings, "A")
    texts = iter(["B"])

    def read(document: Path) -> str:
        text = document.read_text()
        for saved in texts:
            document.write_text(saved)
        return text

    version, text = read_kept(path, KEY, settings, read)
    assert (version.number, text) == (2, "B")


def _keep_many(settings: Settings, name: str) -> None:
    for number in range(12):
        path = settings.komposition_root / f"{name}.json"
        path.write_text(f"{name} {number}")
        keep(path, KEY, settings)


def test_two_processes_lose_no_version(settings: Settings) -> None:
    _saved(settings, "")

    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_keep_many, args=(settings, name)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert _numbers(settings) == list(range(1, 25))
    texts = {kept_at(KEY, number, settings).read_text() for number in _numbers(settings)}
    assert texts == {f"{name} {number}" for name in "ab" for number in range(12)}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a.json", ("a.json", None)),
        ("a@2", ("a", 2)),
        ("a@0", ("a@0", None)),
        ("me@home/a@12", ("me@home/a", 12)),
    ],
)
def test_a_version_is_named_by_its_number(text: str, meant: tuple[str, int | None]) -> None:
    assert split_version(text) == meant
