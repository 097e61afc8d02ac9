"""Small media for tests, made with ffmpeg's own sources."""

from __future__ import annotations

from pathlib import Path

from media_assets.media.run import run_ffmpeg
from media_assets.settings import Settings
from media_assets.store.sources import Rejection, SourceCatalogue, SourceFacts

X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-b:a", "128k"]


def make(settings: Settings, path: Path, *arguments: str) -> Path:
    """Write media to `path` with those arguments."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run_ffmpeg([*arguments, f"file:{path}"], settings=settings)
    return path


def clip(
    settings: Settings,
    path: Path,
    *,
    seconds: float = 3.0,
    size: str = "160x90",
    rate: str = "30",
    picture: str = "testsrc2",
    sound: str | None = "sine=f=440:r=48000",
    more: tuple[str, ...] = (),
) -> Path:
    """A video of `picture` (a lavfi source) with `sound` under it, or none."""
    inputs = [
        "-f",
        "lavfi",
        "-i",
        f"{picture}{':' if '=' in picture else '='}s={size}:r={rate}:d={seconds}",
    ]
    if sound:
        inputs += ["-f", "lavfi", "-i", f"{sound}:d={seconds}"]
    return make(settings, path, *inputs, *X264, *(AAC if sound else []), *more)


def solid(settings: Settings, path: Path, color: str, seconds: float = 3.0, **kwargs: str) -> Path:
    """A video of one colour, silent."""
    return clip(settings, path, seconds=seconds, picture=f"color=c={color}", sound=None, **kwargs)  # type: ignore[arg-type]


def ingested(settings: Settings, path: Path) -> SourceFacts:
    """The record of a file under the source root."""
    catalogue = SourceCatalogue(settings)
    wanted = path.relative_to(settings.source_root).as_posix()
    files = [f for f in catalogue.changes(now=2**33).unread if f.relative == wanted]
    if files:
        (result,) = catalogue.ingest(files)
        if isinstance(result, Rejection):
            raise AssertionError(result.message)
    return catalogue.facts(wanted)
