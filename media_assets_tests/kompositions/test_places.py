"""What is wrong with a document is told where its author wrote it, and in words that help."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from media_assets.errors import DocumentError
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.document import read
from media_assets.settings import Settings
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.kompositions.composing import SMALL
from media_assets_tests.making import ingested, solid


def _refused(settings: Settings, document: object) -> list[tuple[str, str]]:
    path = settings.komposition_root / "trip.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document, indent=1))
    with pytest.raises(DocumentError) as caught:
        Compiler(settings, SourceCatalogue(settings).facts).compile("komp_trip")
    assert caught.value.where == "komp_trip"
    return caught.value.findings


def test_a_missing_source_is_told_with_its_line(settings: Settings) -> None:
    document = {"version": 1, "output": SMALL, "segments": [{"source": "gone.mp4", "duration": 1}]}
    ((place, text),) = _refused(settings, document)
    assert place == "$.segments[0].source"
    assert text.startswith("line 10: gone.mp4: there is no such source")


def test_footage_that_is_too_short_is_told_where_another_form_asks_for_it(settings: Settings) -> None:
    ingested(settings, solid(settings, settings.source_root / "red.mp4", "red", 1))
    asked = {"start": 8, "duration": 1}
    segment = {"id": "late", "sourceRef": "red.mp4", "startBeat": 0, "endBeat": 2, "params": asked}
    head = {"bpm": 120, "resolution": "160x90"}
    ((place, text),) = _refused(settings, {"metadata": head, "segments": [segment]})
    assert place == "$.segments[0]"
    assert text.startswith("line 7: 8 s is not before the end of the picture")
    assert text.endswith("(read as $.segments[0].in_point)")


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        ("a.json", b" ", "it is empty"),
        ("a.json", '{"title": "é"}'.encode("latin-1"), "it is no text in UTF-8, from byte 11 on"),
        ("a.json", b'{"bpm": ' + b"9" * 5000 + b"}", "is not JSON: it has a number of thousands of digits"),
        ("a.json", b"{", "double quotes: line 1 column 2"),
        (
            "a.yaml",
            b"a:\n  - b: 1\n   c: 2\n",
            "at line 2, column 3, did not find expected '-'",
        ),
    ],
)
def test_what_cannot_be_read_is_told_in_short(tmp_path: Path, name: str, written: bytes, told: str) -> None:
    path = tmp_path / name
    path.write_bytes(written)
    with pytest.raises(DocumentError) as caught:
        read(path)
    ((place, text),) = caught.value.findings
    assert place == "$"
    assert told in text
    assert "\n" not in text and "<" not in text


def test_what_planning_decides_is_told_with_its_line(settings: Settings) -> None:
    ingested(settings, solid(settings, settings.source_root / "red.mp4", "red", 1))
    path = settings.komposition_root / "trip.json"
    path.parent.mkdir(parents=True)
    document = {"version": 1, "output": SMALL, "segments": [{"source": "red.mp4", "duration": 2}]}
    path.write_text(json.dumps(document, indent=1))
    plan = Compiler(settings, SourceCatalogue(settings).facts).compile("komp_trip").plan
    text = "line 9: the source is too short: its last picture is held for 30 frame(s)"
    assert plan.warnings == (("$.segments[0]", text),)
