"""The exception family: every error says what was wrong, where, and what to do."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO})
_IN_THE_WAY = frozenset({errno.EISDIR, errno.ENOTDIR})


class MediaAssetsError(Exception):
    """Base of all errors this project raises on purpose.

    Args:
        message: what was wrong, in one sentence.
        where: the file, node, field or line it concerns, if one can be named.
        hint: what the reader can do about it.
    """

    exit_status = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    @property
    def code(self) -> str:
        """The stable machine-readable name of the error: its class name."""
        return type(self).__name__

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text


class BadInput(MediaAssetsError):
    """The caller's document, file, id or parameter is at fault; nothing was changed on disk."""

    exit_status = 2


class NotMedia(BadInput):
    """The file holds no video, sound or picture that ffmpeg can find."""


class CorruptMedia(BadInput):
    """The file looks like media but cannot be read; carries ffmpeg's own words."""


class UnknownSource(BadInput):
    """A source id or path that is not under the source root."""


class UnsafePath(BadInput):
    """A path that leaves its root, follows a link out of it, or is a URL."""


class DocumentError(BadInput):
    """A JobSpec, workflow or komposition document that does not hold.

    Args:
        findings: each problem as (place, message); place is a JSON path such as `$.segments[2].source`.
    """

    def __init__(
        self,
        message: str,
        findings: list[tuple[str, str]],
        *,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.findings = findings

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {place}: {text}" for place, text in self.findings)])


class FfmpegMissing(MediaAssetsError):
    """No usable ffmpeg or ffprobe, or one that lacks a needed encoder or filter."""


class FfmpegFailed(MediaAssetsError):
    """ffmpeg or ffprobe ended with an error; `where` is the output, the message its last lines."""

    def __init__(
        self,
        message: str,
        *,
        command: list[str],
        returncode: int,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.command = command
        self.returncode = returncode


class TimeLimitExceeded(MediaAssetsError):
    """A command ran longer than its limit and its process group was ended."""


class Cancelled(MediaAssetsError):
    """The caller asked for the work to stop; its process group was ended."""


class VerificationFailed(MediaAssetsError):
    """An output was written but is not what was planned; it was not put in place."""


class DiskFull(MediaAssetsError):
    """No room for an output; nothing was put in place."""


class DiskRefused(MediaAssetsError):
    """A file or folder may not be read or written, or its disk fails; `where` names it."""


class FetchFailed(MediaAssetsError):
    """A server could not be reached, broke off or has a fault of its own: another try may do."""


class DeliveryFailed(MediaAssetsError):
    """A finished file could not be put at its destination; it is still in the store."""


def disk_error(error: OSError, where: Path | str | None = None) -> MediaAssetsError | None:
    """What the machine's refusal of a file means; None where it is no matter of room or permission.

    Args:
        error: as the system raised it.
        where: what is named if the system named no file.
    """
    # Of a renaming, the second is what was to be replaced.
    names = (error.filename2, error.filename)
    named = next((name for name in names if isinstance(name, str | bytes)), None)
    place = os.fsdecode(named) if named else str(where) if where is not None else None
    if error.errno in _NO_ROOM:
        return DiskFull("no space is left", where=place, hint="free some space and run again")
    if error.errno in _REFUSED:
        return DiskRefused(
            f"the disk refuses: {os.strerror(error.errno or 0)}",
            where=place,
            hint="check the permissions, and whether the disk is mounted read-only",
        )
    if error.errno in _IN_THE_WAY:
        return DiskRefused(
            "a folder stands where a file should be, or the other way round",
            where=place,
            hint="move it away and run again",
        )
    return None


@contextlib.contextmanager
def disk_errors(where: Path | str | None = None) -> Iterator[None]:
    """Tell of a full disk, a missing permission or a read-only disk in words.

    Raises:
        DiskFull, DiskRefused: instead of the system's own error.
    """
    try:
        yield
    except OSError as error:
        told = disk_error(error, where)
        if told is None:
            raise
        raise told from error
