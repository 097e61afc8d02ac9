"""Sound and small pictures of a file as arrays, decoded by ffmpeg, of bounded size."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from media_assets.errors import BadInput, CorruptMedia, FfmpegFailed, NotMedia
from media_assets.media.graph import Option, Stream, Target, arguments, open_file
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.media.loudness import Loudness, metered, parse_ebur128
from media_assets.media.run import FfmpegResult, run_ffmpeg
from media_assets.settings import Settings

Samples = NDArray[np.float32]
Grays = NDArray[np.uint8]

LONGEST_SIDE = 256
"""Pixels of the longer side of the pictures that are looked at."""
PICTURES_PER_SECOND = 4
COLORED_SIDE = 64
"""The same of the pictures in colour, of which there is one a second."""
_RAW: Mapping[str, Option] = MappingProxyType({"f": "rawvideo", "fps_mode": "passthrough"})
_NO_SOUND = "it has no sound that could be listened to"
_NO_PICTURE = "it has no picture that could be looked at"
# The default of ffmpeg's scene detector, of 100.
_SCENE_THRESHOLD = 10


@dataclass(frozen=True)
class Pictures:
    """Small pictures of a file, upright, in full range, mapped from files.

    Attributes:
        grays: (pictures, height, width), four a second; a single one of a still.
        colors: (pictures, height, width, 3), red, green and blue, one a second.
        cuts: seconds of each scene change that ffmpeg finds.
        every: all pictures, smaller still, (pictures, height, width, 3): blue, green, red; where asked for.
    """

    grays: Grays
    colors: Grays
    cuts: tuple[float, ...]
    every: Grays | None = None


def decode_metered(
    path: Path, info: MediaInfo, settings: Settings, scratch: Path, *, rate: int, seconds: float
) -> tuple[Samples, Loudness]:
    """As `decode_sound`, and the loudness of all channels, from the same decoding.

    Raises:
        As `decode_sound`.
    """
    if info.audio is None:
        raise NotMedia(_NO_SOUND, where=str(path), hint="name a file with sound")
    opened = metered(_opened(path, info, info.audio, seconds))
    found, done = _samples(opened, scratch / "sound.f32", rate, path, settings, log_level="info")
    return found, parse_ebur128(done.log)


def decode_sound(
    path: Path, info: MediaInfo, settings: Settings, scratch: Path, *, rate: int, seconds: float
) -> Samples:
    """The first `seconds` of the first sound stream, as one channel at `rate` Hz, -1…1.

    Sample 0 is the start of the file, so what starts late begins with silence.

    Args:
        scratch: a folder for what ffmpeg writes; removed by whoever made it.

    Raises:
        NotMedia: there is no sound; CorruptMedia: it cannot be decoded.
    """
    if info.audio is None:
        raise NotMedia(_NO_SOUND, where=str(path), hint="name a file with sound")
    opened = _opened(path, info, info.audio, seconds)
    return _samples(opened, scratch / "sound.f32", rate, path, settings)[0]


def decode_pictures(
    path: Path,
    info: MediaInfo,
    settings: Settings,
    scratch: Path,
    *,
    seconds: float,
    every: Fraction | None = None,
) -> Pictures:
    """Small pictures of the first `seconds`, and the scene changes, from one decoding.

    Args:
        every: give so many pictures a second besides, instead of looking for scene changes.

    Raises:
        NotMedia: there is no picture; CorruptMedia: it cannot be decoded.
    """
    video = info.video
    if video is None:
        raise NotMedia(_NO_PICTURE, where=str(path), hint="name a file with a picture")
    width, height = small_size(video)
    wide, high = small_size(video, COLORED_SIDE)
    names = ("pictures.gray", "colors.rgb", "every.bgr", "scenes.txt")
    raw, raw_colors, raw_every, scenes = (scratch / name for name in names)
    still = info.kind == "image"
    stream = _opened(path, info, video, None if still else seconds)
    targets: list[Target] = []
    if every is not None and not still:
        stream, whole = stream.split(2, audio=False)
        whole = whole.filter("fps", str(every), start_time=0).filter("scale", wide, high, flags="area")
        targets.append(Target([whole.filter("format", "bgr24")], raw_every, _RAW))
    elif not still:
        stream = stream.filter("scdet", threshold=_SCENE_THRESHOLD)
        stream = stream.filter("metadata", mode="print", key="lavfi.scd.time", file=str(scenes))
    if not still:
        # `pass`: what is shorter than a quarter of a second still gives a picture.
        stream = stream.filter("fps", PICTURES_PER_SECOND, start_time=0, eof_action="pass")
    gray, colored = stream.split(2, audio=False)
    gray = gray.filter("scale", width, height, flags="area", out_range="full").filter("format", "gray")
    colored = colored.filter("select", f"not(mod(n,{PICTURES_PER_SECOND}))")
    colored = colored.filter("scale", wide, high, flags="area").filter("format", "rgb24")
    options = {**_RAW, "frames:v": 1} if still else _RAW
    targets += [Target([gray], raw, options), Target([colored], raw_colors, options)]
    _decode(targets, path, settings)
    count, seen = raw.stat().st_size // (width * height), raw_colors.stat().st_size // (wide * high * 3)
    if not count or not seen:
        raise CorruptMedia("no picture of it can be decoded", where=str(path), hint="export it again")
    return Pictures(
        np.memmap(raw, np.uint8, "r", shape=(count, height, width)),
        np.memmap(raw_colors, np.uint8, "r", shape=(seen, high, wide, 3)),
        _scene_changes(scenes),
        _mapped(raw_every, (high, wide, 3)) if raw_every.exists() else None,
    )


def _mapped(path: Path, shape: tuple[int, ...]) -> Grays:
    """Pictures of that shape in a file, one after another."""
    count = path.stat().st_size // math.prod(shape)
    if not count:
        return np.zeros((0, *shape), np.uint8)
    return np.memmap(path, np.uint8, "r", shape=(count, *shape))


def small_size(video: VideoStream, longest: int = LONGEST_SIDE) -> tuple[int, int]:
    """Width and height of the pictures that are looked at: upright, in square pixels."""
    wide, high = video.display_width, video.display_height
    scale = min(Fraction(1), Fraction(longest, max(wide, high)))
    return max(2, round(wide * scale)), max(2, round(high * scale))


def _opened(
    path: Path, info: MediaInfo, stream: VideoStream | AudioStream, seconds: float | None
) -> Stream:
    limit = {} if seconds is None else {"t": f"{seconds:.3f}"}
    return open_file(path.absolute(), f=info.demuxer, **limit).stream(stream.index)


def _samples(
    stream: Stream, target: Path, rate: int, path: Path, settings: Settings, log_level: str = "error"
) -> tuple[Samples, FfmpegResult]:
    """The sound as one channel, and what the command said."""
    stream = stream.filter("aresample", rate, first_pts=0, **{"async": 1})
    stream = stream.filter("aformat", sample_fmts="flt", channel_layouts="mono")
    done = _decode([Target([stream], target, {"f": "f32le"})], path, settings, log_level)
    found = np.fromfile(target, np.float32)
    target.unlink()
    return np.nan_to_num(found, copy=False), done


def _decode(
    targets: Sequence[Target], path: Path, settings: Settings, log_level: str = "error"
) -> FfmpegResult:
    try:
        return run_ffmpeg(arguments(targets), settings=settings, log_level=log_level)
    except FfmpegFailed as error:
        if not os.access(path, os.R_OK):
            raise BadInput("it cannot be read", where=str(path), hint="check the path") from None
        raise CorruptMedia(
            f"it cannot be decoded: {error.message}", where=str(path), hint="export it again"
        ) from error


def _scene_changes(log: Path) -> tuple[float, ...]:
    """Read what the filter `metadata` wrote: a line for each picture, then its tags."""
    if not log.exists():
        return ()
    words = [line.partition("=") for line in log.read_text().splitlines()]
    return tuple(float(value) for name, _, value in words if name == "lavfi.scd.time")
