"""The beats of a file's sound: tempo, where each beat is, and how sure that is.

The onset envelope and the tracking of beats are librosa's; the tempo is looked for where the envelope
repeats over several beats, which is right to a fraction of a percent even in a loop of a few seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_assets.errors import BadInput
from media_assets.media.analysis import rhythm
from media_assets.media.analysis.decoding import Samples, decode_sound
from media_assets.media.analysis.rhythm import HOP, RATE, SOUND_RATE, Envelope
from media_assets.media.info import MediaInfo
from media_assets.settings import Settings

LONGEST_SECONDS = 600.0
"""How much of a file is listened to; beats after that are not known."""
SHORTEST_SECONDS = 3.0
LEAST_STRENGTH = 0.2
"""Below this the sound does not repeat in time: of the fixtures, speech has up to 0.11, music from 0.29."""
_SILENCE = 1e-4
# Silence put before the sound, so that an attack on its first sample is one.
_LEAD_SECONDS = 0.5
_TIGHTNESS = 400.0
_WINDOW = 2048
# Values of the envelope that are made at a time: what that takes does not grow with the sound.
_CHUNK = 2048
_LOW_BANDS = 24
# How long after an attack the envelope is at its highest: measured on clicks.
_LATE_SECONDS = 0.017


class NoBeat(BadInput):
    """The sound has no beat that could be found."""


@dataclass(frozen=True)
class Beats:
    """What listening for beats gave.

    Attributes:
        bpm: beats a minute; None where there is no beat.
        times: seconds into the file of each beat.
        steady: that they lie on an even grid, and `times` are those of the grid.
        downbeat: which of `times` is the first that begins a bar of four, a guess.
        confidence: how strongly the sound repeats at that tempo, 0 to 1.
        seconds: how much was listened to.
        reason: why there is no beat.
    """

    bpm: float | None
    times: tuple[float, ...]
    steady: bool
    downbeat: int
    confidence: float
    seconds: float
    reason: str | None = None

    def found(self, where: str) -> tuple[float, tuple[float, ...]]:
        """The tempo and the beats.

        Raises:
            NoBeat: there are none; `where` is what the message names.
        """
        if self.bpm is None:
            raise NoBeat(f"no beat was found: {self.reason}", where=where, hint="give the bpm as a number")
        return self.bpm, self.times

    def to_json(self) -> dict[str, Any]:
        """As it is kept and printed."""
        return {**vars(self), "times": list(self.times)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Beats:
        """Read what `to_json` gave.

        Raises:
            TypeError, KeyError: a field is missing or unknown.
        """
        return cls(**{**document, "times": tuple(map(float, document["times"]))})


def analyse_beats(path: Path, info: MediaInfo, settings: Settings, scratch: Path) -> Beats:
    """Listen to the first ten minutes of a file. Takes about 10 ms for a second of sound.

    Raises:
        NotMedia: it has no sound; CorruptMedia: it cannot be decoded.
    """
    sound = decode_sound(path, info, settings, scratch, rate=SOUND_RATE, seconds=LONGEST_SECONDS)
    return beats_of(sound)


def beats_of(sound: Samples) -> Beats:
    """The beats of sound in one channel at 22,050 Hz."""
    seconds = len(sound) / SOUND_RATE
    if seconds < SHORTEST_SECONDS:
        return _none(seconds, 0.0, f"the sound is shorter than {SHORTEST_SECONDS:g} s")
    if float(np.abs(sound).max()) < _SILENCE:
        return _none(seconds, 0.0, "it is silent")
    envelope, low = _envelopes(sound)
    flat = rhythm.flattened(envelope)
    pulse = rhythm.pulse(flat)
    tempos: float | Envelope = pulse.bpm
    if pulse.strength < LEAST_STRENGTH:
        local = rhythm.wandering(flat)
        if local is None:
            return _none(seconds, max(0.0, pulse.strength), "the sound does not repeat in time")
        pulse, tempos = local
    times = _tracked(flat, tempos)
    even = rhythm.steadied(times, pulse.bpm)
    bpm = pulse.bpm
    exact = None
    if even is not None:
        bpm = 60.0 / even.period
        exact = rhythm.looped(bpm, seconds)
        if exact is not None:
            even, bpm = even.turned(60.0 / exact, seconds / 2), exact
        times = even.times(seconds)
    elif isinstance(tempos, np.ndarray) and len(times) > 1:
        bpm = 60.0 * (len(times) - 1) / float(times[-1] - times[0])
    return Beats(
        bpm=round(bpm, 4),
        times=tuple(round(float(time), 4) for time in times),
        steady=even is not None,
        downbeat=0 if exact else rhythm.downbeat(low, times),
        confidence=round(min(1.0, pulse.strength), 3),
        seconds=round(seconds, 3),
    )


def _none(seconds: float, strength: float, reason: str) -> Beats:
    return Beats(None, (), False, 0, round(strength, 3), round(seconds, 3), reason)


def _envelopes(sound: Samples) -> tuple[Envelope, Envelope]:
    """How much louder the sound gets: over all bands, and over the lowest."""
    import librosa

    levels = librosa.power_to_db(_bands(sound))
    whole = librosa.onset.onset_strength(S=levels, sr=SOUND_RATE, hop_length=HOP, aggregate=np.median)
    low = levels[:_LOW_BANDS].mean(axis=0)
    risen = np.maximum(0.0, np.diff(low, prepend=low[:1]))
    skipped = round(_LEAD_SECONDS * RATE)
    return np.asarray(whole[skipped:], np.float64), np.asarray(risen[skipped:], np.float64)


def _bands(sound: Samples) -> NDArray[np.float32]:
    """Power in each band at each moment, from silence before the sound on; some seconds at a time."""
    import librosa

    lead = round(_LEAD_SECONDS * RATE) * HOP + _WINDOW // 2
    padded = np.pad(sound, (lead, _WINDOW // 2))
    count = 1 + (len(padded) - _WINDOW) // HOP
    parts = []
    for first in range(0, count, _CHUNK):
        last = min(count, first + _CHUNK)
        part = padded[first * HOP : (last - 1) * HOP + _WINDOW]
        parts.append(
            librosa.feature.melspectrogram(
                y=part, sr=SOUND_RATE, hop_length=HOP, n_fft=_WINDOW, fmax=SOUND_RATE / 2, center=False
            )
        )
    return np.concatenate(parts, axis=1)


def _tracked(envelope: Envelope, bpm: float | Envelope) -> NDArray[np.float64]:
    """Beats (seconds) along the strongest onsets about a period apart (Ellis 2007); tempos may change."""
    import librosa

    _, frames = librosa.beat.beat_track(
        onset_envelope=np.maximum(envelope, 0.0),
        sr=SOUND_RATE,
        hop_length=HOP,
        bpm=bpm,
        tightness=_TIGHTNESS,
        trim=False,
    )
    return np.maximum(0.0, np.asarray(frames, np.float64) / RATE - _LATE_SECONDS)
