"""Rendering does what changed and no more, and nothing that ends badly leaves half a file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media_assets.errors import Cancelled, FfmpegFailed
from media_assets.kompositions.render import Step, render
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets_tests.kompositions.composing import (
    document,
    numbered,
    path_of,
    planned,
    rendered,
    sounding,
)
from media_assets_tests.making import make
from media_assets_tests.measuring import pictures


def _ten(settings: Settings) -> dict[str, Any]:
    numbered(settings, "n.mp4")
    make(settings, settings.source_root / "m.wav", "-f", "lavfi", "-i", "sine=d=6")
    segments: list[dict[str, Any]] = [
        {"source": "n.mp4", "in_point": i / 10, "duration": 0.5} for i in range(10)
    ]
    segments[4]["transition"] = {"duration": 0.2}
    return document(segments, music={"source": "m.wav"}, loudness={})


def _elsewhere(settings: Settings, tmp_path: Path) -> OutputStore:
    return OutputStore(replace(settings, data_root=tmp_path / "elsewhere"))


def test_one_changed_segment_renders_one_piece_and_the_same_pictures_as_from_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    data = _ten(settings)
    first = rendered(settings, data)
    assert not any(row.cached for row in first.segments)
    data["segments"][7]["in_point"] = 2.5
    second = rendered(settings, data)
    assert [row.id for row in second.segments if not row.cached] == ["s8"]
    assert all(row.cached for row in second.transitions)
    assert second.sound.cached
    # The piece, and the join.
    assert second.ffmpeg_runs == 2
    cold = rendered(settings, data, _elsewhere(settings, tmp_path))
    assert cold.final.output.content_hash == second.final.output.content_hash
    assert np.array_equal(pictures(settings, path_of(cold)), pictures(settings, path_of(second)))


def test_nothing_changed_runs_nothing_even_when_the_pieces_are_gone(settings: Settings) -> None:
    data = _ten(settings)
    first = rendered(settings, data)
    steps: list[Step] = []
    compiled, sources = planned(settings, data)
    store = OutputStore(settings)
    for output in list(store):
        if output.recipe.fingerprint != compiled.fingerprint:
            output.path.parent.rename(settings.data_root / output.recipe.fingerprint)
    again = render(compiled, sources, settings, store, on_outcome=steps.append)
    assert again.ffmpeg_runs == 0
    assert again.final.cached
    assert [step.kind for step in steps] == ["komposition"]
    assert again.loudness == first.loudness


def test_a_second_document_shares_what_it_has_in_common(settings: Settings) -> None:
    data = _ten(settings)
    rendered(settings, data)
    data["segments"] = [*reversed(data["segments"][6:9])]
    result = rendered(settings, data)
    assert all(row.cached for row in result.segments)
    assert not result.sound.cached


def test_equal_segments_are_rendered_once(settings: Settings) -> None:
    numbered(settings, "n.mp4")
    segment = {"source": "n.mp4", "duration": 1}
    steps: list[Step] = []
    compiled, sources = planned(settings, document([segment] * 3))
    result = render(compiled, sources, settings, OutputStore(settings), on_outcome=steps.append)
    assert [step.id for step in steps if step.kind == "komposition_segment"] == ["s1, s2, s3"]
    assert len(result.segments) == 3


def test_a_failing_piece_keeps_the_others_and_leaves_no_finished_file(settings: Settings) -> None:
    data = _ten(settings)
    numbered(settings, "broken.mp4", seconds=3)
    data["segments"][2]["source"] = "broken.mp4"
    compiled, sources = planned(settings, data)
    (settings.source_root / "broken.mp4").write_bytes(b"\0" * 5000)
    steps: list[Step] = []
    store = OutputStore(settings)
    with pytest.raises(FfmpegFailed, match=r"(?s)^s3: ffmpeg ended.*Invalid data"):
        render(compiled, sources, settings, store, on_outcome=steps.append)
    assert store.get(compiled.fingerprint) is None
    failed = [step for step in steps if isinstance(step.result, FfmpegFailed)]
    assert [step.id for step in failed] == ["s3"]
    assert len(steps) == len(compiled.pieces) + 1
    assert not list((settings.store_root / "pending").iterdir())
    data["segments"][2]["source"] = "n.mp4"
    mended = rendered(settings, data)
    assert [row.id for row in mended.segments if not row.cached] == ["s3"]


def test_progress_rises_to_one_and_a_cancelled_rendering_stops(settings: Settings) -> None:
    compiled, sources = planned(settings, _ten(settings))
    told: list[float] = []
    render(compiled, sources, settings, OutputStore(settings), on_progress=told.append)
    assert told[-1] == 1.0
    assert all(0 <= fraction <= 1 for fraction in told)

    cancel = threading.Event()
    cancel.set()
    data = _ten(settings)
    data["segments"][0]["in_point"] = 3
    compiled, sources = planned(settings, data)
    with pytest.raises(Cancelled):
        render(compiled, sources, settings, OutputStore(settings), cancel=cancel)


def test_an_error_of_the_listener_stops_the_work(settings: Settings) -> None:
    compiled, sources = planned(settings, _ten(settings))

    def listen(step: Step) -> None:
        raise KeyError(step.id)

    with pytest.raises(KeyError):
        render(compiled, sources, settings, OutputStore(settings), on_outcome=listen)
    assert OutputStore(settings).get(compiled.fingerprint) is None


def _render_slowly(settings: Settings, data: dict[str, Any], marks: Path) -> None:
    """What the process that is killed does: it leaves a mark for each part that is done."""
    compiled, sources = planned(settings, data)

    def mark(step: Step) -> None:
        (marks / str(time.monotonic_ns())).touch()
        time.sleep(0.05)

    render(compiled, sources, replace(settings, workers=1), OutputStore(settings), on_outcome=mark)


@pytest.mark.parametrize("parts", [1, 4])
def test_a_killed_rendering_leaves_no_half_file_and_its_pieces_are_used(
    settings: Settings, tmp_path: Path, parts: int
) -> None:
    data = _ten(settings)
    sounding(settings, "long.mp4", seconds=8, expression="0.1*sin(t*900)")
    data["segments"] += [{"source": "long.mp4", "in_point": i / 10, "duration": 6} for i in range(3)]
    compiled, _ = planned(settings, data)
    marks = tmp_path / "marks"
    marks.mkdir()
    process = multiprocessing.get_context("spawn").Process(
        target=_render_slowly, args=(settings, data, marks)
    )
    process.start()
    while len(list(marks.iterdir())) < parts:
        assert process.is_alive()
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    store = OutputStore(settings)
    assert store.get(compiled.fingerprint) is None
    done = {output.recipe.fingerprint for output in store}
    assert len(done) >= parts
    result = rendered(settings, data)
    cached = {row.id for row in (*result.segments, *result.transitions, result.sound) if row.cached}
    assert len(cached) >= parts
    cold = rendered(settings, data, _elsewhere(settings, tmp_path))
    assert cold.final.output.content_hash == result.final.output.content_hash
