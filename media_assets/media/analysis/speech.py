"""Where somebody speaks, told by how speech is built: pure functions on arrays.

Syllables make the middle frequencies loud and quiet three to eight times a second, with gaps between
words, and leave little below and above. A second and a half is taken for speech where all of that holds.

It cannot tell singing from speaking, takes a melody without bass or drums for a voice, and does not hear
speech under louder music or noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from media_assets.media.analysis.spectrum import RATE, Bands, Values, decibels

Ranges = tuple[tuple[float, float], ...]

_WINDOW = 150
_STEP = 25
_SHORTEST_WINDOW = 60
_LEAST_DB = -60.0
# Bounds measured on the fixtures: what is speech lies well on one side.
_LEAST_SHARE = 0.52
_LEAST_SYLLABLES = 0.15
_LEAST_DEPTH = 0.5
_LEAST_GAPS = 0.18
_MOST_FLATNESS = 0.35
_SYLLABLE_HZ = (2.5, 8.0)
_FASTEST_HZ = 25.0
# A voice sets in this far over the quietest tenth of what is around it, and stops this far.
_ON_DB, _OFF_DB = 9.0, 5.0
_FLOOR_RANGE_DB = 40.0
_BRIDGED, _SHORTEST, _PADDING = 0.6, 0.25, 0.1


def speech_ranges(found: Bands, seconds: float) -> Ranges:
    """Seconds from and to which there is speech, in order, apart from each other."""
    level = decibels(found.voice)
    if not len(level):
        return ()
    speaking = _active(level) & _like_speech(found, level)
    return joined(runs(speaking), bridged=_BRIDGED, shortest=_SHORTEST, padding=_PADDING, seconds=seconds)


def runs(on: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Seconds from and to which values are true, `RATE` of them a second."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [(float(a) / RATE, float(b) / RATE) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def joined(
    ranges: list[tuple[float, float]],
    *,
    bridged: float = 0.0,
    shortest: float = 0.0,
    padding: float = 0.0,
    seconds: float,
) -> Ranges:
    """Ranges with gaps up to `bridged` closed, those below `shortest` left out, the rest widened."""
    merged: list[tuple[float, float]] = []
    for start, end in ranges:
        if merged and start - merged[-1][1] <= bridged:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    kept = [(start, end) for start, end in merged if end - start >= shortest]
    return tuple(
        (round(max(0.0, start - padding), 3), round(min(seconds, end + padding), 3)) for start, end in kept
    )


def _active(level: Values) -> NDArray[np.bool_]:
    """Where something is louder than the background; once on, it stays on down to a lower bound."""
    smooth = np.convolve(np.pad(level, 2, mode="edge"), np.ones(5) / 5, "valid")
    heard = smooth[smooth > _LEAST_DB]
    if not len(heard):
        return np.zeros(len(level), dtype=bool)
    floor = max(float(np.percentile(smooth, 10)), float(np.percentile(heard, 95)) - _FLOOR_RANGE_DB)
    on, off = smooth > max(_LEAST_DB, floor + _ON_DB), smooth > max(_LEAST_DB, floor + _OFF_DB)
    for start, end in runs(off):
        first, last = round(start * RATE), round(end * RATE)
        if not on[first:last].any():
            off[first:last] = False
    return np.asarray(off)


def _like_speech(found: Bands, level: Values) -> NDArray[np.bool_]:
    """Moments of which at least half of the windows around them are built like speech."""
    count = len(level)
    votes, windows = np.zeros(count), np.zeros(count)
    for first in range(0, max(1, count - _WINDOW + _STEP), _STEP):
        last = min(count, first + _WINDOW)
        first = max(0, last - _WINDOW)
        part = slice(first, last)
        windows[part] += 1
        if last - first >= _SHORTEST_WINDOW and _is_speech(
            found.voice[part], found.whole[part], found.flatness[part]
        ):
            votes[part] += 1
    like = votes >= np.maximum(windows / 2, 1)
    for start, end in runs(like):
        # Half a window at either edge has fewer windows around it than the middle.
        like[max(0, round(start * RATE) - _WINDOW // 2) : round(end * RATE) + _WINDOW // 2] = True
    return np.asarray(like)


def _is_speech(voice: Values, whole: Values, flatness: Values) -> bool:
    power = float(voice.mean())
    if decibels(np.array([power]))[0] < _LEAST_DB or voice.sum() < _LEAST_SHARE * whole.sum():
        return False
    loudness = np.sqrt(voice)
    mean = float(loudness.mean())
    return bool(
        loudness.std() >= _LEAST_DEPTH * mean
        and np.mean(loudness < mean / 2) >= _LEAST_GAPS
        and flatness.mean() <= _MOST_FLATNESS
        and _syllables(loudness) >= _LEAST_SYLLABLES
    )


def _syllables(loudness: Values) -> float:
    """The part of its ups and downs that come as fast as syllables."""
    moving = (loudness - loudness.mean()) * np.hanning(len(loudness))
    power = np.abs(np.fft.rfft(moving)) ** 2
    hertz = np.fft.rfftfreq(len(loudness), 1 / RATE)
    slow, fast = _SYLLABLE_HZ
    spoken = power[(hertz >= slow) & (hertz <= fast)].sum()
    return float(spoken / (power[(hertz > 0) & (hertz <= _FASTEST_HZ)].sum() + 1e-30))
