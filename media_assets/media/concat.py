"""Lists for ffmpeg's concat demuxer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from media_assets.errors import UnsafePath

UNDECODED: Mapping[str, str] = MappingProxyType({"codec_whitelist": "none"})
"""Options of inputs whose packets are copied and whose headers tell all: otherwise ffmpeg decodes a picture
of each to see what it holds, which takes 8 ms of 720p."""

_MICROSECONDS = 1_000_000
_LINE_BREAKS = frozenset("\r\n")


def concat_list(
    paths: Sequence[Path], lengths: Sequence[Fraction], options: Mapping[str, str] | None = None
) -> str:
    """The files one after another, each as long (seconds) as said and opened with those options.

    The demuxer adds lengths up in microseconds, so each is given such that the sum is never off by more
    than half of one: rounded one by one, hundreds of pieces would drift by a tick.

    Raises:
        UnsafePath: a path holds a line break, which the list's format cannot.
    """
    lines = ["ffconcat version 1.0"]
    done, position = Fraction(0), 0
    for path, length in zip(paths, lengths, strict=True):
        done += length
        end = round(done * _MICROSECONDS)
        micros, position = end - position, end
        if not _LINE_BREAKS.isdisjoint(str(path)):
            raise UnsafePath("a path holds a line break", where=repr(str(path)), hint="rename its folder")
        quoted = str(path.absolute()).replace("'", "'\\''")
        lines.append(f"file 'file:{quoted}'")
        lines += [f"option {name} {value}" for name, value in (options or {}).items()]
        lines.append(f"duration {micros // _MICROSECONDS}.{micros % _MICROSECONDS:06d}")
    return "\n".join(lines) + "\n"
