"""Checks that a written output is what was planned, before it gets its final name."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from media_assets.errors import TimeLimitExceeded, VerificationFailed
from media_assets.media import binaries
from media_assets.media.probe import probe
from media_assets.media.run import run_ffmpeg
from media_assets.media.webp import frame_durations
from media_assets.settings import Settings

# The last seconds that are decoded to see that the file ends as it should.
_TAIL_SECONDS = 3


@dataclass(frozen=True)
class Expected:
    """What an output must be; None leaves a property open.

    Attributes:
        video, audio, subtitle: whether there is such a stream.
        width, height: pixels as stored.
        frames: exact number of pictures.
        duration: seconds, within `tolerance` seconds.
    """

    video: bool
    audio: bool
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    duration: float | None = None
    tolerance: float = 0.15
    subtitle: bool = False


@dataclass(frozen=True)
class Properties:
    """What an output is, as ffprobe reads it from its packets.

    Attributes:
        video, audio, subtitle: codec names, or None.
        frames: pictures (packets of the first video stream).
        duration: seconds.
        extradata: a hash of the encoder's headers; equal ones can be joined by copying.
    """

    duration: float
    size: int
    video: str | None = None
    audio: str | None = None
    width: int | None = None
    height: int | None = None
    fps: str | None = None
    frames: int | None = None
    pixel_format: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    extradata: str | None = None
    subtitle: str | None = None


def read_properties(path: Path, settings: Settings) -> Properties:
    """Read the packets of `path` (no decoding).

    Raises:
        VerificationFailed: ffprobe cannot read it; TimeLimitExceeded: or not in time.
    """
    command = [
        str(binaries.ffprobe(settings).path),
        *("-v", "error", "-protocol_whitelist", "file", "-count_packets", "-show_data_hash", "md5"),
        *("-show_entries", "format=duration:stream", "-of", "json", f"file:{path}"),
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=settings.probe_timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeLimitExceeded("ffprobe did not finish reading the output", where=path.name) from None
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace").strip() or "ffprobe said nothing"
        raise VerificationFailed(f"the output cannot be read: {words}", where=path.name)
    found = _properties(json.loads(done.stdout), path.stat().st_size)
    if found.video and not found.width:
        # The packaged ffprobe has no decoder for some still pictures, whose packets alone tell their size.
        shown = probe(path, settings).video
        if shown is not None:
            found = replace(found, width=shown.width, height=shown.height, pixel_format=shown.pixel_format)
    frames = frame_durations(path) if found.video == "webp" else []
    return replace(found, frames=len(frames), duration=sum(frames)) if frames else found


def verify(path: Path, expected: Expected, settings: Settings, *, decode_tail: bool = True) -> Properties:
    """Return what `path` is, once it is what was planned.

    Raises:
        VerificationFailed: it is not; the message says what was expected and what was found.
    """
    found = read_properties(path, settings)
    problems = [text for text in _differences(expected, found) if text]
    if problems:
        raise VerificationFailed("; ".join(problems), where=path.name)
    if decode_tail and found.duration:
        decode_end(path, found.duration, settings)
    return found


def decode_end(path: Path, duration: float, settings: Settings) -> None:
    """Decode the last seconds of a file that lasts `duration` seconds, or all of a short one.

    Raises:
        FfmpegFailed: it cannot be decoded without an error.
    """
    tail = ["-sseof", f"-{_TAIL_SECONDS}"] if duration > 2 * _TAIL_SECONDS else []
    opened = ["-protocol_whitelist", "file", "-i", f"file:{path}"]
    run_ffmpeg(["-xerror", *tail, *opened, "-f", "null", "-"], settings=settings)


def _differences(expected: Expected, found: Properties) -> list[str]:
    """Each way in which `found` is not as `expected`."""
    texts = []
    if expected.video != (found.video is not None):
        texts.append("there is no picture" if expected.video else "there is an unexpected picture")
    if expected.audio != (found.audio is not None):
        texts.append("there is no sound" if expected.audio else "there is unexpected sound")
    if expected.subtitle != (found.subtitle is not None):
        texts.append("there are no subtitles" if expected.subtitle else "there are unexpected subtitles")
    for name in ("width", "height", "frames"):
        want, have = getattr(expected, name), getattr(found, name)
        if want is not None and want != have:
            texts.append(f"{name} should be {want} and is {have}")
    # WebP keeps pictures that are all alike as a single one, which has no length.
    still = found.video == "webp" and not found.duration
    wanted = None if still else expected.duration
    if wanted is not None and abs(wanted - found.duration) > expected.tolerance:
        texts.append(f"duration should be {wanted:.3f} s and is {found.duration:.3f} s")
    return texts


def _properties(report: dict[str, Any], size: int) -> Properties:
    streams = report.get("streams", [])
    nothing: dict[str, Any] = {}
    video = next((s for s in streams if s.get("codec_type") == "video"), nothing)
    audio = next((s for s in streams if s.get("codec_type") == "audio"), nothing)
    subtitle = next((s for s in streams if s.get("codec_type") == "subtitle"), nothing)
    return Properties(
        duration=_duration(report, video, audio),
        size=size,
        video=video.get("codec_name"),
        audio=audio.get("codec_name"),
        width=video.get("width"),
        height=video.get("height"),
        fps=_rate(video.get("avg_frame_rate")),
        frames=int(video["nb_read_packets"]) if "nb_read_packets" in video else None,
        pixel_format=video.get("pix_fmt"),
        sample_rate=int(audio["sample_rate"]) if audio.get("sample_rate") else None,
        channels=audio.get("channels"),
        extradata=video.get("extradata_hash"),
        subtitle=subtitle.get("codec_name"),
    )


def _duration(report: dict[str, Any], *streams: dict[str, Any]) -> float:
    lengths = [float(s["duration"]) for s in streams if _is_number(s.get("duration"))]
    whole = report.get("format", {}).get("duration")
    return max(lengths) if lengths else float(whole) if _is_number(whole) else 0.0


def _is_number(text: object) -> bool:
    return isinstance(text, str) and text.replace(".", "", 1).isdigit()


def _rate(text: str | None) -> str | None:
    if not text or text.endswith("/0"):
        return None
    return str(Fraction(text))
