"""Plans the sound of a komposition, to the sample: whose sound is heard when, over which music.

Sound follows the picture's frame boundaries, so lips and cuts stay together. Segments are silent under
music unless they have a gain or speech; where one fades into the next, it is at equal power.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from media_assets.kompositions.audio import Loudness
from media_assets.kompositions.ducking import Ranges, Spans, merged, spoken_spans
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.timeline import Placed, Timeline
from media_assets.kompositions.tracks import Room, music_voice, track_voices
from media_assets.kompositions.values import exact
from media_assets.kompositions.voices import SAMPLE_RATE, Voice, sample_of, segment_voice
from media_assets.media.info import MediaInfo

__all__ = ["CEILING_DB", "ENCODING", "SAMPLE_RATE", "Soundtrack", "Voice", "soundtrack"]

CEILING_DB = -1.0
"""The true-peak ceiling (dBTP) where a komposition asks for no loudness."""

ENCODING = {"aac_coder": "fast"}
"""What the encoder is told beside the profile `aac`. At its 192 kb/s it takes about half the time of the
usual search, and is closer to the sound below 4 kHz, a little less close above 8 kHz (docs/sound.md)."""

# After these a source's speech is no longer where it was in the file.
_MOVING = frozenset(
    (
        *("apply_leica_and_trim", "freeze_frame", "loop", "replace_audio"),
        *("reverse", "speed", "trim", "trim_and_replace_audio"),
    )
)


@dataclass(frozen=True)
class Soundtrack:
    """All that is heard, in samples at 48 kHz; no target leaves the level as mixed.

    Attributes:
        voices: of segments and of the clips of audio tracks.
        music: what lies under the whole timeline.
        speech: where voices with a `duck_db`, and the music, are lowered; empty if there are none.
        warnings: (place, text).
    """

    samples: int
    voices: tuple[Voice, ...]
    music: Voice | None
    target_lufs: float | None
    ceiling_db: float
    warnings: tuple[tuple[str, str], ...] = ()
    speech: Spans = ()

    @property
    def heard(self) -> tuple[Voice, ...]:
        """The voices, and the music after them."""
        return self.voices if self.music is None else (*self.voices, self.music)

    @property
    def sources(self) -> list[str]:
        """References of all that is heard."""
        return [name for voice in self.heard for name in voice.sources]

    def to_json(self, hashes: Mapping[str, str]) -> dict[str, Any]:
        """Everything its samples depend on, sources by content (`hashes` by reference)."""
        document: dict[str, Any] = {
            "samples": self.samples,
            "voices": [voice.to_json(hashes) for voice in self.voices],
            "music": None if self.music is None else self.music.to_json(hashes),
            "target_lufs": self.target_lufs,
            "ceiling_db": self.ceiling_db,
            "encoding": ENCODING,
        }
        return document | ({"speech": [list(span) for span in self.speech]} if self.speech else {})


def soundtrack(
    komposition: Komposition,
    timeline: Timeline,
    media: Mapping[str, MediaInfo],
    *,
    tempo: Tempo | None = None,
    speech: Mapping[str, Ranges] | None = None,
) -> Soundtrack:
    """Plan the sound for a timeline already placed on frames.

    Args:
        komposition: the document.
        timeline: its segments on frames.
        media: what each source is, by reference.
        tempo: where positions lie; an even grid of the document's bpm, if nothing else is known.
        speech: seconds of sources in which speech was detected, by reference.
    """
    room = Room(sample_of(timeline.frames, timeline.rate), tempo or Tempo(komposition.unit_seconds), media)
    speaker = _Speakers(speech or {}, room.warnings)
    voices: list[Voice] = []
    for place, placed, after in _segments(komposition, timeline):
        voice = _segment(komposition, placed, after, place, timeline.rate, room)
        if voice is not None:
            voices.append(voice)
            speaker.add_segment(komposition, place, placed, voice)
    for at, track in enumerate(komposition.audio):
        clips = track_voices(track, f"$.audio[{at}]", room)
        voices += clips
        if track.role == "voice":
            speaker.add_clips(clips)
    music = music_voice(komposition.music, room) if komposition.music else None
    ducked = any(voice.duck_db for voice in (*voices, *([music] if music else [])))
    spans = merged(speaker.spans, room.samples) if ducked else ()
    if not spans:
        # Nothing is lowered, so by how much is no part of what is heard.
        voices = [replace(voice, duck_db=0.0) for voice in voices]
        music = music and replace(music, duck_db=0.0)
    loudness = komposition.loudness or Loudness(true_peak_db=CEILING_DB)
    return Soundtrack(
        samples=room.samples,
        voices=tuple(voices),
        music=music,
        target_lufs=komposition.loudness.target_lufs if komposition.loudness else None,
        ceiling_db=loudness.true_peak_db,
        warnings=tuple(room.warnings),
        speech=spans,
    )


def _segments(komposition: Komposition, timeline: Timeline) -> Iterator[tuple[str, Placed, Placed | None]]:
    """Every placed segment with its place in the document and the one behind it in its layer."""
    places = {layer.id: f"$.layers[{at}].segments" for at, layer in enumerate(komposition.layers)}
    layers = [("$.segments", timeline.segments)]
    layers += [(places[layer.name], layer.segments) for layer in timeline.layers]
    for place, segments in layers:
        for index, placed in enumerate(segments):
            after = segments[index + 1] if index + 1 < len(segments) else None
            yield f"{place}[{index}]", placed, after


def _segment(
    komposition: Komposition, placed: Placed, after: Placed | None, place: str, rate: Fraction, room: Room
) -> Voice | None:
    """The voice of a segment, or None where it is silent."""
    segment = placed.segment
    info = None if segment.source is None else room.media[segment.source]
    gain = segment.gain_db
    if gain is None and (_speaks(komposition, placed, place) or _is_heard(komposition, place)):
        gain = 0.0
    result = placed.chain.result
    sound = (info.audio if info else None) if result is None else result.sound
    if gain is not None and sound is not None:
        return segment_voice(placed, after, gain, rate, info)
    if segment.speech is not None and sound is None:
        room.warnings.append((f"{place}.speech", "the source has no sound"))
    elif placed.chain.only_heard:
        names = ", ".join(placed.chain.only_heard)
        text = f"{names}: the segment is silent under music, unless it has a gain_db"
        room.warnings.append((f"{place}.effects", text))
    return None


def _is_heard(komposition: Komposition, place: str) -> bool:
    """Whether a segment without a gain is heard: a main one, where there is no music."""
    has_music = komposition.music is not None or any(t.role == "music" for t in komposition.audio)
    return place.startswith("$.segments") and not has_music


def _speaks(komposition: Komposition, placed: Placed, place: str) -> bool:
    """Whether what a segment says is to be heard."""
    kept = komposition.speech == "keep" and place.startswith("$.segments")
    return kept or placed.segment.speech is not None


class _Speakers:
    """Gathers where there is speech."""

    def __init__(self, detected: Mapping[str, Ranges], warnings: list[tuple[str, str]]) -> None:
        self.spans: list[tuple[int, int]] = []
        self._detected = {name: sorted(ranges) for name, ranges in detected.items()}
        self._warnings = warnings

    def add_segment(self, komposition: Komposition, place: str, placed: Placed, voice: Voice) -> None:
        """Take what a segment says, by its ranges, those detected, or all of it."""
        if not _speaks(komposition, placed, place):
            return
        given = placed.segment.speech.ranges if placed.segment.speech else None
        ranges: Ranges | None
        if given is not None:
            ranges = sorted((exact(one.start), exact(one.end)) for one in given)
        else:
            ranges = self._detected.get(voice.source or "")
        if any(step.operation.name in _MOVING for step in voice.effects):
            ranges = None
        elif ranges is None:
            text = "where there is speech is not known: music is lowered under the whole segment"
            self._warnings.append((place, text))
        self.spans += spoken_spans(voice, ranges)

    def add_clips(self, voices: list[Voice]) -> None:
        """Take what the clips of a voice track say: where speech was detected, else all of it."""
        for voice in voices:
            self.spans += spoken_spans(voice, self._detected.get(voice.source or ""))
