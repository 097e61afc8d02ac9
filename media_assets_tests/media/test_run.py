"""ffmpeg runs with progress, and ends when it should: with all its processes, and with its own words."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from media_assets.errors import Cancelled, FfmpegFailed, TimeLimitExceeded
from media_assets.media.run import Progress, run_ffmpeg
from media_assets.settings import Settings

ENDLESS = ["-f", "lavfi", "-i", "testsrc2=s=64x36:r=30", "-f", "null", "-"]


def ffmpegs() -> list[psutil.Process]:
    """The ffmpeg processes this one has started."""
    return [child for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]


def test_progress_goes_from_nothing_to_all(settings: Settings, tmp_path: Path) -> None:
    heard: list[Progress] = []
    source = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=4"]
    done = run_ffmpeg(
        [*source, "-c:v", "libx264", str(tmp_path / "a.mp4")],
        settings=settings,
        expected_seconds=4,
        on_progress=heard.append,
    )
    fractions = [progress.fraction for progress in heard if progress.fraction is not None]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1, abs=0.05)
    assert done.seconds > 0
    assert done.cpu_seconds > 0
    assert done.peak_memory_bytes > 1 << 20
    assert Path(done.command[0]).is_file()


def test_a_failure_carries_ffmpegs_own_words(settings: Settings) -> None:
    with pytest.raises(FfmpegFailed, match=r"(?s)No such file.*nowhere\.mp4") as caught:
        run_ffmpeg(["-i", "file:/nowhere.mp4", "-f", "null", "-"], settings=settings)
    assert caught.value.returncode != 0
    assert "/nowhere.mp4" in " ".join(caught.value.command)


def test_cancel_ends_ffmpeg_at_once(settings: Settings) -> None:
    cancel = threading.Event()
    threading.Timer(0.5, cancel.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        run_ffmpeg(ENDLESS, settings=settings, cancel=cancel)
    assert time.monotonic() - started < 5
    assert ffmpegs() == []


def test_a_time_limit_ends_ffmpeg(settings: Settings) -> None:
    with pytest.raises(TimeLimitExceeded, match=r"0\.5 s"):
        run_ffmpeg(ENDLESS, settings=settings, timeout=0.5)
    assert ffmpegs() == []


def test_an_error_in_a_listener_ends_ffmpeg_too(settings: Settings) -> None:
    def broken(_: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_ffmpeg(ENDLESS, settings=settings, on_progress=broken)
    assert ffmpegs() == []


def test_ffmpeg_never_waits_for_a_question(settings: Settings, tmp_path: Path) -> None:
    """An output that is there is overwritten, and standard input is closed."""
    path = tmp_path / "a.wav"
    for _ in range(2):
        run_ffmpeg(["-f", "lavfi", "-i", "sine=d=0.1", str(path)], settings=settings, timeout=20)
    assert path.stat().st_size > 0
