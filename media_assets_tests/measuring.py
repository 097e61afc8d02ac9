"""What tests measure in real output: decoded pictures and samples."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from media_assets.media import binaries
from media_assets.media.loudness import Loudness, measure_loudness
from media_assets.settings import Settings

SAMPLE_RATE = 48_000


def decode(settings: Settings, *arguments: str) -> bytes:
    """Raw bytes that ffmpeg decodes to."""
    command = [str(binaries.ffmpeg(settings).path), "-v", "error", "-nostdin", *arguments, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def pictures(settings: Settings, path: Path, width: int = 32, height: int = 18) -> NDArray[np.uint8]:
    """Every picture, scaled down, as (frames, height, width, RGB)."""
    raw = decode(
        settings,
        *("-i", f"file:{path}", "-map", "0:v:0", "-fps_mode", "passthrough"),
        *("-vf", f"scale={width}:{height}:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24"),
    )
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def mean_colors(settings: Settings, path: Path) -> NDArray[np.float64]:
    """The mean colour of every picture, as (frames, RGB)."""
    shots: Any = pictures(settings, path).mean(axis=(1, 2))
    return np.asarray(shots, dtype=np.float64)


def samples(settings: Settings, path: Path) -> NDArray[np.float32]:
    """The sound, mixed to one channel at 48 kHz, -1…1."""
    raw = decode(
        settings,
        *("-i", f"file:{path}", "-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le"),
    )
    return np.frombuffer(raw, np.float32)


def loudness(settings: Settings, path: Path) -> Loudness:
    """EBU R 128 of the whole file."""
    return measure_loudness(path, settings)


def frequency(sound: NDArray[np.float32]) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(sound))


def ssim(settings: Settings, path: Path, original: Path, *, start: float = 0.0) -> float:
    """How alike all pictures of `path` are to those of `original` from `start` on (1 is equal; luma)."""
    by_number = "settb=1/1000,setpts=N"
    compare = f"[1:v]trim=start={start - 1e-3:.6f},{by_number}[b];[0:v]{by_number}[a];"
    command = [
        str(binaries.ffmpeg(settings).path),
        "-nostdin",
        "-i",
        f"file:{path}",
        "-i",
        f"file:{original}",
    ]
    command += ["-filter_complex", f"{compare}[a][b]ssim=shortest=1", "-f", "null", "-"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (found,) = re.findall(r"SSIM Y:([\d.]+)", done.stderr)
    return float(found)


def picture_times(settings: Settings, path: Path) -> list[float]:
    """When each picture is shown (seconds), in order, as the container tells."""
    command = [str(binaries.ffprobe(settings).path), "-v", "error", "-select_streams", "v:0"]
    command += ["-show_entries", "packet=pts_time", "-of", "csv=p=0", f"file:{path}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return sorted(float(line.strip(",")) for line in done.stdout.splitlines() if line)


def sound_from_zero(settings: Settings, path: Path) -> NDArray[np.float32]:
    """As `samples`, with silence where the sound begins after the file does."""
    raw = decode(
        settings,
        *("-i", f"file:{path}", "-map", "0:a:0", "-af", "aresample=async=1:first_pts=0"),
        *("-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le"),
    )
    return np.frombuffer(raw, np.float32)
