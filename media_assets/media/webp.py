"""Frames and length of an animated WebP: ffprobe 8 sees only its first picture."""

from __future__ import annotations

from pathlib import Path

_HEADER = 12
_CHUNK = 8
# In a frame's chunk: three bytes each of x, y, width, height, then of its duration.
_DURATION_AT = 12


def frame_durations(path: Path) -> list[float]:
    """Seconds that each frame is shown; empty for a still, and for what is no WebP.

    The container is described in RFC 9649.
    """
    found = []
    with path.open("rb") as file:
        header = file.read(_HEADER)
        if header[:4] != b"RIFF" or header[8:] != b"WEBP":
            return []
        while len(chunk := file.read(_CHUNK)) == _CHUNK:
            size = int.from_bytes(chunk[4:], "little")
            padded = size + size % 2
            if chunk[:4] == b"ANMF":
                place = file.read(_DURATION_AT + 3)
                found.append(int.from_bytes(place[_DURATION_AT:], "little") / 1000)
                padded -= len(place)
            file.seek(padded, 1)
    return found
