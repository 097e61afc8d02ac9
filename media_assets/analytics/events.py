"""Events written by many processes at once, none lost, and read back before they are loaded."""

from __future__ import annotations

import errno
import json
import os
import secrets
import threading
import weakref
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from media_assets.analytics.reading import parse_line
from media_assets.analytics.schema import Event, Record
from media_assets.analytics.segments import SegmentWriter, complete_lines, list_segments
from media_assets.errors import DiskFull, MediaAssetsError
from media_assets.settings import Settings

Kind = TypeVar("Kind", bound=Event)

ROLL_BYTES = 8 << 20
"""A segment that reaches this size is followed by a new one."""
ROLL_SECONDS = 600.0
"""So is one of this age at the next append."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class EventWriter:
    """Appends events to a segment of its own; safe for threads and across forks.

    An event is acknowledged when `append` returns: it is then on the disk as a whole line.

    Args:
        root: folder of the segments, made when the first event comes.
        roll_bytes, roll_seconds: size and age at which a new segment is begun.
    """

    def __init__(
        self, root: Path, *, roll_bytes: int = ROLL_BYTES, roll_seconds: float = ROLL_SECONDS
    ) -> None:
        self.root = root
        self._roll_bytes = roll_bytes
        self._roll_seconds = roll_seconds
        self._segment: SegmentWriter | None = None
        self._begin()
        _open_writers.add(self)

    def append(self, event: Kind) -> Kind:
        """Write one event and wait for the disk; the event is returned with its writer and sequence.

        A failed write may leave a torn line, so the retry goes to a new segment.

        Raises:
            DiskFull: there was no room, in the new segment neither.
            MediaAssetsError: the segment cannot be written for another reason.
        """
        with self._lock:
            stamped = replace(event, writer=self.writer, sequence=self._sequence + 1)
            line = json.dumps(stamped.line(), separators=(",", ":"), allow_nan=False).encode() + b"\n"
            try:
                self._write(line)
            except OSError:
                self._close()
                try:
                    self._write(line)
                except OSError as error:
                    self._close()
                    raise self._failure(error) from error
            self._sequence += 1
            return stamped

    def close(self) -> None:
        """Let the segment be loaded to its end and deleted; a later append begins a new one."""
        with self._lock:
            self._close()

    def _write(self, line: bytes) -> None:
        segment = self._segment
        if segment and (segment.size >= self._roll_bytes or segment.age >= self._roll_seconds):
            self._close()
        if self._segment is None:
            self._segment = SegmentWriter.create(self.root)
        self._segment.append(line)

    def _close(self) -> None:
        segment, self._segment = self._segment, None
        if segment:
            segment.close()

    def _failure(self, error: OSError) -> MediaAssetsError:
        if error.errno in _FULL:
            return DiskFull("no room for an event", where=str(self.root), hint="free some space")
        reason = os.strerror(error.errno) if error.errno else str(error)
        return MediaAssetsError(f"cannot write events: {reason}", where=str(self.root))

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self.writer = secrets.token_hex(8)
        self._sequence = 0

    def _after_fork(self) -> None:
        segment, self._segment = self._segment, None
        if segment:
            segment.abandon()
        self._begin()


_open_writers: weakref.WeakSet[EventWriter] = weakref.WeakSet()
_writers: dict[Path, EventWriter] = {}
_writers_lock = threading.Lock()


def writer_for(settings: Settings) -> EventWriter:
    """The one writer of this process for the settings' event folder."""
    with _writers_lock:
        root = settings.event_root
        if root not in _writers:
            _writers[root] = EventWriter(root)
        return _writers[root]


def read_events(root: Path, last: int) -> list[Record]:
    """The newest `last` events still in segments, newest first; torn and malformed lines are skipped."""
    found: dict[str, Record] = {}
    for path in list_segments(root):
        try:
            lines, _ = complete_lines(path.read_bytes())
        except FileNotFoundError:  # loaded and deleted since it was listed
            continue
        for _, line in lines:
            try:
                record = parse_line(line)
            except ValueError:
                continue
            found.setdefault(record["event_id"], record)
    return newest(found.values(), last)


def newest(records: Iterable[Record], last: int) -> list[Record]:
    """The newest `last` of the records, newest first."""
    return sorted(records, key=lambda r: (r["timestamp"], r["event_id"]), reverse=True)[: max(last, 0)]


def _after_fork_in_child() -> None:
    """A child gets segments, writer ids and locks of its own; another thread may have held the old."""
    global _writers_lock
    _writers_lock = threading.Lock()
    for writer in list(_open_writers):
        writer._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
