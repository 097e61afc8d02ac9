"""Makes sources whose samples are known one by one, and mixes the sound of documents that use them."""

from __future__ import annotations

import wave
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_assets.kompositions.model import Komposition, references
from media_assets.kompositions.sound import Session, write_mix
from media_assets.kompositions.soundtrack import SAMPLE_RATE, Soundtrack, soundtrack
from media_assets.kompositions.timeline import timeline
from media_assets.media.loudness import Loudness
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.making import ingested, make

Sound = NDArray[np.float32]
Speech = Mapping[str, Sequence[tuple[Fraction, Fraction]]]


def write_wave(path: Path, sound: NDArray[np.int16]) -> Path:
    """A WAV file with those samples on both sides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.repeat(sound, 2).tobytes())
    return path


@dataclass
class Ears:
    """A source root of small files, and what is heard of documents about them."""

    settings: Settings
    folder: Path
    sources: dict[str, SourceFacts]

    def add(self, name: str, sound: NDArray[np.int16]) -> Sound:
        """A source with that sound, a video unless it is named `.wav`; returns it at full scale 1."""
        path = self.settings.source_root / name
        if path.suffix == ".wav":
            write_wave(path, sound)
        else:
            plain = write_wave(self.folder / "plain.wav", sound)
            seconds = len(sound) / SAMPLE_RATE
            picture = ("-f", "lavfi", "-i", f"color=s=16x16:r=10:d={seconds}")
            make(self.settings, path, *picture, "-i", str(plain), "-c:v", "mjpeg", "-c:a", "pcm_s16le")
        self.sources[name] = ingested(self.settings, path)
        return (sound / 32768).astype(np.float32)

    def track(self, data: dict[str, Any], speech: Speech | None = None) -> Soundtrack:
        """The plan of a document's sound."""
        komposition = Komposition.model_validate(data)
        media = {name: self.sources[name].info for name in references(komposition)}
        return soundtrack(komposition, timeline(komposition, media), media, speech=speech)

    def mix(self, data: dict[str, Any], speech: Speech | None = None) -> Sound:
        """The mix of a document's sound, one channel of two that are equal."""
        return self.mixed(self.track(data, speech))[0]

    def mixed(self, track: Soundtrack) -> tuple[Sound, Loudness]:
        """The mix of a soundtrack, and its loudness."""
        scratch = self.folder / f"scratch{len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        loudness = write_mix(track, self.sources, scratch / "mix.wav", Session(self.settings, None))
        both = wave_floats(scratch / "mix.wav")
        assert np.array_equal(both[:, 0], both[:, 1])
        assert len(both) == track.samples
        return both[:, 0], loudness


def wave_floats(path: Path) -> Sound:
    """The samples of a float stereo WAV file, as (samples, channels)."""
    raw = path.read_bytes()
    start = raw.index(b"data", 12) + 8
    return np.frombuffer(raw, np.float32, offset=start).reshape(-1, 2)


def decibels(factor: float) -> float:
    """A factor of samples in decibels."""
    return float(20 * np.log10(factor))
