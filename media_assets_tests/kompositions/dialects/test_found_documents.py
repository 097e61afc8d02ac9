"""Every real document there is: read, or refused with its reason; nothing is rendered here."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import DocumentError
from media_assets.kompositions.document import Document, parse, read

JUNK: list[Any] = [
    None,
    0,
    -1,
    1e300,
    10**30,
    "",
    "x",
    "NaN",
    "http://[",
    "/abs/x.mp4",
    "../x",
    {},
    [],
    [[]],
    [None],
    True,
]
ELSEWHERE = "a part of a video that another document describes, and none beside this one does"
SEGMENTS = {
    "couchdb/Bergen_In_Motion.json": 23,
    "couchdb/Javazone_2016_demo_rehash.json": 2,
    "json/MUSIC_VIDEO_KOMPOSITION.json": 4,
    "json/TRANSITION_EFFECTS_KOMPOSITION.json": 3,
    "json/correct_multi_video_komposition.json": 3,
    "json/example_komposition.json": 6,
    "json/fancy_effects_komposition.json": 4,
    "json/final_composition_with_panning.json": 3,
    "json/final_speech_music_video.json": 3,
    "json/komposition_no_effects.json": 3,
    "json/komposition_with_effects.json": 3,
    "json/music_video_komposition.json": 9,
    "json/same_orientation_test.json": 3,
    "json/simple_music_video_komposition.json": 3,
    "json/speech_music_video_komposition.json": 3,
    "json/test_kompost.json": 4,
    "json/test_music_video.json": 3,
    "json/transition_effects_demo.json": 3,
    "json/video_only_komposition.json": 2,
    "json/video_only_multi_source.json": 3,
    "json/working_composition.json": 3,
    "markdown/trancy-boat-trip-v2.kompo.md": 3,
    "markdown/v3_format_skeleton.kompo.md": 1,
    "newer/128_beat_music_video_komposition.json": 2,
    "newer/v3_boat_single_layer.json": 1,
}
"""How many main segments each has that is read."""
REFUSED = {
    "couchdb/Bergen_Json_Komposition.json": ELSEWHERE,
    "couchdb/Clarian_Ver__11_Am_Mix.json": "names parts of a sound and has no picture",
    "other/effects.json": "describes 5 effects, and no timeline",
    "xml/Bergen_mix.kompo.xml": ELSEWHERE,
    "xml/Clarian_Ver__11_Am_Mix_.dvl.xml": "names parts of a sound and has no picture",
    "xml/blackimage.dvl.xml": "a list of pictures on the web, and no video",
}


def _outcomes(folder: Path) -> tuple[dict[str, Document], dict[str, DocumentError]]:
    held: dict[str, Document] = {}
    refused: dict[str, DocumentError] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        try:
            held[name] = read(path)
        except DocumentError as error:
            refused[name] = error
    return held, refused


def test_every_document_is_read_or_refused_with_its_reason(
    media_fixtures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held, refused = _outcomes(media_fixtures / "documents" / "kompositions")
    with capsys.disabled():
        print(f"\nkomposition documents: {len(held)} read, {len(refused)} refused")
    assert {name: len(found.komposition.segments) for name, found in held.items()} == SEGMENTS
    assert set(refused) == set(REFUSED)
    for name, error in refused.items():
        assert REFUSED[name] in str(error), str(error)
    for name, found in held.items():
        assert parse(found.canonical, name) == found.komposition
        assert all(place.startswith("$") and "line " in text for place, text in found.warnings), name


def test_the_lenient_go_without_footage_that_is_not_told(media_fixtures: Path) -> None:
    path = media_fixtures / "documents" / "kompositions" / "couchdb" / "Bergen_Json_Komposition.json"
    found = read(path, lenient=True)
    assert len(found.komposition.segments) == 4
    assert found.komposition.segments[0].start == 8


def _members(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    pairs = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inner in pairs:
        yield (*place, step)
        yield from _members(inner, (*place, step))


def _spoilt(value: Any, chance: random.Random) -> str:
    """A document with a few of its members taken away or put to something else, as text."""
    copy = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 4)):
        places = list(_members(copy))
        if not places:
            break
        *before, last = chance.choice(places)
        inner = copy
        for step in before:
            inner = inner[step]
        if chance.random() < 0.3:
            del inner[last]
        else:
            inner[last] = json.loads(json.dumps(chance.choice(JUNK)))
    return json.dumps(copy)


def test_a_spoilt_document_is_read_or_refused_and_never_more(media_fixtures: Path, tmp_path: Path) -> None:
    found = sorted((media_fixtures / "documents" / "kompositions").rglob("*.json"))
    values = [json.loads(path.read_text()) for path in found]
    chance, read_well = random.Random(4), 0
    path = tmp_path / "spoilt.json"
    for number in range(400):
        path.write_text(_spoilt(values[number % len(values)], chance))
        try:
            document = read(path, lenient=number % 2 == 0)
        except DocumentError as error:
            assert error.findings
        else:
            assert parse(document.canonical, "again") == document.komposition
            read_well += 1
    assert read_well > 40
