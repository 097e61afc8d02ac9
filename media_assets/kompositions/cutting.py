"""Where a proposed komposition is cut: slots of one to eight beats, as the style and the music have it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from media_assets.errors import BadInput

Style = Literal["calm", "balanced", "energetic"]
METER = 4
PHRASE = 16
"""Beats after which music most often turns to something new: four bars."""
# Beats of a slot where the music is quiet, ordinary and loud.
_LENGTHS: Mapping[Style, tuple[int, int, int]] = {
    "calm": (8, 8, 4),
    "balanced": (8, 4, 2),
    "energetic": (4, 2, 1),
}
# With speech that is to be understood nothing is shorter than two bars.
_SPEECH_BEATS = 8
# How far (dB) from its middle loudness music is quiet or loud.
_QUIET_DB, _LOUD_DB = -4.0, 1.5
# What comes in how, at the start of a phrase; in turn.
_FAST = ("slideleft", "zoomin", "wiperight", "slideup")


@dataclass(frozen=True)
class Slot:
    """A place for a clip, in beats from the start of the timeline.

    Attributes:
        transition: how it comes in, an empty text for a cut; fade: for how many beats.
    """

    start: int
    beats: int
    transition: str = ""
    fade: float = 0.0

    @property
    def end(self) -> int:
        """The beat at which the next begins."""
        return self.start + self.beats


def slots(
    bars: int, style: Style, loudness: Sequence[float], *, at_least: int, speech: bool = False
) -> list[Slot]:
    """The slots of so many bars.

    Lengths change at bar lines only, and one of two bars begins where two bars are left.

    Args:
        bars: whole bars of four beats.
        style: how long slots are, and how they come in.
        loudness: of the music in each bar (dB).
        at_least: how many there have to be, so that each clip gets one.
        speech: that clips are to be heard.

    Raises:
        BadInput: there are not so many beats.
    """
    if at_least > bars * METER:
        raise BadInput(
            f"{at_least} clips do not fit into {bars} bars of four beats",
            hint="raise --length, or give fewer clips",
        )
    found: list[Slot] = []
    bar = 0
    while bar < bars:
        length = _length(style, loudness, bar, speech=speech)
        taken = max(1, min(length // METER, bars - bar))
        length = min(length, taken * METER)
        begin, end = bar * METER, (bar + taken) * METER
        found += [Slot(start, length) for start in range(begin, end, length)]
        bar += taken
    while len(found) < at_least:
        found = _more(found)
    return [_entered(slot, index, style) for index, slot in enumerate(found)]


def halved(slot: Slot) -> tuple[Slot, Slot]:
    """Two slots in the place of one of at least two beats; the second comes in by a cut."""
    half = slot.beats // 2
    first = replace(slot, beats=half, fade=min(slot.fade, half / 2))
    return first, Slot(slot.start + half, slot.beats - half)


def _length(style: Style, loudness: Sequence[float], bar: int, *, speech: bool) -> int:
    quiet, ordinary, loud = _LENGTHS[style]
    heard = sorted(level for level in loudness if level > -70)
    if heard and bar < len(loudness):
        over = loudness[bar] - heard[len(heard) // 2]
        ordinary = quiet if over < _QUIET_DB else loud if over > _LOUD_DB else ordinary
    return max(_SPEECH_BEATS, ordinary) if speech else ordinary


def _more(found: Sequence[Slot]) -> list[Slot]:
    """One slot more: the first of the longest is halved."""
    longest = max(slot.beats for slot in found)
    at = next(index for index, slot in enumerate(found) if slot.beats == longest)
    return [*found[:at], *halved(found[at]), *found[at + 1 :]]


def _entered(slot: Slot, index: int, style: Style) -> Slot:
    """The slot with the way it comes in: calm always fades, the others at phrases only."""
    phrase = slot.start % PHRASE == 0
    if index == 0 or (style != "calm" and not phrase):
        return slot
    if style == "energetic":
        kind = _FAST[slot.start // PHRASE % len(_FAST)]
        return replace(slot, transition=kind, fade=min(0.5, slot.beats / 2))
    return replace(slot, transition="crossfade", fade=min(1.0, slot.beats / 2))


def bars_in(seconds: float, beat: float) -> int:
    """Whole bars in some seconds; at least one."""
    return max(1, math.floor(seconds / (METER * beat) + 0.01))
