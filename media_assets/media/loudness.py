"""Loudness by EBU R 128, as ffmpeg's ebur128 filter reports it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from media_assets.media.graph import Target, arguments, open_file
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

# Below this ebur128 gates everything away: there is nothing to hear.
SILENCE_LUFS = -70.0
_SUMMARY = re.compile(r"I:\s+(-?[\d.]+|-inf|nan) LUFS")
_PEAK = re.compile(r"Peak:\s+(-?[\d.]+|-inf|nan) dBFS")


@dataclass(frozen=True)
class Loudness:
    """Integrated loudness (LUFS) and true peak (dBTP); None for silence."""

    integrated: float | None
    true_peak: float | None


def parse_ebur128(log: Sequence[str]) -> Loudness:
    """Read the summary that ebur128 prints at its end."""
    text = "\n".join(log)
    summary = text[text.rfind("Summary:") :]
    return Loudness(_number(_SUMMARY.search(summary)), _number(_PEAK.search(summary)))


def measure_loudness(path: Path, settings: Settings) -> Loudness:
    """Loudness of the first sound stream of a file; decodes only sound.

    Raises:
        FfmpegFailed: there is none, or it cannot be decoded.
    """
    sound = open_file(path).audio().filter("ebur128", peak="true", framelog="quiet")
    done = run_ffmpeg(arguments([Target([sound], None, {})]), settings=settings, log_level="info")
    return parse_ebur128(done.log)


def _number(match: re.Match[str] | None) -> float | None:
    if match is None or match[1] in ("-inf", "nan"):
        return None
    value = float(match[1])
    return value if value > SILENCE_LUFS else None
