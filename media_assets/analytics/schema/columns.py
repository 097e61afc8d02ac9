"""What a field of an event may hold: its type in DuckDB, and one condition for Python and for SQL."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_INT64 = 1 << 63
_MOST = 1e300
_INTEGERS = ("UBIGINT", "BIGINT")

NAME = r"[a-z][a-z0-9_]{0,79}"
"""Operations, workflows and such."""
HASH = r"[a-z]_[0-9a-z]{1,16}_[0-9a-f]{32}"
"""A pseudonym: a letter for what it stands for, the id of the key, half of an HMAC-SHA-256."""
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
MOMENT = (
    r"2[0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True)
class Column:
    """A field as it is stored.

    Attributes:
        type: in DuckDB.
        json: what the value may be in a line, in DuckDB's words.
        problem: what is said of a value that does not hold, after the field's name.
        nullable: it may be null.
        required: a line must have it; what else a line has not got has its default.
        default: of what a line has not got.
        pattern: of text: the whole of it matches this, in the grammar that Python and RE2 share.
    """

    type: str
    json: tuple[str, ...]
    problem: str
    nullable: bool = False
    required: bool = False
    default: Any = None
    pattern: str = ""

    def holds(self, value: Any) -> bool:
        """Whether the field may have the value."""
        if value is None:
            return self.nullable
        if self.type == "TIMESTAMP":
            return _is_moment(value)
        if self.pattern:
            return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        if self.type == "BOOLEAN":
            return isinstance(value, bool)
        if self.type == "BIGINT":
            return type(value) is int and 0 <= value < _INT64
        if self.type == "DOUBLE":
            return type(value) in (int, float) and 0 <= value < _MOST
        return isinstance(value, Mapping)


def text(pattern: str, problem: str) -> Any:
    """A field of text that matches `pattern`."""
    return _given(Column("VARCHAR", ("VARCHAR",), problem, required=True, pattern=pattern))


def optional_text(pattern: str, problem: str) -> Any:
    """The same, or null."""
    return _given(Column("VARCHAR", ("VARCHAR",), problem, nullable=True, pattern=pattern))


def name() -> Any:
    """A field that names an operation."""
    return text(NAME, "is not a plain name")


def optional_name() -> Any:
    """A field that names something of the project's, such as a workflow, or null."""
    return optional_text(NAME, "is not a plain name")


def words(*allowed: str) -> Any:
    """A field for one of a few words."""
    return text("|".join(allowed), f"is not {', '.join(allowed[:-1])} or {allowed[-1]}")


def optional_words(*allowed: str) -> Any:
    """The same, or null."""
    return optional_text("|".join(allowed), f"is not {', '.join(allowed[:-1])} or {allowed[-1]}")


def pseudonym(letter: str) -> Any:
    """A field for a keyed hash of its kind, or null."""
    return optional_text(HASH.replace("[a-z]", letter, 1), "is not a keyed hash")


def count() -> Any:
    """A field for a whole number from 0 up."""
    return _given(Column("BIGINT", _INTEGERS, "is not a count", default=0))


def optional_count() -> Any:
    """The same, or null."""
    return _given(Column("BIGINT", _INTEGERS, "is not a count", nullable=True))


def amount() -> Any:
    """A field for a finite number from 0 up."""
    column = Column("DOUBLE", (*_INTEGERS, "DOUBLE"), "is not a finite number from 0 up", default=0.0)
    return _given(column)


def optional_amount() -> Any:
    """The same, or null."""
    problem = "is neither null nor a finite number from 0 up"
    return _given(Column("DOUBLE", (*_INTEGERS, "DOUBLE"), problem, nullable=True))


def flag() -> Any:
    """A field that is true or false."""
    return _given(Column("BOOLEAN", ("BOOLEAN",), "is not true or false", required=True))


def moment() -> Any:
    """A field for a time with an offset."""
    problem = "is not ISO 8601 with an offset"
    return _given(Column("TIMESTAMP", ("VARCHAR",), problem, required=True, pattern=MOMENT))


def identifier() -> Any:
    """A field for a UUID."""
    return _given(Column("UUID", ("VARCHAR",), "is not a UUID", required=True, pattern=UUID))


def parameters() -> Any:
    """A field for sanitised parameters."""
    column = Column("JSON", ("OBJECT",), "is not an object", default="{}")
    return field(default_factory=dict, metadata={"column": column})


def _given(column: Column) -> Any:
    if column.required:
        return field(metadata={"column": column})
    return field(default=column.default, metadata={"column": column})


def _is_moment(value: Any) -> bool:
    try:
        return bool(re.fullmatch(MOMENT, value)) and math.isfinite(
            datetime.fromisoformat(value).timestamp()
        )
    except (ValueError, TypeError, OverflowError):
        return False
