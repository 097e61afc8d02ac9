"""A trimmed clip holds the pictures and sounds of its part: no picture more, none less, both in step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from media_assets.errors import BadInput, DocumentError
from media_assets.settings import Settings
from media_assets.store.sources import SourceFacts
from media_assets_tests.clips import Clips, applied
from media_assets_tests.making import AAC, X264, ingested, make
from media_assets_tests.measuring import mean_colors, picture_times, pictures, sound_from_zero

_RATE = 15
_B_FRAMES = ("-preset", "veryfast", "-bf", "3", "-g", "40")


def _numbered(
    settings: Settings, name: str, rate: str = str(_RATE), more: tuple[str, ...] = ()
) -> SourceFacts:
    """Six seconds of numbered pictures beside a tone: tens and ones as shades of grey, left and right."""
    shades = r"20+20*if(lt(X\,W/2)\,floor(N/10)\,mod(N\,10))"
    grey = f"color=black:s=64x48:r={rate}:d=6,format=yuv420p,geq=lum={shades}:cb=128:cr=128"
    path = settings.source_root / name
    sound = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=6")
    make(settings, path, "-f", "lavfi", "-i", grey, *sound, *X264, *_B_FRAMES, *AAC, *more)
    return ingested(settings, path)


def _numbers(settings: Settings, path: Path) -> list[int]:
    shots = pictures(settings, path, 4, 1).mean(axis=(1, 3)) * 219 / 255 + 16
    return [round((shot[0] - 20) / 20) * 10 + round((shot[3] - 20) / 20) for shot in shots]


def _inside(settings: Settings, source: SourceFacts, start: float, end: float) -> list[int]:
    """Numbers of the pictures shown from `start` up to `end`, from the file's first sound or picture."""
    starts = [video.start_time for video in source.info.videos]
    first = min(starts + [audio.start_time for audio in source.info.audios])
    times = [time - first for time in picture_times(settings, source.path)]
    return [n for n, time in enumerate(times) if start - 0.0005 <= time < end - 0.0005]


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.9, 2.1), (3.0, 4.0), (4.2, 5.2), (5.01, 5.33)])
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_exactly_the_pictures_of_the_part(
    container: str, start: float, end: float, clips: Clips, settings: Settings
) -> None:
    path = clips.settings.source_root / f"numbered.{container}"
    source = ingested(clips.settings, path) if path.exists() else _numbered(clips.settings, path.name)
    output = applied(settings, "trim", source, start=start, end=end)
    assert _numbers(settings, output.path) == _inside(settings, source, start, end)


@pytest.mark.parametrize("start", [0.5, 3.35, 4.1])
def test_exactly_the_pictures_where_time_is_counted_in_pictures(start: float, settings: Settings) -> None:
    source = _numbered(settings, "ntsc.avi", "15000/1001", ("-c:a", "pcm_s16le", "-c:v", "ffv1"))
    output = applied(settings, "trim", source, start=start, duration=1)
    expected = [n for n in range(90) if start - 0.0005 <= n * 1001 / 15000 < start + 1 - 0.0005]
    assert _numbers(settings, output.path) == expected


def test_pictures_at_uneven_distances_keep_their_times(clips: Clips, settings: Settings) -> None:
    source = clips["uneven"]
    output = applied(settings, "trim", source, start=0.5, duration=1)
    inside = [t for t in picture_times(settings, source.path) if 0.4995 <= t < 1.4995]
    assert picture_times(settings, output.path) == pytest.approx([t - 0.5 for t in inside], abs=0.002)


@pytest.mark.parametrize("start", [0.7, 1.03, 3.9])
@pytest.mark.parametrize("late", [0.0, 0.25])
def test_sound_stays_in_step_with_the_picture(start: float, late: float, settings: Settings) -> None:
    """A flash and a click at 4.6 s (or 1.6 s); the sound track of some files begins late."""
    moment = 4.6 if start > 3 else 1.6
    lit = f"between(T\\,{moment - 0.01}\\,{moment + 0.02})"
    flash = f"color=black:s=64x48:r=30:d=6,format=yuv420p,geq=lum=16+200*{lit}:cb=128:cr=128"
    click = (
        f"aevalsrc=0.9*sin(2*PI*1000*t)*between(t\\,{moment - late}\\,{moment - late + 0.05}):s=48000:d=5.5"
    )
    path = settings.source_root / "clap.mp4"
    sound = ("-itsoffset", str(late), "-f", "lavfi", "-i", click)
    make(settings, path, "-f", "lavfi", "-i", flash, *sound, *X264, *_B_FRAMES, *AAC)
    output = applied(settings, "trim", ingested(settings, path), start=start, duration=1.5)
    brightness = mean_colors(settings, output.path).mean(axis=1)
    seen = picture_times(settings, output.path)[int(np.argmax(brightness))]
    heard = int(np.argmax(np.abs(sound_from_zero(settings, output.path)) > 0.3)) / 48_000
    assert seen == pytest.approx(moment - start, abs=0.002)
    assert heard == pytest.approx(moment - start, abs=0.002)


def test_the_part_ends_with_the_clip(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "trim", clips["plain"], start=1.5, duration=60)
    assert output.made.properties.duration == pytest.approx(0.5, abs=0.03)


def test_sound_alone_is_cut_to_the_sample(clips: Clips, settings: Settings) -> None:
    output = applied(settings, "trim", clips["song"], start=0.25, duration=0.5)
    assert len(sound_from_zero(settings, output.path)) == pytest.approx(24_000, abs=1100)


def test_a_start_beyond_the_end_is_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(DocumentError, match="beyond the clip's end"):
        applied(settings, "trim", clips["plain"], start=5)


def test_a_part_shorter_than_a_picture_is_refused(clips: Clips, settings: Settings) -> None:
    with pytest.raises(DocumentError, match="shorter than one picture"):
        applied(settings, "trim", clips["plain"], start=1, duration="10ms")


@pytest.mark.parametrize(
    "parameters", [{"duration": 1, "end": 2}, {"start": 2, "end": 2}, {"duration": 0}, {"start": -1}]
)
def test_a_part_that_is_none_is_refused(
    parameters: dict[str, object], clips: Clips, settings: Settings
) -> None:
    with pytest.raises(BadInput):
        applied(settings, "trim", clips["plain"], **parameters)
