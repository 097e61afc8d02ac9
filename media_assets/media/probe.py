"""Tells what a media file is, or why it is not one: `probe`."""

from __future__ import annotations

import json
import re
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput, CorruptMedia, NotMedia
from media_assets.media import binaries, packets
from media_assets.media.aids import check_recognised, read_aid
from media_assets.media.capture import INPUT, Captured, capture
from media_assets.media.info import Kind, MediaInfo, VideoStream
from media_assets.media.report import (
    Streams,
    claimed_bytes,
    claimed_duration,
    complete,
    orientation,
    read_streams,
)
from media_assets.settings import Settings

# Their headers have no length, or one that nothing keeps true: reading the packets is cheap.
_UNINDEXED = {"aac", "mp3", "flac", "ac3", "eac3", "dts", "h264", "hevc", "vvc", "m4v", "mpegvideo", "obu"}
# One picture or many: only the packets tell.
_ANIMATED = {"gif", "apng", "mjpeg", "jpegxl_anim", "webp_anim"}
_STILL_BRANDS = ("avif", "heic", "heix", "mif1")
# Below this a length is doubted: silence takes more bits per second, a black picture more per pixel.
_LEAST_BITS = 1000
_LEAST_BITS_PER_PIXEL = 0.0002
# How far a claimed length may be from the packets: a last picture, an encoder's delay.
_TOLERATED_SECONDS = 0.1
_TOLERATED_PART = 0.02
# How far the lengths of streams and container may be apart before they are measured.
_DIFFERING_PART = 0.01
_COMPLETED_STREAMS = 4
_FALLBACK_FPS = 25
# The first half minute.
_PACE_INTERVAL = "%+30"

_MEND = "play it elsewhere, or export it again"
_REFUSED = re.compile(r"\[([^\]]+)\] Format not on whitelist")
_NOT_TAKEN = {
    "hls": "a playlist, which names other files to open",
    "concat": "a playlist, which names other files to open",
    "dash": "a manifest, which names other files to open",
    "sdp": "a description of a network stream",
    "svg_pipe": "a drawing (SVG), which is not made of pixels: export it as PNG",
    "tty": "a text file",
    "srt": "a subtitle file",
    "ass": "a subtitle file",
    "webvtt": "a subtitle file",
}


@dataclass(frozen=True)
class _File:
    """What every step of a probe needs: which file, with which programs, until when."""

    path: Path
    size: int
    settings: Settings
    deadline: float

    def ffprobe(self, *arguments: str) -> Captured:
        program = binaries.ffprobe(self.settings).path
        return capture(program, ["-v", "error", *arguments, *INPUT], self.path, self.deadline)

    def show(self, index: int) -> Captured:
        """Decode the first picture of a stream, and say on the log what it is."""
        program = binaries.ffmpeg(self.settings).path
        arguments = ["-nostdin", "-threads", "1", "-noautorotate", *INPUT, "-map", f"0:{index}"]
        limits = ["-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-"]
        return capture(program, [*arguments, *limits], self.path, self.deadline)

    def decode(self, indices: Sequence[int]) -> Captured:
        """Decode the first picture or a moment of sound of some streams; a line each on the output."""
        mapped = [word for index in indices for word in ("-map", f"0:{index}")]
        program = binaries.ffmpeg(self.settings).path
        limits = ["-frames:v", "1", "-frames:a", "4", "-f", "framecrc", "-"]
        arguments = ["-v", "error", "-nostdin", "-threads", "1", *INPUT, *mapped, *limits]
        return capture(program, arguments, self.path, self.deadline)


def probe(path: Path, settings: Settings) -> MediaInfo:
    """What the file holds, from its headers, its packets where they are doubted, and its first picture.

    LUTs, subtitles and fonts, which operations take beside media, are told by name and content.
    Only `path` itself is read, whatever it says inside, for at most `settings.probe_timeout` seconds.

    Raises:
        BadInput: there is no such file, or it is empty, a folder or unreadable.
        NotMedia: ffmpeg finds no picture or sound in it, or it is a kind that is not taken (a playlist).
        CorruptMedia: it looks like media but cannot be read; in ffmpeg's own words.
        TimeLimitExceeded: it takes too long to read.
        FfmpegMissing: there is no usable ffmpeg or ffprobe.
    """
    size = _checked_size(path)
    deadline = time.monotonic() + settings.probe_timeout
    aid = read_aid(path)
    if aid is not None:
        check_recognised(path, aid, settings, deadline)
        return aid
    file = _File(path, size, settings, deadline)
    report = _report(file)
    for index in _unknown_pictures(report)[:_COMPLETED_STREAMS]:
        complete(report, index, file.show(index).log)
    streams = read_streams(report)
    if not streams.videos and streams.unusable_videos:
        raise _undecodable(file, "picture", file.decode([_unknown_pictures(report)[0]]))
    if not streams.videos and not streams.audios:
        raise NotMedia(
            "it holds no picture and no sound",
            where=str(path),
            hint="look whether it was written to the end",
        )
    container = str(report["format"]["format_name"])
    streams, size_note = _decodable(file, streams)
    info = _timed(file, report, container, streams)
    return info.warn(*size_note)


def _checked_size(path: Path) -> int:
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        raise BadInput(f"it cannot be read: {reason}", where=str(path), hint="check the path") from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "not an ordinary file"
        raise BadInput(f"it is {what}", where=str(path), hint="name a media file")
    if found.st_size == 0:
        raise BadInput("it is empty", where=str(path), hint="look whether copying it was finished")
    return found.st_size


def _report(file: _File) -> dict[str, Any]:
    """ffprobe's report, once it has one."""
    done = file.ffprobe("-print_format", "json", "-show_format", "-show_streams", "-show_chapters")
    if done.status == 0:
        report: dict[str, Any] = json.loads(done.output)
        return report
    if "not on whitelist" in done.words:
        match = _REFUSED.search(done.words)
        name = match.group(1) if match else "unknown"
        what = _NOT_TAKEN.get(name, f"of a kind that is not taken ({name})")
        raise NotMedia(f"it is {what}", where=str(file.path), hint="give the media themselves")
    if "Not detecting m3u8/hls" in done.words:
        raise NotMedia(f"it is {_NOT_TAKEN['hls']}", where=str(file.path), hint="give the media themselves")
    said = done.words or f"ffprobe ended with status {done.status} and said nothing"
    if done.words == "the file: Invalid data found when processing input":
        raise NotMedia(f"it is nothing that ffmpeg recognises: {said}", where=str(file.path))
    raise CorruptMedia(said, where=str(file.path), hint=_MEND)


def _decodable(file: _File, streams: Streams) -> tuple[Streams, list[str]]:
    """The streams without sound that cannot be decoded, and warnings; raises unless the main one can."""
    main = streams.videos[0] if streams.videos else streams.audios[0]
    sound = streams.audios[0] if streams.videos and streams.audios else None
    done = file.decode([main.index] if sound is None else [main.index, sound.index])
    decoded = _decoded_streams(done)
    notes: list[str] = []
    if 0 not in decoded or (sound is not None and 1 not in decoded):
        # One that fails may take the other along: ask for each alone.
        done = file.decode([main.index])
        if not _decoded_streams(done):
            what = "picture" if streams.videos else "sound"
            raise _undecodable(file, what, done)
        if sound is not None:
            alone = file.decode([sound.index])
            if not _decoded_streams(alone):
                said = alone.words or "ffmpeg finds nothing in it"
                notes.append(f"sound stream {sound.index} cannot be decoded and is left out: {said}")
                left = tuple(audio for audio in streams.audios if audio is not sound)
                streams = replace(streams, audios=left)
    return streams, notes


def _decoded_streams(done: Captured) -> set[int]:
    """Numbers of the outputs of which a frame came out, from the lines of the framecrc muxer."""
    lines = [line for line in done.output.splitlines() if line and not line.startswith("#")]
    return {int(line.split(",")[0]) for line in lines}


def _timed(file: _File, report: dict[str, Any], container: str, streams: Streams) -> MediaInfo:
    """The description of the file, its lengths and rates measured where the headers are in doubt."""
    notes = list(streams.warnings)
    claimed = [
        seconds for seconds in claimed_duration(report, streams) if seconds is not None and seconds > 0
    ]
    duration = claimed[0] if claimed else None
    kind: Kind = "video" if streams.videos else "audio"
    if _is_still(report, container, streams):
        kind = "image"
    elif _in_doubt(file, report, container, streams, claimed):
        kind, duration, streams, more = _measured(file, container, streams, duration)
        notes += more
    elif container.startswith("matroska"):
        streams = replace(streams, videos=_paced(file, streams.videos))
    if kind == "video":
        streams = replace(streams, videos=tuple(_rated(video, duration, notes) for video in streams.videos))
    if kind == "image":
        duration = None
        streams = replace(streams, videos=tuple(_still(file, stream, notes) for stream in streams.videos))
    title, creation_time = _tags(report, notes)
    return MediaInfo(
        kind=kind,
        container=container,
        size=file.size,
        duration=duration,
        bit_rate=round(file.size * 8 / duration) if duration else None,
        videos=streams.videos,
        audios=streams.audios,
        subtitles=streams.subtitles,
        attached_pictures=streams.attached_pictures,
        chapters=len(report.get("chapters", [])),
        title=title,
        creation_time=creation_time,
        warnings=tuple(notes),
    )


def _is_still(report: dict[str, Any], container: str, streams: Streams) -> bool:
    if container.endswith("_pipe") or container == "ico":
        return True
    brand = str(report["format"].get("tags", {}).get("major_brand", "")).strip()
    return brand in _STILL_BRANDS and not streams.audios and (streams.videos[0].frames or 1) == 1


def _in_doubt(
    file: _File, report: dict[str, Any], container: str, streams: Streams, claimed: list[float]
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


def _measured(
    file: _File, container: str, streams: Streams, duration: float | None
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


def _paced(file: _File, videos: tuple[VideoStream, ...]) -> tuple[VideoStream, ...]:
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


def _rated(video: VideoStream, duration: float | None, notes: list[str]) -> VideoStream:
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


def _still(file: _File, stream: VideoStream, notes: list[str]) -> VideoStream:
    """A single picture: no times, and the orientation that its EXIF data give."""
    still = replace(stream, fps=None, vfr=False, frames=1, duration=None, start_time=0.0)
    done = file.ffprobe(
        *("-select_streams", str(stream.index), "-show_entries", "frame_side_data", "-of", "json")
    )
    frames = json.loads(done.output).get("frames", []) if done.status == 0 else []
    if stream.rotation or not frames:
        return still
    rotation, mirrored, note = orientation(frames[0].get("side_data_list", []))
    notes += [f"picture stream {stream.index}: {note}"] if note else []
    return replace(still, rotation=rotation, mirrored=mirrored)


def _tags(report: dict[str, Any], notes: list[str]) -> tuple[str | None, str | None]:
    tags = {str(key).lower(): str(value) for key, value in report["format"].get("tags", {}).items()}
    created = tags.get("creation_time")
    if created is not None:
        try:
            datetime.fromisoformat(created)
        except ValueError:
            notes.append(f"the creation time {created!r} is no time and is left out")
            created = None
    return tags.get("title") or None, created


def _unknown_pictures(report: dict[str, Any]) -> list[int]:
    """Indices of the picture streams of which ffprobe does not tell the size or the pixel format."""
    pictures = [raw for raw in report.get("streams", []) if raw.get("codec_type") == "video"]
    return [raw["index"] for raw in pictures if not raw.get("width") or not raw.get("pix_fmt")]


def _undecodable(file: _File, what: str, done: Captured) -> CorruptMedia:
    said = done.words or "ffmpeg finds none in it"
    return CorruptMedia(f"its {what} cannot be decoded: {said}", where=str(file.path), hint=_MEND)
