"""A document is taken whole or refused with everything that is wrong with it, each with its line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.document import MAX_BYTES, komposition_id, load, parse
from media_assets.kompositions.model import Komposition, references
from media_assets.settings import PROJECT_ROOT

OUTPUT = {"width": 640, "height": 360, "fps": 30}


def _refusal(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DocumentError) as caught:
        load(path)
    assert caught.value.where == "bad.json"
    return dict(caught.value.findings)


def _findings(**members: Any) -> dict[str, str]:
    data = {"version": 1, "output": OUTPUT, "segments": [{"source": "a.mp4", "duration": 4}], **members}
    with pytest.raises(DocumentError) as caught:
        parse(data, "here")
    return dict(caught.value.findings)


def test_every_finding_is_told_at_once_with_place_line_and_suggestion(tmp_path: Path) -> None:
    found = _refusal(
        tmp_path,
        """{
  "version": 1,
  "titel": "x",
  "bpm": 500,
  "output": {"width": 641, "height": "360", "fps": "abc"},
  "segments": [
    {"source": "../a.mp4", "duration": 4, "transition": {"type": "crossfade", "duration": 1}},
    {"id": "s1", "sorce": "a.mp4", "duration": -1, "stretch": "yes"},
    {"source": "http://x/a.mp4", "source": "b.mp4", "duration": 4, "stretch": true,
     "transition": {"duration": 9}}
  ],
  "music": {"source": "m.wav", "fade_in": 1e999}
}""",
    )
    lines = {place: int(text.split(":")[0].removeprefix("line ")) for place, text in found.items()}
    assert lines == {
        "$.titel": 3,
        "$.bpm": 4,
        "$.output.width": 5,
        "$.output.height": 5,
        "$.output.fps": 5,
        "$.segments[0].source": 7,
        "$.segments[0].transition": 7,
        "$.segments[1].source": 8,
        "$.segments[1].sorce": 8,
        "$.segments[1].duration": 8,
        "$.segments[1].stretch": 8,
        "$.segments[1].id": 8,
        "$.segments[2].source": 9,
        "$.segments[2].source_duration": 9,
        "$.segments[2].transition.duration": 10,
        "$.music.fade_in": 12,
    }
    assert "did you mean 'title'?" in found["$.titel"]
    assert "did you mean 'source'?" in found["$.segments[1].sorce"]
    assert "twice" in found["$.segments[2].source"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1,",
        '{"bpm": NaN}',
        "[" * 100_000,
        '{"a":' * 50 + "1" + "}" * 50,
        "9" * 5000,
        '{"a":"' + '\\"' * 300_000,
        "\x00",
    ],
)
def test_what_is_not_json_is_a_finding_of_the_whole(tmp_path: Path, text: str) -> None:
    assert "not JSON" in _refusal(tmp_path, text)["$"]


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(b'{"title": "\xff\xfe"}')
    with pytest.raises(DocumentError, match="not JSON"):
        load(path)


@pytest.mark.parametrize(
    "text", ["[]", "3", "null", '"text"', '{"version": 1, "segments": 3, "output": []}']
)
def test_json_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    assert _refusal(tmp_path, text)


def test_a_missing_document_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.json"):
        load(tmp_path / "none.json")


def test_no_document_can_ask_for_more_than_the_limits(tmp_path: Path) -> None:
    assert "larger" in _refusal(tmp_path, " " * (MAX_BYTES + 1))["$"]
    segment = {"source": "a.mp4", "duration": 1}
    assert "2000" in _findings(segments=[segment] * 2001)["$.segments"]
    assert "together" in _findings(segments=[{**segment, "duration": 20_000}] * 2)["$.segments"]
    assert "pixels" in _findings(output={"width": 7680, "height": 7680})["$.output"]
    assert "$.output.width" in _findings(output={**OUTPUT, "width": 100_000})
    assert "$.output.fps" in _findings(output={**OUTPUT, "fps": "1e9"})
    assert "$.segments[0].duration" in _findings(segments=[{**segment, "duration": 10**400}])
    many = _findings(segments=[{"source": "a.mp4"}] * 2000)
    assert len(many) == 100


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.mp4", "a/../../b", "http://x/a", "~/a", "a\\b", ""])
def test_a_source_outside_its_folder_is_refused(name: str) -> None:
    assert "$.segments[0].source" in _findings(segments=[{"source": name, "duration": 1}])


@pytest.mark.parametrize(
    ("written", "rate"),
    [(30, "30"), ("25", "25"), ("30000/1001", "30000/1001"), (29.97, "30000/1001"), (23.976, "24000/1001")],
)
def test_frame_rates_are_read_in_every_spelling(written: Any, rate: str) -> None:
    data = {
        "version": 1,
        "output": {**OUTPUT, "fps": written},
        "segments": [{"source": "a", "duration": 1}],
    }
    assert parse(data, "here").output.fps == rate


@pytest.mark.parametrize("written", [0, -30, True, "30/0", "x", None, 1000, [30], "1/3"])
def test_frame_rates_that_are_none_are_refused(written: Any) -> None:
    assert "$.output.fps" in _findings(output={**OUTPUT, "fps": written})


def test_beats_need_a_bpm_and_stretching_an_amount() -> None:
    assert "bpm" in _findings(unit="beats")["$.unit"]
    stretched = {"source": "a", "duration": 4, "stretch": True}
    assert "$.segments[0].source_duration" in _findings(segments=[stretched])
    assert (
        "hundred"
        in _findings(segments=[{**stretched, "source_duration": 0.01}])["$.segments[0].source_duration"]
    )


def test_two_segments_never_share_an_id() -> None:
    segments = [{"source": "a", "duration": 1, "id": "s2"}, {"source": "a", "duration": 1}]
    assert "'s2' is already the id of segment 1" in _findings(segments=segments)["$.segments[1].id"]


def test_a_document_survives_being_written_and_read() -> None:
    sample = load(PROJECT_ROOT / "data" / "kompositions" / "sample.json")
    assert parse(json.loads(sample.model_dump_json()), "again") == sample


def test_the_sample_lasts_sixteen_seconds_with_two_crossfades_and_music() -> None:
    sample = load(PROJECT_ROOT / "data" / "kompositions" / "sample.json")
    assert sum(s.duration for s in sample.segments) * sample.unit_seconds == 16
    assert sum(s.transition is not None for s in sample.segments) == 2
    assert references(sample)[-1] == "music.wav"


def test_the_schema_names_every_member() -> None:
    schema = Komposition.model_json_schema()
    assert set(schema["properties"]) == set(Komposition.model_fields)
    assert schema["additionalProperties"] is False


def test_ids_of_documents_follow_their_names() -> None:
    assert komposition_id("sample.json") == "komp_sample"
    assert komposition_id("a/b.json") != komposition_id("a_b.json")
    assert komposition_id("Sample.json") != komposition_id("sample.json")
