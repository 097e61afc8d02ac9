"""Cuts are on the frames that the beats say, and nothing drifts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_assets.errors import DocumentError
from media_assets.ids import source_id
from media_assets.kompositions.document import parse
from media_assets.kompositions.plan import KompositionPlan, plan
from media_assets.kompositions.soundtrack import SAMPLE_RATE, soundtrack
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.timeline import timeline
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceFacts

SOUND = AudioStream(1, "aac", 48_000, 2, duration=10.0)
PICTURE = VideoStream(0, "h264", 160, 90, fps=Fraction(30), duration=10.0)
MEDIA = {
    "a.mp4": MediaInfo("video", "mov", 1000, 10.0, videos=(PICTURE,), audios=(SOUND,)),
    "b.mp4": MediaInfo("video", "mov", 1000, 10.0, videos=(PICTURE,)),
    "c.png": MediaInfo("image", "png_pipe", 1000, videos=(VideoStream(0, "png", 160, 90),)),
    "m.wav": MediaInfo(
        "audio", "wav", 1000, 10.0, audios=(AudioStream(0, "pcm", 48_000, 2, duration=10.0),)
    ),
}


def _document(segments: list[dict[str, Any]], fps: Any = 30, **more: Any) -> Any:
    output = {"width": 160, "height": 90, "fps": fps}
    return parse({"version": 1, "output": output, "segments": segments, **more}, "test")


def _plan(segments: list[dict[str, Any]], **more: Any) -> KompositionPlan:
    facts = {
        name: SourceFacts(
            id=source_id(name),
            path=Path(name),
            relative=name,
            sha256=f"hash of {name}",
            info=info,
            stat=Stat(1, 1, 1),
        )
        for name, info in MEDIA.items()
    }
    return plan(_document(segments, **more), facts, "9.0")


@given(
    bpm=st.floats(20, 400).map(lambda x: round(x, 3)),
    fps=st.sampled_from([24, 25, 30, 29.97, 60, "24000/1001"]),
    beats=st.lists(st.sampled_from([1.0, 2.0, 4.0, 0.5, 1.5, 3.3]), min_size=1, max_size=60),
)
def test_every_cut_is_on_the_frame_nearest_its_beat(bpm: float, fps: Any, beats: list[float]) -> None:
    komposition = _document([{"source": "c.png", "duration": b} for b in beats], fps, bpm=bpm)
    placed = timeline(komposition, MEDIA)
    position = Fraction(0)
    for beat, piece in zip(beats, placed.pieces, strict=True):
        exact = position * 60 / Fraction(str(bpm)) * komposition.output.rate
        assert abs(piece.first_frame - exact) <= Fraction(1, 2)
        position += Fraction(str(beat))
    assert placed.frames == sum(piece.frames for piece in placed.pieces)


def test_a_thousand_beats_at_an_odd_tempo_end_on_the_exact_frame() -> None:
    komposition = _document([{"source": "c.png", "duration": 1}] * 1000, "30000/1001", bpm=127)
    assert timeline(komposition, MEDIA).frames == round(Fraction(1000 * 60, 127) * Fraction(30_000, 1001))


def test_a_crossfade_lies_on_the_beat_and_adds_no_length() -> None:
    segments = [
        {"source": "a.mp4", "in_point": 1, "duration": 4},
        {"source": "b.mp4", "in_point": 2, "duration": 4, "transition": {"duration": 1}},
    ]
    placed = timeline(_document(segments, bpm=120), MEDIA)
    assert [(p.id, p.first_frame, p.frames) for p in placed.pieces] == [
        ("s1", 0, 60),
        ("s1>s2", 60, 15),
        ("s2", 75, 45),
    ]
    fade, body = placed.pieces[1:]
    assert [shot.takes[0].start for shot in fade.shots] == [Fraction(3), Fraction(2)]
    assert body.shots[0].takes[0].start == Fraction(5, 2)


def test_a_source_that_is_too_short_is_held_and_told() -> None:
    placed = timeline(_document([{"source": "a.mp4", "in_point": 8, "duration": 3}]), MEDIA)
    assert placed.warnings == (
        ("$.segments[0]", "the source is too short: its last picture is held for 30 frame(s)"),
    )
    exactly = timeline(_document([{"source": "a.mp4", "in_point": 8, "duration": 2}]), MEDIA)
    assert exactly.warnings == ()
    # The same, but it has to go on under the crossfade that follows.
    segments = [
        {"source": "a.mp4", "in_point": 8, "duration": 2},
        {"source": "b.mp4", "duration": 2, "transition": {"duration": 0.5}},
    ]
    handle = timeline(_document(segments), MEDIA)
    assert handle.warnings[0][0] == "$.segments[0]"
    assert "15 frame(s)" in handle.warnings[0][1]


def test_what_does_not_fit_its_sources_is_refused_with_every_finding() -> None:
    segments = [
        {"source": "m.wav", "duration": 1},
        {"source": "gone.mp4", "duration": 1},
        {"source": "a.mp4", "in_point": 10, "duration": 1},
        {"source": "a.mp4", "duration": 0.01},
    ]
    with pytest.raises(DocumentError) as caught:
        timeline(_document(segments, music={"source": "b.mp4"}), MEDIA)
    places = {place for place, _ in caught.value.findings}
    assert places == {
        "$.segments[0].source",
        "$.segments[1].source",
        "$.segments[2].in_point",
        "$.segments[3].duration",
        "$.music.source",
    }


def test_sound_starts_with_its_picture_and_fills_the_timeline_to_the_sample() -> None:
    segments = [{"source": "a.mp4", "duration": 1} for _ in range(40)]
    komposition = _document(segments, "30000/1001", bpm=127)
    placed = timeline(komposition, MEDIA)
    track = soundtrack(komposition, placed, MEDIA, tempo=Tempo(komposition.unit_seconds), speech={})
    for voice, piece in zip(track.voices, placed.pieces, strict=True):
        # It fades in up to the cut.
        cut = Fraction(voice.first + voice.fade_in, SAMPLE_RATE)
        assert abs(cut - piece.first_frame / placed.rate) < Fraction(1, 48_000)
    assert track.voices[-1].first + track.voices[-1].samples == track.samples


def test_segments_are_silent_under_music_unless_they_have_a_gain() -> None:
    segments = [{"source": "a.mp4", "duration": 1}, {"source": "a.mp4", "duration": 1, "gain_db": -6}]
    alone = _plan(segments).soundtrack
    assert [voice.gain_db for voice in alone.voices] == [0, -6]
    under = _plan(segments, music={"source": "m.wav"}).soundtrack
    assert [voice.gain_db for voice in under.voices] == [-6]


def test_moving_or_renaming_a_segment_changes_no_piece() -> None:
    first, second = {"source": "a.mp4", "duration": 2}, {"source": "b.mp4", "in_point": 3, "duration": 1}
    before = _plan([first, second], music={"source": "m.wav"})
    after = _plan([{**second, "id": "x"}, {**first, "id": "y"}], music={"source": "m.wav"})
    assert {p.fingerprint for p in before.pieces} == {p.fingerprint for p in after.pieces}
    assert before.sound_fingerprint == after.sound_fingerprint
    assert before.fingerprint != after.fingerprint


def test_what_decides_pixels_changes_the_piece_and_nothing_else() -> None:
    base = [{"source": "a.mp4", "duration": 2}, {"source": "b.mp4", "duration": 2}]
    before = _plan(base, music={"source": "m.wav"})
    for change in ({"in_point": 1}, {"source": "c.png"}, {"stretch": True, "source_duration": 1}):
        after = _plan([{**base[0], **change}, base[1]], music={"source": "m.wav"})
        assert after.pieces[0].fingerprint != before.pieces[0].fingerprint
        assert after.pieces[1].fingerprint == before.pieces[1].fingerprint
        assert after.sound_fingerprint == before.sound_fingerprint
    louder = _plan(base, music={"source": "m.wav"}, loudness={"target_lufs": -10})
    assert [p.fingerprint for p in louder.pieces] == [p.fingerprint for p in before.pieces]
    assert louder.sound_fingerprint != before.sound_fingerprint


def test_a_title_is_no_part_of_the_fingerprint_and_a_plan_is_json() -> None:
    segments = [{"source": "a.mp4", "duration": 2}]
    one, other = _plan(segments, title="one"), _plan(segments, title="other")
    assert one.fingerprint == other.fingerprint
    assert one.to_json()["sources"] == {"src_a_mp4": "hash of a.mp4"}
