"""A full disk or a killed ffmpeg ends a render with a clear error; the next goes on from what was done."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psutil
import pytest

from media_assets.errors import DiskFull, FfmpegFailed
from media_assets.kompositions.render import Step, render
from media_assets.settings import Settings
from media_assets.store.outputs import Outcome, OutputStore
from media_assets_tests.kompositions.composing import document, numbered, planned
from media_assets_tests.making import make

_POLL_SECONDS = 0.01


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """No file can grow past `size` bytes: the kernel refuses as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _document(settings: Settings) -> dict[str, Any]:
    """Two small pieces, and two of noise of more than 1 MB each, which are shorter and so come last."""
    numbered(settings, "n.mp4", seconds=2)
    noise = "nullsrc=s=640x360:r=30:d=1,geq=random(1)*255:128:128,format=yuv420p"
    lossless = ("-c:v", "ffv1")
    make(settings, settings.source_root / "noise.mkv", "-f", "lavfi", "-i", noise, *lossless)
    data = document(
        [
            {"source": "n.mp4", "duration": 0.5},
            {"source": "noise.mkv", "duration": 0.4},
            {"source": "n.mp4", "in_point": 0.5, "duration": 0.5},
            {"source": "noise.mkv", "in_point": 0.5, "duration": 0.4},
        ]
    )
    data["output"] = {"width": 640, "height": 360, "fps": 30}
    return data


def _attempt(settings: Settings, data: dict[str, Any], error: type[Exception], match: str) -> set[str]:
    """Render, which fails; returns the ids of the parts that were made."""
    compiled, sources = planned(settings, data)
    store = OutputStore(settings)
    steps: list[Step] = []
    with pytest.raises(error, match=match):
        render(compiled, sources, settings, store, on_outcome=steps.append)
    assert store.get(compiled.fingerprint) is None
    assert list((settings.store_root / "pending").iterdir()) == []
    return {step.id for step in steps if isinstance(step.result, Outcome)}


def _goes_on(settings: Settings, data: dict[str, Any], made: set[str]) -> None:
    """Render again: what was made is found, and the result is that of a render from nothing."""
    compiled, sources = planned(settings, data)
    result = render(compiled, sources, settings, OutputStore(settings))
    rows = (*result.segments, *result.transitions, result.sound)
    assert {row.id for row in rows if row.cached} == made
    elsewhere = OutputStore(replace(settings, data_root=settings.data_root / "elsewhere"))
    cold = render(compiled, sources, settings, elsewhere)
    assert cold.final.output.content_hash == result.final.output.content_hash


@pytest.mark.parametrize(
    ("room", "made"),
    [(900_000, {"sound", "s1", "s3"}), (1_900_000, {"sound", "s1", "s2", "s3", "s4"})],
    ids=["at a piece", "at the join"],
)
def test_a_full_disk_ends_the_render_and_what_was_made_is_used(
    settings: Settings, room: int, made: set[str]
) -> None:
    settings = replace(settings, workers=1)
    data = _document(settings)
    planned(settings, data)
    with _room_for(room):
        assert _attempt(settings, data, DiskFull, "no space was left") == made
    _goes_on(settings, data, made)


def _kill_first(word: str, killed: threading.Event) -> None:
    """Kill the first process of ours whose command holds `word`."""
    ours = psutil.Process()
    while not killed.wait(_POLL_SECONDS):
        for child in ours.children():
            try:
                found = any(word in argument for argument in child.cmdline())
            except psutil.Error:
                continue
            if found:
                child.kill()
                killed.set()


def test_a_killed_ffmpeg_fails_its_own_part_alone(settings: Settings) -> None:
    settings = replace(settings, workers=1)
    data = _document(settings)
    data["segments"][0]["duration"] = 5
    killed = threading.Event()
    killer = threading.Thread(target=_kill_first, args=("komposition_segment", killed))
    killer.start()
    try:
        made = _attempt(settings, data, FfmpegFailed, r"^s1: ffmpeg ended with signal 9")
    finally:
        killed.set()
        killer.join()
    assert made == {"sound", "s2", "s3", "s4"}
    _goes_on(settings, data, made)
