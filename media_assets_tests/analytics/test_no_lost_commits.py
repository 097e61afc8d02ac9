"""What processes acknowledged is in the warehouse exactly once, whoever is killed when."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from media_assets.analytics.events import EventWriter
from media_assets.analytics.segments import list_segments
from media_assets.analytics.warehouse import LoadReport, connect, load_events, lost_sequences
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event

SPAWN = multiprocessing.get_context("spawn")
ROUNDS = 5


def _write(root: str, acknowledged: str, count: int) -> None:
    """Append events; each one's id goes to a file of acknowledgements after `append` returned."""
    writer = EventWriter(Path(root), roll_bytes=20_000)
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(count):
        event = writer.append(new_event("trim", f"effect_trim_{number:016x}", "rendered", seconds=1.0))
        os.write(file, event.event_id.encode() + b"\n")
    writer.close()


def _load_for_ever(warehouse: str, root: str) -> None:
    while True:
        with connect(Path(warehouse)) as connection:
            load_events(connection, Path(root))


def _count_up(warehouse: str, name: str, commits: int, acknowledged: str) -> None:
    """Open, commit one row and close, again and again."""
    file = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(commits):
        with connect(Path(warehouse)) as connection:
            connection.execute("INSERT INTO turns VALUES (?, ?)", [name, number])
        os.write(file, f"{name} {number}\n".encode())


def acknowledged_under(folder: Path) -> list[str]:
    return [line for path in folder.glob("*.ack") for line in path.read_text().splitlines()]


def stored(settings: Settings) -> Counter[str]:
    with connect(settings.warehouse_path) as connection:
        rows = connection.execute("SELECT CAST(event_id AS VARCHAR) FROM operation_events").fetchall()
        assert lost_sequences(connection).empty
    return Counter(event_id for (event_id,) in rows)


def start(target: object, *args: object) -> BaseProcess:
    process = SPAWN.Process(target=target, args=args)  # type: ignore[arg-type]
    process.start()
    return process


def kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_concurrent_writers_and_a_loader_store_every_event_once(settings: Settings, tmp_path: Path) -> None:
    root, warehouse = str(settings.event_root), str(settings.warehouse_path)
    writers = [start(_write, root, str(tmp_path / f"{n}.ack"), 400) for n in range(4)]
    loader = start(_load_for_ever, warehouse, root)
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    kill(loader)
    with connect(settings.warehouse_path) as connection:
        report = load_events(connection, settings.event_root)
    assert (report.torn, report.malformed) == (0, 0)
    assert list_segments(settings.event_root) == []
    counts = stored(settings)
    assert sorted(counts) == sorted(acknowledged_under(tmp_path))
    assert len(counts) == 1600
    assert set(counts.values()) == {1}


@pytest.mark.timeout(120)
def test_killing_writers_and_loaders_loses_nothing_and_doubles_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    root, warehouse = str(settings.event_root), str(settings.warehouse_path)
    writers: list[BaseProcess] = []
    loaders: list[BaseProcess] = []
    for number in range(ROUNDS):
        # The next round's processes start while this round's work: starting is the slow part.
        writers.append(start(_write, root, str(tmp_path / f"{number}.ack"), 100_000))
        loaders.append(start(_load_for_ever, warehouse, root))
        if number:
            wait_for(tmp_path / f"{number - 1}.ack")
            time.sleep(0.1 + 0.03 * number)
            kill(writers.pop(0))
            kill(loaders.pop(0))
    wait_for(tmp_path / f"{ROUNDS - 1}.ack")
    time.sleep(0.3)
    kill(writers.pop())
    kill(loaders.pop())
    with connect(settings.warehouse_path) as connection:
        load_events(connection, settings.event_root)
        assert load_events(connection, settings.event_root) == LoadReport()
    assert list_segments(settings.event_root) == []
    counts = stored(settings)
    acknowledged = acknowledged_under(tmp_path)
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(counts)
    assert set(counts.values()) == {1}
    # A writer killed between the disk and its caller may have stored one event that nobody knows of.
    assert len(counts) - len(acknowledged) <= ROUNDS


def wait_for(path: Path) -> None:
    limit = time.monotonic() + 30
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_processes_that_open_one_warehouse_in_turn_lose_no_commit(
    settings: Settings, tmp_path: Path
) -> None:
    with connect(settings.warehouse_path) as connection:
        connection.execute("CREATE TABLE turns (name VARCHAR, number INTEGER)")
    processes = [
        start(_count_up, str(settings.warehouse_path), str(n), 25, str(tmp_path / f"{n}.ack"))
        for n in range(4)
    ]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    with connect(settings.warehouse_path) as connection:
        rows = connection.execute("SELECT name || ' ' || number FROM turns").fetchall()
    assert sorted(row for (row,) in rows) == sorted(acknowledged_under(tmp_path))
    assert len(rows) == 100
