"""Tempo and beats of an onset envelope: pure functions on arrays.

The envelope is how much louder the sound gets, band by band, at each of `RATE` moments a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SOUND_RATE = 22_050
HOP = 256
RATE = SOUND_RATE / HOP
"""Values of the envelope in a second."""
Envelope = NDArray[np.float64]

SLOWEST, FASTEST = 60.0, 200.0
"""Tempos that are looked for, in beats a minute."""
_TEMPO_STEP = 0.002
# People tap to music most often at about two beats a second; an octave away counts 0.6 of it.
_USUAL_BPM = 120.0
_OCTAVES = 1.0
# Multiples of a beat after which music repeats, and what each counts.
_REPEATS = ((1, 1.0), (2, 1.0), (3, 0.5), (4, 1.0), (8, 1.0))
# Lags with less overlap than this part of the envelope say nothing.
_LONGEST_LAG = 0.75
# Music that wanders is looked at in stretches; shorter ones repeat more by chance than the whole.
_STRETCH_SECONDS, _FEWEST_STRETCHES = 8.0, 3
_LEAST_LOCAL_STRENGTH, _MOST_WANDERING = 0.3, 0.25
_FAINT = 1e-3
_LOOP_SECONDS = 60.0
_LOOP_TOLERANCE = 0.005
_STEADY_SECONDS = 0.03
_FIT_ROUNDS = 3


@dataclass(frozen=True)
class Pulse:
    """A tempo (beats a minute) and how strongly the envelope repeats at it: 0 not at all, 1 exactly."""

    bpm: float
    strength: float


def flattened(envelope: Envelope) -> Envelope:
    """What stands out of the envelope's own neighbourhood (a second), with mean 0, peaks limited."""
    limit = 1.5 * float(np.percentile(envelope, 99)) + 1e-9
    limited = np.minimum(envelope, limit)
    width = max(1, round(RATE))
    around = np.convolve(limited, np.ones(width) / width, "same")
    risen = np.maximum(limited - 0.9 * around, 0.0)
    return np.asarray(risen - risen.mean(), dtype=np.float64)


def pulse(envelope: Envelope) -> Pulse:
    """The tempo at which a flattened envelope repeats best, usual tempos preferred."""
    correlation = _autocorrelation(envelope)
    tempos = np.exp(np.arange(np.log(SLOWEST), np.log(FASTEST), _TEMPO_STEP))
    lags = np.arange(len(correlation))
    longest = _LONGEST_LAG * len(correlation)
    total, weights = np.zeros(len(tempos)), np.zeros(len(tempos))
    for repeat, weight in _REPEATS:
        lag = repeat * 60.0 / tempos * RATE
        counts = np.where(lag < longest, weight, 0.0)
        total += counts * np.interp(lag, lags, correlation)
        weights += counts
    strength = np.divide(total, weights, out=np.zeros_like(total), where=weights > 0)
    usual = np.exp(-0.5 * (np.log2(tempos / _USUAL_BPM) / _OCTAVES) ** 2)
    best = int(np.argmax(strength * usual))
    return Pulse(float(tempos[best]), float(strength[best]))


def wandering(envelope: Envelope) -> tuple[Pulse, Envelope] | None:
    """The middle tempo of music that gets faster and slower, and the tempo at each value of the envelope.

    None where it does not repeat within most stretches of eight seconds, at about the same tempo.
    """
    size = round(_STRETCH_SECONDS * RATE)
    starts = range(0, len(envelope) - size + 1, size // 2)
    found = {}
    for start in starts:
        part = envelope[start : start + size]
        one = pulse(part) if float(part.max()) > _FAINT else None
        if one is not None and one.strength >= _LEAST_LOCAL_STRENGTH:
            found[start + size / 2] = one
    if len(starts) < _FEWEST_STRETCHES or 2 * len(found) <= len(starts):
        return None
    middle = float(np.median([one.bpm for one in found.values()]))
    near = {at: one for at, one in found.items() if abs(one.bpm / middle - 1) < _MOST_WANDERING}
    if 2 * len(near) <= len(starts):
        return None
    tempos = np.interp(np.arange(len(envelope)), list(near), [one.bpm for one in near.values()])
    strength = float(np.median([one.strength for one in near.values()]))
    return Pulse(middle, strength), np.asarray(tempos, dtype=np.float64)


def looped(bpm: float, seconds: float) -> float | None:
    """The tempo near `bpm` at which whole bars of four beats fill a short file; None if none does."""
    beats = 4 * round(seconds * bpm / 60 / 4)
    if not beats or seconds > _LOOP_SECONDS:
        return None
    exact = 60.0 * beats / seconds
    return exact if abs(exact / bpm - 1) <= _LOOP_TOLERANCE else None


@dataclass(frozen=True)
class Grid:
    """Even beats: seconds from one to the next, and the time of one of them."""

    period: float
    first: float

    def turned(self, period: float, about: float) -> Grid:
        """Another period, the beat nearest to a time staying where it is."""
        return Grid(period, self.first + self.period * round((about - self.first) / self.period))

    def times(self, seconds: float) -> NDArray[np.float64]:
        """Every beat within `seconds`; one that is a hair before the start is at 0."""
        start = self.first - self.period * np.floor((self.first + 0.1 * self.period) / self.period)
        count = int(np.floor((seconds - start - 0.1 * self.period) / self.period)) + 1
        return np.asarray(np.maximum(0.0, start + self.period * np.arange(max(0, count))))


def steadied(times: NDArray[np.float64], bpm: float) -> Grid | None:
    """The even grid that tracked beats (seconds) lie on; None if they wander.

    Beats are numbered by `bpm` from one to the next, so one left out or added moves no other; those off
    the grid do not count.
    """
    if len(times) < 4:
        return None
    numbers = np.concatenate([[0], np.cumsum(np.maximum(1, np.round(np.diff(times) * bpm / 60)))])
    keep = np.ones(len(times), dtype=bool)
    found, off = Grid(60.0 / bpm, float(times[0])), np.zeros(len(times))
    for _ in range(_FIT_ROUNDS):
        period, first = np.polyfit(numbers[keep], times[keep], 1)
        found = Grid(float(period), float(first))
        off = np.abs(times - (first + period * numbers))
        keep = off <= max(_STEADY_SECONDS, float(np.median(off)))
        if keep.sum() < 4:
            return None
    near = float(np.mean(off <= _STEADY_SECONDS))
    return found if near >= 0.8 and abs(60 / found.period / bpm - 1) < 0.02 else None


def downbeat(low: Envelope, times: NDArray[np.float64], meter: int = 4) -> int:
    """Which of the first `meter` beats begins a bar: those on which the lowest tones set in strongest."""
    if len(times) < 2 * meter:
        return 0
    at = np.clip(np.round(times * RATE).astype(int), 0, len(low) - 1)
    # The attack may be a moment beside its beat.
    near = np.max([low[np.clip(at + shift, 0, len(low) - 1)] for shift in range(-3, 4)], axis=0)
    sums = [float(np.mean(near[phase::meter])) for phase in range(meter)]
    best = int(np.argmax(sums))
    # Without a clear difference the first beat is as good a guess as any.
    return best if sums[best] > 1.15 * sums[0] else 0


def _autocorrelation(envelope: Envelope) -> Envelope:
    """Of lags up to the whole, each over what overlaps; 1 at lag 0."""
    count = len(envelope)
    spectrum = np.fft.rfft(envelope, 2 * count)
    raw = np.fft.irfft(np.abs(spectrum) ** 2)[:count]
    overlap = np.maximum(np.arange(count, 0, -1) / count, 0.1)
    return np.asarray(raw / (raw[0] + 1e-12) / overlap, dtype=np.float64)
