"""Loading events from segments into the warehouse: each exactly once, whatever is killed when."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.schema import Record, parse_line
from media_assets.analytics.segments import OpenSegment, complete_lines, list_segments, open_segment

_BATCH_BYTES = 16 << 20
_BATCH_SEGMENTS = 200
_LINE_SHOWN = 500
_encoder = json.JSONEncoder(separators=(",", ":"))

# Columns as pandas holds them on the way in, in the order of the table. Dtypes are stated because DuckDB
# guesses an object column's type from its first values, and those may all be null.
_DTYPES: dict[str, str] = {
    **dict.fromkeys(("event_id", "timestamp", "operation", "effect", "outcome"), "string"),
    "success": "bool",
    **dict.fromkeys(("fingerprint", "asset", "partition", "run_id", "error"), "string"),
    **dict.fromkeys(("seconds", "cpu_seconds"), "float64"),
    **dict.fromkeys(("peak_memory_bytes", "ffmpeg_runs"), "int64"),
    **dict.fromkeys(("input_seconds", "output_seconds"), "float64"),
    "output_bytes": "int64",
    "speed": "Float64",
    "expected_cpu_seconds": "float64",
    "parameters": "string",
    "writer": "string",
    "sequence": "int64",
}


@dataclass(frozen=True)
class LoadReport:
    """What one load did.

    Attributes:
        loaded: events that are now in the warehouse and were not before.
        duplicates: lines left out because their event was there.
        malformed: whole lines that are not events.
        torn: last lines cut off in mid-line by a writer that is gone: never acknowledged.
        segments_read, segments_removed: segments that had something new, and that were deleted.
    """

    loaded: int = 0
    duplicates: int = 0
    malformed: int = 0
    torn: int = 0
    segments_read: int = 0
    segments_removed: int = 0

    def __add__(self, other: LoadReport) -> LoadReport:
        """Both loads taken as one."""
        return LoadReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )


def load_events(connection: Connection, event_root: Path) -> LoadReport:
    """Load what is new in the segments under `event_root`, and delete those that are through.

    Rows and read positions are committed together, so a load killed at any moment loses nothing and
    loads nothing twice. A bad line is put into `rejected_lines` and stops nothing.

    Args:
        connection: from `connect`: the lock it holds is what makes this the only loader.
        event_root: folder of the segments; it need not exist.
    """
    waiting = list_segments(event_root)
    offsets = _read_offsets(connection, {path.name for path in waiting})
    report = LoadReport()
    while waiting:
        report += _load_batch(connection, waiting, offsets)
    return report


@dataclass
class _Batch:
    """What one transaction is to store, gathered segment by segment."""

    records: list[Record] = field(default_factory=list)
    rejected: list[tuple[str, int, str, str]] = field(default_factory=list)
    offsets: list[tuple[str, int]] = field(default_factory=list)
    finished: list[Path] = field(default_factory=list)
    malformed: int = 0
    torn: int = 0

    def read(self, segment: OpenSegment, offset: int) -> int:
        """Take what follows `offset`; returns how many bytes were read."""
        data = segment.read_from(offset)
        lines, tail = complete_lines(data)
        for position, line in lines:
            try:
                self.records.append(parse_line(line))
            except ValueError as error:
                self.malformed += 1
                self._reject(segment, offset + position, line, str(error))
        if tail and segment.finished:
            self.torn += 1
            self._reject(segment, offset + len(data) - len(tail), tail, "torn")
            tail = b""
        if len(data) > len(tail):
            self.offsets.append((segment.path.name, offset + len(data) - len(tail)))
        if segment.finished:
            self.finished.append(segment.path)
        return len(data)

    def _reject(self, segment: OpenSegment, offset: int, line: bytes, reason: str) -> None:
        shown = line[:_LINE_SHOWN].decode("utf-8", "replace").replace("\0", "\ufffd")
        self.rejected.append((segment.path.name, offset, shown, reason))


def _load_batch(connection: Connection, waiting: list[Path], offsets: Mapping[str, int]) -> LoadReport:
    """Load the first of the waiting segments, up to a batch, and take them off the list."""
    batch = _Batch()
    with ExitStack() as held:
        budget = _BATCH_BYTES
        for _ in range(min(_BATCH_SEGMENTS, len(waiting))):
            path = waiting.pop(0)
            if _remove_if_empty(path):
                continue
            # Held until after the commit: the lock is what says that nobody appends before deletion.
            segment = held.enter_context(open_segment(path))
            budget -= batch.read(segment, offsets.get(path.name, 0))
            if budget <= 0:
                break
        loaded, duplicates = _store(connection, batch) if batch.offsets else (0, 0)
        for path in batch.finished:
            path.unlink()
    return LoadReport(
        loaded, duplicates, batch.malformed, batch.torn, len(batch.offsets), len(batch.finished)
    )


def _remove_if_empty(path: Path) -> bool:
    """Remove an empty segment without a writer at once; true also when it is gone already.

    It may belong to a writer that is about to lock it, which must not wait for a whole batch.
    """
    try:
        with open_segment(path) as segment:
            if segment.finished and segment.size == 0:
                path.unlink(missing_ok=True)
                return True
            return False
    except FileNotFoundError:
        return True


def _store(connection: Connection, batch: _Batch) -> tuple[int, int]:
    """Commit a batch; returns how many events were new and how many were not."""
    frame = _event_frame(batch.records)
    offsets = pd.DataFrame(batch.offsets, columns=["segment", "loaded_bytes"])
    rejected = pd.DataFrame(batch.rejected, columns=["segment", "offset", "line", "reason"])
    connection.begin()
    try:
        repeated = frame["event_id"].duplicated() | frame["event_id"].isin(_known(connection, frame))
        duplicates = int(repeated.sum())
        if duplicates:
            _insert(connection, "duplicate_events", frame[repeated][["event_id", "writer", "sequence"]])
        _insert(connection, "operation_events", frame[~repeated] if duplicates else frame)
        _insert(connection, "rejected_lines", rejected)
        connection.execute(
            "DELETE FROM segment_offsets WHERE segment IN (SELECT unnest(?::VARCHAR[]))",
            [list(offsets["segment"])],
        )
        _insert(connection, "segment_offsets", offsets)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return len(frame) - duplicates, duplicates


def _event_frame(records: list[Record]) -> pd.DataFrame:
    columns = {name: [record[name] for record in records] for name in _DTYPES}
    columns["parameters"] = [_encoder.encode(value) for value in columns["parameters"]]
    # UTC without an offset: DuckDB's TIMESTAMP has none, and a cast would drop any other in silence.
    columns["timestamp"] = [value[:26] for value in columns["timestamp"]]
    return pd.DataFrame({name: pd.Series(columns[name], dtype=dtype) for name, dtype in _DTYPES.items()})


def _known(connection: Connection, frame: pd.DataFrame) -> list[str]:
    """Which of the frame's events are stored; ids begin with a time, so only that range is read."""
    if frame.empty:
        return []
    with _registered(connection, frame):
        rows = connection.execute(
            """
            SELECT CAST(stored.event_id AS VARCHAR) FROM operation_events AS stored
            SEMI JOIN (SELECT CAST(event_id AS UUID) AS event_id FROM batch) AS batch
                ON stored.event_id = batch.event_id
            WHERE stored.event_id BETWEEN CAST(? AS UUID) AND CAST(? AS UUID)
            """,
            [str(frame["event_id"].min()), str(frame["event_id"].max())],
        ).fetchall()
    return [event_id for (event_id,) in rows]


def _insert(connection: Connection, table: str, frame: pd.DataFrame) -> None:
    if frame.empty:
        return
    with _registered(connection, frame):
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM batch")  # noqa: S608 - our own names


@contextmanager
def _registered(connection: Connection, frame: pd.DataFrame) -> Iterator[None]:
    connection.register("batch", frame)
    try:
        yield
    finally:
        connection.unregister("batch")


def _read_offsets(connection: Connection, present: set[str]) -> dict[str, int]:
    """How far each segment is loaded; positions of segments that are deleted are forgotten."""
    stored = connection.execute("SELECT segment, loaded_bytes FROM segment_offsets").fetchall()
    if gone := [name for name, _ in stored if name not in present]:
        connection.execute(
            "DELETE FROM segment_offsets WHERE segment IN (SELECT unnest(?::VARCHAR[]))", [gone]
        )
    return {name: loaded for name, loaded in stored if name in present}
