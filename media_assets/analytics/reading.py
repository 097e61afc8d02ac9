"""One line of a segment in Python: what waits to be loaded is shown so, and old lines are converted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from media_assets.analytics.schema import KINDS, Record, columns, first
from media_assets.analytics.schema.sanitising import sanitise_parameters

_KINDS = {kind.kind: kind for kind in KINDS}


def parse_line(line: bytes) -> Record:
    """Read an event; fields unknown to this version are left out, and what is not there has its default.

    Raises:
        ValueError: it is not an event of this schema or the first, saying why.
    """
    document = first.converted(read_object(line))
    kind = _KINDS.get(str(document.get("kind")))
    if kind is None:
        raise ValueError("no kind of event")
    record: Record = {"kind": kind.kind}
    for name, column in columns(kind).items():
        default = {} if column.type == "JSON" else column.default
        value = document.get(name, default)
        if value is None and column.required:
            raise ValueError(f"no {name}")
        if not column.holds(value):
            raise ValueError(f"{name} {column.problem}")
        record[name] = value
    if "parameters" in record:
        # The writer sanitised; this keeps the promise for lines that something else wrote.
        record["parameters"] = sanitise_parameters(record["parameters"])
    return record


def read_object(line: bytes) -> Mapping[str, Any]:
    """A line's JSON object.

    Raises:
        ValueError: it is none, saying why.
    """
    try:
        document = _decoder.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not JSON") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


_decoder = json.JSONDecoder(parse_constant=_no_constant)
