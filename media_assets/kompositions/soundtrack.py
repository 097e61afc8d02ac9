"""Plans the sound of a komposition, to the sample: whose sound is heard when, over which music.

Sound follows the picture's frame boundaries, so lips and cuts stay together. Segments are silent under
music unless they have a gain; where one fades into the next, it is at equal power.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media_assets.kompositions.audio import Loudness
from media_assets.kompositions.effects import Step
from media_assets.kompositions.footage import sound_end
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.timeline import Placed, Timeline
from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo

SAMPLE_RATE = 48_000
CEILING_DB = -1.0
"""The true-peak ceiling (dBTP) where a komposition asks for no loudness."""


@dataclass(frozen=True)
class Voice:
    """The sound of one segment.

    Attributes:
        source: the reference in the document.
        start: seconds into the file.
        speed: seconds of source in a second of timeline; the pitch stays.
        gain_db: decibels.
        first: its first sample on the timeline.
        samples: how many it lasts, fades included.
        fade_in, fade_out: how many of them fade.
        effects: what is done to it, before its gain and its fades.
    """

    source: str
    start: Fraction
    speed: Fraction
    gain_db: float
    first: int
    samples: int
    fade_in: int
    fade_out: int
    effects: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Music:
    """The music under the timeline: `samples` of it from `start` seconds, faded; silence follows."""

    source: str
    start: Fraction
    gain_db: float
    samples: int
    fade_in: int
    fade_out: int
    loop: bool


@dataclass(frozen=True)
class Soundtrack:
    """All that is heard, in samples at 48 kHz; no target leaves the level as mixed."""

    samples: int
    voices: tuple[Voice, ...]
    music: Music | None
    target_lufs: float | None
    ceiling_db: float
    warnings: tuple[tuple[str, str], ...] = ()

    @property
    def sources(self) -> list[str]:
        """References of all that is heard."""
        heard = [voice.source for voice in self.voices] + ([self.music.source] if self.music else [])
        steps = (step for voice in self.voices for step in voice.effects)
        return [*heard, *(name for step in steps for name in step.sources)]

    def to_json(self, hashes: Mapping[str, str]) -> dict[str, Any]:
        """Everything its samples depend on, sources by content (`hashes` by reference)."""
        return {
            "samples": self.samples,
            "voices": [_described(voice, hashes) for voice in self.voices],
            "music": None if self.music is None else _described(self.music, hashes),
            "target_lufs": self.target_lufs,
            "ceiling_db": self.ceiling_db,
        }


def soundtrack(
    komposition: Komposition,
    timeline: Timeline,
    media: Mapping[str, MediaInfo],
    *,
    tempo: Tempo,
    speech: Mapping[str, Sequence[tuple[Fraction, Fraction]]],
) -> Soundtrack:
    """Plan the sound for a timeline already placed on frames."""
    samples = _sample(timeline.frames, timeline.rate)
    voices = []
    warnings: list[tuple[str, str]] = []
    for index, placed in enumerate(timeline.segments):
        gain = placed.segment.gain_db
        if gain is None and komposition.music is None:
            gain = 0.0
        if gain is not None and _sounds(placed, media):
            voices.append(_voice(placed, gain, timeline.rate))
        elif placed.chain.only_heard:
            names = ", ".join(placed.chain.only_heard)
            text = f"{names}: the segment is silent under music, unless it has a gain_db"
            warnings.append((f"$.segments[{index}].effects", text))
    music = _music(komposition, samples, media, warnings)
    loudness = komposition.loudness or Loudness(true_peak_db=CEILING_DB)
    target = komposition.loudness.target_lufs if komposition.loudness else None
    return Soundtrack(samples, tuple(voices), music, target, loudness.true_peak_db, tuple(warnings))


def _sounds(placed: Placed, media: Mapping[str, MediaInfo]) -> bool:
    """Whether a segment has sound, after its effects."""
    result = placed.chain.result
    if result is not None:
        return result.sound is not None
    source = placed.segment.source
    return source is not None and media[source].audio is not None


def _voice(placed: Placed, gain: float, rate: Fraction) -> Voice:
    first = _sample(placed.first_frame, rate)
    body_end = placed.first_frame + placed.frames
    end = _sample(body_end + placed.handle_frames, rate)
    return Voice(
        source=placed.segment.source or "",
        start=exact(placed.segment.in_point),
        speed=placed.speed,
        gain_db=gain,
        first=first,
        samples=end - first,
        fade_in=_sample(placed.first_frame + placed.fade_frames, rate) - first,
        fade_out=end - _sample(body_end, rate),
        effects=placed.chain.sound,
    )


def _music(
    komposition: Komposition,
    samples: int,
    media: Mapping[str, MediaInfo],
    warnings: list[tuple[str, str]],
) -> Music | None:
    wanted = komposition.music
    if wanted is None:
        return None
    end = sound_end(media[wanted.source])
    start = exact(wanted.in_point)
    there = samples if end is None else math.floor((end - start) * SAMPLE_RATE)
    is_short = there < samples
    if is_short and not wanted.loop:
        seconds = (samples - there) / SAMPLE_RATE
        warnings.append(("$.music", f"the music ends {seconds:.2f} s before the timeline"))
    length = samples if wanted.loop else min(samples, there)
    fades = [min(length, round(exact(s) * SAMPLE_RATE)) for s in (wanted.fade_in, wanted.fade_out)]
    return Music(wanted.source, start, wanted.gain_db, length, fades[0], fades[1], wanted.loop and is_short)


def _sample(frame: int, rate: Fraction) -> int:
    """The sample at which a frame starts."""
    return math.floor(frame / rate * SAMPLE_RATE + Fraction(1, 2))


def _described(part: Voice | Music, hashes: Mapping[str, str]) -> dict[str, Any]:
    document = {
        name: str(value) if isinstance(value, Fraction) else value
        for name, value in vars(part).items()
        if name != "effects"
    }
    document["source"] = hashes[part.source]
    # Without effects it is described as ever, so that what was rendered before there were any is found.
    if isinstance(part, Voice) and part.effects:
        document["effects"] = [step.to_json("audio", hashes, timed=True) for step in part.effects]
    return document
