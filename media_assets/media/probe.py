"""Tells what a media file is, or why it is not one: `probe`."""

from __future__ import annotations

import json
import re
import stat
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput, CorruptMedia, NotMedia
from media_assets.media.aids import check_recognised, read_aid
from media_assets.media.capture import Captured
from media_assets.media.info import Kind, MediaInfo, VideoStream
from media_assets.media.measured import in_doubt, measured, paced, rated
from media_assets.media.probed import ProbedFile
from media_assets.media.report import (
    Streams,
    claimed_duration,
    complete,
    orientation,
    read_streams,
)
from media_assets.settings import Settings

_STILL_BRANDS = ("avif", "heic", "heix", "mif1")
_COMPLETED_STREAMS = 4

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
    file = ProbedFile(path, size, settings, deadline)
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


def _report(file: ProbedFile) -> dict[str, Any]:
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


def _decodable(file: ProbedFile, streams: Streams) -> tuple[Streams, list[str]]:
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


def _timed(file: ProbedFile, report: dict[str, Any], container: str, streams: Streams) -> MediaInfo:
    """The description of the file, its lengths and rates measured where the headers are in doubt."""
    notes = list(streams.warnings)
    claimed = [
        seconds for seconds in claimed_duration(report, streams) if seconds is not None and seconds > 0
    ]
    duration = claimed[0] if claimed else None
    kind: Kind = "video" if streams.videos else "audio"
    if _is_still(report, container, streams):
        kind = "image"
    elif in_doubt(file, report, container, streams, claimed):
        kind, duration, streams, more = measured(file, container, streams, duration)
        notes += more
    elif container.startswith("matroska"):
        streams = replace(streams, videos=paced(file, streams.videos))
    if kind == "video":
        streams = replace(streams, videos=tuple(rated(video, duration, notes) for video in streams.videos))
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


def _still(file: ProbedFile, stream: VideoStream, notes: list[str]) -> VideoStream:
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


def _undecodable(file: ProbedFile, what: str, done: Captured) -> CorruptMedia:
    said = done.words or "ffmpeg finds none in it"
    return CorruptMedia(f"its {what} cannot be decoded: {said}", where=str(file.path), hint=_MEND)
