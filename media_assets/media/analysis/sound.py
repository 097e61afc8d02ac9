"""What is heard in a file: loudness second by second, silence, and where somebody speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from media_assets.media.analysis.decoding import Samples, decode_metered
from media_assets.media.analysis.spectrum import SOUND_RATE, bands, decibels
from media_assets.media.analysis.speech import Ranges, joined, runs, speech_ranges
from media_assets.media.info import MediaInfo
from media_assets.media.loudness import Loudness
from media_assets.settings import Settings

LONGEST_SECONDS = 1800.0
"""How much of a file is listened to; what comes after is not known."""
SILENCE_DB = -50.0
_SHORTEST_SILENCE = 0.5
_DIP_SECONDS = 0.05


@dataclass(frozen=True)
class SoundContent:
    """What listening gave; all times in seconds into the file.

    Attributes:
        loudness: dBFS (RMS) of each second, at least -120.
        silences: ranges of half a second or more below -50 dBFS.
        speech: ranges in which somebody speaks, as far as can be told.
        seconds: how much was listened to.
        integrated: loudness of all of it by EBU R 128 (LUFS); None for silence.
        true_peak: dBTP; None for silence.
        loudness_range: how far loud and quiet parts are apart (LU).
    """

    loudness: tuple[float, ...]
    silences: Ranges
    speech: Ranges
    seconds: float
    integrated: float | None = None
    true_peak: float | None = None
    loudness_range: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept and printed."""
        return {
            **vars(self),
            "loudness": list(self.loudness),
            "silences": [list(pair) for pair in self.silences],
            "speech": [list(pair) for pair in self.speech],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> SoundContent:
        """Read what `to_json` gave.

        Raises:
            TypeError, KeyError, ValueError: a field is missing, unknown or of another form.
        """
        silences, speech = (
            tuple((float(start), float(end)) for start, end in document[name])
            for name in ("silences", "speech")
        )
        loudness = tuple(map(float, document["loudness"]))
        return cls(**{**document, "loudness": loudness, "silences": silences, "speech": speech})


def analyse_sound(path: Path, info: MediaInfo, settings: Settings, scratch: Path) -> SoundContent:
    """Listen to the first half hour of a file.

    Raises:
        NotMedia: it has no sound; CorruptMedia: it cannot be decoded.
    """
    sound, loudness = decode_metered(
        path, info, settings, scratch, rate=SOUND_RATE, seconds=LONGEST_SECONDS
    )
    return sound_content(sound, loudness)


def sound_content(sound: Samples, loudness: Loudness | None = None) -> SoundContent:
    """What is in sound of one channel at 16 kHz, of that loudness."""
    measured = loudness or Loudness(None, None)
    seconds = len(sound) / SOUND_RATE
    found = bands(sound)
    power = np.square(sound)
    levels = [float(np.mean(power[at : at + SOUND_RATE])) for at in range(0, len(power), SOUND_RATE)]
    quiet = runs(decibels(found.whole) < SILENCE_DB)
    silences = joined(quiet, bridged=_DIP_SECONDS, shortest=_SHORTEST_SILENCE, seconds=seconds)
    return SoundContent(
        loudness=tuple(round(float(level), 2) for level in decibels(np.array(levels))),
        silences=silences,
        speech=speech_ranges(found, seconds),
        seconds=round(seconds, 3),
        integrated=measured.integrated,
        true_peak=measured.true_peak,
        loudness_range=measured.range,
    )
