"""What the sound of a komposition is planned to be, from the document and its sources alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_assets.kompositions.ducking import GRID, Ranges, gains, merged, spoken_spans
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.soundtrack import Soundtrack, soundtrack
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.timeline import timeline
from media_assets.kompositions.voices import JOIN, SAMPLE_RATE, Voice
from media_assets.media.info import AudioStream, MediaInfo, VideoStream

SOUND = AudioStream(1, "aac", 48_000, 2, duration=10.0)
PICTURE = VideoStream(0, "h264", 160, 90, fps=Fraction(30), duration=10.0)
MEDIA = {
    "a.mp4": MediaInfo("video", "mov", 1000, 10.0, videos=(PICTURE,), audios=(SOUND,)),
    "mute.mp4": MediaInfo("video", "mov", 1000, 10.0, videos=(PICTURE,)),
    "m.wav": MediaInfo("audio", "wav", 1000, 10.0, audios=(replace(SOUND, index=0),)),
}
HASHES = {name: f"hash of {name}" for name in MEDIA}
MUSIC = {"source": "m.wav", "loop": True}


def _track(
    segments: list[dict[str, Any]], detected: Mapping[str, Ranges] | None = None, **more: Any
) -> Soundtrack:
    komposition = Komposition.model_validate(
        {
            "version": 1,
            "output": {"width": 160, "height": 90, "fps": "30"},
            "segments": segments,
            **more,
        }
    )
    tempo = Tempo(komposition.unit_seconds)
    return soundtrack(komposition, timeline(komposition, MEDIA), MEDIA, tempo=tempo, speech=detected or {})


def _segment(**more: Any) -> dict[str, Any]:
    return {"source": "a.mp4", "duration": 4.0, **more}


def _seconds(track: Soundtrack) -> list[tuple[float, float]]:
    return [(first / SAMPLE_RATE, end / SAMPLE_RATE) for first, end in track.speech]


def test_speech_is_heard_under_music_and_says_where() -> None:
    given = {"ranges": [{"start": 2.5, "end": 3}]}
    track = _track([_segment(), _segment(in_point=2.0, speech=given)], music=MUSIC)
    (voice,) = track.voices
    assert voice.gain_db == 0
    assert track.music is not None and track.music.duck_db == 12
    # A tenth of a second more on either side.
    assert _seconds(track) == [pytest.approx((4.4, 5.1), abs=0.002)]
    assert not track.warnings


def test_detected_speech_counts_where_none_is_given() -> None:
    ranges = ((Fraction(1), Fraction(2)), (Fraction(11, 5), Fraction(3)), (Fraction(7), Fraction(8)))
    track = _track([_segment(speech={})], {"a.mp4": ranges}, music=MUSIC)
    # The pause of 0.2 s is not worth coming back; what is behind the segment's end is not heard.
    assert _seconds(track) == [pytest.approx((0.9, 3.1), abs=0.002)]


def test_unknown_speech_is_all_of_the_segment_and_a_warning() -> None:
    track = _track([_segment(), _segment(speech={})], music=MUSIC)
    assert _seconds(track) == [pytest.approx((3.895, 8), abs=0.002)]
    assert [place for place, _ in track.warnings] == ["$.segments[1]"]


def test_speech_of_a_silent_source_is_told() -> None:
    track = _track([_segment(source="mute.mp4", speech={})], music=MUSIC)
    assert track.warnings == (("$.segments[0].speech", "the source has no sound"),)


def test_keeping_speech_is_for_every_main_segment_with_sound() -> None:
    segments = [_segment(), _segment(source="mute.mp4"), _segment(gain_db=-3.0)]
    track = _track(segments, {"a.mp4": ((Fraction(1), Fraction(2)),)}, music=MUSIC, speech="keep")
    assert [voice.gain_db for voice in track.voices] == [0, -3]
    assert [first for first, _ in _seconds(track)] == pytest.approx([0.9, 8.9], abs=0.002)


def test_a_stretched_or_looped_source_speaks_where_it_is_heard() -> None:
    ranges = {"a.mp4": ((Fraction(1), Fraction(2)),)}
    slow = _track([_segment(fill="stretch", source_duration=2.0, speech={})], ranges, music=MUSIC)
    assert _seconds(slow) == [pytest.approx((1.9, 4), abs=0.002)]
    again = _segment(fill="loop", source_duration=3.0, duration=6.0, speech={})
    assert _seconds(_track([again], ranges, music=MUSIC)) == [
        pytest.approx((0.9, 2.1), abs=0.002),
        pytest.approx((3.9, 5.1), abs=0.002),
    ]


def test_effects_that_move_sound_leave_all_of_it_speech() -> None:
    ranges = {"a.mp4": ((Fraction(1), Fraction(2)),)}
    track = _track([_segment(speech={}, effects=[{"op": "reverse"}])], ranges, music=MUSIC)
    assert _seconds(track) == [pytest.approx((0, 4), abs=0.002)]


def test_a_voice_track_lowers_tracks_of_music_and_no_others() -> None:
    clip = {"source": "m.wav", "duration": 4.0}
    tracks = [
        {"id": "m", "role": "music", "duck_db": 9.0, "clips": [clip]},
        {"id": "s", "role": "sound", "clips": [clip]},
        {"id": "v", "role": "voice", "clips": [{**clip, "start": 1.0, "duration": 1.0}]},
    ]
    track = _track([_segment(source="mute.mp4")], audio=tracks)
    assert [voice.duck_db for voice in track.voices] == [9, 0, 0]
    assert _seconds(track) == [pytest.approx((0.9, 2.1), abs=0.002)]


def test_nothing_about_ducking_counts_where_nothing_speaks() -> None:
    one, other = (_track([_segment()], music={**MUSIC, "duck_db": db}) for db in (6.0, 18.0))
    assert one.to_json(HASHES) == other.to_json(HASHES)


def test_clips_past_the_end_are_cut_or_left_out_with_a_warning() -> None:
    clips = [
        {"source": "m.wav", "start": 3.0, "duration": 2.0},
        {"source": "m.wav", "start": 5.0},
        {"source": "m.wav", "in_point": 9.0, "duration": 3.0},
        {"source": "m.wav", "start": 1.0},
        {"source": "m.wav", "in_point": 9.0, "duration": 3.0, "loop": True},
    ]
    track = _track([_segment(source="mute.mp4")], audio=[{"id": "t", "clips": clips}])
    assert dict(track.warnings) == {
        "$.audio[0].clips[0]": "goes on for 1.00 s after the end of the timeline: it is cut there",
        "$.audio[0].clips[1]": "starts after the end of the timeline: it is left out",
        "$.audio[0].clips[2]": "its source ends 2.00 s before it does",
    }
    ends = [voice.end / SAMPLE_RATE for voice in track.voices]
    assert ends == [4, 1, 4, 3]
    assert [voice.loop for voice in track.voices] == [0, 0, 0, SAMPLE_RATE]


def test_clips_start_on_the_beats_of_the_music() -> None:
    komposition = Komposition.model_validate(
        {
            "version": 1,
            "bpm": 60.0,
            "output": {"width": 160, "height": 90, "fps": "30"},
            "segments": [_segment(source="mute.mp4")],
            "audio": [{"id": "t", "clips": [{"source": "m.wav", "start": 2.0, "duration": 1.0}]}],
        }
    )
    tempo = Tempo(Fraction(1), (Fraction(0), Fraction(11, 10), Fraction(21, 10), Fraction(3)))
    placed = timeline(komposition, MEDIA, tempo=tempo)
    (voice,) = soundtrack(komposition, placed, MEDIA, tempo=tempo).voices
    assert (voice.first, voice.end) == (SAMPLE_RATE * 21 // 10, SAMPLE_RATE * 3)


def test_what_is_as_usual_is_not_described() -> None:
    track = _track([_segment()])
    assert track.to_json(HASHES)["voices"] == [
        {
            "source": "hash of a.mp4",
            "start": "0",
            "speed": "1",
            "gain_db": 0.0,
            "first": 0,
            "samples": 4 * SAMPLE_RATE,
            "fade_in": 0,
            "fade_out": JOIN,
            "curve_in": "tri",
            "curve_out": "tri",
        }
    ]
    assert "speech" not in track.to_json(HASHES)


@given(
    spans=st.lists(st.tuples(st.integers(0, 900_000), st.integers(1, 200_000)), min_size=1, max_size=30),
    duck=st.floats(0, 60),
)
def test_the_gain_is_low_in_speech_and_moves_smoothly(spans: list[tuple[int, int]], duck: float) -> None:
    samples = 1_000_000
    found = merged([(first, min(samples, first + length)) for first, length in spans], samples)
    values = gains(found, samples, duck)
    lowest = 10 ** (-duck / 20)
    for first, length in spans:
        end = min(samples, first + length)
        assert all(
            v == pytest.approx(lowest, rel=1e-6) for v in values[-(-first // GRID) : end // GRID : 50]
        )
    assert min(values) >= lowest * (1 - 1e-6) and max(values) == 1
    assert len(values) * GRID >= samples + SAMPLE_RATE
    # A millisecond changes it by as much as the attack does at its fastest, at most.
    ratio = 10 ** (duck * 3.15 / 150 / 40)
    assert all(a <= b * ratio * 1.0001 and b <= a * ratio * 1.0001 for a, b in pairwise(values))


def test_thousands_of_stretches_are_found_in_no_time() -> None:
    ranges = tuple((Fraction(k * 7, 10), Fraction(k * 7 + 3, 10)) for k in range(5000))
    plain = Voice("a", Fraction(0), Fraction(1), 0.0, 0, 3 * SAMPLE_RATE, 0, 0)
    voices = [replace(plain, start=Fraction(3 * i), first=3 * SAMPLE_RATE * i) for i in range(1000)]
    spans = [span for voice in voices for span in spoken_spans(voice, ranges)]
    assert 4000 < len(spans) < 6000
    # With pauses of 0.4 s it is one stretch.
    assert len(merged(spans, 3000 * SAMPLE_RATE)) == 1
