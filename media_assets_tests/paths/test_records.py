"""A record that somebody changed leads nowhere: nothing outside is read, written, moved or removed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import BadInput, FetchFailed, UnknownSource, UnsafePath
from media_assets.ids import fingerprint
from media_assets.kompositions import versions
from media_assets.media.verify import Properties
from media_assets.store.cleaning import plan_cleaning, remove
from media_assets.store.fetching import fetch
from media_assets.store.files import read_json, write_json
from media_assets.store.intact import output_intact
from media_assets.store.journal import Entry, Journal
from media_assets.store.outputs import Made, OutputStore, Recipe
from media_assets.store.screenshots import forget_screenshots
from media_assets.store.tracked import expected, read_stored
from media_assets.store.urls import digest
from media_assets_tests.paths.conftest import Kept

FINGERPRINT = fingerprint({"a": 1})
WAYS_OUT = ["../../../../canary.mp4", "{canary}", "..", ".", "", "x/../../../../../canary.mp4", "a\0b"]


@pytest.fixture(params=WAYS_OUT)
def way(request: pytest.FixtureRequest, kept: Kept) -> str:
    """A name that leads out of the folder in which it stands."""
    return str(request.param).replace("{canary}", str(kept.canary))


def _stored(kept: Kept) -> Path:
    """An output in the store; returns its sidecar."""
    recipe = Recipe("effect_x_0123456789abcdef", FINGERPRINT, "x", {}, ("src_a_mp4",), "x.bin")

    def render(paths: Mapping[str, Path]) -> dict[str, Made]:
        for path in paths.values():
            path.write_bytes(b"made")
        return {FINGERPRINT: Made(Properties(duration=1.0, size=4))}

    (outcome,) = OutputStore(kept.settings).produce([recipe], render)
    return outcome.output.path.parent / "sidecar.json"


def _change(record: Path, /, **fields: Any) -> None:
    write_json(record, (read_json(record) or {}) | fields)


def test_a_sidecar_that_names_a_file_elsewhere_is_damaged(kept: Kept, way: str) -> None:
    sidecar = _stored(kept)
    size = kept.canary.stat().st_size
    _change(
        sidecar,
        file_name=way,
        made=(read_json(sidecar) or {})["made"] | {"properties": {"duration": 1.0, "size": size}},
    )
    with pytest.raises(ValueError, match="no plain name"):
        read_stored(sidecar)
    assert not output_intact(kept.settings, FINGERPRINT, full=True).passed
    assert OutputStore(kept.settings).get(FINGERPRINT) is None
    assert list((kept.settings.store_root / "quarantine").iterdir())


def test_clean_up_removes_nothing_that_a_sidecar_names(kept: Kept, way: str) -> None:
    sidecar = _stored(kept)
    _change(sidecar, id=way)
    planned = plan_cleaning(kept.settings, [], older=0.0, now=time.time() + 1e6)
    for candidate in planned.candidates:
        remove(kept.settings, candidate)
    assert planned.candidates == ()


def test_a_fingerprint_is_no_way_to_a_folder(kept: Kept, way: str) -> None:
    """A record that has another in its place has no output; nothing is moved into quarantine."""
    (kept.settings.data_root / "precious").mkdir()
    for name in (way, "../../precious", "../precious", ".."):
        assert OutputStore(kept.settings).get(name) is None
        assert not output_intact(kept.settings, name, full=True).passed
    assert (kept.settings.data_root / "precious").is_dir()
    assert kept.settings.source_root.is_dir()


def test_a_source_record_that_names_another_file_is_none(kept: Kept, way: str) -> None:
    record = kept.settings.metadata_root / "sources" / "src_a_mp4.json"
    wrong: list[dict[str, Any]] = [
        {"path": way},
        {"id": way},
        {"path": way, "id": way},
        {"stat": {}},
        {"info": 3},
    ]
    for fields in wrong:
        whole = record.read_bytes()
        _change(record, **fields)
        with pytest.raises(UnknownSource):
            kept.catalogue.facts("src_a_mp4")
        assert list(kept.catalogue) == []
        record.write_bytes(whole)


def test_a_memo_of_other_names_removes_nothing(kept: Kept, way: str) -> None:
    """What the memo has and the disk has not is forgotten: its records go, and its screenshots."""
    precious = kept.settings.data_root / "precious"
    precious.mkdir()
    (precious / "scene_001.jpg").write_bytes(b"x")
    (precious / "note.json").write_text("{}")
    names = [way, "../../precious/note", "../../precious", str(precious / "note")]
    kept.catalogue.forget(names)
    forget_screenshots(names, kept.settings)
    assert sorted(path.name for path in precious.iterdir()) == ["note.json", "scene_001.jpg"]


@pytest.mark.parametrize("field", ["asset", "partition"])
def test_a_record_of_a_partition_is_the_one_of_its_place(kept: Kept, way: str, field: str) -> None:
    journal = Journal(kept.settings)
    entry = Entry("source_file", "src_a_mp4", 1.0, {}, {}, "{}")
    journal.put(entry)
    (path,) = journal.root.rglob("*.json")
    _change(path, **{field: way})
    assert list(journal) == []
    assert journal.damaged() == [path]
    with pytest.raises((UnsafePath, BadInput)):
        journal.put(replace(entry, asset=way) if field == "asset" else replace(entry, partition=way))
    assert journal.get(*((way, None) if field == "asset" else ("source_file", way))) is None
    journal.remove(*((way, None) if field == "asset" else ("source_file", way)))
    assert path.is_file()


def test_a_published_name_is_under_the_output_folder(kept: Kept, way: str) -> None:
    """Clean-up removes what was published, and repair writes it again: only there."""
    for name in (way, f"{kept.settings.output_root}/../../canary.mp4", "/x/output/../../canary.mp4"):
        entry = Entry("a", "b", 1.0, {}, {"content_hash": "0" * 64, "output": name}, "{}")
        ((_, published),) = expected(entry, kept.settings)
        assert published is None or published.resolve().is_relative_to(kept.settings.output_root.resolve())


def test_a_list_of_versions_names_only_what_is_kept(kept: Kept, way: str) -> None:
    document = kept.settings.komposition_root / "a.json"
    document.parent.mkdir(parents=True)
    document.write_text("{}")
    versions.keep(document, "komp_a", kept.settings)
    index = kept.settings.metadata_root / "documents" / "komp_a" / "versions.json"
    (listed,) = (read_json(index) or {})["versions"]
    write_json(index, {"versions": [listed | {"sha256": way}]})
    found = versions.kept_at("komp_a", 1, kept.settings)
    assert found.parent == index.parent


def test_a_record_of_a_download_names_no_other_file(kept: Kept, way: str) -> None:
    """It would be taken for what was fetched, and replaced by what is fetched anew."""
    url = "https://nowhere.invalid/a.mp4"
    size = kept.canary.stat().st_size
    write_json(kept.settings.metadata_root / "fetched" / f"{digest(url)}.json", {"file": way, "size": size})

    def looked_up(host: str, port: int) -> list[str]:
        raise OSError(f"no network is needed to show this ({host}:{port})")

    with pytest.raises((FetchFailed, OSError)):
        fetch(url, kept.settings, resolver=looked_up)
