"""The daily export, the copy for readers, and warehouses of the first schema."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from media_assets.analytics.connection import connect
from media_assets.analytics.events import EventWriter
from media_assets.analytics.exporting import day_path
from media_assets.analytics.loading import LoadReport, load_events
from media_assets.analytics.making import new_error, new_workflow
from media_assets.analytics.origin import pseudonym
from media_assets.analytics.publishing import publish_marts, read_marts
from media_assets.analytics.schema import ErrorEvent, OperationEvent, WorkflowEvent
from media_assets.analytics.segments import list_segments
from media_assets.analytics.warehouse import lost_sequences, schema_problems, stored_events
from media_assets.cli import app
from media_assets.errors import BadInput
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import KEY, ORIGIN, new_event

DAY = date(2026, 11, 5)


def load(settings: Settings) -> LoadReport:
    with connect(settings.warehouse_path) as connection:
        report = load_events(connection, settings.event_root, settings.export_root)
        publish_marts(connection, settings.warehouse_path, settings.marts_path)
        return report


def exported(path: Path) -> list[str]:
    rows = (
        duckdb.connect().execute("SELECT operation FROM read_parquet(?) ORDER BY 1", [str(path)]).fetchall()
    )
    return [operation for (operation,) in rows]


def test_each_day_of_each_kind_is_a_file_and_a_late_event_joins_it(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    writer.append(new_event("trim", "a", "rendered", timestamp="2026-11-05T23:59:59.9+00:00"))
    writer.append(new_event("resize", "a", "rendered", timestamp="2026-11-06T01:00:00+02:00"))
    writer.append(new_event("fade", "a", "rendered", timestamp="2026-11-06T00:00:00+00:00"))
    writer.append(new_workflow(ORIGIN, "job", "done", timestamp="2026-11-05T12:00:00+00:00"))
    writer.append(new_error(ORIGIN, "ingest", "NotMedia", timestamp="2026-11-05T12:00:00+00:00"))
    assert load(settings).days_exported == 4
    path = day_path(settings.export_root, OperationEvent, DAY)
    assert exported(path) == ["resize", "trim"]
    assert exported(day_path(settings.export_root, OperationEvent, date(2026, 11, 6))) == ["fade"]
    assert day_path(settings.export_root, WorkflowEvent, DAY).exists()
    assert day_path(settings.export_root, ErrorEvent, DAY).exists()
    other = day_path(settings.export_root, OperationEvent, date(2026, 11, 6)).stat().st_mtime_ns
    writer.append(new_event("crop", "a", "rendered", timestamp="2026-11-05T08:00:00+00:00"))
    writer.close()
    assert load(settings) == LoadReport(loaded=1, segments_read=1, segments_removed=1, days_exported=1)
    assert exported(path) == ["crop", "resize", "trim"]
    assert day_path(settings.export_root, OperationEvent, date(2026, 11, 6)).stat().st_mtime_ns == other
    with connect(settings.warehouse_path) as connection:
        assert lost_sequences(connection).empty
    types = dict(
        duckdb.connect()
        .execute("SELECT column_name, column_type FROM (DESCRIBE FROM read_parquet(?))", [str(path)])
        .fetchall()
    )
    assert (types["timestamp"], types["event_id"]) == ("TIMESTAMP WITH TIME ZONE", "VARCHAR")


def test_a_segment_stays_until_its_day_is_exported(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    writer.append(new_event("trim", "a", "rendered"))
    writer.close()
    settings.export_root.parent.mkdir(parents=True)
    settings.export_root.write_text("in the way")
    with connect(settings.warehouse_path) as connection, pytest.raises((OSError, duckdb.Error)):
        load_events(connection, settings.event_root, settings.export_root)
    assert len(list_segments(settings.event_root)) == 1
    settings.export_root.unlink()
    assert load(settings) == LoadReport(segments_removed=1, days_exported=1)
    today = datetime.now(UTC).date()
    assert exported(day_path(settings.export_root, OperationEvent, today)) == ["trim"]


def test_readers_of_the_marts_can_change_nothing_and_reach_no_file(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    writer.append(new_event("trim", "a", "rendered", seconds=2.0))
    (path,) = list_segments(settings.event_root)
    with path.open("ab") as file:
        file.write(b"not an event of /home/ann\n")
    load(settings)
    with read_marts(settings.marts_path) as marts:
        assert marts.execute("SELECT operation, seconds FROM operations").fetchall() == [("trim", 2.0)]
        tables = {name for (name,) in marts.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert tables == {"operation_events", "workflow_events", "error_events"}
        for forbidden in (
            "DELETE FROM operation_events",
            "CREATE TABLE x (a INTEGER)",
            f"FROM read_text('{settings.warehouse_path}')",
            f"ATTACH '{settings.warehouse_path}' AS other",
            "COPY operation_events TO '/tmp/never.csv'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                marts.execute(forbidden)
        writer.append(new_event("trim", "b", "rendered"))
        load(settings)
        assert marts.execute("SELECT count(*) FROM operations").fetchone() == (1,)
    with read_marts(settings.marts_path) as marts:
        assert marts.execute("SELECT count(*) FROM operations").fetchone() == (2,)


def test_sql_prints_rows_as_json_and_csv_and_says_what_is_wrong(settings: Settings) -> None:
    writer = EventWriter(settings.event_root)
    writer.append(new_event("trim", "a", "rendered"))
    data = ["--data", str(settings.data_root)]
    assert "nothing was loaded" in str(CliRunner().invoke(app, ["sql", "SELECT 1", *data]).exception)
    load(settings)
    query = 'SELECT operation, event_id, "timestamp", fps FROM operations'
    (row,) = json.loads(CliRunner().invoke(app, ["sql", query, *data, "--json"]).stdout)["rows"]
    assert (row["operation"], row["fps"], len(row["event_id"])) == ("trim", None, 36)
    csv = (
        CliRunner()
        .invoke(app, ["sql", "SELECT operation, 'a,b' AS x FROM operations", *data, "--csv"])
        .stdout
    )
    assert csv.splitlines() == ["operation,x", 'trim,"a,b"']
    for wrong in ("SELECT nothing FROM operations", "nonsense", "DROP TABLE operation_events"):
        failed = CliRunner().invoke(app, ["sql", wrong, *data])
        assert isinstance(failed.exception, BadInput), wrong


_FIRST = {
    "event_id": "019a0000-0000-7000-8000-00000000000{}", "timestamp": "2026-11-05T10:00:00.000000+00:00",
    "operation": "komposition_segment", "effect": "komp_wedding/s1", "outcome": "rendered", "success": True,
    "fingerprint": "ab" * 32, "asset": "komposition_video", "partition": "komp_wedding", "run_id": "a-run",
    "error": None, "seconds": 1.5, "cpu_seconds": 2.0, "peak_memory_bytes": 7, "ffmpeg_runs": 1,
    "input_seconds": 0.0, "output_seconds": 3.0, "output_bytes": 99, "speed": 2.0,
    "parameters": {"start": 1}, "writer": "0123456789abcdef",
}  # fmt: skip


def _first(number: int, **more: object) -> dict[str, object]:
    return {**_FIRST, "event_id": str(_FIRST["event_id"]).format(number), "sequence": number, **more}


def test_lines_of_the_first_schema_are_loaded_without_their_names(settings: Settings) -> None:
    settings.event_root.mkdir(parents=True)
    path = settings.event_root / "20261105T100000000000Z-1-00000000.ndjson"
    lines = [_first(1), _first(2, asset="web_preview/small", effect="effect_trim_" + "0" * 16), _first(3)]
    del lines[2]["operation"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with connect(settings.warehouse_path) as connection:
        report = load_events(connection, settings.event_root, pseudonym=partial(pseudonym, KEY))
        other, komposition = stored_events(connection, 5)
    assert (report.loaded, report.malformed) == (2, 1)
    assert komposition["output"] == pseudonym(KEY, "o", "komp_wedding/s1")
    assert komposition["subject"] == ORIGIN.subject("komp_wedding")
    assert (komposition["duration_ms"], komposition["bytes_written"]) == (1500.0, 99)
    assert (other["workflow"], other["output"]) == ("web_preview", "effect_trim_" + "0" * 16)


def test_a_warehouse_of_the_first_schema_is_migrated_and_forgets_the_names(settings: Settings) -> None:
    path = settings.warehouse_path
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as old:
        old.execute(
            """
            CREATE TABLE operation_events (
                event_id UUID, "timestamp" TIMESTAMP, operation VARCHAR, effect VARCHAR, outcome VARCHAR,
                success BOOLEAN, fingerprint VARCHAR, asset VARCHAR, partition VARCHAR, run_id VARCHAR,
                error VARCHAR, seconds DOUBLE, cpu_seconds DOUBLE, peak_memory_bytes BIGINT,
                ffmpeg_runs BIGINT, input_seconds DOUBLE, output_seconds DOUBLE, output_bytes BIGINT,
                speed DOUBLE, parameters JSON, writer VARCHAR, sequence BIGINT
            )
            """
        )
        for number in (1, 2, 3):
            row = _first(number, parameters='{"start":1}', timestamp="2026-11-05 10:00:00")
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            old.execute(f"INSERT INTO operation_events ({names}) VALUES ({marks})", list(row.values()))  # noqa: S608
        old.execute("CREATE TABLE segment_offsets (segment VARCHAR NOT NULL, loaded_bytes BIGINT NOT NULL)")
    assert b"wedding" in path.read_bytes()
    with connect(path) as connection:
        assert schema_problems(connection) == []
        assert lost_sequences(connection).empty
        stored = stored_events(connection, 5)
    assert [(one["duration_ms"], one["parameters"]) for one in stored] == [(1500.0, {"start": 1})] * 3
    assert len({one["subject"] for one in stored}) == 1
    assert b"wedding" not in path.read_bytes()
