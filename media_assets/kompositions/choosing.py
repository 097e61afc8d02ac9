"""Which part of which clip is shown: the sharp, moving, bright ones, within a scene, none twice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from media_assets.kompositions.cutting import Style
from media_assets.kompositions.footage import is_still, picture_end
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.info import MediaInfo

_STEP = 0.25
"""Seconds between starts that are tried: as often as pictures were looked at."""
# Halves of what sharpness, motion and loudness can count, in their own units.
_CRISP, _LIVELY = 12.0, 0.03
_RESTLESS = 0.2
_DARK, _GLARING = 0.06, 0.97
# What sharpness, motion and loudness count in each style.
_WEIGHTS: Mapping[Style, tuple[float, float, float]] = {
    "calm": (0.7, 0.15, 0.05),
    "balanced": (0.5, 0.4, 0.1),
    "energetic": (0.3, 0.6, 0.1),
}
# A part that begins a moment after a cut shows nothing of what was before.
_AFTER_CUT = 0.05
_ACROSS_CUT = 1.0
# Each part of the same scene that was shown before.
_SAME_SCENE = 0.15
_SPEAKS, _FROM_THE_START, _BROKEN_OFF = 1.5, 0.5, 0.6
_PAUSE_BEFORE = 0.3
_IN_ORDER = 1.0


@dataclass
class Clip:
    """A clip that parts are taken from.

    Attributes:
        reference: as the document names it.
        picture, sound: what was seen and heard in it.
        used: seconds from and to which it was shown already.
    """

    reference: str
    info: MediaInfo
    picture: PictureContent
    sound: SoundContent | None = None
    used: list[tuple[float, float]] = field(default_factory=list)

    @property
    def is_still(self) -> bool:
        """Whether it is one picture, which has no parts."""
        return is_still(self.info)

    @property
    def seconds(self) -> float:
        """How much of it there is, up to two pictures before its end; without end for a still."""
        end = picture_end(self.info)
        if self.is_still:
            return math.inf
        known = self.picture.seconds if end is None else float(end)
        rate = self.info.video.fps if self.info.video and self.info.video.fps else 25
        return max(0.0, known - 2 / float(rate))

    def scene(self, second: float) -> int:
        """Which of its scenes is seen at a second, counted from 0."""
        return sum(cut <= second + _AFTER_CUT for cut in self.picture.cuts)

    def said(self, start: float, end: float) -> float:
        """Seconds of speech between two of its seconds."""
        ranges = self.sound.speech if self.sound is not None else ()
        return sum(max(0.0, min(end, b) - max(start, a)) for a, b in ranges)

    @property
    def shown_part(self) -> float:
        """How much of it was shown, 0 to 1 or more; each time counts for a still."""
        shown = sum(end - start for start, end in self.used)
        return float(len(self.used)) if self.is_still else shown / max(self.seconds, 0.01)


@dataclass(frozen=True)
class Part:
    """Seconds of a clip from `start` on, and how good they are; `fresh` that nothing of them was shown."""

    start: float
    score: float
    fresh: bool


def best_part(clip: Clip, seconds: float, style: Style, *, speech: bool) -> Part | None:
    """The best part of a clip that lasts so long; None if the clip is shorter. The earliest of equals.

    What was not shown yet comes first, whatever it is like.
    """
    if clip.is_still:
        return Part(0.0, 0.5 - len(clip.used), not clip.used)
    last = clip.seconds - seconds
    if last < 0:
        return None
    starts = [number * _STEP for number in range(math.floor(last / _STEP) + 1)]
    if starts[-1] < last:
        starts.append(math.floor(last * 1000) / 1000)
    starts += [round(cut + _AFTER_CUT, 3) for cut in clip.picture.cuts if cut + _AFTER_CUT <= last]
    if speech and clip.sound is not None:
        begins = [max(0.0, round(start - _PAUSE_BEFORE, 3)) for start, _ in clip.sound.speech]
        ends = [round(end, 3) for _, end in clip.used]
        starts += [start for start in [*begins, *ends] if start <= last]
    parts = [_part(clip, start, seconds, style, speech=speech) for start in sorted(set(starts))]
    return max(parts, key=lambda part: (part.fresh, part.score, -part.start))


def _part(clip: Clip, start: float, seconds: float, style: Style, *, speech: bool) -> Part:
    end = start + seconds
    shown = sum(max(0.0, min(end, b) - max(start, a)) for a, b in clip.used)
    score = _quality(clip, start, end, style) - shown / seconds
    if any(start - 0.01 < cut < end - 0.01 for cut in clip.picture.cuts):
        score -= _ACROSS_CUT
    score -= _SAME_SCENE * sum(clip.scene(begin) == clip.scene(start) for begin, _ in clip.used)
    if speech and clip.sound is not None:
        # What is said is heard in the order in which it was said.
        score += _SPEAKS * clip.said(start, end) / seconds + _speech(clip.sound, start, end)
        score -= _IN_ORDER * start / max(clip.seconds, 0.01)
    return Part(round(start, 3), round(score, 6), shown < 0.01)


def _quality(clip: Clip, start: float, end: float, style: Style) -> float:
    """How good it looks, 0 to about 1: a mean over the seconds, and a little of the worst."""
    found = [_second(clip, at, style) for at in range(math.floor(start), max(math.ceil(end), 1))]
    return 0.8 * sum(found) / len(found) + 0.2 * min(found)


def _second(clip: Clip, at: int, style: Style) -> float:
    seen = clip.picture
    at = min(at, len(seen.sharpness) - 1)
    sharp, motion, loud = _WEIGHTS[style]
    moving = seen.motion[at]
    value = sharp * seen.sharpness[at] / (seen.sharpness[at] + _CRISP)
    value += motion * moving / (moving + _LIVELY) * (0.5 if moving > _RESTLESS else 1.0)
    if clip.sound is not None and at < len(clip.sound.loudness):
        value += loud * min(1.0, max(0.0, 1 + clip.sound.loudness[at] / 60))
    return value if _DARK < seen.brightness[at] < _GLARING else 0.2 * value


def _speech(sound: SoundContent, start: float, end: float) -> float:
    """A sentence from its beginning counts more, one that is broken off less."""
    begins = any(0 <= a - start <= 2 * _PAUSE_BEFORE for a, _ in sound.speech)
    broken = any(a < end - 0.05 < b - 0.1 for a, b in sound.speech)
    return (_FROM_THE_START if begins else 0.0) - (_BROKEN_OFF if broken else 0.0)


def next_clip(clips: Sequence[Clip], before: str | None) -> list[Clip]:
    """Clips as they are asked: those not shown yet, then those with most left, the one just shown last."""
    order = sorted(range(len(clips)), key=lambda n: (bool(clips[n].used), clips[n].shown_part, n))
    return sorted((clips[n] for n in order), key=lambda clip: clip.reference == before)
