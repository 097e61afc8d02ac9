"""Lines → typed rows, by DuckDB: what holds, what does not and why, and what is stored already.

The lines of a batch are put into a table; each kind's are then read into a staged table with the columns
of its events, in one pass. Every name in the SQL here comes from the schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import pandas as pd
from duckdb import DuckDBPyConnection as Connection

from media_assets.analytics.reading import read_object
from media_assets.analytics.schema import KINDS, Event, columns, first
from media_assets.analytics.schema.columns import Column
from media_assets.analytics.schema.sanitising import PLAIN_PARAMETERS, WORDY_KEYS, sanitise_parameters

_BEFORE, _AFTER = "2000-01-01", "9999-01-01"

_LINES = """
CREATE OR REPLACE TEMP TABLE lines AS
SELECT "row", line, CASE
    WHEN NOT json_valid(line) THEN 'not JSON'
    WHEN json_type(line) <> 'OBJECT' THEN 'not a JSON object'
    ELSE coalesce(json_extract_string(line, '$.kind'), CASE
        WHEN json_exists(line, '$.effect') THEN 'first' ELSE 'no kind of event' END)
END AS kind
FROM batch
"""
_OTHERS = """
SELECT "row", CASE WHEN kind IN ('not JSON', 'not a JSON object') THEN kind ELSE 'no kind of event' END
FROM lines WHERE kind NOT IN (SELECT unnest($kinds::VARCHAR[]))
"""


def stage(
    connection: Connection, lines: Sequence[str], pseudonym: first.Pseudonym | None
) -> list[tuple[int, str]]:
    """Put lines into the staged tables `staged_<kind>`; what cannot be is returned as (row, why).

    Args:
        pseudonym: what names in lines of the first schema are hashed with, if they may be kept so.
    """
    frame = pd.DataFrame({"row": range(len(lines)), "line": pd.Series(list(lines), dtype=object)})
    connection.register("batch", frame)
    try:
        connection.execute(_LINES)
    finally:
        connection.unregister("batch")
    _convert_first(connection, pseudonym)
    known = [kind.kind for kind in KINDS]
    rejected: list[tuple[int, str]] = connection.execute(_OTHERS, {"kinds": known}).fetchall()
    for kind in KINDS:
        connection.execute(staged_sql(kind))
        if "parameters" in columns(kind):
            _sanitise(connection, kind)
        if connection.execute(f"SELECT 1 FROM staged_{kind.kind} WHERE NOT valid LIMIT 1").fetchall():  # noqa: S608
            rejected += connection.execute(_problems_sql(kind)).fetchall()
    return rejected


def repeated(connection: Connection, kind: type[Event]) -> int:
    """Mark staged events that are stored already, or that came before in the batch; returns how many."""
    staged = f"staged_{kind.kind}"
    bounds = connection.execute(
        f"SELECT min(event_id), max(event_id), count(*), count(DISTINCT event_id) FROM {staged} WHERE valid"  # noqa: S608
    ).fetchone()
    if bounds is None or not bounds[2]:
        return 0
    # Ids begin with a time, so only that range of what is stored is read.
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE repeated AS
        SELECT "row" FROM {staged} SEMI JOIN (
            SELECT event_id FROM {kind.table} WHERE event_id BETWEEN $low AND $high
        ) USING (event_id) WHERE valid
        """,  # noqa: S608
        {"low": bounds[0], "high": bounds[1]},
    )
    if bounds[2] != bounds[3]:
        connection.execute(
            f"""
            INSERT INTO repeated SELECT "row" FROM {staged} WHERE valid
            QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY "row") > 1
            """  # noqa: S608
        )
    connection.execute(
        f"""
        INSERT INTO duplicate_events
        SELECT event_id, writer, sequence FROM {staged} WHERE "row" IN (SELECT "row" FROM repeated)
        """  # noqa: S608
    )
    connection.execute(f'UPDATE {staged} SET valid = false WHERE "row" IN (SELECT "row" FROM repeated)')  # noqa: S608
    found = connection.execute('SELECT count(DISTINCT "row") FROM repeated').fetchone()
    return int(found[0]) if found else 0


def store(connection: Connection, kind: type[Event]) -> int:
    """Move what holds into the kind's table and note its days for the export; returns how many."""
    names = ", ".join(f'"{name}"' for name in columns(kind))
    connection.execute(
        f"INSERT INTO {kind.table} ({names}) SELECT {names} FROM staged_{kind.kind} WHERE valid"  # noqa: S608
    )
    found = connection.execute(f"SELECT count(*) FROM staged_{kind.kind} WHERE valid").fetchone()  # noqa: S608
    connection.execute(
        f"""
        INSERT INTO unexported_days
        SELECT DISTINCT '{kind.kind}', CAST("timestamp" AS DATE) FROM staged_{kind.kind} WHERE valid
        EXCEPT SELECT kind, day FROM unexported_days
        """  # noqa: S608
    )
    return int(found[0]) if found else 0


def quoted(text: str) -> str:
    """Text as it stands between single quotes in SQL."""
    return text.replace("'", "''")


def _paths(names: Iterable[str]) -> str:
    paths = ", ".join(f"'$.{name}'" for name in names)
    return f"[{paths}]"


def staged_sql(kind: type[Event]) -> str:
    """The statement that reads the lines of a kind."""
    fields = columns(kind)
    form = json.dumps({name: _read_as(column) for name, column in fields.items()})
    values = ",\n    ".join(f'{_value(name, column)} AS "{name}"' for name, column in fields.items())
    conditions = "\n    AND ".join(
        f"({_condition(index, name, column)})" for index, (name, column) in enumerate(fields.items(), 1)
    )
    return f"""
CREATE OR REPLACE TEMP TABLE staged_{kind.kind} AS
SELECT "row", {values},
    coalesce({conditions}, false) AS valid
FROM (
    SELECT "row", from_json(line, '{form}') AS e, json_type(line, {_paths(fields)}) AS t
    FROM lines WHERE kind = '{kind.kind}'
)
"""  # noqa: S608


def _problems_sql(kind: type[Event]) -> str:
    """What is wrong with each line that does not hold; a slower look, at these alone."""
    fields = columns(kind)
    form = json.dumps({name: _read_as(column) for name, column in fields.items()})
    problems = ",\n    ".join(
        f"""CASE WHEN NOT coalesce({_condition(index, name, column)}, false) THEN
            CASE WHEN {_missing(index)} THEN 'no {name}' ELSE '{name} {quoted(column.problem)}' END END"""
        for index, (name, column) in enumerate(fields.items(), 1)
    )
    return f"""
SELECT "row", concat_ws('; ', {problems}) FROM (
    SELECT "row", from_json(line, '{form}') AS e, json_type(line, {_paths(fields)}) AS t
    FROM lines WHERE "row" IN (SELECT "row" FROM staged_{kind.kind} WHERE NOT valid)
)
"""  # noqa: S608


def _read_as(column: Column) -> str:
    return "VARCHAR" if column.type in ("UUID", "TIMESTAMP") else column.type


def _missing(index: int) -> str:
    return f"(t[{index}] IS NULL OR t[{index}] = 'NULL')"


def _value(name: str, column: Column) -> str:
    """The column's value in the column's type."""
    read = f'e."{name}"'
    if column.type == "UUID":
        return f"TRY_CAST({read} AS UUID)"
    if column.type == "TIMESTAMP":
        return _moment(read)
    if column.default is not None:
        default = f"'{column.default}'" if isinstance(column.default, str) else column.default
        return f"coalesce({read}, {default})"
    return read


def _moment(read: str) -> str:
    """A time in UTC, without its offset: as the writer writes it, or as somebody else did."""
    plain = f"ends_with({read}, '+00:00') AND length({read}) = 32"
    return (
        f"CASE WHEN {plain} THEN TRY_CAST(left({read}, 26) AS TIMESTAMP)"
        f" ELSE TRY_CAST({read} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END"
    )


def _condition(index: int, name: str, column: Column) -> str:
    """That a line's value holds; what is null is missing, or given so."""
    read = f'e."{name}"'
    listed = ", ".join(f"'{word}'" for word in column.json)
    holds = [f"t[{index}] IN ({listed})"]
    if column.pattern:
        holds.append(f"regexp_full_match({read}, '{quoted(column.pattern)}')")
    if column.type == "TIMESTAMP":
        holds.append(f"coalesce({_moment(read)} BETWEEN '{_BEFORE}' AND '{_AFTER}', false)")
    if column.type in ("BIGINT", "DOUBLE"):
        holds.append(f"coalesce({read} >= 0 AND {read} < 1e300, false)")
    held = " AND ".join(holds)
    if column.required:
        return held
    if column.nullable:
        return f"{_missing(index)} OR ({held})"
    return f"t[{index}] IS NULL OR ({held})"


def _convert_first(connection: Connection, pseudonym: first.Pseudonym | None) -> None:
    """Replace lines of the first schema by lines of this one."""
    old = connection.execute("SELECT \"row\", line FROM lines WHERE kind = 'first'").fetchall()
    if not old:
        return
    lines = [json.dumps(first.converted(read_object(line.encode()), pseudonym)) for _, line in old]
    frame = pd.DataFrame({"row": [row for row, _ in old], "line": pd.Series(lines, dtype=object)})
    connection.register("converted", frame)
    try:
        connection.execute("DELETE FROM lines WHERE kind = 'first'")
        connection.execute("INSERT INTO lines SELECT \"row\", line, 'operation' FROM converted")
    finally:
        connection.unregister("converted")


def _sanitise(connection: Connection, kind: type[Event]) -> None:
    """Leave out what may not be told, in lines that something else than our writer wrote."""
    staged = f"staged_{kind.kind}"
    doubtful = connection.execute(
        f"""
        SELECT "row", CAST(parameters AS VARCHAR) FROM {staged}
        WHERE valid AND NOT (
            regexp_full_match(CAST(parameters AS VARCHAR), $plain)
            AND NOT regexp_matches(CAST(parameters AS VARCHAR), $wordy)
        )
        """,  # noqa: S608
        {"plain": PLAIN_PARAMETERS, "wordy": WORDY_KEYS},
    ).fetchall()
    if not doubtful:
        return
    kept = [
        json.dumps(sanitise_parameters(json.loads(text)), separators=(",", ":")) for _, text in doubtful
    ]
    frame = pd.DataFrame({"row": [row for row, _ in doubtful], "kept": pd.Series(kept, dtype=object)})
    connection.register("sanitised", frame)
    try:
        connection.execute(
            f"""
            UPDATE {staged} SET parameters = kept FROM sanitised WHERE {staged}."row" = sanitised."row"
            """  # noqa: S608
        )
    finally:
        connection.unregister("sanitised")
