"""Proposes a komposition: the best parts of clips, cut on the beats of music. No chance is involved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any, Literal

from media_assets.errors import BadInput, NotMedia
from media_assets.kompositions.choosing import Clip
from media_assets.kompositions.cutting import METER, Style, bars_in, slots
from media_assets.kompositions.filling import Filling, frame_rate
from media_assets.kompositions.footage import sound_end
from media_assets.kompositions.snapping import MusicTrack, on_beats
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact
from media_assets.media.analysis.beats import Beats
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.info import MediaInfo

# Music shorter than this is a loop that is played again.
_LOOP_SECONDS = 20.0
_LOOPED_TO_SECONDS = 30.0
_LONGEST_SECONDS = 300.0
_STILL_SECONDS = 3.0
# Of what the clips have, that much is shown: the rest is worse, or too short between better parts.
_SHOWN_PART = 0.7
_FADE_SECONDS = 3.0
# Beats that come this near to the start are on it.
_AT_START_SECONDS = 0.06
_SAME_TEMPO = 0.03


@dataclass(frozen=True)
class Heard:
    """The music: as the document names it, and what was heard in it; `beats` None where nobody asked."""

    reference: str
    info: MediaInfo
    sound: SoundContent
    beats: Beats | None


@dataclass(frozen=True)
class Wishes:
    """What the proposal should be like.

    Attributes:
        bpm: beats a minute, or that of the music.
        width, height: pixels.
        seconds: how long; None is as long as there is music and something to show.
        speech: that what is said in the clips is heard: segments with speech say so.
    """

    bpm: float | Literal["auto"] = "auto"
    style: Style = "balanced"
    width: int = 1280
    height: int = 720
    seconds: float | None = None
    speech: bool = False


def propose(music: Heard, clips: Sequence[Clip], wishes: Wishes) -> dict[str, Any]:
    """A canonical document that shows each of the clips to the music.

    No segment asks for more than its clip has, and no part is shown twice while another is left.

    Raises:
        NoBeat: the tempo is to be that of the music, and it has none.
        NotMedia: there is no sound in the music, or no picture in a clip.
        BadInput: there are no clips, or more than there are beats.
    """
    _check(music, clips)
    grid = _Grid.of(music, wishes)
    bars = _bars(grid, clips, music, wishes)
    loudness = [grid.loudness(music.sound, bar) for bar in range(bars)]
    planned = slots(bars, wishes.style, loudness, at_least=len(clips), speech=wishes.speech)
    frame = Fraction(wishes.width, wishes.height)
    filling = Filling(clips, grid.tempo, frame, wishes.style, speech=wishes.speech)
    seconds = float(grid.tempo.seconds(Fraction(bars * METER)))
    document: dict[str, Any] = {
        "version": 1,
        "title": _title(clips, music),
        "bpm": wishes.bpm,
        "meter": METER,
        "output": {
            "width": wishes.width,
            "height": wishes.height,
            "fps": frame_rate(clips),
        },
        "segments": filling.segments(planned),
        "music": {
            "source": music.reference,
            "in_point": float(grid.in_point),
            "fade_out": round(min(_FADE_SECONDS, seconds / 4), 2),
        },
        "loudness": {"target_lufs": -14.0, "true_peak_db": -1.0},
    }
    if grid.is_snapped:
        document["snap"] = True
    if seconds > grid.left + 1e-3:
        document["music"]["loop"] = True
    return document


@dataclass(frozen=True)
class _Grid:
    """Where beats of the timeline are.

    Attributes:
        in_point: seconds into the music at which it begins, on the first beat of a bar if that is known.
        left: seconds of music from there on.
        is_snapped: that beats are those of the music, not an even grid.
    """

    tempo: Tempo
    in_point: Fraction
    left: float
    is_snapped: bool

    @classmethod
    def of(cls, music: Heard, wishes: Wishes) -> _Grid:
        """The grid of the tempo that is wished for.

        Raises:
            NoBeat: it is that of the music, and there is none.
        """
        end = sound_end(music.info)
        length = music.sound.seconds if end is None else float(end)
        beats = music.beats
        if wishes.bpm == "auto":
            if beats is None:
                raise ValueError("the beats of the music are not known")
            bpm, times = beats.found(music.reference)
        else:
            bpm, times = wishes.bpm, ()
            if beats is not None and beats.bpm and abs(beats.bpm / bpm - 1) < _SAME_TEMPO:
                times = beats.times
        unit = 60 / exact(bpm)
        if not times or beats is None:
            return cls(Tempo(unit), Fraction(0), length, False)
        first = times[min(beats.downbeat, len(times) - 1)]
        start = Fraction(0) if first < _AT_START_SECONDS else exact(round(first, 3))
        track = MusicTrack(music.reference, "$.music.source", start, Fraction(0), loop=True)
        last = math.ceil((wishes.seconds or _LONGEST_SECONDS) / unit) + 2 * METER
        tempo = on_beats(unit, [exact(time) for time in times], track, exact(length), last)
        return cls(tempo, start, length - float(start), True)

    def loudness(self, sound: SoundContent, bar: int) -> float:
        """The mean loudness of a bar (dB), where the music plays again after its end."""
        begin = float(self.tempo.seconds(Fraction(bar * METER)))
        end = float(self.tempo.seconds(Fraction((bar + 1) * METER)))
        count = max(1, len(sound.loudness))
        whole = max(1.0, self.left)
        seconds = [float(self.in_point) + at % whole for at in (begin, (begin + end) / 2, end - 0.01)]
        levels = [sound.loudness[min(count - 1, int(at))] for at in seconds if sound.loudness]
        return sum(levels) / len(levels) if levels else -120.0


def _check(music: Heard, clips: Sequence[Clip]) -> None:
    if music.info.audio is None:
        raise NotMedia("it has no sound to be music", where=music.reference, hint="name a file with sound")
    if not clips:
        raise BadInput("there are no clips", hint="name some after --clips")
    for clip in clips:
        if clip.info.video is None:
            text = "it has no picture to be a clip"
            raise NotMedia(text, where=clip.reference, hint="name videos or stills after --clips")


def _bars(grid: _Grid, clips: Sequence[Clip], music: Heard, wishes: Wishes) -> int:
    beat = float(grid.tempo.unit)
    if wishes.seconds is not None:
        return bars_in(wishes.seconds, beat)
    shown = sum(_STILL_SECONDS if clip.is_still else clip.seconds for clip in clips)
    there = grid.left if grid.left >= _LOOP_SECONDS else _LOOPED_TO_SECONDS
    seconds = min(there, _SHOWN_PART * shown, _LONGEST_SECONDS)
    return max(bars_in(seconds, beat), math.ceil(len(clips) / METER))


def _title(clips: Sequence[Clip], music: Heard) -> str:
    names = [PurePosixPath(clip.reference).stem for clip in clips]
    shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
    return f"{shown} to {PurePosixPath(music.reference).stem}"[:500]
