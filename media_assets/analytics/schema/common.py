"""What every event has, whatever it tells of."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from media_assets.analytics.schema.columns import (
    Column,
    count,
    identifier,
    moment,
    optional_text,
    pseudonym,
    text,
    words,
)
from media_assets.errors import BadInput

Record = dict[str, Any]
SCHEMA = 2
"""Stands in every line. Lines without it are of the first schema, see `first`."""

PLATFORMS = ("cli", "dagster", "api")
CLASS_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,79}"
CODEC = r"[a-z0-9][a-z0-9_.-]{0,39}"
SOURCE_KINDS = ("video", "audio", "image", "komposition")
SIZE_CATEGORIES = {"tiny": 1_000_000, "small": 10_000_000, "medium": 100_000_000, "large": 1_000_000_000}
"""Bytes below which a source is of that size; `huge` is what is larger."""
RESOLUTION_CLASSES = {"sd": 720, "hd": 1080, "fullhd": 1440, "qhd": 2160}
"""Pixels of height below which a picture is of that class; `uhd` is what is higher."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event: one line of a segment, one row of a table.

    Attributes:
        event_id: UUIDv7; the same for every attempt to record the same event.
        timestamp: when it ended, ISO 8601 with an offset.
        writer: random id of the writing process, given by the writer.
        sequence: 1, 2, 3… within a writer over all kinds, so that a gap shows a loss.
        user: keyed hash of who asked for it, or None.
        platform: `cli`, `dagster` or `api`.
        machine: system, architecture and cores, such as `linux-x86_64-2`.
        run: Dagster's run, or a random id of the command.

    Raises:
        BadInput: a value that the schema does not allow.
    """

    kind: ClassVar[str] = "event"
    table: ClassVar[str]

    event_id: str = identifier()
    timestamp: str = moment()
    writer: str = field(
        default="",
        metadata={
            "column": Column(
                "VARCHAR", ("VARCHAR",), "is not hexadecimal", pattern="[0-9a-f]{0,32}", default=""
            )
        },
    )
    sequence: int = count()
    user: str | None = pseudonym("u")
    platform: str = words(*PLATFORMS)
    machine: str = text(r"[a-z0-9_]{1,40}-[a-z0-9_]{1,40}-[0-9]{1,6}", "is not system-architecture-cores")
    run: str | None = optional_text(r"[A-Za-z0-9_-]{1,64}", "is not a run's id")

    def __post_init__(self) -> None:
        for name, column in columns(type(self)).items():
            if not column.holds(getattr(self, name)):
                raise BadInput(f"{name} {column.problem}", where=f"event of kind {self.kind}")

    def record(self) -> Record:
        """The event as a JSON object, every field in it."""
        return {"kind": self.kind, **{name: getattr(self, name) for name in columns(type(self))}}

    def line(self) -> Record:
        """The event as it is written: without fields that are null."""
        found = {name: value for name in columns(type(self)) if (value := getattr(self, name)) is not None}
        return {"kind": self.kind, "schema": SCHEMA, **found}


_columns: dict[str, dict[str, Column]] = {}


def columns(kind: type[Event]) -> dict[str, Column]:
    """The fields of a kind of event, in order, as they are stored."""
    if kind.kind not in _columns:
        _columns[kind.kind] = {one.name: one.metadata["column"] for one in fields(kind)}
    return _columns[kind.kind]


def size_category(size: int | None) -> str | None:
    """The word for a source of that many bytes.

    >>> size_category(5_000_000)
    'small'
    """
    if size is None:
        return None
    return next((word for word, most in SIZE_CATEGORIES.items() if size < most), "huge")


def resolution_class(height: int | None) -> str | None:
    """The word for a picture that many pixels high.

    >>> resolution_class(1080)
    'fullhd'
    """
    if not height:
        return None
    return next((word for word, most in RESOLUTION_CLASSES.items() if height < most), "uhd")
