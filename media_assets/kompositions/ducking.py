"""Where there is speech on a timeline, and how music is lowered under it.

The gain is known before anything is rendered: a stretch of speech is a plateau with a ramp before and one
after, and stretches that follow each other closely are one. Nothing listens while it is mixed, so the same
speech lowers the same samples, however the rest of the sound came about.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from fractions import Fraction
from operator import itemgetter

from media_assets.kompositions.voices import SAMPLE_RATE, Voice

GRID = 48
"""Samples between two values of the gain: a millisecond."""
Spans = tuple[tuple[int, int], ...]
"""Samples of the timeline, from each first up to each end."""
Ranges = Sequence[tuple[Fraction, Fraction]]
"""Seconds of a file, from each start up to each end."""

# Speech is taken to start a little sooner and to end a little later than was found.
_WIDENED = SAMPLE_RATE // 10
# Where it pauses for less than this, music stays down. More than both ramps together.
_PAUSE = SAMPLE_RATE * 8 // 10
_ATTACK = 150
_RELEASE = 500
"""Milliseconds before speech in which the music gets quieter, and after it in which it comes back."""


def spoken_spans(voice: Voice, ranges: Ranges | None) -> Iterator[tuple[int, int]]:
    """Samples of the timeline in which a voice speaks.

    Args:
        ranges: seconds of its file in which there is speech, in order; None for all of them.
    """
    end = voice.first + (voice.samples if voice.heard is None else min(voice.heard, voice.samples))
    if ranges is None:
        yield voice.first, end
        return
    for zero, low, high in _turns(voice):
        for start, stop in ranges[bisect_right(ranges, low, key=itemgetter(1)) :]:
            if start >= high:
                break
            first = zero + math.floor(max(low, start) * SAMPLE_RATE / voice.speed)
            last = min(end, zero + math.ceil(min(high, stop) * SAMPLE_RATE / voice.speed))
            if first < last:
                yield first, last


def _turns(voice: Voice) -> Iterator[tuple[int, Fraction, Fraction]]:
    """Where second 0 of the file would be on the timeline, and which seconds are heard, for each turn."""
    in_point = voice.start + voice.lead * voice.speed / SAMPLE_RATE
    if not voice.loop:
        zero = voice.first - round(voice.start * SAMPLE_RATE / voice.speed)
        yield zero, max(Fraction(0), voice.start), in_point + voice.samples * voice.speed / SAMPLE_RATE
        return
    at = voice.first + voice.lead
    while at < voice.end:
        yield at - round(in_point * SAMPLE_RATE), in_point, in_point + Fraction(voice.loop, SAMPLE_RATE)
        at += voice.loop


def merged(spans: Sequence[tuple[int, int]], samples: int) -> Spans:
    """Stretches of speech widened, on the grid, and joined where the pause between them is short.

    Args:
        samples: how long the timeline is.
    """
    found: list[tuple[int, int]] = []
    for first, end in sorted(spans):
        begin = max(0, first - _WIDENED) // GRID * GRID
        stop = min(-(-samples // GRID), -(-(end + _WIDENED) // GRID)) * GRID
        if found and begin - found[-1][1] < _PAUSE:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((begin, stop))
    return tuple(found)


def gains(spans: Spans, samples: int, duck_db: float) -> array[float]:
    """The gain every `GRID` samples, as factors, up to a second after the end.

    Args:
        spans: what `merged` gave.
        samples: how long the timeline is.
        duck_db: decibels that are taken away while there is speech.
    """
    length = -(-(samples + SAMPLE_RATE) // GRID)
    values = array("f", [1.0]) * length
    attack, release = _ramp(_ATTACK, duck_db), _ramp(_RELEASE, duck_db)[::-1]
    lowest = array("f", [10 ** (-duck_db / 20)])
    for first, end in spans:
        begin, stop = first // GRID, min(end // GRID, length)
        before = min(_ATTACK, begin)
        after = min(_RELEASE, length - stop)
        values[begin - before : begin] = attack[_ATTACK - before :]
        values[begin:stop] = lowest * (stop - begin)
        values[stop : stop + after] = release[:after]
    return values


def _ramp(length: int, duck_db: float) -> array[float]:
    """From no change to all of it, in decibels along half a cosine."""
    return array("f", [10 ** (-duck_db * (1 - math.cos(math.pi * i / length)) / 40) for i in range(length)])
