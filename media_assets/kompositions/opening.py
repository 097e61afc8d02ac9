"""Opens sources at a time in seconds, so that what lies there is there to be picked."""

from __future__ import annotations

import math
from fractions import Fraction

from media_assets.kompositions.plan import SourceFacts
from media_assets.media.graph import Input, Option, open_file

# Containers whose index leads to the keyframe at or before a time. The others are opened well before it.
_INDEXED = frozenset({"mov", "matroska"})
_UNINDEXED_MARGIN = 10
_MICROSECONDS = 1_000_000


def open_at(
    source: SourceFacts, start: Fraction, run_up: Fraction = Fraction(0), **options: Option
) -> tuple[Input, Fraction]:
    """Open `source` so that decoding begins early enough for `start`.

    Args:
        source: what to open.
        start: seconds into the file.
        run_up: seconds before it that a decoder needs to settle.
        options: ffmpeg's input options.

    Returns:
        The input, and the second of the file that is time 0 in it: whole microseconds, at most `start`.
    """
    demuxer = source.info.demuxer
    margin = run_up if demuxer in _INDEXED else run_up + _UNINDEXED_MARGIN
    micros = max(0, math.floor((start - margin) * _MICROSECONDS))
    if micros:
        options = {**options, "ss": f"{micros // _MICROSECONDS}.{micros % _MICROSECONDS:06d}"}
    return open_file(source.path, f=demuxer, **options), Fraction(micros, _MICROSECONDS)
