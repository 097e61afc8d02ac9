"""Documents that leave tempo, speech and crop to their media."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from media_assets.errors import CorruptMedia, DocumentError, NotMedia
from media_assets.kompositions.document import parse
from media_assets.kompositions.listening import Analyses, needed, resolved
from media_assets.media.analysis.beats import Beats
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.info import AudioStream, MediaInfo
from media_assets_tests.kompositions.composing import document


class _Source:
    """Sound of eight seconds."""

    sound = AudioStream(0, "pcm", 48000, 2, duration=8.0)
    info = MediaInfo("audio", "wav", 1, 8.0, audios=(sound,))


SOURCES = {"music.wav": _Source()}
SEGMENT = {"source": "a.mp4", "duration": 4.0}
MUSIC = {"source": "music.wav"}


def beats(
    bpm: float = 120.0, first: float = 0.2, count: int = 15, confidence: float = 0.5
) -> dict[tuple[str, str], Any]:
    """What was heard in the music: even beats."""
    times = tuple(first + index * 60 / bpm for index in range(count))
    return {("music.wav", "beats"): Beats(bpm, times, True, 0, confidence, 8.0)}


def test_which_analyses_are_needed() -> None:
    data = document([SEGMENT], bpm="auto", music=MUSIC)
    assert needed(parse(data, "t")) == [("music.wav", "beats")]
    assert needed(parse(document([SEGMENT], bpm=120.0, music=MUSIC), "t")) == []
    segments = [
        {**SEGMENT, "speech": "keep"},
        {**SEGMENT, "source": "b.mp4", "fit": "smart"},
        {**SEGMENT, "source": "c.mp4", "speech": {"ranges": [{"start": 0.0, "end": 1.0}]}},
    ]
    tracks = [{"id": "v", "role": "voice", "clips": [{"source": "talk.wav"}]}]
    found = needed(parse(document(segments, audio=tracks), "t"))
    assert found == [("a.mp4", "sound"), ("talk.wav", "sound"), ("b.mp4", "picture")]
    everything = needed(parse(document(segments, speech="keep"), "t"))
    assert [name for name, kind in everything if kind == "sound"] == ["a.mp4", "b.mp4"]


def test_the_bpm_is_that_of_the_music() -> None:
    komposition = parse(document([SEGMENT], bpm="auto", music=MUSIC), "t")
    found = resolved(komposition, SOURCES, beats(bpm=97.5))  # type: ignore[arg-type]
    assert found.komposition.bpm == 97.5
    assert found.tempo.seconds(Fraction(13)) == Fraction(8)
    assert found.warnings == ()


def test_a_faint_beat_is_a_warning() -> None:
    komposition = parse(document([SEGMENT], bpm="auto", music=MUSIC), "t")
    found = resolved(komposition, SOURCES, beats(confidence=0.22))  # type: ignore[arg-type]
    assert [place for place, _ in found.warnings] == ["$.bpm"]


@pytest.mark.parametrize(
    ("analysis", "words"),
    [
        (Beats(None, (), False, 0, 0.0, 8.0, "it is silent"), "silent"),
        (CorruptMedia("it cannot be decoded"), "cannot be decoded"),
    ],
)
def test_music_without_a_beat_is_refused_at_the_bpm(analysis: Any, words: str) -> None:
    komposition = parse(document([SEGMENT], bpm="auto", music=MUSIC), "t")
    with pytest.raises(DocumentError) as raised:
        resolved(komposition, SOURCES, {("music.wav", "beats"): analysis})
    ((place, text),) = raised.value.findings
    assert place == "$.bpm"
    assert words in text
    assert "music.wav" in text


def test_a_tempo_of_no_music_is_refused() -> None:
    with pytest.raises(DocumentError) as raised:
        resolved(parse(document([SEGMENT], bpm="auto"), "t"), {}, {})
    assert raised.value.findings[0][0] == "$.bpm"


@pytest.mark.parametrize(
    ("in_point", "first", "wanted"),
    [(0.0, 0.2, [0, 0.7, 1.2, 1.7]), (0.0, 0.3, [0, 0.3, 0.8, 1.3]), (1.2, 0.2, [0, 0.5, 1.0, 1.5])],
    ids=["near the start", "far from it", "from the in point"],
)
def test_positions_are_the_beats_of_the_music(in_point: float, first: float, wanted: list[float]) -> None:
    """Position 0 is the start; the next is the first beat later than half a beat."""
    music = {**MUSIC, "in_point": in_point}
    komposition = parse(document([SEGMENT], bpm="auto", snap=True, music=music), "t")
    found = resolved(komposition, SOURCES, beats(first=first))  # type: ignore[arg-type]
    assert [float(found.tempo.seconds(Fraction(k))) for k in range(4)] == pytest.approx(wanted)


@pytest.mark.parametrize(("bpm", "wanted"), [(60.0, [0, 1.1, 2.1]), (240.0, [0, 0.35, 0.6])])
def test_a_given_tempo_takes_every_other_beat_or_those_between(bpm: float, wanted: list[float]) -> None:
    komposition = parse(document([SEGMENT], bpm=bpm, snap=True, music=MUSIC), "t")
    found = resolved(komposition, SOURCES, beats(first=0.1))  # type: ignore[arg-type]
    assert [float(found.tempo.seconds(Fraction(k))) for k in range(3)] == pytest.approx(wanted)
    assert found.warnings == ()


def test_another_tempo_than_that_of_the_music_is_a_warning() -> None:
    komposition = parse(document([SEGMENT], bpm=95.0, snap=True, music=MUSIC), "t")
    found = resolved(komposition, SOURCES, beats())  # type: ignore[arg-type]
    assert [place for place, _ in found.warnings] == ["$.bpm"]


def test_beats_go_on_where_music_begins_again() -> None:
    """Fifteen beats of a loop of eight seconds that starts on the sixteenth."""
    music = {**MUSIC, "loop": True}
    segments = [{**SEGMENT, "duration": 40.0}]
    komposition = parse(document(segments, bpm="auto", snap=True, music=music), "t")
    found = resolved(komposition, SOURCES, beats(first=0.3))  # type: ignore[arg-type]
    times = [float(found.tempo.seconds(Fraction(k))) for k in range(1, 32)]
    assert times[14] == pytest.approx(7.3)
    assert times[15] == pytest.approx(8.3)
    assert times[29] == pytest.approx(15.3)


def test_music_of_a_track_starts_where_its_clip_does() -> None:
    tracks = [{"id": "m", "role": "music", "clips": [{"source": "music.wav", "start": 4.0}]}]
    komposition = parse(document([{**SEGMENT, "duration": 8.0}], bpm="auto", snap=True, audio=tracks), "t")
    found = resolved(komposition, SOURCES, beats(first=0.1))  # type: ignore[arg-type]
    times = [float(found.tempo.seconds(Fraction(k))) for k in range(6)]
    assert times == pytest.approx([0, 0.5, 1.0, 1.5, 2.1, 2.6])


def test_speech_is_by_reference_in_seconds_of_the_file() -> None:
    segments = [{**SEGMENT, "speech": "keep"}, {**SEGMENT, "source": "b.mp4", "speech": "keep"}]
    komposition = parse(document(segments), "t")
    analyses: Analyses = {
        ("a.mp4", "sound"): SoundContent((-20.0,), (), ((0.1, 2.5),), 4.0),
        ("b.mp4", "sound"): NotMedia("it has no sound"),
    }
    found = resolved(komposition, {}, analyses)
    assert found.speech == {"a.mp4": ((Fraction(1, 10), Fraction(5, 2)),), "b.mp4": ()}
    assert [place for place, _ in found.warnings] == ["$.segments[1].speech"]
    kept = parse(document([SEGMENT, {**SEGMENT, "source": "b.mp4"}], speech="keep"), "t")
    assert resolved(kept, {}, analyses).warnings == ()


def test_focus_is_that_of_the_seconds_shown() -> None:
    komposition = parse(document([{**SEGMENT, "fit": "smart"}]), "t")
    points = ((0.1, 0.5), (0.3, 0.5), (0.9, 0.5))
    zeros = (0.0, 0.0, 0.0)
    found = resolved(
        komposition, {}, {("a.mp4", "picture"): PictureContent((), zeros, zeros, zeros, points, 3.0)}
    )
    assert found.focus("a.mp4", 0.0, 2.0) == pytest.approx((0.2, 0.5))
    assert found.focus("a.mp4", 2.5, 9.0) == pytest.approx((0.9, 0.5))
    assert found.focus("b.mp4", 0.0, 2.0) == (0.5, 0.5)
