"""Segments: append-only files of lines, one per writing process, that outlive a killed writer.

A writer holds a shared lock on its segment for as long as it may append. Whoever can lock the
segment exclusively therefore knows that no more lines will come and may delete it. Locks are the
kernel's (`flock`), so they end with the process however it ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from media_assets.store.files import sync

SUFFIX = ".ndjson"

# macOS has no fdatasync.
_sync = getattr(os, "fdatasync", os.fsync)


class SegmentWriter:
    """One open segment; made by `create`. Not safe for threads: the caller holds a lock.

    Attributes:
        path: where the segment is.
        size: bytes appended so far.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.size = 0
        self._descriptor = descriptor
        self._created = time.monotonic()

    @classmethod
    def create(cls, root: Path) -> SegmentWriter:
        """Make a new segment under `root`, named so that names sort by the time of creation.

        Raises:
            OSError: the file or its folder cannot be made.
        """
        root.mkdir(parents=True, exist_ok=True)
        while True:
            name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
            path = root / name
            descriptor = os.open(
                path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH)
                # Between open and lock a loader may have taken the empty file for a finished one.
                if os.fstat(descriptor).st_nlink:
                    sync(root)
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    @property
    def age(self) -> float:
        """Seconds since the segment was made."""
        return time.monotonic() - self._created

    def append(self, line: bytes) -> None:
        """Write one line, with its newline, in one call and wait until it is on the disk.

        Raises:
            OSError: the line is not, or may not be, on the disk; `ENOSPC` when only part of it fitted.
                The segment may end in a torn line: nothing may follow it.
        """
        written = os.write(self._descriptor, line)
        self.size += written
        if written < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        _sync(self._descriptor)

    def close(self) -> None:
        """Let go of the segment; one that holds nothing is removed."""
        if not self.size:
            self.path.unlink(missing_ok=True)
        self.abandon()

    def abandon(self) -> None:
        """Close the descriptor only: after a fork the file and its lock belong to the parent."""
        # Never LOCK_UN: the lock belongs to the open file, which a fork shares.
        os.close(self._descriptor)


@dataclass(frozen=True)
class OpenSegment:
    """A segment held open by a reader.

    Attributes:
        path: where it is.
        size: its bytes when it was opened.
        finished: no writer is left, and none can come while this is held.
    """

    path: Path
    size: int
    finished: bool
    _descriptor: int

    def read_from(self, offset: int) -> bytes:
        """The bytes from `offset` to the end that `size` states; empty when there are none."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        parts = []
        missing = self.size - offset
        while missing > 0 and (part := os.read(self._descriptor, missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


@contextmanager
def open_segment(path: Path) -> Iterator[OpenSegment]:
    """Open a segment for loading, and lock it if no writer is left.

    Raises:
        FileNotFoundError: it is gone.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finished = True
        except BlockingIOError:
            finished = False
        # The size comes after the lock: what a finished writer appended last is then included.
        yield OpenSegment(path, os.fstat(descriptor).st_size, finished, descriptor)
    finally:
        os.close(descriptor)


def list_segments(root: Path) -> list[Path]:
    """The segments under `root`, oldest first; none when the folder does not exist."""
    return sorted(root.glob(f"*{SUFFIX}"))


def complete_lines(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Split bytes into (position, line without newline) pairs and the tail that has no newline."""
    *whole, tail = data.split(b"\n")
    lines = []
    position = 0
    for line in whole:
        lines.append((position, line))
        position += len(line) + 1
    return lines, tail
