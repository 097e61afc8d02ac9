"""A plan becomes the fewest commands, and equal fingerprints mean equal bytes."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import Cancelled, FfmpegFailed, TimeLimitExceeded
from media_assets.ids import hash_file
from media_assets.media.hardware import encoders
from media_assets.planning.commanding import is_passing
from media_assets.planning.commands import groups
from media_assets.planning.execute import execute
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.progress import JobProgress
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceFacts
from media_assets_tests.making import clip, ingested
from media_assets_tests.measuring import pictures


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two clips of eight seconds."""
    root = tmp_path_factory.mktemp("execute")
    settings = Settings.from_environment(root)
    for name in ("a.mp4", "b.mp4"):
        clip(
            settings,
            settings.source_root / name,
            seconds=8,
            picture="testsrc2" if name < "b" else "rgbtestsrc",
        )
    return root


@pytest.fixture
def sources(root: Path) -> dict[str, SourceFacts]:
    """Both clips, ingested."""
    settings = Settings.from_environment(root)
    return {name: ingested(settings, settings.source_root / f"{name}.mp4") for name in ("a", "b")}


def plan(settings: Settings, sources: dict[str, SourceFacts], *operations: dict[str, Any]) -> Plan:
    """A plan of those operations."""
    specs = [OperationSpec.model_validate(operation) for operation in operations]
    return make_plan(specs, sources, encoders(settings))


CHAIN: list[dict[str, Any]] = [
    {"op": "trim", "input": "a", "output": "cut", "params": {"start": 4, "duration": 2}},
    {"op": "trim", "input": "a", "output": "late", "params": {"start": 5.5, "duration": 2}},
    {"op": "resize", "input": "cut", "output": "small", "params": {"width": 80}},
    {"op": "normalize_audio", "input": "small", "output": "loud"},
    {"op": "concatenate", "inputs": ["loud", "late", "cut"], "output": "whole"},
    {"op": "to_mp3", "input": "whole", "output": "mp3"},
]
NAMES: list[str] = [operation["output"] for operation in CHAIN]


def fresh(settings: Settings, tmp_path: Path, name: str) -> OutputStore:
    """An empty store."""
    return OutputStore(replace(settings, data_root=tmp_path / name))


def test_a_graph_is_one_command_and_each_output_is_what_it_is_alone(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    made = plan(settings, sources, *CHAIN)
    together = execute(made, NAMES, fresh(settings, tmp_path, "together"), settings)
    assert [result.error for result in together] == [None] * len(NAMES)
    runs = [result.outcome.ffmpeg_runs for result in together if result.outcome]
    assert sum(runs) == 2  # loudnorm's measuring, and everything else
    for result in together:
        assert result.outcome is not None
        (alone,) = execute(made, [result.node.name], fresh(settings, tmp_path, result.node.name), settings)
        assert alone.outcome is not None
        assert alone.outcome.output.content_hash == result.outcome.output.content_hash, result.node.name


def test_what_is_in_the_store_costs_no_command(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    made, store = plan(settings, sources, *CHAIN), fresh(settings, tmp_path, "store")
    execute(made, ["cut"], store, settings)
    first = {r.node.name: r.outcome for r in execute(made, ["cut", "small"], store, settings)}
    assert [first[name].cached for name in ("cut", "small") if first[name]] == [True, False]  # type: ignore[union-attr]
    again = execute(made, ["cut", "small"], store, settings)
    assert [r.outcome.ffmpeg_runs for r in again if r.outcome] == [0, 0]


def test_what_shares_nothing_is_apart_and_fails_apart(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"gone bad after it was probed")
    made = plan(
        settings,
        {**sources, "b": replace(sources["b"], path=broken)},
        {"op": "trim", "input": "a", "output": "x", "params": {"duration": 1}},
        {"op": "trim", "input": "b", "output": "y", "params": {"duration": 1}},
        {"op": "resize", "input": "x", "output": "z", "params": {"width": 64}},
    )
    assert sorted(map(sorted, groups(made, ["x", "y", "z"]))) == [["x", "z"], ["y"]]
    results = {
        r.node.name: r for r in execute(made, ["x", "y", "z"], fresh(settings, tmp_path, "s"), settings)
    }
    assert results["x"].outcome is not None
    assert results["z"].outcome is not None
    assert isinstance(results["y"].error, FfmpegFailed)


def test_only_wanted_streams_are_decoded(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    made = plan(settings, sources, CHAIN[0], {"op": "extract_audio", "input": "cut", "output": "sound"})
    (result,) = execute(made, ["sound"], fresh(settings, tmp_path, "s"), settings)
    assert result.outcome is not None
    (command,) = result.outcome.output.made.commands
    graph = command[command.index("-filter_complex") + 1]
    assert "atrim" in graph
    assert "setpts=" not in graph.replace("asetpts=", "")


def test_progress_covers_every_pass(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    heard: list[JobProgress] = []
    made = plan(settings, sources, *CHAIN)
    execute(made, ["loud"], fresh(settings, tmp_path, "s"), settings, on_progress=heard.append)
    fractions = [progress.fraction for progress in heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "name",
    [
        "-i.mp4",
        "%d.mp4",
        "a'b\"c.mp4",
        "a:b,c;d[e]f=g.mp4",
        "line\nbreak.mp4",
        "日本 ☃.mp4",
        "$(x)`y`.mp4",
        "a\\b.mp4",
    ],
)
def test_a_path_reaches_ffmpeg_exactly_as_it_is(
    settings: Settings, root: Path, tmp_path: Path, name: str
) -> None:
    path = settings.source_root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((root / "source" / "a.mp4").read_bytes())
    os.utime(path, (1, 1))
    made = plan(
        settings,
        {"a": ingested(settings, path)},
        {"op": "trim", "input": "a", "output": "x", "params": {"start": 4, "duration": 1}},
    )
    (result,) = execute(made, ["x"], fresh(settings, tmp_path, "s"), settings)
    assert result.outcome is not None, result.error
    assert len(pictures(settings, result.outcome.output.path)) == 30
    assert hash_file(result.outcome.output.path) == result.outcome.output.content_hash


SLOW: dict[str, Any] = {
    "op": "encode",
    "input": "large",
    "output": "slow",
    "params": {"speed": "veryslow"},
}
LARGE: dict[str, Any] = {"op": "resize", "input": "a", "output": "large", "params": {"width": 1920}}


def test_a_cancelled_job_ends_at_once_and_leaves_nothing(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    made = plan(settings, sources, LARGE, SLOW, {"op": "flip", "input": "b", "output": "flipped"})
    store, cancel = fresh(settings, tmp_path, "s"), threading.Event()
    threading.Timer(0.7, cancel.set).start()
    started = time.monotonic()
    slow, flipped = execute(made, ["slow", "flipped"], store, settings, cancel=cancel)
    assert time.monotonic() - started < 5
    assert isinstance(slow.error, Cancelled)
    assert flipped.outcome is None
    assert list(store) == []
    assert list((store.root / "pending").iterdir()) == []


def test_a_job_has_its_time(settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]) -> None:
    made = plan(settings, sources, LARGE, SLOW)
    (slow,) = execute(made, ["slow"], fresh(settings, tmp_path, "s"), settings, timeout=0.7)
    assert isinstance(slow.error, TimeLimitExceeded)


def test_groups_side_by_side_give_the_same(
    settings: Settings, tmp_path: Path, sources: dict[str, SourceFacts]
) -> None:
    operations: list[dict[str, Any]] = [
        {"op": "flip", "input": name, "output": f"flipped_{name}"} for name in ("a", "b")
    ]
    made = plan(settings, sources, *operations)
    names = [operation["output"] for operation in operations]
    found = [
        [
            r.outcome.output.content_hash
            for r in execute(made, names, store, settings, workers=n)
            if r.outcome
        ]
        for n, store in ((1, fresh(settings, tmp_path, "one")), (2, fresh(settings, tmp_path, "two")))
    ]
    assert None not in found[0]
    assert found[0] == found[1]


def test_an_error_names_node_and_file_and_says_what_ffmpeg_said(settings: Settings, tmp_path: Path) -> None:
    path = clip(settings, settings.source_root / "broken.mp4")
    source = ingested(settings, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    made = plan(settings, {"a": source}, {"op": "flip", "input": "a", "output": "flipped"})
    (result,) = execute(made, ["flipped"], fresh(settings, tmp_path, "s"), settings)
    assert result.error is not None
    assert result.error.where == "flipped (from broken.mp4)"
    assert len(result.error.message) > 20


@pytest.mark.parametrize(
    ("message", "status", "passing"),
    [
        ("Cannot allocate memory", 1, True),
        ("fork: Resource temporarily unavailable", 1, True),
        ("nothing was said", -9, True),
        ("Invalid data found when processing input", 1, False),
        ("No such filter: 'x'", 8, False),
        ("Conversion failed!", 69, False),
    ],
)
def test_only_faults_that_pass_are_tried_again(message: str, status: int, passing: bool) -> None:
    assert is_passing(FfmpegFailed(message, command=[], returncode=status)) is passing
