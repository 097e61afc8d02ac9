"""What of a sound lies where voices are, a hundred times a second: pure functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from media_assets.media.analysis.decoding import Samples

SOUND_RATE = 16_000
RATE = 100
"""Values in a second."""
_HOP = SOUND_RATE // RATE
_WINDOW = 512
_CHUNK = 3_000
_VOICE_HZ = (200.0, 3_800.0)
_LOWEST_HZ = 60.0
_NOTHING = 1e-12

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Bands:
    """Power of the sound at each moment.

    Attributes:
        voice: between 200 and 3,800 Hz, where most of speech is.
        whole: above 60 Hz.
        flatness: of the spectrum between these: 1 is noise, 0 a pure tone.
    """

    voice: Values
    whole: Values
    flatness: Values


def bands(sound: Samples) -> Bands:
    """The bands of sound in one channel at 16 kHz; half a minute at a time, so memory stays small."""
    count = len(sound) // _HOP
    padded = np.concatenate([sound, np.zeros(_WINDOW, np.float32)])
    frames = sliding_window_view(padded, _WINDOW)[::_HOP][:count]
    parts = [_bands(frames[first : first + _CHUNK]) for first in range(0, max(count, 1), _CHUNK)]
    voice, whole, flatness = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Bands(voice, whole, flatness)


def _bands(frames: NDArray[np.float32]) -> tuple[Values, Values, Values]:
    window = np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 / (_WINDOW * float(np.sum(window**2)))
    hertz = np.fft.rfftfreq(_WINDOW, 1 / SOUND_RATE)
    voiced = power[:, (hertz >= _VOICE_HZ[0]) & (hertz <= _VOICE_HZ[1])]
    mean = voiced.mean(axis=1)
    geometric = np.exp(np.log(voiced + _NOTHING).mean(axis=1))
    flatness = geometric / (mean + _NOTHING)
    return voiced.sum(axis=1), power[:, hertz >= _LOWEST_HZ].sum(axis=1), flatness


def decibels(power: Values) -> Values:
    """Power in dB, at least -120."""
    return np.asarray(10 * np.log10(np.maximum(power, _NOTHING)), dtype=np.float64)
