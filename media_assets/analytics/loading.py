"""Loading events from segments into the warehouse: each exactly once, whatever is killed when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.exporting import export_days
from media_assets.analytics.schema import KINDS
from media_assets.analytics.schema.first import Pseudonym
from media_assets.analytics.segments import OpenSegment, complete_lines, list_segments, open_segment
from media_assets.analytics.staging import Stage

_BATCH_BYTES = 48 << 20
_BATCH_SEGMENTS = 200
_CHECKPOINT_BYTES = 256 << 20
_LINE_SHOWN = 500
LONGEST_LINE = 1 << 16
"""Bytes of a line beyond which it is no event: ours have about a thousand."""


@dataclass(frozen=True)
class LoadReport:
    """What one load did.

    Attributes:
        loaded: events that are now in the warehouse and were not before.
        duplicates: lines left out because their event was there.
        malformed: whole lines that are not events.
        torn: last lines cut off in mid-line by a writer that is gone: never acknowledged.
        segments_read, segments_removed: segments that had something new, and that were deleted.
        days_exported: days, of a kind each, that were written as Parquet.
    """

    loaded: int = 0
    duplicates: int = 0
    malformed: int = 0
    torn: int = 0
    segments_read: int = 0
    segments_removed: int = 0
    days_exported: int = 0

    def __add__(self, other: LoadReport) -> LoadReport:
        """Both loads taken as one."""
        return LoadReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )


def load_events(
    connection: Connection,
    event_root: Path,
    export_root: Path | None = None,
    *,
    pseudonym: Pseudonym | None = None,
) -> LoadReport:
    """Load what is new in the segments under `event_root`, export its days, and delete what is through.

    Rows and read positions are committed together, so a load killed at any moment loses nothing and
    loads nothing twice. A bad line is put into `rejected_lines` and stops nothing. A segment is deleted
    when all of it is in the warehouse and in the export.

    Args:
        connection: from `connect`: the lock it holds is what makes this the only loader.
        event_root: folder of the segments; it need not exist.
        export_root: folder of the export; None for none.
        pseudonym: what names in lines of the first schema are hashed with; they are dropped without.
    """
    waiting = [path for path in list_segments(event_root) if not _remove_if_empty(path)]
    offsets = _read_offsets(connection, {path.name for path in waiting})
    left, report = list(waiting), LoadReport()
    # A checkpoint for each batch would take as long as all the rest; there is one when it is closed.
    connection.execute(f"SET wal_autocheckpoint = '{_CHECKPOINT_BYTES}B'")
    stage = Stage(connection, pseudonym, apart=True)
    try:
        while left:
            report += _load_batch(connection, left, offsets, stage)
    finally:
        stage.close()
    exported = export_days(connection, export_root) if export_root is not None else 0
    removed = sum(_remove_if_through(path, offsets.get(path.name, 0)) for path in waiting)
    return report + LoadReport(segments_removed=removed, days_exported=exported)


@dataclass
class _Batch:
    """What one transaction is to store, gathered segment by segment."""

    lines: list[str] = field(default_factory=list)
    places: list[tuple[str, int]] = field(default_factory=list)
    rejected: list[tuple[str, int, str, str]] = field(default_factory=list)
    offsets: dict[str, int] = field(default_factory=dict)
    torn: int = 0

    def read(self, segment: OpenSegment, offset: int) -> int:
        """Take what follows `offset`; returns how many bytes were read."""
        data = segment.read_from(offset)
        lines, tail = complete_lines(data)
        name = segment.path.name
        for position, line in lines:
            if len(line) > LONGEST_LINE:
                self.reject((name, offset + position), line, "longer than an event")
                continue
            try:
                self.lines.append(line.decode())
                self.places.append((name, offset + position))
            except UnicodeDecodeError:
                self.reject((name, offset + position), line, "not UTF-8")
        if tail and segment.finished:
            self.torn += 1
            self.reject((name, offset + len(data) - len(tail)), tail, "torn")
            tail = b""
        if len(data) > len(tail):
            self.offsets[name] = offset + len(data) - len(tail)
        return len(data)

    def reject(self, place: tuple[str, int], line: bytes, reason: str) -> None:
        """Keep a bad line aside."""
        shown = line[:_LINE_SHOWN].decode("utf-8", "replace").replace("\0", "\ufffd")
        self.rejected.append((*place, shown[:_LINE_SHOWN], reason))


def _load_batch(
    connection: Connection, left: list[Path], offsets: dict[str, int], stage: Stage
) -> LoadReport:
    """Load the first of the segments that are left, up to a batch, and take them off the list."""
    batch, budget = _Batch(), _BATCH_BYTES
    for _ in range(min(_BATCH_SEGMENTS, len(left))):
        path = left.pop(0)
        try:
            with open_segment(path) as segment:
                budget -= batch.read(segment, offsets.get(path.name, 0))
        except FileNotFoundError:  # a writer that had written nothing closed it
            continue
        if budget <= 0:
            break
    if not batch.offsets:
        return LoadReport()
    for row, reason in stage.put(batch.lines) if batch.lines else ():
        batch.reject(batch.places[row], batch.lines[row].encode(), reason)
    connection.begin()
    try:
        loaded, duplicates = _store(connection, batch, stage)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    offsets.update(batch.offsets)
    malformed = len(batch.rejected) - batch.torn
    return LoadReport(loaded, duplicates, malformed, batch.torn, len(batch.offsets))


def _store(connection: Connection, batch: _Batch, stage: Stage) -> tuple[int, int]:
    """Put a batch into the tables; returns how many events were new and how many were not."""
    loaded = duplicates = 0
    for kind in KINDS if batch.lines else ():
        duplicates += stage.find_repeated(kind)
        loaded += stage.store(kind)
    if batch.rejected:
        connection.executemany("INSERT INTO rejected_lines VALUES (?, ?, ?, ?)", sorted(batch.rejected))
    _write_offsets(connection, batch.offsets)
    return loaded, duplicates


def _write_offsets(connection: Connection, offsets: Mapping[str, int]) -> None:
    connection.execute(
        "DELETE FROM segment_offsets WHERE segment IN (SELECT unnest(?::VARCHAR[]))", [list(offsets)]
    )
    frame = pd.DataFrame({"segment": list(offsets), "loaded_bytes": list(offsets.values())})
    connection.register("positions", frame)
    try:
        connection.execute("INSERT INTO segment_offsets BY NAME SELECT * FROM positions")
    finally:
        connection.unregister("positions")


def _remove_if_empty(path: Path) -> bool:
    """Remove an empty segment without a writer at once; true also when it is gone already.

    It may belong to a writer that is about to lock it, which must not wait for a whole batch.
    """
    return _removed(path, 0) or not path.exists()


def _remove_if_through(path: Path, loaded: int) -> bool:
    """Remove a segment without a writer of which everything is loaded; whether it was."""
    return loaded > 0 and _removed(path, loaded)


def _removed(path: Path, size: int) -> bool:
    try:
        with open_segment(path) as segment:
            if segment.finished and segment.size == size:
                path.unlink(missing_ok=True)
                return True
    except FileNotFoundError:
        pass
    return False


def _read_offsets(connection: Connection, present: set[str]) -> dict[str, int]:
    """How far each segment is loaded; positions of segments that are deleted are forgotten."""
    stored = connection.execute("SELECT segment, loaded_bytes FROM segment_offsets").fetchall()
    if gone := [name for name, _ in stored if name not in present]:
        connection.execute(
            "DELETE FROM segment_offsets WHERE segment IN (SELECT unnest(?::VARCHAR[]))", [gone]
        )
    return {name: loaded for name, loaded in stored if name in present}
