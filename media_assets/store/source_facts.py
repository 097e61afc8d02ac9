"""What reading a file gave, the facts of a source or why it is none; what differs from what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from media_assets.media.info import MediaInfo
from media_assets.store.scan import Found, Stat


@dataclass(frozen=True)
class SourceFacts:
    """A source that has been read.

    Attributes:
        id: its partition key.
        path: the file.
        relative: the same under the source root, with `/`.
        sha256: 64 hex digits of its content.
        info: what ffprobe says of it.
        stat: the state in which it was read.
        seconds: that reading it took just now; 0 of what was read before.
    """

    id: str
    path: Path
    relative: str
    sha256: str
    info: MediaInfo
    stat: Stat
    seconds: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The record as it is kept and shown."""
        return {
            "id": self.id,
            "path": self.relative,
            "sha256": self.sha256,
            "kind": self.info.kind,
            "duration": self.info.duration,
            "info": self.info.to_json(),
            "stat": asdict(self.stat),
        }


@dataclass(frozen=True)
class Rejection:
    """A file that is not a source, and why."""

    id: str
    relative: str
    stat: Stat
    error: str
    message: str

    def to_json(self) -> dict[str, Any]:
        """The record as it is kept and shown."""
        return {
            "id": self.id,
            # A name that is not text has no JSON form: its odd bytes are shown as question marks.
            "path": self.relative.encode("utf-8", "replace").decode(),
            "error": self.error,
            "message": self.message,
            "stat": asdict(self.stat),
        }


@dataclass(frozen=True)
class Changes:
    """What differs between the disk and the records.

    Attributes:
        unread: files that are new, or not as they were when read.
        removed: ids of records whose file is gone.
        growing: files too young to be read: something may still be writing them.
        on_disk: every file that was compared, by id.
    """

    unread: tuple[Found, ...]
    removed: tuple[str, ...]
    growing: tuple[Found, ...]
    on_disk: Mapping[str, Found] = field(default_factory=dict, repr=False)
