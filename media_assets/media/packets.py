"""Measures streams by reading their packets, without decoding: length, count and distances."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from media_assets.media.report import MAX_FPS, number

_Packet = tuple[float | None, float | None, float]

ENTRIES = "packet=stream_index,pts_time,dts_time,duration_time,flags"
"""What `measure` needs, for ffprobe's `-show_entries`, written as `csv=p=0`."""

_WHOLE_RATES = (24, 25, 30, 48, 50, 60, 100, 120)
_USUAL_RATES = (*(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)), *map(Fraction, _WHOLE_RATES))
_NEAR = Fraction(1, 400)
# Matroska and FLV round times to milliseconds.
_ROUNDING_SECONDS = 0.002
_ODD_PART = 0.02


@dataclass(frozen=True)
class Measured:
    """One stream as its packets are: `start` and `end` in seconds (None without times), their `count`.

    Attributes:
        fps: pictures per second, the usual rate where it is near one; None below two pictures.
        vfr: the distances differ by more than rounding.
    """

    count: int
    start: float | None = None
    end: float | None = None
    fps: Fraction | None = None
    vfr: bool = False


def measure(text: str) -> dict[int, Measured]:
    """Each stream that has packets, by index, from ffprobe's CSV of `ENTRIES`."""
    rows: dict[int, list[_Packet]] = {}
    for line in text.splitlines():
        cells = line.split(",")
        if len(cells) < 5 or not cells[0].isdigit() or "D" in cells[4]:
            # D marks what the container says not to present, as before the start of an edit list.
            continue
        rows.setdefault(int(cells[0]), []).append(
            (number(cells[1]), number(cells[2]), number(cells[3]) or 0.0)
        )
    return {index: _stream(packets) for index, packets in rows.items()}


def span(measured: Mapping[int, Measured], indices: Iterable[int]) -> float | None:
    """Seconds from the first start to the last end of some streams; None when no packet has a time."""
    chosen = [measured[index] for index in indices if index in measured]
    starts = [stream.start for stream in chosen if stream.start is not None]
    ends = [stream.end for stream in chosen if stream.end is not None]
    return max(ends) - min(starts) if starts and ends else None


def _stream(packets: list[_Packet]) -> Measured:
    # MPEG programs time some pictures only: the order of decoding then tells the distances.
    which = 1 if any(packet[0] is None for packet in packets) else 0
    timed = sorted((time, packet[2]) for packet in packets if (time := packet[which]) is not None)
    if not timed:
        return Measured(len(packets))
    times = [time for time, _ in timed]
    gaps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    usual = statistics.median(gaps) if gaps else 0.0
    # Some containers give a packet no length or one tick; it lasts until the next would come.
    end = times[-1] + max(timed[-1][1], usual if usual <= 1 else 0.0)
    if not gaps:
        return Measured(len(packets), times[0], end)
    slack = max(_ROUNDING_SECONDS, usual / 10)
    odd = sum(abs(gap - usual) > slack for gap in gaps)
    # A picture that was lost does not make the rate vary.
    vfr = odd > max(1, len(gaps) * _ODD_PART)
    counted = gaps if vfr else [gap for gap in gaps if abs(gap - usual) <= slack]
    return Measured(len(packets), times[0], end, _rate(len(counted) / sum(counted)), vfr)


def _rate(value: float) -> Fraction | None:
    if value > MAX_FPS:
        return None
    exact = Fraction(value)
    nearest = min(_USUAL_RATES, key=lambda usual: abs(usual - exact))
    return nearest if abs(nearest - exact) <= nearest * _NEAR else exact.limit_denominator(1001)
