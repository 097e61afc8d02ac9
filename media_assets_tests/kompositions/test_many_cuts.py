"""Over 155 cuts every picture is the right one, and the sound stays with it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_assets.settings import Settings
from media_assets_tests.kompositions.composing import (
    document,
    flash_at_whole_seconds,
    numbers,
    packet_times,
    path_of,
    rendered,
)
from media_assets_tests.measuring import decode

RATE = 30
SEGMENTS = 155
# 124 beats a minute: two of them are 29.03 frames, so that every boundary is rounded.
BPM, BEATS = 124, 2
STARTS = (Fraction(12, RATE), Fraction(0), Fraction(47, RATE), Fraction(101, RATE), Fraction(7, RATE))
HEARD_AT = 8000


def _boundary(index: int) -> int:
    return round(Fraction(index * BEATS * 60 * RATE, BPM))


def _clicks(settings: Settings, path: Path) -> NDArray[np.float64]:
    """When each click starts (seconds); the sound between clicks must be silent."""
    raw = decode(
        settings, "-i", f"file:{path}", "-map", "0:a", "-ac", "1", "-ar", str(HEARD_AT), "-f", "s16le"
    )
    loud = np.flatnonzero(np.abs(np.frombuffer(raw, np.int16).astype(np.int32)) > 3000)
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-HEARD_AT) > HEARD_AT // 100)]
    return starts / HEARD_AT


def test_many_cuts_are_exact_to_the_frame_and_in_sync(settings: Settings) -> None:
    flash_at_whole_seconds(settings, "n.mp4", seconds=5)
    segments = [
        {"source": "n.mp4", "in_point": float(STARTS[index % len(STARTS)]), "duration": BEATS}
        for index in range(SEGMENTS)
    ]
    data = document(segments, bpm=BPM)
    data["output"] = {"width": 80, "height": 44, "fps": RATE}
    path = path_of(rendered(settings, data))

    wanted: list[int] = []
    for index in range(SEGMENTS):
        first = int(STARTS[index % len(STARTS)] * RATE)
        wanted += range(first, first + _boundary(index + 1) - _boundary(index))
    assert len(wanted) == 4_500
    # Each picture tells its number: none is missing, repeated or held, at a cut or elsewhere.
    assert numbers(settings, path) == wanted
    assert set(np.diff(sorted(packet_times(settings, path)))) == {512}

    flashes = np.flatnonzero(np.asarray(wanted) % RATE == 0) / RATE
    clicks = _clicks(settings, path)
    assert len(clicks) == len(flashes)
    late = clicks - flashes
    assert np.abs(late).max() < 0.002
    # No drift: as far off at the end as at the start.
    assert abs(late[-50:].mean() - late[:50].mean()) < 0.0005
