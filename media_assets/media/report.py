"""Reads ffprobe's report into streams: pure functions, every oddity answered with a warning."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from media_assets.media.info import AudioStream, Hdr, SubtitleStream, VideoStream

MAX_FPS = 240
"""Rates above this are time bases taken for frame rates, as FLV and Matroska files have them."""

_HDR: dict[str, Hdr] = {"arib-std-b67": "hlg", "smpte2084": "pq"}
_ALPHA = re.compile(r"^(yuva|gbrap|rgba|bgra|argb|abgr|ya\d|pal8|ayuv|vuya|rgbaf)")
_DEPTH = re.compile(r"(?<=[a-z])(9|10|12|14|16|32)(le|be)$|^[py][0-4](10|12|16)(le|be)$")
_PACKED_DEPTHS = {"rgb48": 16, "bgr48": 16, "rgba64": 16, "bgra64": 16, "x2rgb10": 10, "x2bgr10": 10}
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_SHOWN_PICTURE = re.compile(r"\bn: *0 .* fmt:(\S+) .*?\bsar:(\S+) s:(\d+)x(\d+)")
_SHOWN_COLOR = re.compile(r"\b(color_range|color_space|color_primaries|color_trc):(\S+)")
_COLOR_KEYS = {
    "color_range": "color_range",
    "color_space": "color_space",
    "color_primaries": "color_primaries",
    "color_trc": "color_transfer",
}
# Rates further apart than this are not one rate written in two ways.
_SAME_RATE = 0.01


@dataclass(frozen=True)
class Streams:
    """What of a file can be used, and what was found odd.

    Attributes:
        unusable_videos: picture streams that were left out.
    """

    videos: tuple[VideoStream, ...] = ()
    audios: tuple[AudioStream, ...] = ()
    subtitles: tuple[SubtitleStream, ...] = ()
    attached_pictures: tuple[VideoStream, ...] = ()
    unusable_videos: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def indices(self) -> list[int]:
        """Numbers in the file of the picture and sound streams."""
        return [video.index for video in self.videos] + [audio.index for audio in self.audios]


def read_streams(report: Mapping[str, Any]) -> Streams:
    """The usable streams of a report made with `-show_streams`, and the reasons for leaving others out."""
    videos: list[VideoStream] = []
    audios: list[AudioStream] = []
    subtitles: list[SubtitleStream] = []
    pictures: list[VideoStream] = []
    warnings: list[str] = []
    unusable = 0
    for raw in report.get("streams", []):
        kind, index = raw.get("codec_type"), raw.get("index", 0)
        codec = raw.get("codec_name", "unknown")
        if kind == "video":
            stream, notes = _video(raw, index, codec)
            if raw.get("disposition", {}).get("attached_pic"):
                pictures.append(stream)
            elif stream.width > 0 and stream.height > 0:
                videos.append(stream)
                warnings += notes
            else:
                unusable += 1
                warnings.append(f"picture stream {index} ({codec}) has no size and is left out")
        elif kind == "audio":
            audio = _audio(raw, index, codec)
            if audio.sample_rate > 0 and audio.channels > 0:
                audios.append(audio)
            else:
                warnings.append(f"sound stream {index} ({codec}) has no samples and is left out")
        elif kind == "subtitle":
            subtitles.append(SubtitleStream(index, codec, _language(raw)))
    # A stream that was announced but has no packet is of no known pixel format.
    known = [stream for stream in videos if stream.pixel_format]
    if known and len(known) < len(videos):
        gone = [stream.index for stream in videos if not stream.pixel_format]
        warnings += [f"picture stream {index} holds no picture and is left out" for index in gone]
        unusable, videos = unusable + len(gone), known
    return Streams(
        tuple(videos), tuple(audios), tuple(subtitles), tuple(pictures), unusable, tuple(warnings)
    )


def complete(report: dict[str, Any], index: int, log: str) -> None:
    """Fill in what ffprobe could not tell of a picture stream, from ffmpeg's `showinfo` of its first one.

    An ffprobe built without zlib knows neither size nor pixel format of a PNG.
    """
    raw = next(item for item in report["streams"] if item["index"] == index)
    if match := _SHOWN_PICTURE.search(log):
        raw["pix_fmt"], raw["sample_aspect_ratio"] = match.group(1), match.group(2)
        raw["width"], raw["height"] = int(match.group(3)), int(match.group(4))
        for key, value in _SHOWN_COLOR.findall(log):
            raw.setdefault(_COLOR_KEYS[key], value)


def orientation(side_data: Sequence[Mapping[str, Any]]) -> tuple[int, bool, str | None]:
    """Rotation (degrees clockwise), mirrored, and a warning, from a stream's or frame's side data.

    The picture is flipped upside down when mirrored, then turned: what ffmpeg does on its own.
    """
    text = next((str(item["displaymatrix"]) for item in side_data if "displaymatrix" in item), None)
    if text is None:
        return 0, False, None
    lines = [line.partition(":")[2].split() for line in text.splitlines() if ":" in line]
    rows = [[int(cell) for cell in line] for line in lines]
    (a, b), (c, d) = rows[0][:2], rows[1][:2]
    # Kept in 16.16 fixed point; a rotation is a matrix of determinant 1, a mirror image of -1.
    determinant = (a * d - b * c) / (1 << 32)
    if abs(determinant) < 1e-6:
        return 0, False, "the rotation is not a number and is ignored"
    # av_display_rotation_get, which counts counter-clockwise, with the sign turned.
    degrees = math.degrees(math.atan2(b / math.hypot(b, d), a / math.hypot(a, c)))
    turned = round(degrees) % 360
    if turned % 90:
        return 0, False, f"the rotation by {turned} degrees is not a quarter turn and is ignored"
    return turned, determinant < 0, None


def number(value: object) -> float | None:
    """A finite number that ffprobe wrote as text; None for `N/A`, nothing and nonsense."""
    try:
        result = float(str(value))
    except ValueError:
        return None
    return result if math.isfinite(result) else None


def rate(value: object) -> Fraction | None:
    """A frame rate that can be one: above 0 and at most `MAX_FPS`."""
    try:
        result = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None
    return result if 0 < result <= MAX_FPS else None


def claimed_duration(report: Mapping[str, Any], streams: Streams) -> tuple[float | None, float | None]:
    """Seconds as the streams give them (None unless all do), and as the container does."""
    whole = number(report.get("format", {}).get("duration"))
    spans = [(video.start_time, video.duration) for video in streams.videos]
    spans += [(audio.start_time, audio.duration) for audio in streams.audios]
    ends = [start + length for start, length in spans if length is not None]
    if not spans or len(ends) < len(spans):
        return None, whole
    return round(max(ends) - min(start for start, _ in spans), 6), whole


def claimed_bytes(report: Mapping[str, Any]) -> float:
    """Bytes that the index of the file gives to its streams."""
    total = 0.0
    for raw in report.get("streams", []):
        bits, seconds = number(raw.get("bit_rate")), number(raw.get("duration"))
        total += (bits or 0.0) * (seconds or 0.0) / 8
    return total


def _video(raw: Mapping[str, Any], index: int, codec: str) -> tuple[VideoStream, list[str]]:
    rotation, mirrored, note = orientation(raw.get("side_data_list", []))
    tags = raw.get("tags", {})
    interlaced = raw.get("field_order", "progressive") not in ("progressive", "unknown")
    fps, vfr = _frame_rate(raw)
    pixel_format = _known(raw.get("pix_fmt"))
    stream = VideoStream(
        index=index,
        codec=codec,
        width=int(raw.get("width", 0)),
        height=int(raw.get("height", 0)),
        profile=_known(raw.get("profile")),
        sar=_sample_shape(raw.get("sample_aspect_ratio")),
        rotation=rotation,
        mirrored=mirrored,
        pixel_format=pixel_format,
        bit_depth=_bit_depth(raw, pixel_format),
        fps=fps,
        vfr=vfr,
        frames=int(raw["nb_frames"]) if str(raw.get("nb_frames", "")).isdigit() else None,
        duration=_stream_duration(raw),
        start_time=number(raw.get("start_time")) or 0.0,
        color_range=_known(raw.get("color_range")),
        color_space=_known(raw.get("color_space")),
        color_transfer=_known(raw.get("color_transfer")),
        color_primaries=_known(raw.get("color_primaries")),
        hdr=_HDR.get(str(raw.get("color_transfer"))),
        # VP8 and VP9 keep transparency beside the picture: only the tag tells.
        has_alpha=bool(_ALPHA.match(pixel_format or "")) or tags.get("alpha_mode") == "1",
        interlaced=interlaced,
    )
    return stream, [f"picture stream {index}: {note}"] if note else []


def _audio(raw: Mapping[str, Any], index: int, codec: str) -> AudioStream:
    return AudioStream(
        index=index,
        codec=codec,
        sample_rate=int(number(raw.get("sample_rate")) or 0),
        channels=int(raw.get("channels", 0)),
        layout=_known(raw.get("channel_layout")),
        duration=_stream_duration(raw),
        start_time=number(raw.get("start_time")) or 0.0,
        language=_language(raw),
    )


def _frame_rate(raw: Mapping[str, Any]) -> tuple[Fraction | None, bool]:
    """Nominal rate and whether it seems to vary; None where only counting can tell."""
    average, base = rate(raw.get("avg_frame_rate")), rate(raw.get("r_frame_rate"))
    if average is None:
        return None, False
    if base is None:
        return average, True
    # The average of a constant rate is off by the length of the last picture: the nominal rate is meant.
    same = abs(average / base - 1) <= _SAME_RATE
    return (base, False) if same else (average, True)


def _stream_duration(raw: Mapping[str, Any]) -> float | None:
    seconds = number(raw.get("duration"))
    if seconds is None and (match := _CLOCK.match(str(raw.get("tags", {}).get("DURATION", "")))):
        # Matroska's tag is the time at which the stream ends.
        hours, minutes, rest = match.groups()
        end = int(hours) * 3600 + int(minutes) * 60 + float(rest)
        seconds = round(end - (number(raw.get("start_time")) or 0.0), 6)
    return seconds if seconds and seconds > 0 else None


def _sample_shape(text: object) -> Fraction:
    try:
        shape = Fraction(str(text).replace(":", "/"))
    except (ValueError, ZeroDivisionError):
        return Fraction(1)
    return shape if shape > 0 else Fraction(1)


def _bit_depth(raw: Mapping[str, Any], pixel_format: str | None) -> int:
    name = (pixel_format or "").removesuffix("le").removesuffix("be")
    if name in _PACKED_DEPTHS:
        return _PACKED_DEPTHS[name]
    if match := _DEPTH.search(pixel_format or ""):
        return int(match.group(1) or match.group(3))
    return 8 if pixel_format else int(number(raw.get("bits_per_raw_sample")) or 8)


def _language(raw: Mapping[str, Any]) -> str | None:
    language = raw.get("tags", {}).get("language")
    return None if language in (None, "und", "") else str(language)


def _known(value: object) -> str | None:
    return None if value in (None, "unknown", "reserved", "N/A", "") else str(value)
