"""How pieces are encoded: all alike, so that they join by copying."""

from __future__ import annotations

from fractions import Fraction

from media_assets.media.encode import profile
from media_assets.media.graph import Option

ENCODER_THREADS = 2
"""Threads that encode a piece. x264 gives other bytes for each number, so it never depends on how many
pieces are missing: as many are rendered at a time as there are cores, and a lone one uses more than one."""

_FINER = 1
"""How much lower a piece's crf is than its profile's. At the same crf, pieces of two to three seconds have
0.45 VMAF less than one encoding of the whole; one step gains 0.6, for a video 15 % larger."""

_EXTENDED_TIMESCALE = 512


def encoding(name: str, rate: Fraction) -> dict[str, Option]:
    """Output options of a piece, by its encoder profile; equal for all, so that they join by copying."""
    options = profile(name).options(video=True, audio=False)
    # Pieces are only ever read from a disk: moving their index to the front is time lost.
    options.pop("movflags", None)
    if isinstance(quality := options.get("crf"), int):
        options["crf"] = quality - _FINER
    return {**options, "threads:v": ENCODER_THREADS, "video_track_timescale": timescale(rate)}


def timescale(rate: Fraction) -> int:
    """Ticks a second in which every frame lasts a whole number of ticks (15360 for 30 frames a second)."""
    return rate.numerator * (_EXTENDED_TIMESCALE if rate.numerator < 1000 else 1)
