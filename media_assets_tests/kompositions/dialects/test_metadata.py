"""Documents that say start and end of each segment: in beats, configured, and one-offs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from media_assets_tests.kompositions.dialects.reading import reads, refusal, told

SETTINGS = {"resolution": "640x360", "fps": 30}


def _segment(name: str, start: float, end: float, **members: Any) -> dict[str, Any]:
    return {"id": name, "sourceRef": "a.mp4", "startBeat": start, "endBeat": end, **members}


def _document(*segments: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {
        "metadata": {"title": "T", "bpm": 120},
        "segments": list(segments),
        "outputSettings": SETTINGS,
        **members,
    }


@pytest.mark.parametrize(("duration", "is_told"), [(8.0, False), (16, False), (10, True)])
def test_a_duration_in_beats_or_seconds_is_only_compared(
    tmp_path: Path, duration: float, is_told: bool
) -> None:
    params = {"start": 3, "duration": 8.0}
    found = reads(
        tmp_path, _document(_segment("a", 0, 16, duration=duration, operation="trim", params=params))
    )
    (segment,) = found.komposition.segments
    assert (found.dialect, segment.duration, segment.in_point) == ("beats", 16, 3)
    assert ("$.segments[0].duration" in told(found)) is is_told


def test_overlaps_are_crossfades_and_gaps_the_background(tmp_path: Path) -> None:
    found = reads(tmp_path, _document(_segment("a", 0, 16), _segment("b", 12, 20), _segment("c", 24, 28)))
    a, b, c = found.komposition.segments
    assert (a.duration, b.duration, b.start, c.start) == (12, 8, None, 24)
    assert b.transition is not None and (b.transition.type, b.transition.duration) == ("crossfade", 4)
    assert "overlaps" in told(found)["$.segments[1]"]
    assert "background" in told(found)["$.segments[2]"]
    assert (
        "only one can be seen"
        in refusal(tmp_path, _document(_segment("a", 0, 8), _segment("b", 0, 4)))["$.segments[1]"]
    )


def test_a_render_window_cuts_segments_and_music(tmp_path: Path) -> None:
    metadata = {"title": "T", "bpm": 120, "renderStartBeat": 8, "renderEndBeat": 20}
    music = {"backgroundMusic": "m.mp3", "musicStartOffset": 3, "musicVolume": 0.5, "fadeIn": 1}
    segments = [_segment("a", 0, 16), _segment("b", 16, 24), _segment("c", 24, 28)]
    found = reads(tmp_path, _document(*segments, metadata=metadata, globalAudio=music))
    assert [(s.id, s.in_point, s.duration) for s in found.komposition.segments] == [
        ("a", 4, 8),
        ("b", 0, 4),
    ]
    track = found.komposition.music
    assert track is not None and (track.in_point, track.gain_db, track.fade_in) == (7, -6.02, 1)
    assert "left out" in told(found)["$.segments[2]"]
    assert "silent" in told(found)["$.globalAudio.backgroundMusic"]


def test_the_segments_decide_how_long_the_whole_is(tmp_path: Path) -> None:
    metadata = {"title": "T", "bpm": 120, "totalBeats": 128, "estimatedDuration": 64.0}
    found = reads(tmp_path, _document(_segment("a", 0, 72), metadata=metadata))
    assert found.komposition.segments[0].duration == 72
    assert "72 beats" in told(found)["$.metadata.totalBeats"]


def test_effects_are_operations_with_the_parameters_that_these_know(tmp_path: Path) -> None:
    effects = [
        {"type": "vintage_color", "parameters": {"intensity": 1.5, "warmth": 0.4}},
        {"type": "vhs_look", "parameters": {"noise_level": 15.0, "blur_amount": 1.5}},
        {"type": "fade_white_out", "parameters": {"duration": 0.5}},
    ]
    found = reads(tmp_path, _document(_segment("a", 0, 16, effects=effects)))
    assert [(e.op, e.params) for e in found.komposition.segments[0].effects] == [
        ("vintage_color", {"intensity": 1.0, "warmth": 0.4}),
        ("vhs_look", {"noise": 15.0}),
        ("fade_out", {"color": "white", "duration": 0.5}),
    ]
    assert "at 1.0, not 1.5" in told(found)["$.segments[0].effects[0]"]
    assert "no meaning" in told(found)["$.segments[0].effects[1].parameters.blur_amount"]


def test_an_unknown_effect_is_refused_and_left_out_by_the_lenient(tmp_path: Path) -> None:
    effects = [{"type": "neural_style", "parameters": {"depth": 3}}]
    document = _document(
        _segment("a", 0, 16, effects=effects),
        _segment("b", 16, 32),
        transitions={
            "globalTransition": {"type": "crossfade", "duration": 0.5},
            "specialTransitions": [{"between": ["a", "b"], "type": "neural_transition", "duration": 1}],
        },
    )
    found = refusal(tmp_path, document)
    assert set(found) == {"$.segments[0].effects[0]", "$.transitions.specialTransitions[0]"}
    lenient = reads(tmp_path, document, lenient=True)
    assert lenient.dialect == "configured"
    assert lenient.komposition.segments[0].effects == ()
    transition = lenient.komposition.segments[1].transition
    assert transition is not None and (transition.duration, transition.unit) == (0.5, "seconds")
    assert "left out" in told(lenient)["$.segments[0].effects[0]"]


def test_transitions_between_two_count_before_those_of_every_cut(tmp_path: Path) -> None:
    tree = [
        {"effect": "crossfade_transition", "params": {"duration": 0.5, "method": "crossfade"}},
        {
            "effect": "gradient_wipe",
            "params": {"duration": 1.0, "direction": "left_to_right", "apply_between": ["b", "c"]},
        },
        {"effect": "audio_normalize", "params": {"target_level": -12}},
    ]
    found = reads(
        tmp_path,
        _document(*(_segment(n, i * 8, i * 8 + 8) for i, n in enumerate("abc")), effects_tree=tree),
    )
    into = [s.transition for s in found.komposition.segments]
    assert into[0] is None and into[1] is not None and into[2] is not None
    assert (into[1].type, into[1].duration, into[2].type) == ("crossfade", 0.5, "smoothright")
    assert found.komposition.loudness is not None and found.komposition.loudness.target_lufs == -12


def test_speech_lowers_music_and_keeps_its_ranges(tmp_path: Path) -> None:
    overlay = {
        "enabled": True,
        "backgroundMusic": "m.mp3",
        "musicVolume": 0.3,
        "speechVolume": 0.8,
        "speechSegments": [{"start_time": 2.35, "end_time": 4.82, "quality": "clear"}],
    }
    spoken = _segment("a", 0, 16, speechOverlay=overlay)
    music = {"backgroundMusic": "m.mp3", "musicVolume": 0.5}
    found = reads(tmp_path, _document(spoken, globalAudio=music)).komposition
    assert found.music is not None and found.music.duck_db == 4.44
    speech = found.segments[0].speech
    assert speech is not None and speech.ranges is not None and speech.ranges[0].end == 4.82
    alone = reads(tmp_path, _document(spoken)).komposition
    assert alone.music is None and alone.audio[0].clips[0].duration == 16


def test_configured_segments_loop_and_sources_are_named_by_an_object(tmp_path: Path) -> None:
    params = {"start": 1, "duration": 2, "loop": True, "loopCount": 4}
    document = {
        "metadata": {"bpm": 120},
        "sources": {"one": "/home/somebody/clips/one.mp4"},
        "segments": [
            {"id": "a", "sourceRef": "one", "startBeat": 0, "endBeat": 16, "extractionParams": params}
        ],
        "audioConfiguration": {"backgroundMusic": {"source": "m.mp3", "volume": 80}},
        "renderSettings": {"resolution": "640x360", "frameRate": 25, "quality": "high"},
    }
    found = reads(tmp_path, document)
    (segment,) = found.komposition.segments
    assert (segment.source, segment.fill, segment.source_duration) == ("one.mp4", "loop", 2)
    assert found.komposition.output.fps == "25"
    assert "another machine" in told(found)["$.sources.one"]
    assert "no meaning" in told(found)["$.renderSettings.quality"]


def test_one_offs_are_read_in_their_own_words(tmp_path: Path) -> None:
    timing = {"startBeat": 0, "endBeat": 8, "sourceStart": 2.0, "sourceDuration": 4.0}
    timed = {"metadata": {"bpm": 120}, "segments": [{"id": "a", "sourceRef": "a.mp4", "timing": timing}]}
    plain = {
        "bpm": 120,
        "segments": [{"beat_start": 0, "beat_end": 8, "source_ref": "a.mp4", "start_time": 2.0}],
    }
    for document in (timed, plain):
        found = reads(tmp_path, document)
        (segment,) = found.komposition.segments
        assert (found.dialect, segment.duration, segment.in_point) == ("one-off", 8, 2)
    lengths = {"videoSegments": [{"file": "a.mp4", "startTime": 0, "endTime": 2.5, "trim_start": 4}]}
    (segment,) = reads(tmp_path, lengths).komposition.segments
    assert (segment.duration, segment.in_point) == (2.5, 4)
    cuts: dict[str, Any] = {
        "timeline": [
            {"source": "a.mp4", "start": 3, "duration": 2},
            {"source": "b.mp4", "start": 1, "duration": 3},
        ]
    }
    found = reads(tmp_path, cuts)
    assert "where in the source" in told(found)["$"]
    cuts["timeline"][1]["transition"] = "fade"
    into = reads(tmp_path, cuts).komposition.segments[1].transition
    assert into is not None and (into.type, into.duration) == ("crossfade", 1)


def test_a_document_without_beats_or_sources_says_what_it_lacks(tmp_path: Path) -> None:
    assert "no bpm" in refusal(tmp_path, {"metadata": {}, "segments": [_segment("a", 0, 8)]})["$"]
    bare = {"metadata": {"bpm": 120}, "segments": [{"id": "a", "startBeat": 0, "durationBeats": 4}]}
    assert "which source" in refusal(tmp_path, bare)["$.segments[0]"]
    assert "no segments" in refusal(tmp_path, {"metadata": {"bpm": 120}})["$"]
    presets = {"warm": {"filter_chain": "eq=1", "parameters": {}}}
    assert "describes 1 effects" in refusal(tmp_path, presets)["$"]
