"""Events under load: writers, a loader and readers at once, kills of them, and the rate of loading."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import statistics
import tempfile
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from media_assets.analytics.connection import connect
from media_assets.analytics.events import EventWriter
from media_assets.analytics.exporting import day_path
from media_assets.analytics.keyring import Key
from media_assets.analytics.loading import load_events
from media_assets.analytics.making import new_operation
from media_assets.analytics.origin import Origin, pseudonym
from media_assets.analytics.publishing import publish_marts, read_marts
from media_assets.analytics.schema import OperationEvent
from media_assets.analytics.segments import list_segments
from media_assets.analytics.warehouse import lost_sequences
from media_assets.settings import Settings

WRITERS, EVENTS, READERS, KILLS, LOADED = 8, 10_000, 4, 50, 200_000
_OF_A_SEGMENT = 7_000
_SPAWN = multiprocessing.get_context("spawn")
_KEY = Key("bench", bytes(32), "2026-01-01T00:00:00+00:00")
_READ = "SELECT operation, count(*), median(seconds) FROM operations GROUP BY operation"


def run(runs: int, *, writers: int = WRITERS, events: int = EVENTS, kills: int = KILLS) -> dict[str, Any]:
    """Measure all three; `runs` is not asked: each takes as many events as its figure needs."""
    return {
        **_together(writers, events),
        **_killed(kills),
        **_rate(LOADED),
    }


def full_event(number: int) -> OperationEvent:
    """An event with every field, as an effect of a long chain has."""
    origin = Origin(pseudonym(_KEY, "u", str(number % 50)), "dagster", "linux-x86_64-2", "a-run", _KEY)
    return new_operation(
        origin,
        "resize",
        "rendered",
        parameters={"width": 640, "height": 360, "fit": "pad", "start": number / 7},
        duration_ms=number % 977 + 0.25,
        cpu_seconds=number % 97 / 8,
        peak_memory_bytes=200_000_000 + number,
        bytes_read=10_000_000 + number,
        bytes_written=1_000_000 + number,
        ffmpeg_runs=1,
        input_seconds=12.5,
        output_seconds=12.5,
        speed=3.5,
        expected_cpu_seconds=4.0,
        expected_bytes=900_000,
        output=f"effect_resize_{number:016x}",
        subject=origin.subject(str(number)),
        fingerprint=pseudonym(_KEY, "f", str(number))[-32:] * 2,
        asset="web_preview/small",
        workflow="web_preview",
        chain=origin.chain(str(number)),
        position=2,
        previous="trim",
        source_kind="video",
        source_codec="h264",
        output_format="mp4",
        size_category="medium",
        fps=29.97,
        resolution_class="fullhd",
        width=1920,
        height=1080,
    )


def _together(writers: int, events: int) -> dict[str, Any]:
    """Writers, a loader and readers at once: none lost, none twice, and how long a write takes."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(Path(folder) / "data")
        _load(settings)
        times = _SPAWN.Queue()
        working = [_start(_write, settings.data_root, events, times) for _ in range(writers)]
        others = [_start(_load_for_ever, settings.data_root)]
        others += [_start(_read_for_ever, settings.data_root) for _ in range(READERS)]
        seconds = sorted(second for _ in working for second in times.get(timeout=600))
        for process in working:
            process.join()
        for process in others:
            _kill(process)
        _load(settings)
        found = _stored(settings)
        total = writers * events
        return {
            "events": total,
            "events_lost": total - len(found),
            "events_twice": sum(count - 1 for count in found.values()),
            "write_p50_ms": 1000 * statistics.median(seconds),
            "write_p99_ms": 1000 * seconds[int(len(seconds) * 0.99)],
        }


def _killed(kills: int) -> dict[str, Any]:
    """Writers and loaders killed at random moments: what was acknowledged is there, once."""
    chance = random.Random(1)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(Path(folder) / "data")
        running: list[BaseProcess] = []
        for number in range(kills):
            told = Path(folder) / f"{number}.told"
            running.append(
                _start(_write_and_tell if number % 2 else _load_for_ever, settings.data_root, str(told))
            )
            if len(running) > 4:
                # The oldest is at work by now: starting takes longer than a kill's distance from the next.
                _wait_for(Path(folder) / f"{number - len(running) + 1}.told")
                time.sleep(chance.random() / 2)
                _kill(running.pop(0))
        _wait_for(Path(folder) / f"{kills - 1}.told")
        for process in running:
            _kill(process)
        _load(settings)
        found = _stored(settings)
        said = [line for path in Path(folder).glob("*.told") for line in path.read_text().split()]
        return {
            "kills": kills,
            "acknowledged": len(said),
            "acknowledged_lost": len(set(said) - set(found)),
            "doubled_by_kills": sum(count - 1 for count in found.values()),
        }


def _rate(events: int) -> dict[str, Any]:
    """Events a second into the tables; with the export and the marts; and the growth of the marts."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_environment(Path(folder) / "data")
        settings.event_root.mkdir(parents=True)
        for start in range(0, events, _OF_A_SEGMENT):
            lines = [_line(full_event(n), n + 1) for n in range(start, min(events, start + _OF_A_SEGMENT))]
            path = settings.event_root / f"20260101T{start:012d}Z-1-00000000.ndjson"
            path.write_bytes(b"".join(lines))
        with connect(settings.warehouse_path) as connection:
            started = time.monotonic()
            report = load_events(connection, settings.event_root)
            loaded = time.monotonic() - started
            load_events(connection, settings.event_root, settings.export_root)
            publish_marts(connection, settings.warehouse_path, settings.marts_path)
            whole = time.monotonic() - started
        return {
            "loaded": report.loaded,
            "load_events_a_second": report.loaded / loaded,
            "load_export_publish_events_a_second": report.loaded / whole,
            "marts_bytes_an_event": settings.marts_path.stat().st_size / max(1, report.loaded),
            "seconds_to_load_100k": 100_000 * loaded / max(1, report.loaded),
        }


def _line(event: OperationEvent, sequence: int) -> bytes:
    record = {**event.line(), "writer": "0123456789abcdef", "sequence": sequence}
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _write(root: Path, count: int, times: Any) -> None:
    """Append events, one after another; tell how long each took."""
    writer = EventWriter(Settings.from_environment(root).event_root)
    found = []
    for number in range(count):
        event = full_event(number)
        started = time.perf_counter()
        writer.append(event)
        found.append(time.perf_counter() - started)
    writer.close()
    times.put(found)


def _write_and_tell(root: Path, told: str) -> None:
    writer = EventWriter(Settings.from_environment(root).event_root, roll_bytes=100_000)
    file = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, b"\n")
    number = 0
    while True:
        number += 1
        os.write(file, writer.append(full_event(number)).event_id.encode() + b"\n")


def _load(settings: Settings) -> None:
    with connect(settings.warehouse_path) as connection:
        load_events(connection, settings.event_root, settings.export_root)
        publish_marts(connection, settings.warehouse_path, settings.marts_path)


def _load_for_ever(root: Path, told: str | None = None) -> None:
    if told is not None:
        Path(told).write_text("\n")
    while True:
        _load(Settings.from_environment(root))


def _wait_for(path: Path) -> None:
    limit = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < limit
        time.sleep(0.01)


def _read_for_ever(root: Path) -> None:
    while True:
        with read_marts(Settings.from_environment(root).marts_path) as marts:
            marts.execute(_READ).fetchall()
        time.sleep(0.05)


def _stored(settings: Settings) -> Counter[str]:
    """How often each event is stored; the tables, the export and the marts agree."""
    with connect(settings.warehouse_path) as connection:
        rows = connection.execute(
            'SELECT CAST(event_id AS VARCHAR), CAST("timestamp" AS DATE) FROM operation_events'
        ).fetchall()
        assert lost_sequences(connection).empty
        assert rows
        paths = {str(day_path(settings.export_root, OperationEvent, day)) for _, day in rows}
        exported = connection.execute("SELECT count(*) FROM read_parquet(?)", [sorted(paths)]).fetchone()
        assert exported == (len(rows),)
    with read_marts(settings.marts_path) as marts:
        assert marts.execute("SELECT count(*) FROM operations").fetchone() == (len(rows),)
    assert list_segments(settings.event_root) == []
    return Counter(event for event, _ in rows)


def _start(target: Any, *arguments: Any) -> BaseProcess:
    process = _SPAWN.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _kill(process: BaseProcess) -> None:
    if process.pid is not None:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
