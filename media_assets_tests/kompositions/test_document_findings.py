"""What several members of a document say together is held, too, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.document import komposition_id, load, parse, read
from media_assets.kompositions.files import adopt, documents

OUTPUT = {"width": 640, "height": 360, "fps": 30}
A = {"id": "a", "source": "a.mp4", "duration": 4}
B = {"id": "b", "source": "b.mp4", "duration": 4}
OVER = {"id": "over", "z": 1, "segments": [{"source": "c.mp4", "duration": 2}]}
CLIP = {"source": "m.wav", "duration": 2, "fade_in": 1.5, "fade_out": 1}


def _into(**transition: Any) -> dict[str, Any]:
    return {"segments": [A, {**B, "transition": {"duration": 2, **transition}}]}


def _layer(*segments: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"layers": [{**OVER, **members, "segments": list(segments)}]}


@pytest.mark.parametrize(
    ("members", "place", "words"),
    [
        ({"bpm": "fast"}, "$.bpm", "or 'auto', not 'fast'"),
        ({"bpm": 5}, "$.bpm", "from 20 to 400"),
        ({"bpm": "auto"}, "$.bpm", "there is no music"),
        ({"snap": True, "bpm": 120}, "$.snap", "there is no music"),
        ({"snap": True, "music": {"source": "m"}}, "$.snap", "in seconds"),
        ({"segments": [{"duration": 1}]}, "$.segments[0].source", "a source or a color"),
        ({"segments": [{**A, "color": "red"}]}, "$.segments[0]", "either a source or a color"),
        (
            {"segments": [{"color": "red", "duration": 1, "view": {}}]},
            "$.segments[0].view",
            "a colour has none",
        ),
        ({"segments": [A, {**B, "start": 3}]}, "$.segments[1].start", "give this one a transition"),
        (_into(duration=5), "$.segments[1].transition.duration", "longer than its segment"),
        (_into(offset=-3), "$.segments[1].transition.offset", "minus its duration"),
        (_into(offset=1), "$.segments[1].transition.offset", "less than or equal to 0"),
        (_into(unit="beats"), "$.segments[1].transition.unit", "beats need a bpm"),
        (_into(type="crosfade"), "$.segments[1].transition.type", "crossfade"),
        (_into(duration=70, offset=-70), "$.segments[1].transition.duration", "more than 59 s"),
        (_layer({**A, "id": "b"}, {**B, "id": "b"}), "$.layers[0].segments[1].id", "segment 1 of layer 1"),
        ({"layers": [OVER, OVER]}, "$.layers[1].id", "id of layer 1"),
        (
            {"segments": [{**A, "id": "over-1"}], "layers": [OVER]},
            "$.layers[0].segments[0].id",
            "of segment 1",
        ),
        (_layer(A), "$.layers[0].segments[0].id", "already the id of segment 1"),
        (
            _layer({"source": "c", "duration": 2, "transition": {"duration": 1}}),
            "$.layers[0].segments[0].transition",
            "first segment of a layer",
        ),
        (
            _layer({"source": "c", "duration": 2, "fill": "stretch"}),
            "$.layers[0].segments[0].source_duration",
            "missing",
        ),
        (_layer({"source": "c", "duration": 30_000}), "$.layers[0].segments", "the most is"),
        (
            _layer({"source": "c", "duration": 1}, effects=[{"op": "blurr"}]),
            "$.layers[0].effects[0].op",
            "no operation",
        ),
        ({"audio": [{"id": "x", "clips": [CLIP]}]}, "$.audio[0].clips[0].duration", "fades together"),
        ({"audio": [{"id": "x", "clips": [{"source": "m"}]}] * 2}, "$.audio[1].id", "id of track 1"),
        (
            {"renditions": [{"id": "s", "width": 64, "height": 64}] * 2},
            "$.renditions[1].id",
            "id of rendition 1",
        ),
        ({"renditions": [{"id": "s", "width": 7680, "height": 7680}]}, "$.renditions[0]", "pixels"),
    ],
)
def test_each_is_found_at_its_place(members: dict[str, Any], place: str, words: str) -> None:
    data = {"version": 1, "output": OUTPUT, "segments": [A], **members}
    with pytest.raises(DocumentError) as caught:
        parse(data, "here")
    found = dict(caught.value.findings)
    assert words in found[place], found
    assert len(found) == len(caught.value.findings)


def test_what_holds_together_is_taken() -> None:
    data = {
        **{"version": 1, "output": OUTPUT, "bpm": "auto", "snap": True},
        "segments": [A, {**B, "transition": {"duration": 6, "offset": -3}}, {**B, "id": "c", "start": 10}],
        "layers": [OVER, {**OVER, "id": "again"}],
        "audio": [{"id": "m", "role": "music", "clips": [{"source": "m.wav"}]}],
    }
    assert len(list(parse(data, "here").all_segments)) == 5


def test_yaml_is_read_with_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = "version: 1\noutput: {width: 64, height: 64}\nsegments:\n  - {source: a.mp4, duration: %s}\n"
    path.write_text(text % "4")
    assert read(path).dialect == "canonical"
    path.write_text(text % "long")
    with pytest.raises(DocumentError, match="line 4: should be a number"):
        load(path)


def test_files_of_one_name_are_documents_of_their_own(tmp_path: Path) -> None:
    names = ["a.json", "a.xml", "a.yaml", "a.yml", "a.kompo.md", "a.xml.json", "A.json", "sub/a.json"]
    for name in [*names, "notes.md", ".hidden.json", "readme.txt"]:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    found = documents(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in found.values()} == set(names)
    assert found["komp_a"] == tmp_path / "a.json"
    assert komposition_id("a.xml.json") == "komp_a_xml"


def test_a_document_that_leans_on_others_is_adopted_in_its_canonical_form(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    source = '{"id": "v", "url": "file://v.mp4"}'
    part = '{"id": "Church", "sourceid": "", "start": %d, "end": %d}'
    parts = f'{{"type": "Video", "bpm": 0, "segments": [{part % (0, 9_000_000)}], "sources": [{source}]}}'
    (outside / "parts.json").write_text(parts)
    leaning = outside / "mix.json"
    leaning.write_text(
        f'{{"type": "Komposition", "bpm": 120, "segments": [{part % (0, 16)}], "sources": []}}'
    )
    _, adopted = adopt(leaning, root)
    assert read(adopted).komposition == load(leaning)
    assert read(adopted).dialect == "canonical"
    key, kept = adopt(outside / "parts.json", root)
    assert read(kept).dialect == "couchdb"
    assert documents(root.resolve())[key] == kept
    with pytest.raises(BadInput, match=r"\.kompo\.md"):
        (outside / "x.txt").write_text("x")
        adopt(outside / "x.txt", root)
