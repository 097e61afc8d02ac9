"""Sound and small pictures of a file as arrays, decoded by ffmpeg, of bounded size."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_assets.errors import BadInput, CorruptMedia, FfmpegFailed, NotMedia
from media_assets.media.graph import Stream, Target, arguments, open_file
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings

Samples = NDArray[np.float32]
Grays = NDArray[np.uint8]

LONGEST_SIDE = 256
"""Pixels of the longer side of the pictures that are looked at."""
PICTURES_PER_SECOND = 4
_NO_SOUND = "it has no sound that could be listened to"
_NO_PICTURE = "it has no picture that could be looked at"
# The default of ffmpeg's scene detector, of 100.
_SCENE_THRESHOLD = 10


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
    target = scratch / "sound.f32"
    stream = _opened(path, info, info.audio, seconds).filter("aresample", rate, first_pts=0, **{"async": 1})
    stream = stream.filter("aformat", sample_fmts="flt", channel_layouts="mono")
    _decode(stream, target, {"f": "f32le"}, path, settings)
    found = np.fromfile(target, np.float32)
    target.unlink()
    return np.nan_to_num(found, copy=False)


def decode_pictures(
    path: Path, info: MediaInfo, settings: Settings, scratch: Path, *, seconds: float
) -> tuple[Grays, tuple[float, ...]]:
    """Four pictures of each of the first `seconds`, and the scene changes that ffmpeg finds.

    Returns:
        Gray pictures as (pictures, height, width), upright, in full range, mapped from a file in `scratch`;
        and the seconds of each scene change. A still is one picture.

    Raises:
        NotMedia: there is no picture; CorruptMedia: it cannot be decoded.
    """
    video = info.video
    if video is None:
        raise NotMedia(_NO_PICTURE, where=str(path), hint="name a file with a picture")
    width, height = small_size(video)
    raw, scenes = scratch / "pictures.gray", scratch / "scenes.txt"
    still = info.kind == "image"
    stream = _opened(path, info, video, None if still else seconds)
    if not still:
        stream = stream.filter("scdet", threshold=_SCENE_THRESHOLD)
        stream = stream.filter("metadata", mode="print", key="lavfi.scd.time", file=str(scenes))
        # `pass`: what is shorter than a quarter of a second still gives a picture.
        stream = stream.filter("fps", PICTURES_PER_SECOND, start_time=0, eof_action="pass")
    stream = stream.filter("scale", width, height, flags="area", out_range="full").filter("format", "gray")
    options: dict[str, str | int | float | None] = {"f": "rawvideo"}
    _decode(stream, raw, options | ({"frames:v": 1} if still else {}), path, settings)
    count = raw.stat().st_size // (width * height)
    if not count:
        raise CorruptMedia("no picture of it can be decoded", where=str(path), hint="export it again")
    pictures = np.memmap(raw, np.uint8, "r", shape=(count, height, width))
    return pictures, _scene_changes(scenes)


def small_size(video: VideoStream) -> tuple[int, int]:
    """Width and height of the pictures that are looked at: upright, in square pixels."""
    wide, high = video.display_width, video.display_height
    scale = min(Fraction(1), Fraction(LONGEST_SIDE, max(wide, high)))
    return max(2, round(wide * scale)), max(2, round(high * scale))


def _opened(
    path: Path, info: MediaInfo, stream: VideoStream | AudioStream, seconds: float | None
) -> Stream:
    limit = {} if seconds is None else {"t": f"{seconds:.3f}"}
    return open_file(path.absolute(), f=info.demuxer, **limit).stream(stream.index)


def _decode(
    stream: Stream,
    target: Path,
    options: dict[str, str | int | float | None],
    path: Path,
    settings: Settings,
) -> None:
    try:
        run_ffmpeg(arguments([Target([stream], target, options)]), settings=settings)
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
