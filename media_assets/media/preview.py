"""Small pictures that stand for a file: an upright JPEG of a video, an image, or a sound's waveform."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from media_assets.errors import FfmpegFailed, NotMedia
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.media.run import FfmpegResult, run_ffmpeg
from media_assets.settings import Settings

# Shorter than this, the start is as good as the middle.
_SEEK_FROM_SECONDS = 3.0
# Keyframes among which the most usual one is chosen, so that it is not a black or a flash.
_CANDIDATES = 12
# A tall picture is made no taller than this many widths.
_TALLEST = 4
_WAVE_ASPECT = 3
_WAVE_COLOR = "0x4c78a8"
_BACKGROUND = "white"
# 203 cd/m² is the white of ordinary pictures in HDR ones (ITU-R BT.2408).
_TONE_MAP = (
    "format=yuv444p10le,zscale=transfer=linear:npl=203,format=gbrpf32le,zscale=primaries=bt709,"
    "tonemap=tonemap=mobius:desat=0,zscale=transfer=bt709:matrix=bt709:range=tv,format=yuv444p"
)
_JPEG_PIXELS = (
    "scale=out_range=pc:out_color_matrix=bt601:flags=bicubic+accurate_rnd+bitexact,format=yuv420p"
)
# One thread, no names of programs and no dates: the same bytes every time.
_REPEATABLE = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1", "-threads", "1")
JPEG = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", *_REPEATABLE, "-f", "mjpeg")
"""Arguments of an output that is one small JPEG."""


def thumbnail(
    path: Path, info: MediaInfo, output: Path, settings: Settings, width: int = 320
) -> FfmpegResult:
    """Write one representative upright JPEG of `path` to `output`; the same bytes for the same file.

    A video gives the most usual of its keyframes from a third of its length on, tone mapped when it is
    HDR; an image itself, on white where it is transparent; a sound its waveform.

    Args:
        path: the file.
        info: what `probe` says of it.
        output: where to write; its folder exists. Replaced when there.
        settings: says which ffmpeg, and its time limit.
        width: pixels across; the height follows the displayed shape, up to four times the width.

    Returns:
        What the command took.

    Raises:
        FfmpegFailed: it cannot be decoded; nothing is left at `output`.
        NotMedia: `info` has no picture and no sound.
        TimeLimitExceeded: it took longer than `settings.render_timeout`.
    """
    source = ["-protocol_whitelist", "file", "-f", info.demuxer, "-i", f"file:{path.absolute()}"]
    if info.kind in ("lut", "subtitle", "font"):
        graph, source = _sign(info, width), []
    elif info.video is not None:
        steps = [f"thumbnail=n={_CANDIDATES}"] if info.kind == "video" else []
        graph = upright(info.video, width, steps)
    elif info.audio is not None:
        graph = _waveform(info.audio, width)
    else:
        raise NotMedia("it holds nothing to show", where=str(path))
    failure = None
    for opening in _openings(info):
        arguments = [*opening, *source, "-filter_complex", f"{graph}[out]", "-map", "[out]", *JPEG]
        try:
            result = run_ffmpeg([*arguments, f"file:{output.absolute()}"], settings=settings)
        except FfmpegFailed as error:
            failure = error
        else:
            if output.stat().st_size > 0:
                return result
            failure = FfmpegFailed(
                "ffmpeg ended well but gave no picture",
                command=list(result.command),
                returncode=0,
                where=str(path),
            )
        output.unlink(missing_ok=True)
    assert failure is not None  # noqa: S101 - there is at least one opening
    raise failure


def _openings(info: MediaInfo) -> list[Sequence[str]]:
    """Ways to open the file, the fastest first; some streams flag no keyframes or cannot be sought."""
    if info.kind != "video":
        return [()]
    if info.duration is None or info.duration < _SEEK_FROM_SECONDS:
        return [("-skip_frame", "nokey"), ()]
    # Not accurate: the keyframe before the wanted time is as good, and may be the only one.
    seek = ("-noaccurate_seek", "-ss", f"{info.duration / 3:.3f}")
    return [(*seek, "-skip_frame", "nokey"), seek, ()]


def upright(video: VideoStream, width: int, steps: Sequence[str] = (), opened: int = 0) -> str:
    """Filters from a picture stream, which ffmpeg turns upright by itself, to a JPEG's pixels.

    Args:
        video: the stream.
        width: pixels across; the height follows the displayed shape, up to four times the width.
        steps: filters that come before.
        opened: which input of the command the file is.
    """
    wide, high = video.display_width, video.display_height
    height = max(1, round(width * high / wide))
    if height > _TALLEST * width:
        width, height = max(1, round(_TALLEST * width * wide / high)), _TALLEST * width
    done = [*steps, f"scale={width}:{height}:flags=area+accurate_rnd+bitexact", "setsar=1"]
    if video.hdr:
        done.append(_TONE_MAP)
    chain = f"[{opened}:{video.index}]" + ",".join(done)
    return on_background(chain, width, height, opened) if video.has_alpha else f"{chain},{_JPEG_PIXELS}"


def _waveform(audio: AudioStream, width: int) -> str:
    height = max(1, width // _WAVE_ASPECT)
    draw = f"showwavespic=s={width}x{height}:colors={_WAVE_COLOR}"
    return on_background(f"[0:{audio.index}]aformat=channel_layouts=mono,{draw}", width, height)


def _sign(info: MediaInfo, width: int) -> str:
    """A plain picture in place of what has none: a spectrum for a LUT, an even colour for text."""
    height = max(1, width * 9 // 16)
    drawn = "allrgb=r=1,crop=in_w:in_w*9/16" if info.kind == "lut" else f"color=c={_WAVE_COLOR}:r=1"
    return f"{drawn},scale={width}:{height},setsar=1,{_JPEG_PIXELS}"


def on_background(chain: str, width: int, height: int, opened: int = 0) -> str:
    """The picture that `chain` gives of an input, laid on an even colour where it is transparent."""
    under, drawn = f"[background{opened}]", f"[drawn{opened}]"
    background = f"color=c={_BACKGROUND}:s={width}x{height}:r=1,format=rgb24{under}"
    return f"{chain},format=rgba{drawn};{background};{under}{drawn}overlay=format=rgb,{_JPEG_PIXELS}"
