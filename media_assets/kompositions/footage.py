"""What there is in a source: one picture or many, of which shape, and up to which second."""

from __future__ import annotations

import math
from fractions import Fraction

from media_assets.kompositions.values import exact
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip, Picture


def is_still(info: MediaInfo) -> bool:
    """Whether it has one picture only, which is then shown for as long as is asked."""
    return info.kind == "image" or (info.video is not None and info.video.frames == 1)


def picture_end(info: MediaInfo) -> Fraction | None:
    """Seconds into the file at which its picture ends; None for a still, or when nobody knows."""
    if is_still(info) or info.video is None:
        return None
    return _end(info, info.video.duration, info.video.start_time)


def sound_end(info: MediaInfo) -> Fraction | None:
    """Seconds into the file at which its sound ends; None when nobody knows."""
    return _end(info, info.audio.duration, info.audio.start_time) if info.audio else None


def _end(info: MediaInfo, duration: float | None, start: float) -> Fraction | None:
    """Times count from the start of the file, where its earliest stream starts."""
    if duration is None:
        return None if info.duration is None else exact(info.duration)
    earliest = min([v.start_time for v in info.videos] + [a.start_time for a in info.audios])
    return exact(duration) + exact(start) - exact(earliest)


def shape(info: MediaInfo) -> Fraction:
    """Width over height of its picture as shown: upright, in square pixels.

    Raises:
        ValueError: it has no picture.
    """
    own = Clip.of(info).picture
    if own is None:
        raise ValueError("a source without a picture cannot be shown")
    return Fraction(own.width * own.sar / own.height)


def fitted(info: MediaInfo, frame: Picture) -> Picture:
    """The source's picture as large as goes into a frame, upright, in square pixels, without bars."""
    own = shape(info)
    width = min(Fraction(frame.width), frame.height * own)
    height = min(Fraction(frame.height), frame.width / own)
    return Picture(_even(width), _even(height), frame.fps)


def _even(length: Fraction) -> int:
    return max(2, 2 * math.floor(length / 2 + Fraction(1, 2)))
