"""How pieces are encoded: all alike, so that they join by copying."""

from __future__ import annotations

from fractions import Fraction

from media_assets.media.encode import profile
from media_assets.media.graph import Option

_EXTENDED_TIMESCALE = 512


def encoding(name: str, rate: Fraction) -> dict[str, Option]:
    """Output options of a piece, by its encoder profile; equal for all, so that they join by copying."""
    options = profile(name).options(video=True, audio=False)
    # Pieces are only ever read from a disk: moving their index to the front is time lost.
    options.pop("movflags", None)
    # As many pieces as there are cores are encoded at a time, each by one thread.
    return {**options, "threads:v": 1, "video_track_timescale": timescale(rate)}


def timescale(rate: Fraction) -> int:
    """Ticks a second in which every frame lasts a whole number of ticks (15360 for 30 frames a second)."""
    return rate.numerator * (_EXTENDED_TIMESCALE if rate.numerator < 1000 else 1)
