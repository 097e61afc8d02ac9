"""The schema of an event: one record per operation performed, and what may be said in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Literal

from uuid_utils import uuid7

from media_assets.errors import BadInput

Outcome = Literal["rendered", "cached", "failed"]
Parameter = bool | int | float | str
Record = dict[str, Any]

_OUTCOMES = frozenset({"rendered", "cached", "failed"})
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"[a-z0-9_.:x-]{1,24}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
_CLASS_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
# A dot before a letter is a file's extension or a host's name, not a number.
_NAME_LIKE = re.compile(r"\.\d*[a-z]")
# One word of free text looks like a token; where a parameter holds words, its name says so.
_WORDS = re.compile(
    r"(^|_)(text|title|name|caption|label|comment|description|subtitles?|lyrics|author|user|email"
    r"|path|file|filename|folder|font|url|uri|host)s?$"
)
_INT64 = 1 << 63


@dataclass(frozen=True)
class OperationEvent:
    """What one performed operation was and cost. Made by `new_event`.

    Attributes:
        event_id: UUIDv7; the same for every attempt to record the same event.
        timestamp: when it ended, ISO 8601 in UTC.
        operation: such as `trim`, `segment`, `probe`.
        effect: id of the effect, source or komposition segment it made.
        outcome: `rendered` (work was done), `cached` (the output was there) or `failed`.
        success: it has its output.
        fingerprint: what the output depends on, or None.
        asset: Dagster asset key as `a/b`, or None outside Dagster.
        partition, run_id: of the Dagster run, or None.
        error: class name of the error, or None; never its words.
        seconds: wall time.
        cpu_seconds: of ffmpeg and its kin.
        peak_memory_bytes: of the largest process.
        ffmpeg_runs: ffmpeg processes started.
        input_seconds, output_seconds: media time read and made.
        output_bytes: size of what was made.
        speed: media seconds made per wall second (1 is realtime), or None.
        expected_cpu_seconds: what the planner's shipped speeds said; 0 where nobody asked them.
        parameters: numbers, booleans and short tokens; see `sanitise_parameters`.
        writer: random id of the writing process, given by the writer.
        sequence: 1, 2, 3… within a writer, so that a gap shows a loss; given by the writer.

    Raises:
        BadInput: a value that the schema does not allow.
    """

    event_id: str
    timestamp: str
    operation: str
    effect: str
    outcome: Outcome
    success: bool
    fingerprint: str | None = None
    asset: str | None = None
    partition: str | None = None
    run_id: str | None = None
    error: str | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    ffmpeg_runs: int = 0
    input_seconds: float = 0.0
    output_seconds: float = 0.0
    output_bytes: int = 0
    speed: float | None = None
    expected_cpu_seconds: float = 0.0
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    writer: str = ""
    sequence: int = 0

    def __post_init__(self) -> None:
        try:
            check_record(self.record())
        except ValueError as error:
            raise BadInput(str(error), where=f"event of {self.operation!r}") from error

    def record(self) -> Record:
        """The event as a JSON object."""
        return {name: getattr(self, name) for name in _NAMES}


_NAMES = tuple(column.name for column in fields(OperationEvent))
_DEFAULTS: Record = {
    **dict.fromkeys(("fingerprint", "asset", "partition", "run_id", "error", "speed")),
    "expected_cpu_seconds": 0.0,
}
_TEXTS = (
    "operation",
    "effect",
    "outcome",
    "fingerprint",
    "asset",
    "partition",
    "run_id",
    "error",
    "writer",
)
_COUNTS = ("peak_memory_bytes", "ffmpeg_runs", "output_bytes", "sequence")
_AMOUNTS = ("seconds", "cpu_seconds", "input_seconds", "output_seconds", "expected_cpu_seconds")


def new_event(
    operation: str,
    effect: str,
    outcome: Outcome,
    *,
    error: BaseException | str | None = None,
    parameters: Mapping[str, Any] | None = None,
    speed: float | None = None,
    **values: Any,
) -> OperationEvent:
    """An event of now, with an id of its own; the other arguments are `OperationEvent`'s.

    Args:
        error: the error itself, or its class name; only the name is kept.
        parameters: any parameters; what could hold a name or text is left out.
        speed: left out when not finite, as for an operation too short to time.

    Raises:
        BadInput: a value that the schema does not allow.

    >>> new_event("trim", "effect_trim_1a2b3c4d5e6f7081", "rendered", seconds=0.5).success
    True
    """
    name = type(error).__name__ if isinstance(error, BaseException) else error
    if name is not None and not _CLASS_NAME.fullmatch(name):
        name = "UnknownError"
    return OperationEvent(
        **{
            "event_id": str(uuid7()),
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds"),
            "success": outcome != "failed",
            **values,
        },
        operation=operation,
        effect=effect,
        outcome=outcome,
        error=name,
        parameters=sanitise_parameters(parameters or {}),
        speed=speed if speed is not None and math.isfinite(speed) else None,
    )


def sanitise_parameters(parameters: Mapping[str, Any]) -> dict[str, Parameter]:
    """Keep what is a number, a boolean or a short token such as `libx264`, `16:9`, `1280x720`.

    Left out: longer or other strings, strings with a file's extension, any string whose key says that
    it holds words or a place (`text`, `font`, `…_path`), containers, null, and numbers that are not finite.
    """
    kept: dict[str, Parameter] = {}
    for key, given in parameters.items():
        value = given.value if isinstance(given, Enum) else given
        if not isinstance(key, str) or not _is_key(key):
            continue
        if isinstance(value, str):
            if _is_token(value) and not _holds_words(key):
                kept[key] = value
        elif isinstance(value, bool):
            kept[key] = value
        elif isinstance(value, int):
            if -_INT64 <= value < _INT64:
                kept[key] = value
        elif isinstance(value, float) and math.isfinite(value):
            kept[key] = value
    return kept


def check_record(record: Record) -> None:
    """Check an event's JSON object against the schema and put its timestamp into UTC.

    Raises:
        ValueError: the first thing wrong, naming the field.
    """
    if not isinstance(record["event_id"], str) or not _UUID.fullmatch(record["event_id"]):
        raise ValueError("event_id is not a UUID")
    texts = []
    for name in _TEXTS:
        value = record[name]
        if isinstance(value, str):
            texts.append(value)
        elif value is not None or name not in _DEFAULTS:
            raise ValueError(f"{name} is not text")
    if not _storable("".join(texts)):
        raise ValueError("a text holds a NUL or half a character")
    if record["outcome"] not in _OUTCOMES:
        raise ValueError("outcome is not rendered, cached or failed")
    if not isinstance(record["success"], bool):
        raise ValueError("success is not true or false")
    for name in _COUNTS:
        value = record[name]
        if type(value) is not int or not 0 <= value < _INT64:
            raise ValueError(f"{name} is not a count")
    for name in _AMOUNTS:
        if not _is_amount(record[name]):
            raise ValueError(f"{name} is not a finite number from 0 up")
    if record["speed"] is not None and not _is_amount(record["speed"]):
        raise ValueError("speed is neither null nor a finite number from 0 up")
    if not isinstance(record["parameters"], Mapping):
        raise ValueError("parameters is not an object")
    record["timestamp"] = _in_utc(record["timestamp"])


def parse_line(line: bytes) -> Record:
    """Read one line of a segment; fields unknown to this version are left out.

    Raises:
        ValueError: it is not an event, saying why.
    """
    try:
        document = _decoder.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    try:
        record = {name: document[name] for name in _NAMES}
    except KeyError:
        record = {**_DEFAULTS, **{name: document[name] for name in _NAMES if name in document}}
        if missing := [name for name in _NAMES if name not in record]:
            raise ValueError(f"no {missing[0]}") from None
    check_record(record)
    # The writer sanitised; this keeps the promise for lines that something else wrote.
    record["parameters"] = sanitise_parameters(record["parameters"])
    return record


def _in_utc(value: Any) -> str:
    """The timestamp in its one spelling, `2026-11-05T04:49:40.123456+00:00`."""
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no offset")
        if len(value) == 32 and value[10] == "T" and value[19] == "." and value.endswith("+00:00"):
            return str(value)  # what the writer writes, at a third of the cost
        return moment.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError("timestamp is not ISO 8601 with an offset") from error


@lru_cache(1024)
def _is_key(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


@lru_cache(1024)
def _holds_words(key: str) -> bool:
    return _WORDS.search(key) is not None


@lru_cache(1024)
def _is_token(value: str) -> bool:
    return _TOKEN.fullmatch(value) is not None and _NAME_LIKE.search(value) is None


def _is_amount(value: Any) -> bool:
    # An int too large for a float would fail at the comparison's end, in the warehouse.
    return type(value) in (float, int) and 0 <= value < 1e300


def _storable(text: str) -> bool:
    """Whether the text has a UTF-8 form (no lone surrogates) and no NUL."""
    if text.isascii():
        return "\0" not in text
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
