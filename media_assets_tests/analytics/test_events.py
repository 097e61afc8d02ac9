from __future__ import annotations

import json
import math
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from media_assets.analytics import segments
from media_assets.analytics.events import EventWriter, read_events, writer_for
from media_assets.analytics.reading import parse_line
from media_assets.analytics.schema import OperationEvent
from media_assets.analytics.schema.sanitising import sanitise_parameters
from media_assets.errors import BadInput, DiskFull
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event

SPAWN = multiprocessing.get_context("spawn")


class Codec(Enum):
    H264 = "h264"


def event(number: int = 0, **values: Any) -> OperationEvent:
    return new_event("trim", f"effect_trim_{number:016x}", "rendered", seconds=1.0, **values)


def lines_under(root: Path) -> list[bytes]:
    return [line for path in segments.list_segments(root) for line in path.read_bytes().splitlines(True)]


def test_an_appended_event_reads_back_as_it_was(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    written = writer.append(event(1, parameters={"start": 2.5, "codec": Codec.H264}, bytes_written=7))
    (line,) = lines_under(tmp_path)
    assert parse_line(line) == written.record()
    assert read_events(tmp_path, last=5) == [written.record()]
    assert written.writer == writer.writer


def test_ids_sort_by_time_and_sequences_count_up(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    written = [writer.append(event(number)) for number in range(20)]
    assert [one.sequence for one in written] == list(range(1, 21))
    assert sorted(one.event_id for one in written) == [one.event_id for one in written]
    assert [r["output"] for r in read_events(tmp_path, last=3)] == [one.output for one in written[:-4:-1]]


def test_threads_share_a_segment_and_tear_no_line(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    with ThreadPoolExecutor(8) as threads:
        written = list(threads.map(lambda number: writer.append(event(number)), range(200)))
    assert len(segments.list_segments(tmp_path)) == 1
    assert sorted(one.sequence for one in written) == list(range(1, 201))
    assert {parse_line(line)["event_id"] for line in lines_under(tmp_path)} == {o.event_id for o in written}


def test_a_segment_rolls_at_its_size_and_at_its_age(tmp_path: Path) -> None:
    by_size = EventWriter(tmp_path / "size", roll_bytes=900)
    by_age = EventWriter(tmp_path / "age", roll_seconds=1e-9)
    for number in range(6):
        by_size.append(event(number))
        by_age.append(event(number))
    assert len(segments.list_segments(tmp_path / "age")) == 6
    assert len(segments.list_segments(tmp_path / "size")) == 3
    assert [json.loads(line)["sequence"] for line in lines_under(tmp_path / "size")] == [1, 2, 3, 4, 5, 6]


def test_the_lock_says_whether_a_writer_is_left(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    writer.append(event())
    (path,) = segments.list_segments(tmp_path)
    with segments.open_segment(path) as segment:
        assert not segment.finished
    writer.close()
    with segments.open_segment(path) as segment:
        assert segment.finished
        assert segment.read_from(0) == path.read_bytes()


def test_a_process_has_one_writer_per_event_folder(tmp_path: Path) -> None:
    one, other = (Settings.from_environment(tmp_path / name) for name in "ab")
    assert writer_for(one) is writer_for(Settings.from_environment(tmp_path / "a"))
    assert writer_for(one) is not writer_for(other)


def _fork_and_append(root: str, results: Any) -> None:
    """In a process of its own, so that what forks has no threads but the one that holds the lock."""
    writer = EventWriter(Path(root))
    parent = writer.append(event(1))
    # Another thread is inside the writer at the moment of the fork.
    held = threading.Event()
    release = threading.Event()

    def hold() -> None:
        with writer._lock:
            held.set()
            release.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        results.put(writer.append(event(2)).record())
        results.close()
        results.join_thread()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    release.set()
    thread.join()
    results.put(parent.record())
    results.put(writer.append(event(3)).record())
    results.put({"status": status})


def test_a_fork_gets_a_segment_of_its_own(tmp_path: Path) -> None:
    results = SPAWN.Queue()
    process = SPAWN.Process(target=_fork_and_append, args=(str(tmp_path), results))
    process.start()
    child, first, second, last = (results.get(timeout=60) for _ in range(4))
    process.join()
    assert last["status"] == 0
    assert child["writer"] != first["writer"] == second["writer"]
    assert (child["sequence"], first["sequence"], second["sequence"]) == (1, 1, 2)
    by_segment = [
        {json.loads(line)["writer"] for line in path.read_bytes().splitlines()}
        for path in segments.list_segments(tmp_path)
    ]
    assert sorted(map(sorted, by_segment)) == sorted([[child["writer"]], [first["writer"]]])


def _fill_up(root: str, results: Any) -> None:
    """Files may grow to 2,500 bytes: a write past that is short, the next fails, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = EventWriter(Path(root))
    sequences = [writer.append(event(0)).sequence]
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, hard))
    sequences += [writer.append(event(number)).sequence for number in range(1, 10)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    refused = []
    for number in range(10, 13):
        try:
            writer.append(event(number))
        except DiskFull as error:
            refused.append(error.code)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    sequences.append(writer.append(event(13)).sequence)
    results.put((sequences, refused))


def test_a_full_disk_tears_a_line_and_loses_no_acknowledged_event(tmp_path: Path) -> None:
    results = SPAWN.Queue()
    process = SPAWN.Process(target=_fill_up, args=(str(tmp_path), results))
    process.start()
    sequences, refused = results.get(timeout=60)
    process.join()
    assert sequences == list(range(1, 12))
    assert refused == ["DiskFull"] * 3
    torn = [line for line in lines_under(tmp_path) if not line.endswith(b"\n")]
    assert torn
    assert {r["output"][-1] for r in read_events(tmp_path, last=100)} == set("0123456789d")


@pytest.mark.parametrize(
    ("parameters", "kept"),
    [
        ({"start": 1, "factor": 0.5, "loop": True}, {"start": 1, "factor": 0.5, "loop": True}),
        ({"codec": Codec.H264, "size": "1280x720", "ratio": "16:9"}, None),
        ({"rate": "29.97", "layout": "5.1", "preset": "very-fast"}, None),
        ({"overlay": "/home/someone/clip.mp4", "music": "song.mp3", "look": "film.3dl"}, {}),
        ({"text": "hello", "font": "arial", "output_path": "out", "user_name": "ann"}, {}),
        ({"word": "Hello there", "note": "x" * 25, "accent": "caf\u00e9"}, {}),
        ({"points": [1, 2], "inner": {"a": 1}, "nothing": None, "raw": b"x"}, {}),
        ({"gain": math.inf, "ratio": math.nan, "huge": 1 << 70}, {}),
        ({"Some Title": 1, "/etc/passwd": 2}, {}),
    ],
)
def test_parameters_keep_numbers_and_tokens_only(parameters: dict[str, Any], kept: Any) -> None:
    expected = parameters if kept is None else kept
    plain = {key: value.value if isinstance(value, Enum) else value for key, value in expected.items()}
    assert sanitise_parameters(parameters) == plain


def test_an_error_leaves_its_name_and_no_words(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path)
    writer.append(new_event("probe", "src_a_mp4", "failed", error=ValueError("/home/someone/secret.mp4")))
    writer.append(new_event("probe", "src_a_mp4", "failed", error="No such file: /home/someone/secret.mp4"))
    newer, older = read_events(tmp_path, last=2)
    assert (older["error"], newer["error"]) == ("ValueError", "UnknownError")
    assert (older["success"], newer["success"]) == (False, False)
    assert b"secret" not in b"".join(lines_under(tmp_path))


@pytest.mark.parametrize(
    "values",
    [
        {"seconds": math.nan},
        {"cpu_seconds": -1.0},
        {"bytes_written": 1.5},
        {"bytes_written": 1 << 63},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-05T04:49:40"},
        {"event_id": "1"},
        {"subject": "src_lookin_mp4"},
        {"output": "komp_wedding/s1"},
        {"workflow": "half \ud800"},
        {"asset": "a\0b"},
        {"run": 7},
        {"previous": "trim>a>b>c>d>e>f"},
    ],
)
def test_what_could_not_be_loaded_is_not_written(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        new_event("trim", "effect_trim_1", "rendered", **values)


def test_a_speed_that_is_not_finite_is_left_out() -> None:
    assert event(speed=math.inf).speed is None
    assert event(speed=2.0).speed == 2.0


def test_reading_events_needs_no_folder_and_skips_bad_lines(tmp_path: Path) -> None:
    assert read_events(tmp_path / "missing", last=3) == []
    writer = EventWriter(tmp_path)
    good = writer.append(event())
    (tmp_path / "0-other.ndjson").write_bytes(
        b'{"a": 1}\n\xff\xfe\nnonsense\n' + lines_under(tmp_path)[0][:50]
    )
    assert [r["event_id"] for r in read_events(tmp_path, last=3)] == [good.event_id]
    assert read_events(tmp_path, last=0) == []
