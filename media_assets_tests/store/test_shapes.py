"""Documents under metadata/ with values of another shape: what was not written so counts as not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import UnknownSource
from media_assets.settings import Settings
from media_assets.store.journal import Entry, Journal
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.making import clip

LATER = 2.0**33
WRONG: list[Any] = [None, True, [], {"a": []}, "x", -1.5]


def _changed(document: Any) -> Iterator[Any]:
    """The document with one value after the other replaced by each that is wrong, or left out."""
    for key in document if isinstance(document, dict) else range(len(document)):
        for value in WRONG:
            copy = json.loads(json.dumps(document))
            copy[key] = value
            yield copy
        copy = json.loads(json.dumps(document))
        del copy[key]
        yield copy
        if isinstance(document[key], dict | list):
            for inner in _changed(document[key]):
                copy = json.loads(json.dumps(document))
                copy[key] = inner
                yield copy


@pytest.fixture
def catalogue(settings: Settings) -> SourceCatalogue:
    """A catalogue of one clip and of one file that is none."""
    clip(settings, settings.source_root / "a.mp4", seconds=0.2)
    (settings.source_root / "b.mp4").write_bytes(b"nothing")
    found = SourceCatalogue(settings)
    list(found.ingest(found.changes(LATER).unread))
    return found


def _documents(path: Path) -> Iterator[None]:
    """Write each changed form of the document in `path`."""
    document = json.loads(path.read_text())
    for changed in _changed(document):
        path.write_text(json.dumps(changed))
        yield


def test_a_source_record_of_another_shape_is_read_as_none_or_with_right_types(
    catalogue: SourceCatalogue, settings: Settings
) -> None:
    (path,) = (settings.metadata_root / "sources").glob("*.json")
    tried = 0
    for _ in _documents(path):
        tried += 1
        for facts in catalogue:
            assert isinstance(facts.sha256, str)
            assert facts.info.video is None or type(facts.info.video.duration) in (float, type(None))
            assert isinstance(facts.info.size, int)
    assert tried > 200


def test_a_rejection_of_another_shape_stops_nobody(catalogue: SourceCatalogue, settings: Settings) -> None:
    (path,) = (settings.metadata_root / "rejected").glob("*.json")
    for _ in _documents(path):
        catalogue.rejections()
        with pytest.raises(UnknownSource):
            catalogue.facts("b.mp4")


def test_a_memo_of_another_shape_is_made_anew(catalogue: SourceCatalogue, settings: Settings) -> None:
    before = catalogue.versions()
    for _ in _documents(settings.metadata_root / "memo.json"):
        again = SourceCatalogue(settings)
        again.changes(LATER)
        assert set(again.versions().values()) <= {*before.values(), "x"}


def test_a_record_of_another_shape_is_damaged(settings: Settings) -> None:
    journal = Journal(settings)
    entry = Entry("thumbnail", "src_a", 1.0, {"t": "1"}, {"fingerprint": "f"}, '{"event": 1}')
    journal.put(entry)
    assert journal.read() == ([entry], [])
    (path,) = (settings.metadata_root / "recorded").rglob("*.json")
    for _ in _documents(path):
        found, damaged = journal.read()
        assert len(found) + len(damaged) == 1
        for one in found:
            assert isinstance(one.metadata, dict)
            assert all(isinstance(value, str) for value in one.tags.values())
