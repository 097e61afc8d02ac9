"""How long and how fast the streams of a file really are, measured where its headers are in doubt."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from media_assets.media import packets
from media_assets.media.info import Kind, VideoStream
from media_assets.media.probed import ProbedFile
from media_assets.media.report import Streams, claimed_bytes

# Their headers have no length, or one that nothing keeps true: reading the packets is cheap.
_UNINDEXED = {"aac", "mp3", "flac", "ac3", "eac3", "dts", "h264", "hevc", "vvc", "m4v", "mpegvideo", "obu"}
# One picture or many: only the packets tell.
_ANIMATED = {"gif", "apng", "mjpeg", "jpegxl_anim", "webp_anim"}
# Below this a length is doubted: silence takes more bits per second, a black picture more per pixel.
_LEAST_BITS = 1000
_LEAST_BITS_PER_PIXEL = 0.0002
# How far a claimed length may be from the packets: a last picture, an encoder's delay.
_TOLERATED_SECONDS = 0.1
_TOLERATED_PART = 0.02
# How far the lengths of streams and container may be apart before they are measured.
_DIFFERING_PART = 0.01
_FALLBACK_FPS = 25
# The first half minute.
_PACE_INTERVAL = "%+30"


def in_doubt(
    file: ProbedFile, report: dict[str, Any], container: str, streams: Streams, claimed: list[float]
) -> bool:
    """Whether what the headers say needs to be measured."""
    if container in _UNINDEXED | _ANIMATED or not claimed:
        return True
    if any(video.fps is None or video.vfr for video in streams.videos):
        return True
    longest, shortest = max(claimed), min(claimed)
    if longest - shortest > max(_TOLERATED_SECONDS, _DIFFERING_PART * longest):
        return True
    if claimed_bytes(report) > file.size:
        return True
    bits = file.size * 8 / longest
    least = max((float(v.width * v.height * (v.fps or 0)) for v in streams.videos), default=0.0)
    return bits < max(_LEAST_BITS, least * _LEAST_BITS_PER_PIXEL)


def measured(
    file: ProbedFile, container: str, streams: Streams, duration: float | None
) -> tuple[Kind, float | None, Streams, list[str]]:
    """Kind, seconds and streams as the packets show them, and a warning where the headers were wrong."""
    done = file.ffprobe("-show_entries", packets.ENTRIES, "-of", "csv=p=0")
    found = packets.measure(done.output)
    videos = tuple(_counted(video, found.get(video.index)) for video in streams.videos)
    streams = replace(streams, videos=videos)
    main = streams.videos[0] if streams.videos else streams.audios[0]
    count = found[main.index].count if main.index in found else 0
    if container in _ANIMATED and count <= 1:
        return "image", None, streams, []
    real = packets.span(found, streams.indices)
    if not real and videos and videos[0].fps:
        # A raw stream has no times, only pictures.
        real = float(count / videos[0].fps)
    kind: Kind = "video" if videos else "audio"
    if not real:
        alone = duration and count == 1
        return kind, duration, streams, [] if alone else ["its length could not be measured"]
    if duration is None:
        return kind, round(real, 6), streams, []
    if abs(duration - real) <= max(_TOLERATED_SECONDS, _TOLERATED_PART * real):
        return kind, duration, streams, []
    note = f"its header claims {duration:.3f} s, its packets end at {real:.3f} s"
    ended = f" ({done.words})" if done.words else ""
    audios = tuple(replace(audio, duration=_length(found.get(audio.index))) for audio in streams.audios)
    videos = tuple(
        replace(
            v, duration=_length(found.get(v.index)), frames=found[v.index].count if v.index in found else 0
        )
        for v in videos
    )
    return kind, round(real, 6), replace(streams, videos=videos, audios=audios), [note + ended]


def paced(file: ProbedFile, videos: tuple[VideoStream, ...]) -> tuple[VideoStream, ...]:
    """The streams with their real pace: Matroska's header gives the rate that was meant."""
    done = file.ffprobe(
        "-read_intervals", _PACE_INTERVAL, "-show_entries", packets.ENTRIES, "-of", "csv=p=0"
    )
    found = packets.measure(done.output)
    varying = {index for index, stream in found.items() if stream.vfr}
    return tuple(
        replace(video, vfr=True, fps=found[video.index].fps or video.fps)
        if video.index in varying
        else video
        for video in videos
    )


def _counted(video: VideoStream, found: packets.Measured | None) -> VideoStream:
    """The stream with what only its packets tell."""
    if found is None:
        return video
    video = replace(video, frames=video.frames or found.count, duration=video.duration or _length(found))
    if video.fps is not None and (not video.vfr or found.vfr):
        return video
    return replace(video, fps=found.fps or video.fps, vfr=found.vfr)


def rated(video: VideoStream, duration: float | None, notes: list[str]) -> VideoStream:
    """The stream with some frame rate: every moving picture has one."""
    if video.fps is not None:
        return video
    if video.frames and duration:
        return replace(video, fps=Fraction(video.frames / duration).limit_denominator(1001))
    notes.append(f"picture stream {video.index} tells no frame rate; {_FALLBACK_FPS} is assumed")
    return replace(video, fps=Fraction(_FALLBACK_FPS))


def _length(found: packets.Measured | None) -> float | None:
    if found is None or found.start is None or found.end is None:
        return None
    return round(found.end - found.start, 6)
