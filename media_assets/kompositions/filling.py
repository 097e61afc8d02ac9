"""Fills the slots of a proposed komposition with parts of clips."""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from media_assets.kompositions.choosing import Clip, Part, best_part, next_clip
from media_assets.kompositions.cutting import Slot, Style, halved
from media_assets.kompositions.footage import shape
from media_assets.kompositions.tempo import Tempo
from media_assets.kompositions.values import exact

# Of shapes that differ less than the first no bars are seen; beyond the second too much would be cut off.
_SAME_SHAPE, _CROPPED_SHAPE = 0.95, 0.5
_SLOWEST_STRETCH = 0.5
# What a repeated part of the clip just shown has to be better by.
_TWICE_RUNNING = 2.0
_STILL_ZOOM = 1.15
# Seconds of speech for which a segment is heard.
_LEAST_SAID = 0.3
_RATES = (24, 25, 30)


class Filling:
    """Fills slots with parts of clips."""

    def __init__(
        self, clips: Sequence[Clip], tempo: Tempo, frame: Fraction, style: Style, *, speech: bool
    ) -> None:
        """Make one for clips of which nothing was shown yet.

        Args:
            clips: the clips, in order.
            tempo: where beats are.
            frame: width over height of the output.
            style: what is looked for in a part.
            speech: that what is said counts.
        """
        self._clips = clips
        self._tempo = tempo
        self._frame = frame
        self._style: Style = style
        self._speech = speech
        self._uses: Counter[str] = Counter()
        self._margin = 1 / frame_rate(clips)

    def segments(self, planned: Sequence[Slot]) -> list[dict[str, Any]]:
        """A segment for each slot, or for each half of one that no clip is long enough for."""
        waiting = deque(planned)
        made: list[dict[str, Any]] = []
        before: str | None = None
        while waiting:
            slot = waiting.popleft()
            found = self._chosen(slot, waiting[0].fade if waiting else 0.0, before)
            if found is None:
                waiting.extendleft(reversed(halved(slot)))
                continue
            clip, filled = found
            self._uses[clip.reference] += 1
            made.append(self._segment(slot, clip, filled))
            before = clip.reference
        return made

    def _chosen(self, slot: Slot, handle: float, before: str | None) -> tuple[Clip, dict[str, Any]] | None:
        """A clip for a slot and what is shown of it; None if the slot is to be halved."""
        seconds = self._seconds(slot.start, slot.end + handle) + self._margin
        again: tuple[Clip, Part] | None = None
        order = next_clip(self._clips, before)
        for clip in order:
            part = best_part(clip, seconds, self._style, speech=self._speech)
            if part is None and self._uses[clip.reference] == 0:
                # Each clip is shown: a short one in a short slot.
                return None if slot.beats > 1 else (clip, self._filled(clip, slot, seconds))
            if part is not None and part.fresh:
                return clip, _shown(clip, part, seconds)
            if part is not None and clip.reference == before:
                part = replace(part, score=part.score - _TWICE_RUNNING)
            if part is not None and (again is None or part.score > again[1].score):
                again = (clip, part)
        if again is not None:
            return again[0], _shown(*again, seconds)
        return None if slot.beats > 1 else (order[0], self._filled(order[0], slot, seconds))

    def _filled(self, clip: Clip, slot: Slot, seconds: float) -> dict[str, Any]:
        """How a clip shorter than a beat fills it: slowed down, or held at its end."""
        there = math.floor(clip.seconds * 1000) / 1000
        clip.used.append((0.0, clip.seconds))
        if there >= _SLOWEST_STRETCH * seconds:
            own = self._seconds(slot.start, slot.end)
            return {"source_duration": round(there * own / seconds, 3), "fill": "stretch"}
        return {"fill": "freeze"}

    def _seconds(self, start: float, end: float) -> float:
        tempo = self._tempo
        return float(tempo.seconds(exact(end)) - tempo.seconds(exact(start)))

    def _segment(self, slot: Slot, clip: Clip, filled: dict[str, Any]) -> dict[str, Any]:
        number = self._uses[clip.reference]
        segment: dict[str, Any] = {"id": f"{_slug(self._clips, clip)}-{number}", "source": clip.reference}
        segment |= filled | {"duration": slot.beats}
        alike = min(shape(clip.info) / self._frame, self._frame / shape(clip.info))
        if clip.is_still:
            segment["view"] = _view(clip, inwards=number % 2 == 1)
        elif _CROPPED_SHAPE <= alike < _SAME_SHAPE:
            segment["fit"] = "smart"
        if self._speech and "in_point" in filled:
            start = filled["in_point"]
            said = clip.said(start, start + self._seconds(slot.start, slot.end))
            segment |= {"speech": "keep"} if said >= _LEAST_SAID else {}
        if slot.transition:
            segment["transition"] = {"type": slot.transition, "duration": slot.fade}
        return segment


def _shown(clip: Clip, part: Part, seconds: float) -> dict[str, Any]:
    """What a segment says of a part, which is used from now on."""
    clip.used.append((part.start, part.start + seconds))
    return {} if clip.is_still else {"in_point": part.start}


def _view(clip: Clip, *, inwards: bool) -> dict[str, Any]:
    """A slow zoom towards what draws the eye in a still, or away from it."""
    edge = 0.5 / _STILL_ZOOM
    x, y = (round(min(1 - edge, max(edge, at)), 3) for at in clip.picture.focus[0])
    near, whole = {"x": x, "y": y, "zoom": _STILL_ZOOM}, {"x": 0.5, "y": 0.5, "zoom": 1.0}
    return {"start": whole, "end": near} if inwards else {"start": near, "end": whole}


def frame_rate(clips: Sequence[Clip]) -> int:
    """The film, PAL or NTSC rate that most clips have, or twice that; 30 where nobody knows."""
    votes: Counter[int] = Counter()
    for clip in clips:
        fps = clip.info.video.fps if clip.info.video else None
        if fps and not clip.is_still:
            votes.update([rate for rate in _RATES if _is_rate(fps, rate) or _is_rate(fps / 2, rate)])
    best = max(votes.values(), default=0)
    return max((rate for rate, count in votes.items() if count == best), default=30)


def _is_rate(fps: Fraction, rate: int) -> bool:
    return abs(float(fps) / rate - 1) < 0.01


def _slug(clips: Sequence[Clip], clip: Clip) -> str:
    """What a clip's segments are called: its name, numbered where another is called the same."""
    names = [
        re.sub(r"[^A-Za-z0-9]+", "-", PurePosixPath(c.reference).stem).strip("-")[:40] or "clip"
        for c in clips
    ]
    at = next(index for index, one in enumerate(clips) if one is clip)
    same = [index for index, name in enumerate(names) if name == names[at]]
    return names[at] if len(same) == 1 else f"{names[at]}.{same.index(at) + 1}"


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "clip"
