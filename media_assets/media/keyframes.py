"""Where a picture stream can be cut without decoding: its packets around a point in time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.media import binaries
from media_assets.media.capture import INPUT, capture
from media_assets.settings import Settings

WINDOW_SECONDS = 12.0
"""How far around a cut keyframes are looked for; encoders' longest usual distance is 10 s (250 at 25)."""


@dataclass(frozen=True)
class Packet:
    """A picture as the file holds it: when it is shown (seconds), and whether decoding can begin there."""

    time: float
    key: bool


def packets_near(path: Path, index: int, begin: float, end: float, settings: Settings) -> list[Packet]:
    """The packets of stream `index` from the keyframe before `begin` to `end` (seconds), in decoding order.

    Empty where some packet has no time.

    Raises:
        BadInput: the file cannot be opened; TimeLimitExceeded: it takes too long to read.
    """
    program = binaries.ffprobe(settings).path
    interval = f"{max(0.0, begin):.6f}%{end:.6f}"
    arguments = ["-v", "error", "-select_streams", str(index), "-read_intervals", interval]
    arguments += ["-show_entries", "packet=pts_time,flags", "-of", "csv=p=0", *INPUT]
    done = capture(program, arguments, path, time.monotonic() + settings.probe_timeout)
    packets = []
    for line in done.output.splitlines():
        when, _, flags = line.partition(",")
        if "D" in flags:
            continue  # what the container says not to show
        try:
            packets.append(Packet(float(when), flags.startswith("K")))
        except ValueError:
            return []
    return packets


def clean_points(packets: Sequence[Packet]) -> list[float]:
    """Times of keyframes at which a file can be cut in two: nothing after one is shown before it, or the
    other way round (closed groups of pictures)."""
    points = []
    latest_before = float("-inf")
    earliest_after = _earliest_from(packets)
    for place, packet in enumerate(packets):
        if packet.key and latest_before < packet.time <= earliest_after[place]:
            points.append(packet.time)
        latest_before = max(latest_before, packet.time)
    return points


def ends_cleanly(packets: Sequence[Packet], end: float) -> bool:
    """Whether the packets shown before `end` come first in decoding order: then copying can stop there."""
    shown = [packet.time < end for packet in packets]
    return shown == sorted(shown, reverse=True)


def _earliest_from(packets: Sequence[Packet]) -> list[float]:
    """For each packet the earliest time of itself and all that follow."""
    earliest = float("inf")
    found = []
    for packet in reversed(packets):
        earliest = min(earliest, packet.time)
        found.append(earliest)
    return found[::-1]
