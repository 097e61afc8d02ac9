"""Pictures that show what is in a file: a moment of it, many moments in one, and its sound."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from media_assets.errors import FfmpegFailed, NotMedia
from media_assets.media.info import AudioStream, MediaInfo, VideoStream
from media_assets.media.preview import JPEG, on_background, upright
from media_assets.media.run import FfmpegResult, run_ffmpeg
from media_assets.settings import Settings

SHEET_COLUMNS = 4
MOST_TILES = 12
_TILE_WIDTH = 120
_WAVE = (480, 96)
_WAVE_COLOR = "0x4c78a8"
_WAVE_SECONDS = 1800
# Enough to draw what is loud; the filter keeps all samples until the end.
_WAVE_RATE = 4000


def still(
    path: Path, info: MediaInfo, at: float, output: Path, settings: Settings, *, width: int
) -> FfmpegResult:
    """Write the upright picture that is shown `at` seconds as a JPEG, at most `width` pixels wide.

    Raises:
        NotMedia: there is no picture; FfmpegFailed: it cannot be decoded, and nothing is left.
    """
    video = _video(path, info)
    graph = upright(video, min(width, video.display_width))
    if info.kind != "video":
        return _drawn(_opened(path, info), graph, output, settings)
    seek = ("-ss", f"{at:.3f}")
    try:
        return _drawn([*seek, *_opened(path, info)], graph, output, settings)
    except FfmpegFailed:
        pass  # it cannot be sought: it is read up to that time
    return _drawn(_opened(path, info), graph, output, settings, seek)


def contact_sheet(
    path: Path, info: MediaInfo, times: Sequence[float], output: Path, settings: Settings
) -> FfmpegResult:
    """Write small pictures of up to twelve moments (seconds), four in a row, as one JPEG.

    Each is the keyframe before its moment: that is quick, and near enough for a look.

    Raises:
        NotMedia: there is no picture; FfmpegFailed: it cannot be decoded.
    """
    video = _video(path, info)
    moments = list(times)[:MOST_TILES]
    inputs: list[str] = []
    for at in moments:
        seek = ["-noaccurate_seek", "-ss", f"{at:.3f}"] if info.kind == "video" else []
        inputs += [*seek, *_opened(path, info)]
    chains = [
        f"{upright(video, _TILE_WIDTH, ['trim=end_frame=1'], number)},setpts=0,format=yuvj420p[t{number}]"
        for number in range(len(moments))
    ]
    joined = "".join(f"[t{number}]" for number in range(len(moments)))
    rows = -(-len(moments) // SHEET_COLUMNS)
    tiled = f"{joined}concat=n={len(moments)},tile={min(SHEET_COLUMNS, len(moments))}x{rows}:padding=2"
    return _drawn(inputs, ";".join([*chains, tiled]), output, settings)


def waveform(path: Path, info: MediaInfo, output: Path, settings: Settings) -> FfmpegResult:
    """Write the waveform of the first half hour as a JPEG.

    Raises:
        NotMedia: there is no sound; FfmpegFailed: it cannot be decoded.
    """
    audio: AudioStream | None = info.audio
    if audio is None:
        raise NotMedia("it has no sound to draw", where=str(path))
    wide, high = _WAVE
    mono = f"[0:{audio.index}]aresample={_WAVE_RATE},aformat=channel_layouts=mono"
    graph = on_background(f"{mono},showwavespic=s={wide}x{high}:colors={_WAVE_COLOR}", wide, high)
    return _drawn(["-t", str(_WAVE_SECONDS), *_opened(path, info)], graph, output, settings)


def _video(path: Path, info: MediaInfo) -> VideoStream:
    if info.video is None:
        raise NotMedia("it has no picture to show", where=str(path))
    return info.video


def _opened(path: Path, info: MediaInfo) -> list[str]:
    return ["-protocol_whitelist", "file", "-f", info.demuxer, "-i", f"file:{path.absolute()}"]


def _drawn(
    inputs: Sequence[str], graph: str, output: Path, settings: Settings, after: Sequence[str] = ()
) -> FfmpegResult:
    arguments = [*inputs, "-filter_complex", f"{graph}[out]", "-map", "[out]", *after, *JPEG]
    try:
        done = run_ffmpeg([*arguments, f"file:{output.absolute()}"], settings=settings)
    except FfmpegFailed:
        output.unlink(missing_ok=True)
        raise
    if output.stat().st_size:
        return done
    output.unlink()
    raise FfmpegFailed(
        "ffmpeg ended well but gave no picture", command=list(done.command), returncode=0, where=output.name
    )
