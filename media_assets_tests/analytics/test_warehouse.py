from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from media_assets.analytics.events import EventWriter
from media_assets.analytics.segments import list_segments
from media_assets.analytics.warehouse import (
    Connection,
    LoadReport,
    WarehouseBusy,
    connect,
    events_version,
    last_events,
    load_events,
    lost_sequences,
    operation_statistics,
    store_operation_performance,
    stored_events,
)
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event

SPAWN = multiprocessing.get_context("spawn")


def load(settings: Settings) -> LoadReport:
    with connect(settings.warehouse_path) as connection:
        return load_events(connection, settings.event_root)


def append(writer: EventWriter, count: int) -> list[str]:
    return [
        writer.append(new_event("trim", f"effect_trim_{n:016x}", "rendered")).event_id for n in range(count)
    ]


def rejected(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute('SELECT line, reason FROM rejected_lines ORDER BY "offset"').fetchall()


def test_a_load_takes_what_is_new_and_keeps_a_live_writers_segment(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    ids = append(writer, 3)
    assert load(settings) == LoadReport(loaded=3, segments_read=1)
    assert load(settings) == LoadReport()
    ids += append(writer, 2)
    assert load(settings) == LoadReport(loaded=2, segments_read=1)
    assert len(list_segments(settings.event_root)) == 1
    writer.close()
    assert load(settings) == LoadReport(segments_removed=1)
    assert list_segments(settings.event_root) == []
    with connect(settings.warehouse_path) as connection:
        assert {record["event_id"] for record in stored_events(connection, 10)} == set(ids)
        assert load_events(connection, settings.event_root) == LoadReport()
        assert connection.execute("SELECT count(*) FROM segment_offsets").fetchone() == (0,)


def test_a_loaded_event_is_the_one_that_was_written(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    written = [
        writer.append(
            new_event(
                "resize",
                "effect_resize_1",
                "rendered",
                asset="effect_output",
                subject="s_test_" + "1" * 32,
                chain="c_test_" + "2" * 32,
                position=2,
                previous="trim",
                fingerprint="f" * 64,
                seconds=1.5,
                cpu_seconds=2.25,
                peak_memory_bytes=1 << 40,
                ffmpeg_runs=2,
                input_seconds=4.0,
                output_seconds=3.0,
                bytes_written=99,
                speed=2.0,
                parameters={"width": 640, "keep": True, "factor": 0.5, "codec": "libx264"},
            )
        ),
        writer.append(new_event("probe", "src_\u00e9", "failed", error=OSError("x"))),
    ]
    load(settings)
    with connect(settings.warehouse_path, read_only=True) as connection:
        assert stored_events(connection, 5) == [one.record() for one in reversed(written)]


def test_an_event_that_was_retried_is_loaded_once(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    event = new_event("trim", "effect_trim_1", "rendered")
    writer.append(event)
    writer.append(event)
    assert load(settings) == LoadReport(loaded=1, duplicates=1, segments_read=1)
    writer.append(event)
    append(writer, 1)
    assert load(settings) == LoadReport(loaded=1, duplicates=1, segments_read=1)
    with connect(settings.warehouse_path) as connection:
        assert lost_sequences(connection).empty


def test_bad_lines_are_kept_aside_and_stop_nothing(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    append(writer, 2)
    (path,) = list_segments(settings.event_root)
    good = path.read_bytes().splitlines()
    writer.close()
    record = json.loads(good[0])
    bad = [
        b"not json",
        b"\xff\xfe latin",
        b"[1, 2]",
        b"",
        b"[" * 100_000,
        b'{"event_id": 1}',
        json.dumps({**record, "duration_ms": "long"}).encode(),
        json.dumps({**record, "duration_ms": float("nan")}).encode(),
        json.dumps({**record, "outcome": ["cached"]}).encode(),
        json.dumps({**record, "workflow": "half \ud800"}).encode(),
        json.dumps({**record, "bytes_written": 1 << 70}).encode(),
        json.dumps({**record, "timestamp": "0001-01-01T00:00:00+10:00"}).encode(),
    ]
    path.write_bytes(b"\n".join([good[0], *bad, good[1]]) + b"\n" + good[0][:40])
    assert load(settings) == LoadReport(
        loaded=2, malformed=len(bad), torn=1, segments_read=1, segments_removed=1
    )
    with connect(settings.warehouse_path) as connection:
        lines = rejected(connection)
    assert len(lines) == len(bad) + 1
    assert lines[0] == ("not json", "not JSON")
    assert lines[1] == ("\ufffd\ufffd latin", "not UTF-8")
    assert lines[-1] == (good[0][:40].decode(), "torn")
    assert max(len(line) for line, _ in lines) <= 500


def test_text_in_a_foreign_line_does_not_reach_the_warehouse(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    append(writer, 1)
    (path,) = list_segments(settings.event_root)
    record = json.loads(path.read_bytes())
    writer.close()
    foreign = {**record, "parameters": {"start": 1, "text": "hello", "file": "a.mp4"}, "added_later": 1}
    path.write_text(json.dumps(foreign) + "\n")
    load(settings)
    with connect(settings.warehouse_path) as connection:
        (stored,) = stored_events(connection, 1)
    record.pop("schema")
    assert {name: stored[name] for name in record} == {**record, "parameters": {"start": 1}}
    assert stored["width"] is None


def test_an_event_in_another_time_zone_is_stored_in_utc(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    writer.append(new_event("trim", "effect_trim_1", "rendered", timestamp="2026-11-05T06:00:00+02:00"))
    load(settings)
    with connect(settings.warehouse_path) as connection:
        assert stored_events(connection, 1)[0]["timestamp"] == "2026-11-05T04:00:00.000000+00:00"


def test_the_unfinished_line_of_a_live_writer_waits(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    append(writer, 1)
    (path,) = list_segments(settings.event_root)
    line = path.read_bytes().replace(b'"sequence":1', b'"sequence":2')
    line = line.replace(json.loads(line)["event_id"][:8].encode(), b"00000000", 1)  # another event
    with path.open("ab") as file:
        file.write(line[:30])
    assert load(settings) == LoadReport(loaded=1, segments_read=1)
    with path.open("ab") as file:
        file.write(line[30:])
    assert load(settings) == LoadReport(loaded=1, segments_read=1)
    writer.close()


def test_more_segments_than_fit_a_batch_are_all_loaded(settings: Settings) -> None:
    writer = EventWriter(settings.event_root, roll_bytes=1)
    ids = append(writer, 230)
    writer.close()
    assert load(settings) == LoadReport(loaded=230, segments_read=230, segments_removed=230)
    with connect(settings.warehouse_path) as connection:
        assert {record["event_id"] for record in stored_events(connection, 999)} == set(ids)


def test_a_gap_in_a_writers_sequence_is_found(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    append(writer, 5)
    (path,) = list_segments(settings.event_root)
    lines = path.read_bytes().splitlines(True)
    name = writer.writer
    writer.close()
    path.write_bytes(b"".join(lines[:1] + lines[3:]))
    load(settings)
    with connect(settings.warehouse_path) as connection:
        assert lost_sequences(connection).to_dict("records") == [{"writer": name, "last": 5, "missing": 2}]


def test_statistics_are_those_counted_by_hand(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    for seconds, speed in ((1.0, 4.0), (2.0, 2.0), (3.0, None), (4.0, 1.0), (5.0, 1.0)):
        writer.append(
            new_event(
                "trim",
                "t",
                "rendered",
                seconds=seconds,
                speed=speed,
                cpu_seconds=2.0,
                bytes_written=1 << 40,
            )
        )
    for _ in range(3):
        writer.append(new_event("trim", "t", "cached", seconds=0.001))
    writer.append(new_event("trim", "t", "failed", seconds=60.0, cpu_seconds=0.5, error="FfmpegFailed"))
    writer.append(new_event("probe", "s", "cached", seconds=0.001))
    load(settings)
    with connect(settings.warehouse_path) as connection:
        frame = operation_statistics(connection)
        stored = store_operation_performance(connection)
        assert connection.table("operation_performance").df().equals(frame)
    assert stored.equals(frame)
    trim, probe = frame.to_dict("records")
    assert trim == {
        "operation": "trim",
        "count": 9,
        "rendered": 5,
        "cached": 3,
        "failed": 1,
        "success_rate": pytest.approx(8 / 9),
        "cache_hit_rate": pytest.approx(3 / 9),
        "p50_seconds": 3.0,
        "p95_seconds": pytest.approx(4.8),
        "mean_speed": 2.0,
        "cpu_seconds": 10.5,
        "bytes_written": 5 << 40,
    }
    assert (probe["operation"], probe["count"], probe["cache_hit_rate"]) == ("probe", 1, 1.0)
    assert probe["p50_seconds"] != probe["p50_seconds"]


def test_the_version_changes_only_when_events_are_added(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    versions = []
    for added in (0, 1, 0, 1):
        append(writer, added)
        with connect(settings.warehouse_path) as connection:
            load_events(connection, settings.event_root)
            versions.append(events_version(connection))
    assert [count for count, _ in versions] == [0, 1, 1, 2]
    assert len({version for _, version in versions}) == 3


def test_last_events_are_those_loaded_and_those_waiting(settings: Settings) -> None:
    assert last_events(settings, 3) == []
    assert not settings.data_root.exists()
    writer = EventWriter(settings.event_root)
    ids = append(writer, 4)
    assert [record["event_id"] for record in last_events(settings, 2)] == ids[:1:-1]
    assert not settings.warehouse_path.exists()
    load(settings)
    ids += append(writer, 2)
    before = {path: path.read_bytes() for path in settings.data_root.rglob("*") if path.is_file()}
    assert [record["event_id"] for record in last_events(settings, 4)] == ids[:1:-1]
    assert [record["event_id"] for record in last_events(settings, 99)] == ids[::-1]
    assert {p: p.read_bytes() for p in settings.data_root.rglob("*") if p.is_file()} == before


def test_a_warehouse_in_use_says_so(settings: Settings) -> None:
    with (
        connect(settings.warehouse_path),
        pytest.raises(WarehouseBusy, match="in use"),
        connect(settings.warehouse_path, timeout=0.1),
    ):
        pass


def test_a_connection_is_closed_when_its_body_raises(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), connect(settings.warehouse_path) as connection:
        connection.begin()
        connection.execute("CREATE TABLE half (x INTEGER)")
        raise ZeroDivisionError
    with pytest.raises(duckdb.ConnectionException):
        connection.execute("SELECT 1")
    with connect(settings.warehouse_path, timeout=1) as connection:
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert ("half",) not in tables


def test_reading_a_warehouse_that_is_not_there_makes_none(settings: Settings) -> None:
    with (
        pytest.raises(MediaAssetsError, match="no warehouse yet"),
        connect(settings.warehouse_path, read_only=True),
    ):
        pass
    assert not settings.data_root.exists()


def _die_with_an_uncheckpointed_commit(path: str, root: str) -> None:
    with connect(Path(path)) as connection:
        load_events(connection, Path(root))
        os._exit(9)


def test_last_events_reads_what_a_killed_loader_left(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    ids = append(writer, 3)
    writer.close()
    process = SPAWN.Process(
        target=_die_with_an_uncheckpointed_commit,
        args=(str(settings.warehouse_path), str(settings.event_root)),
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert list_segments(settings.event_root) == []
    assert [record["event_id"] for record in last_events(settings, 9)] == ids[::-1]
