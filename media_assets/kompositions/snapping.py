"""Beats of music as positions of a timeline."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from media_assets.kompositions.model import Komposition
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact
from media_assets.media.analysis.beats import Beats

# How far a tempo may be from twice or half the one that was given, and still be the same music.
_SAME_TEMPO = 0.06
_MULTIPLES = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4))

Findings = list[tuple[str, str]]


@dataclass(frozen=True)
class MusicTrack:
    """The music that gives the tempo.

    Attributes:
        place: where the document names it.
        start: its position on the timeline; in_point: seconds into the file.
    """

    reference: str
    place: str
    in_point: Fraction
    start: Fraction
    loop: bool


def music_track(komposition: Komposition) -> MusicTrack | None:
    """The music, or the first clip of the first track of music."""
    music = komposition.music
    if music is not None:
        return MusicTrack(music.source, "$.music.source", exact(music.in_point), Fraction(0), music.loop)
    for at, track in enumerate(komposition.audio):
        if track.role == "music":
            clip = track.clips[0]
            place = f"$.audio[{at}].clips[0].source"
            return MusicTrack(clip.source, place, exact(clip.in_point), exact(clip.start), clip.loop)
    return None


def snapped(
    komposition: Komposition,
    music: MusicTrack,
    beats: Beats,
    end: Fraction | None,
    warnings: Findings,
) -> Tempo:
    """The positions of a document on the beats of its music.

    Args:
        komposition: the document, its bpm known.
        music: the music, and `beats` what was heard in it.
        end: seconds into the file at which the music ends, if that is known.
        warnings: gets what was decided.
    """
    if komposition.unit == "seconds" or komposition.bpm is None:
        warnings.append(("$.snap", "has no effect: positions are in seconds"))
        return Tempo(komposition.unit_seconds)
    unit = komposition.unit_seconds
    return on_beats(unit, _at_tempo(beats, unit, warnings), music, end, _last_position(komposition))


def on_beats(
    unit: Fraction, heard: Sequence[Fraction], music: MusicTrack, end: Fraction | None, last: int
) -> Tempo:
    """Positions on beats: 0 is the start, k the k-th beat after half a beat from there.

    Args:
        unit: what a beat lasts where none is heard: before the music, and after its last.
        heard: beats in seconds of the music's file.
        music: where it is on the timeline.
        end: where it ends; music that loops begins again there, with its beats.
        last: how many positions are asked for.
    """
    start = music.start * unit
    seconds = [time - music.in_point + start for time in heard if time >= music.in_point]
    if music.loop and end is not None and end > music.in_point and seconds:
        once, rounds = list(seconds), math.ceil((last + 2) / len(seconds))
        length = end - music.in_point
        seconds = [time + turn * length for turn in range(rounds) for time in once]
    times = [Fraction(0)]
    while times[-1] + unit < start - unit / 2:
        times.append(times[-1] + unit)
    for time in seconds:
        if time > times[-1] + unit / 2:
            times.append(time)
    return Tempo(unit, tuple(times[: last + 2]))


def _at_tempo(beats: Beats, unit: Fraction, warnings: Findings) -> list[Fraction]:
    """The beats, halved or doubled to the tempo that the document gives."""
    times = [exact(time) for time in beats.times]
    given, found = float(60 / unit), beats.bpm or 1.0
    factor = min(_MULTIPLES, key=lambda multiple: abs(math.log(given / (found * multiple))))
    if abs(given / (found * factor) - 1) > _SAME_TEMPO:
        text = f"is {given:g}, but the music has {found:g} beats a minute: positions are those beats"
        warnings.append(("$.bpm", text))
        return times
    if factor < 1:
        step = factor.denominator
        return times[beats.downbeat % step :: step]
    parts = factor.numerator
    between = [
        before + (after - before) * part / parts
        for before, after in itertools.pairwise(times)
        for part in range(parts)
    ]
    return [*between, *times[-1:]]


def _last_position(komposition: Komposition) -> int:
    """A whole position at or after the end of every segment, and of what is heard."""
    last, groups = Fraction(0), [komposition.segments, *(layer.segments for layer in komposition.layers)]
    for segments in groups:
        end = Fraction(0)
        for segment in segments:
            end = (end if segment.start is None else exact(segment.start)) + exact(segment.duration)
            last = max(last, end)
    return math.ceil(last)
