"""Loudness by EBU R 128, as ffmpeg's ebur128 filter reports it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.media.graph import Stream, Target, arguments, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

# Below this ebur128 gates everything away: there is nothing to hear.
SILENCE_LUFS = -70.0
_SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-inf|nan) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf|nan) dBFS")
_RANGE = re.compile(r"LRA:\s+(-?[\d.]+|-inf|nan) LU\b")
_LOWEST_LIMIT_DB = -24.0
_HIGHEST_LIMIT_DB = 0.0


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness (LUFS) and true peak (dBTP); None for silence.

    Attributes:
        range: loudness range (LU), 0 for what is too short to have one.
    """

    integrated: float | None
    true_peak: float | None
    range: float | None = None


def parse_ebur128(log: Sequence[str]) -> Loudness:
    """Read the summary that ebur128 prints at its end."""
    text = "\n".join(log)
    summary = text[text.rfind("Summary:") :]
    found = (_number(pattern.search(summary)) for pattern in (_SUMMARY, _PEAK, _RANGE))
    return Loudness(*found)


def metered(sound: Stream) -> Stream:
    """The sound through the meter whose report `parse_ebur128` reads."""
    return sound.filter("ebur128", peak="true", framelog="quiet")


def metering_encoded() -> list[str]:
    """Arguments after those of an output with sound only: what it encodes is decoded for the meter."""
    meter = "[dec:0]ebur128=peak=true:framelog=quiet[metered]"
    return ["-dec", "0:0", "-filter_complex", meter, "-map", "[metered]", "-f", "null", "-"]


def limited(sound: Stream, ceiling_db: float, rate: int) -> Stream:
    """The sound at `rate`, its true peaks held under a ceiling between -24 and 0 dBTP.

    The limiter sees the sound at four times its rate, as a true-peak meter does.
    """
    limit = 10 ** (min(_HIGHEST_LIMIT_DB, max(_LOWEST_LIMIT_DB, ceiling_db)) / 20)
    sound = sound.filter("aresample", 4 * rate)
    sound = sound.filter("alimiter", limit=f"{limit:.6f}", level="disabled", latency=1)
    return sound.filter("aresample", rate)


def measure_loudness(path: Path, settings: Settings) -> Loudness:
    """Loudness of the first sound stream of a file; decodes only sound.

    Raises:
        FfmpegFailed: there is none, or it cannot be decoded.
    """
    sound = metered(open_file(path).audio())
    done = run_ffmpeg(arguments([Target([sound], None, {})]), settings=settings, log_level="info")
    return parse_ebur128(done.log)


def _number(match: re.Match[str] | None) -> float | None:
    if match is None or match[1] in ("-inf", "nan"):
        return None
    value = float(match[1])
    return value if value > SILENCE_LUFS else None
