"""The same video made otherwise: by one ffmpeg command by hand, by one per operation, and by MoviePy.

All use our encoder settings, on as many threads as they like.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.komposition.document import (
    CLIPS,
    HEIGHT,
    MUSIC,
    OVERLAP,
    RATE,
    TOTAL,
    WIDTH,
    Sources,
    extended,
)
from media_assets.media import binaries
from media_assets.media.encode import profile
from media_assets.media.verify import read_properties
from media_assets.settings import Settings

_SIZED = (
    f"fps={RATE},scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease,"
    f"pad={WIDTH}:{HEIGHT}:-1:-1,setsar=1,format=yuv420p"
)
_FADED = f"volume=-3dB,atrim=end={TOTAL},afade=t=out:st={TOTAL - 1}:d=1"
# A gain and a limiter, as ours applies: loudnorm would cost the others far more.
_LEVELLED = "volume=2dB,alimiter=limit=0.89:level=false,aresample=48000"
LOSSLESS = ("-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv420p")


def by_hand(
    settings: Settings, sources: Sources, folder: Path, picture: Sequence[str] | None = None
) -> Path:
    """The one command that somebody who knows ffmpeg would write; `picture` encodes otherwise."""
    inputs: list[str] = []
    graph: list[str] = []
    for index, clip in enumerate(CLIPS):
        source = str(sources[clip.source].path)
        inputs += ["-ss", str(clip.start), "-t", str(extended(index)), "-i", source]
        graph.append(f"[{index}:v]{_SIZED},settb=1/{RATE}[v{index}]")
    inputs += ["-i", str(sources[MUSIC].path)]
    joined: list[str] = []
    for index, clip in enumerate(CLIPS):
        if clip.crossfaded:
            before, offset = joined.pop(), CLIPS[index - 1].seconds
            graph.append(f"[{before}][v{index}]xfade=duration={OVERLAP}:offset={offset}[x{index}]")
            joined.append(f"x{index}")
        else:
            joined.append(f"v{index}")
    graph.append("".join(f"[{name}]" for name in joined) + f"concat=n={len(joined)}:v=1:a=0[v]")
    graph.append(f"[{len(CLIPS)}:a]{_FADED},{_LEVELLED}[a]")
    path = folder / "hand.mp4"
    chosen = [*(_picture() if picture is None else picture), *_sound(), "-movflags", "+faststart"]
    _ffmpeg(
        settings, *inputs, "-filter_complex", ";".join(graph), *_mapped("[v]", "[a]"), *chosen, str(path)
    )
    return _checked(settings, path)


def one_by_one(settings: Settings, sources: Sources, folder: Path) -> Path:
    """Each operation by a command of its own, whose file the next one takes."""
    parts: list[Path] = []
    for index, clip in enumerate(CLIPS):
        cut, sized = folder / f"cut{index}.mp4", folder / f"sized{index}.mp4"
        seek = ("-ss", str(clip.start), "-t", str(extended(index)), "-i", str(sources[clip.source].path))
        _ffmpeg(settings, *seek, "-an", *_picture(), str(cut))
        _ffmpeg(settings, "-i", str(cut), "-vf", _SIZED, *_picture(), str(sized))
        if clip.crossfaded:
            faded, before = folder / f"faded{index}.mp4", parts.pop()
            graph = f"[0:v][1:v]xfade=duration={OVERLAP}:offset={CLIPS[index - 1].seconds}[v]"
            both = ("-i", str(before), "-i", str(sized))
            _ffmpeg(settings, *both, "-filter_complex", graph, "-map", "[v]", *_picture(), str(faded))
            sized = faded
        parts.append(sized)
    whole, mixed, done = (folder / f"{name}.mp4" for name in ("whole", "mixed", "apart"))
    inputs = [word for part in parts for word in ("-i", str(part))]
    joined = "".join(f"[{index}:v]" for index in range(len(parts))) + f"concat=n={len(parts)}:v=1:a=0[v]"
    _ffmpeg(settings, *inputs, "-filter_complex", joined, "-map", "[v]", *_picture(), str(whole))
    music = ("-i", str(whole), "-i", str(sources[MUSIC].path))
    copied = ("-c:v", "copy", *_sound())
    _ffmpeg(settings, *music, "-af", _FADED, *_mapped("0:v", "1:a"), *copied, str(mixed))
    _ffmpeg(settings, "-i", str(mixed), "-af", _LEVELLED, *copied, "-movflags", "+faststart", str(done))
    return _checked(settings, done)


def by_moviepy(settings: Settings, sources: Sources, folder: Path) -> Path:
    """MoviePy, at its best: only what overlaps is composited, the rest is joined without."""
    import moviepy
    from moviepy.audio.fx import AudioFadeOut, MultiplyVolume
    from moviepy.video.fx import CrossFadeIn

    def shown(index: int, start: float, end: float) -> Any:
        clip = CLIPS[index]
        whole = moviepy.VideoFileClip(str(sources[clip.source].path), audio=False)
        return whole.subclipped(clip.start + start, clip.start + end).resized((WIDTH, HEIGHT))

    parts: list[Any] = []
    for index, clip in enumerate(CLIPS):
        start = 0.0
        if clip.crossfaded:
            start = OVERLAP
            under = shown(index - 1, CLIPS[index - 1].seconds, extended(index - 1))
            over = shown(index, 0, OVERLAP).with_effects([CrossFadeIn(OVERLAP)])
            parts.append(moviepy.CompositeVideoClip([under, over]))
        parts.append(shown(index, start, clip.seconds))
    music = moviepy.AudioFileClip(str(sources[MUSIC].path)).subclipped(0, TOTAL)
    music = music.with_effects([MultiplyVolume(10 ** (-3 / 20)), AudioFadeOut(1)])
    path = folder / "moviepy.mp4"
    video = profile("h264").video or {}
    moviepy.concatenate_videoclips(parts, method="chain").with_audio(music).write_videofile(
        str(path),
        fps=RATE,
        codec=str(video["c:v"]),
        preset=str(video["preset"]),
        audio_codec="aac",
        temp_audiofile=str(folder / "moviepy.m4a"),
        ffmpeg_params=["-crf", str(video["crf"]), "-movflags", "+faststart"],
        logger=None,
    )
    for part in parts:
        part.close()
    return _checked(settings, path)


def _picture() -> list[str]:
    """The profile's options, the threads left to the encoder as by hand."""
    return _words(profile("h264").video)


def _sound() -> list[str]:
    return _words(profile("aac").audio)


def _words(options: Mapping[str, Any] | None) -> list[str]:
    chosen = {name: value for name, value in (options or {}).items() if not name.startswith("threads")}
    return [word for name, value in chosen.items() for word in (f"-{name}", str(value))]


def _mapped(*streams: str) -> list[str]:
    return [word for stream in streams for word in ("-map", stream)]


def _ffmpeg(settings: Settings, *arguments: str) -> None:
    subprocess.run([str(binaries.ffmpeg(settings).path), "-v", "error", "-y", *arguments], check=True)


def _checked(settings: Settings, path: Path) -> Path:
    frames = read_properties(path, settings).frames
    if frames is None or abs(frames - TOTAL * RATE) > len(CLIPS):
        raise RuntimeError(f"{path.name} has {frames} pictures instead of {TOTAL * RATE:g}")
    return path
