"""Writes a node by copying packets, as `copying` found that it can be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

from media_assets.media.codecs import X264_CPU
from media_assets.media.color import missing_tags
from media_assets.media.concat import concat_list
from media_assets.media.encode import profile
from media_assets.media.graph import Option, Stream, Target, arguments, open_file
from media_assets.media.info import VideoStream
from media_assets.media.run import FfmpegResult
from media_assets.operations.clip import FINE, TICKS, TOLERANCE
from media_assets.planning.commands import sound_of
from media_assets.planning.copying import Copy, Part, Stretch
from media_assets.planning.plan import Node, Plan

_LEAD_IN_SECONDS = 1.0
_AFTER_SECONDS = 2.0
# Better than what comes after a cut was likely encoded with; the other parts keep numbers of their own.
_CRF = 16
# A decoder of AAC needs the packet before the first that is heard.
_PACKETS_BEFORE = 2
_PACKET_SECONDS = 1024 / 48_000
_SPS = "sps-id=7"

Run = Callable[[list[str], float], FfmpegResult]
"""Runs ffmpeg with arguments, for an output of that many seconds."""


def render_copy(
    plan: Plan, node: Node, copy: Copy, path: Path, scratch: Path, run: Run, workers: int
) -> list[FfmpegResult]:
    """Write `node` to `path`; `scratch` is an empty folder for its parts, made `workers` at a time.

    Raises:
        FfmpegFailed, Cancelled, TimeLimitExceeded, DiskFull.
    """
    pieces = [scratch / f"part{number}.mp4" for number in range(len(copy.parts))]

    def make(part: Part, piece: Path) -> FfmpegResult:
        build = _copied if part.copied else _encoded
        return run(build(plan, part, piece), part.end - part.begin)

    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(make, copy.parts, pieces))
    listing = scratch / "parts.txt"
    lengths = [Fraction(part.end - part.begin).limit_denominator(10**6) for part in copy.parts]
    listing.write_text(concat_list(pieces, lengths))
    results.append(run(_joined(plan, node, copy, listing, path), node.clip.duration or 0.0))
    return results


def _encoded(plan: Plan, part: Part, piece: Path) -> list[str]:
    """A part around a cut, encoded with the colours that the source has."""
    source = plan.sources[part.source]
    offset = max(0, math.floor(part.begin - _LEAD_IN_SECONDS))
    opened = open_file(source.path, f=source.info.demuxer, **({"ss": offset} if offset else {}))
    picture = opened.stream(_video(plan, part).index).filter("settb", FINE)
    tags = missing_tags(_video(plan, part))
    if tags:
        picture = picture.filter("setparams", **tags)
    window = {
        "start": f"{max(0.0, part.begin - offset - TOLERANCE):.6f}",
        "end": f"{part.end - offset - TOLERANCE:.6f}",
    }
    picture = picture.filter("trim", **window).filter("setpts", f"max(0,PTS-{part.begin - offset:.6f}/TB)")
    options: dict[str, Option] = {
        **profile("h264").options(video=False, audio=False),
        **{"c:v": "libx264", "preset": "veryfast", "crf": _CRF, "pix_fmt": "yuv420p", "threads:v": 1},
        **{"x264-params": _x264_params(), "enc_time_base:v": "filter", "flags:v": "+bitexact"},
        "video_track_timescale": TICKS,
    }
    options.pop("movflags")
    return arguments([Target([picture], piece, options)])


def _copied(plan: Plan, part: Part, piece: Path) -> list[str]:
    """Whole groups of pictures: every packet that is shown from `begin` to `end`, moved to zero."""
    source = plan.sources[part.source]
    offset = max(0.0, part.begin - _LEAD_IN_SECONDS)
    length = part.end - offset + _AFTER_SECONDS
    seek: dict[str, Option] = {"ss": f"{offset:.6f}"} if offset else {}
    opened = open_file(source.path, f=source.info.demuxer, **seek, t=f"{length:.6f}")
    begin, end = part.begin - TOLERANCE, part.end - TOLERANCE
    chosen = f"noise=drop=lt(pts*tb\\,{begin:.6f})+gte(pts*tb\\,{end:.6f})"
    moved = f"setts=pts=PTS-{part.begin:.6f}/TB:dts=DTS-{part.begin:.6f}/TB"
    tagged = _tagging(_video(plan, part))
    options: dict[str, Option] = {
        **profile("h264").options(video=False, audio=False),
        **{"c:v": "copy", "bsf:v": f"{chosen},{moved}{tagged}", "video_track_timescale": TICKS},
    }
    options.pop("movflags")
    return ["-copyts", *arguments([Target([opened.stream(_video(plan, part).index)], piece, options)])]


def _joined(plan: Plan, node: Node, copy: Copy, listing: Path, path: Path) -> list[str]:
    """The parts one after another, with the sound beside them."""
    delay: dict[str, Option] = {"itsoffset": f"{copy.delay:.6f}"} if copy.delay > TOLERANCE else {}
    streams = [open_file(listing, f="concat", safe=0, **delay).video()]
    options: dict[str, Option] = {**node.profile.options(video=False, audio=True), "c:v": "copy"}
    if copy.sound is not None:
        streams.append(_heard(plan, copy.sound, options))
    elif (sound := sound_of(plan, node)) is not None:
        streams.append(sound)
    if node.profile.container.get("f") in ("mp4", "mov"):
        options["video_track_timescale"] = TICKS
        tag = _tag(plan, copy.parts)
        if tag:
            options["tag:v"] = tag
    return [*(["-copyts"] if copy.sound else []), *arguments([Target(streams, path, options)])]


def _heard(plan: Plan, sound: Stretch, options: dict[str, Option]) -> Stream:
    """The packets of a stretch of sound; `options` are told to copy them and move them to zero."""
    source = plan.sources[sound.source]
    if source.info.audio is None:
        raise ValueError(f"{sound.source} has no sound")
    offset = max(0.0, sound.begin - _LEAD_IN_SECONDS)
    length = sound.end - offset + _AFTER_SECONDS
    seek: dict[str, Option] = {"ss": f"{offset:.6f}"} if offset else {}
    opened = open_file(source.path, f=source.info.demuxer, **seek, t=f"{length:.6f}")
    # Times before zero are in the file and not heard.
    first = sound.begin - _PACKETS_BEFORE * _PACKET_SECONDS if sound.begin else -_LEAD_IN_SECONDS
    chosen = f"noise=drop=lt(pts*tb\\,{first:.6f})+gte(pts*tb\\,{sound.end - TOLERANCE:.6f})"
    moved = f"setts=pts=PTS-{sound.begin:.6f}/TB:dts=DTS-{sound.begin:.6f}/TB"
    for name in [name for name in options if name in ("ar", "b:a", "threads:a", "flags:a", "q:a")]:
        options.pop(name)
    options |= {"c:a": "copy", "bsf:a": f"{chosen},{moved}"}
    return opened.stream(source.info.audio.index)


def _tag(plan: Plan, parts: Sequence[Part]) -> str | None:
    """avc3 where parts come with headers of their own, hvc1 for Apple's players."""
    codecs = {video.codec for part in parts if (video := plan.sources[part.source].info.video)}
    if codecs == {"hevc"}:
        return "hvc1"
    return "avc3" if codecs == {"h264"} and len(parts) > 1 else None


def _x264_params() -> str:
    return ":".join(filter(None, (str(X264_CPU.get("x264-params", "")), _SPS)))


def _tagging(video: VideoStream) -> str:
    """A bitstream filter that says outright what an untagged picture is taken for."""
    matrix = {"bt709": 1, "smpte170m": 6}.get(str(missing_tags(video).get("colorspace")))
    if matrix is None or video.codec not in ("h264", "hevc"):
        return ""
    return f",{video.codec}_metadata=matrix_coefficients={matrix}"


def _video(plan: Plan, part: Part) -> VideoStream:
    video = plan.sources[part.source].info.video
    if video is None:
        raise ValueError(f"{part.source} has no picture")
    return video
