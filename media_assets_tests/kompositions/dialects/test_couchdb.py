"""Documents of the CouchDB, their twins in XML, and those with source timing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from media_assets_tests.kompositions.dialects.reading import reads, refusal, told

VIDEO = {"id": "v", "url": "file://clip one.mp4", "extension": "mp4", "mediatype": "video"}
MUSIC = {"id": "m", "url": "file://song.flac", "extension": "flac", "mediatype": "audio"}
STILL = {"id": "i", "url": "file://boat.jpeg", "extension": "jpeg", "mediatype": "image"}


def _document(segments: list[dict[str, Any]], **members: Any) -> dict[str, Any]:
    return {
        "_id": "x",
        "type": "Komposition",
        "bpm": 120,
        "config": {"width": 640, "height": 360, "framerate": 24, "extension": "mp4"},
        "beatpattern": {"frombeat": 0, "tobeat": 32, "masterbpm": 120},
        "segments": segments,
        "sources": [VIDEO, MUSIC, STILL],
        **members,
    }


def _segment(name: str, start: int, end: int, **members: Any) -> dict[str, Any]:
    return {"id": name, "sourceid": "v", "start": start, "duration": end - start, "end": end, **members}


def test_segments_count_beats_in_the_order_of_time_whatever_their_order(tmp_path: Path) -> None:
    found = reads(tmp_path, _document([_segment("second", 16, 32), _segment("first", 0, 16)]))
    assert found.dialect == "couchdb"
    assert [(s.id, s.duration, s.source) for s in found.komposition.segments] == [
        ("first", 16, "clip one.mp4"),
        ("second", 16, "clip one.mp4"),
    ]
    assert found.komposition.output.fps == "24"
    assert "order of time" in told(found)["$.segments"]


def test_sound_that_no_segment_has_is_the_music(tmp_path: Path) -> None:
    found = reads(tmp_path, _document([_segment("a", 0, 32)]))
    assert found.komposition.music is not None
    assert found.komposition.music.source == "song.flac"
    assert "music under the whole" in told(found)["$.sources[1]"]
    assert "no segment shows it" in told(found)["$.sources[2]"]


def test_the_tempo_of_the_whole_counts_and_so_do_the_segments(tmp_path: Path) -> None:
    pattern = {"frombeat": 0, "tobeat": 16, "masterbpm": 124}
    found = reads(tmp_path, _document([_segment("a", 0, 48)], bpm=121, beatpattern=pattern))
    assert found.komposition.bpm == 124
    assert found.komposition.segments[0].duration == 48
    assert "masterbpm, 124" in told(found)["$.bpm"]
    assert "48 beats" in told(found)["$.beatpattern.tobeat"]
    assert told(found)["$.bpm"].startswith("line 4: ")


def test_seconds_of_the_source_are_stretched_over_the_beats(tmp_path: Path) -> None:
    timing = {"original_start": 5, "original_duration": 12}
    segments = [
        _segment("slow", 0, 16, source_timing=timing, stretch_factor=0.67),
        _segment(
            "even", 16, 32, source_timing={"original_start": 1, "original_duration": 8}, stretch_factor=2
        ),
        _segment("still", 32, 48, sourceid="i", source_timing={"static_duration": 8}),
    ]
    found = reads(tmp_path, _document(segments))
    slow, even, still = found.komposition.segments
    assert found.dialect == "source-timing"
    assert (slow.fill, slow.in_point, slow.source_duration) == ("stretch", 5, 12)
    assert (even.fill, even.source_duration) == ("cut", 8)
    assert (still.fill, still.source) == ("cut", "boat.jpeg")
    assert "stretch_factor 2 is not 1" in told(found)["$.segments[1]"]
    assert "$.segments[0]" not in told(found)


def test_trees_of_effects_become_transitions_with_their_offsets_and_fades(tmp_path: Path) -> None:
    def node(kind: str, *names: str, **parameters: Any) -> dict[str, Any]:
        targets = [{"type": "segment", "id": name} for name in names]
        return {"effect_id": kind, "type": kind, "applies_to": targets, "parameters": parameters}

    tree = {
        "type": "passthrough",
        "children": [
            node("gradient_wipe", "a", "b", duration_beats=4, start_offset_beats=-2, end_offset_beats=2),
            node("crossfade_transition", "c", "b", duration_beats=6, start_offset_beats=-3, curve="x"),
            node("opacity_transition", "c", opacity_start=0.0, opacity_end=1.0, duration_beats=8),
        ],
    }
    segments = [_segment("a", 0, 16), _segment("b", 16, 32), _segment("c", 32, 48)]
    found = reads(tmp_path, _document(segments, effects_tree=tree))
    wipe, fade = (s.transition for s in found.komposition.segments[1:])
    assert wipe is not None and (wipe.type, wipe.duration, wipe.offset, wipe.unit) == (
        "smoothright",
        4,
        -2,
        None,
    )
    assert fade is not None and (fade.type, fade.duration, fade.offset) == ("crossfade", 6, -3)
    (effect,) = found.komposition.segments[2].effects
    assert (effect.op, effect.params) == ("fade_in", {"duration": 4})
    assert "no meaning" in told(found)["$.effects_tree.children[1].parameters.curve"]


def test_a_video_is_its_parts_one_after_another_in_microseconds(tmp_path: Path) -> None:
    page = {
        "id": "y:136",
        "url": "https://www.youtube.com/watch?v=abc",
        "format": "136",
        "extension": "mp4",
    }
    parts = [
        {"id": "late", "sourceid": "", "start": 9_000_000, "duration": 2_500_000, "end": 11_500_000},
        {"id": "early", "sourceid": "", "start": 1_000_000, "duration": 3_000_000, "end": 4_000_000},
    ]
    found = reads(tmp_path, {"_id": "y", "type": "Video", "bpm": -1, "segments": parts, "sources": [page]})
    assert [(s.id, s.in_point, s.duration, s.source) for s in found.komposition.segments] == [
        ("early", 1, 3, "abc_136.mp4"),
        ("late", 9, 2.5, "abc_136.mp4"),
    ]
    assert found.komposition.bpm is None
    assert "microseconds" in told(found)["$"]
    assert "download it" in told(found)["$.sources[0]"]


def test_a_video_with_beats_counts_them(tmp_path: Path) -> None:
    part = {"id": "a", "sourceid": "http://jalla1", "start": 8, "duration": 8, "end": 16}
    found = reads(tmp_path, {"type": "Video", "bpm": 120, "segments": [part], "sources": [VIDEO]})
    assert [(s.in_point, s.duration) for s in found.komposition.segments] == [(4, 4)]
    small = {"type": "Video", "bpm": 0, "segments": [part], "sources": [VIDEO]}
    assert "too small for microseconds" in refusal(tmp_path, small)["$"]


def test_a_segment_without_a_source_is_looked_for_in_the_documents_beside(tmp_path: Path) -> None:
    part = {"id": "Church", "sourceid": "", "start": 2_000_000, "duration": 4_000_000, "end": 6_000_000}
    reads(tmp_path, {"type": "Video", "bpm": 0, "segments": [part], "sources": [VIDEO]}, name="parts.json")
    document = _document([_segment("Church", 0, 16, sourceid=""), _segment("Gone", 16, 32, sourceid="")])
    assert "'Gone' is a part of a video" in refusal(tmp_path, document)["$.segments[1]"]
    found = reads(tmp_path, document, lenient=True)
    (church,) = found.komposition.segments
    assert (church.source, church.in_point, church.source_duration) == ("clip one.mp4", 2, 4)
    assert church.fill == "stretch"
    assert found.depends_on_others
    assert "left out" in told(found)["$.segments[1]"]


def test_parts_of_a_sound_are_refused(tmp_path: Path) -> None:
    document = {"type": "Audio", "bpm": 120, "segments": [_segment("a", 0, 4)], "sources": [MUSIC]}
    assert "no picture" in refusal(tmp_path, document)["$"]


def test_xml_is_read_as_its_json_twin(tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
<komposition>
  <config><width>640</width><height>360</height><framerate>24</framerate><extensionType>mp4</extensionType></config>
  <beatpattern><fromBeat>0</fromBeat><toBeat>16</toBeat><masterBpm>120</masterBpm></beatpattern>
  <segments>
    <segment><id>Church</id><start>0</start><duration>16</duration></segment>
    <segment><id>Tree</id><sourceid>v</sourceid><start>16</start><end>20</end></segment>
  </segments>
  <sources><a type="video" href="https://x.org/films/v.mp4" md5checksum="0">v</a></sources>
</komposition>"""
    part = {"id": "Church", "sourceid": "", "start": 2_000_000, "duration": 4_000_000, "end": 6_000_000}
    reads(tmp_path, {"type": "Video", "bpm": 0, "segments": [part], "sources": [VIDEO]}, name="parts.json")
    found = reads(tmp_path, text, name="mix.kompo.xml")
    assert [(s.source, s.duration) for s in found.komposition.segments] == [
        ("clip one.mp4", 16),
        ("v.mp4", 4),
    ]
    assert told(found)["$.beatpattern.toBeat"].startswith("line 4: a segment goes on")


def test_the_oldest_form_is_read_where_it_shows_something(tmp_path: Path) -> None:
    text = """<composition><name>Mix</name><masterBpm>120</masterBpm><parts>
<part><id>a</id><dvl><url>http://x.org/one.mp4</url><name>One</name></dvl><start>0</start><end>8</end></part>
<part><id>b</id><dvl><url>http://x.org/two.{}</url><name>Two</name></dvl><start>8</start><end>16</end></part>
</parts></composition>"""
    found = reads(tmp_path, text.format("mp4"), name="old.xml")
    assert [(s.source, s.duration) for s in found.komposition.segments] == [("one.mp4", 8), ("two.mp4", 8)]
    assert "nothing to see" in refusal(tmp_path, text.format("mp3"), name="old.xml")["$.parts[1]"]


def test_a_document_type_is_never_taken(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'
    assert "document type" in refusal(tmp_path, bomb, name="bomb.xml")["$"]
