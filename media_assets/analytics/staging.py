"""Lines → typed rows, by DuckDB: what holds, what does not and why, and what is stored already.

The lines of a batch are put into a table; each kind's are then read into a staged table with the columns
of its events, in one pass. Every name in the SQL here comes from the schema.

Loading keeps these tables in a database of their own, in memory, in small groups of rows: DuckDB gives each
group to one thread. They are written before the transaction is begun, since one may write to one database.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pandas as pd
from duckdb import DuckDBPyConnection as Connection

from media_assets.analytics.reading import read_object
from media_assets.analytics.schema import KINDS, Event, columns, first
from media_assets.analytics.schema.columns import Column
from media_assets.analytics.schema.sanitising import PLAIN_PARAMETERS, WORDY_KEYS, sanitise_parameters

_BEFORE, _AFTER = "2000-01-01", "9999-01-01"

# No TRY: with a malformed line, DuckDB 1.5 gives other lines' text back from what it stands around.
_LINES = """
CREATE OR REPLACE {made} lines AS
SELECT "row", line,
    CASE WHEN json_valid(line) THEN coalesce(json_extract_string(line, '$.kind'), 'none') END AS kind
FROM batch
"""
_OTHERS = """
SELECT "row", CASE
    WHEN kind IS NULL THEN 'not JSON'
    WHEN kind = 'none' AND json_type(line) <> 'OBJECT' THEN 'not a JSON object'
    ELSE 'no kind of event' END
FROM {read}lines WHERE kind IS NULL OR kind NOT IN (SELECT unnest($kinds::VARCHAR[]))
"""
_FIRST = "SELECT \"row\", line FROM {read}lines WHERE kind = 'none' AND json_exists(line, '$.effect')"
_DATABASE = "staging"
_ROWS_OF_A_THREAD = 8192


class Stage:
    """The staged tables of a connection, one batch at a time.

    Args:
        connection: to the warehouse.
        pseudonym: what names in lines of the first schema are hashed with; they are dropped without.
        apart: keep the tables in a database of their own, until `close`; else they are temporary ones,
            which a transaction that has changed the warehouse may write, too.
    """

    def __init__(
        self, connection: Connection, pseudonym: first.Pseudonym | None, *, apart: bool = False
    ) -> None:
        self._connection = connection
        self._pseudonym = pseudonym
        self._apart = apart
        self._read = f"{_DATABASE}." if apart else ""
        self._made = f"TABLE {_DATABASE}." if apart else "TEMP TABLE "
        if apart:
            connection.execute(f"ATTACH ':memory:' AS {_DATABASE} (ROW_GROUP_SIZE {_ROWS_OF_A_THREAD})")

    def close(self) -> None:
        """Let go of the memory."""
        if self._apart:
            self._connection.execute(f"DETACH {_DATABASE}")

    def put(self, lines: Sequence[str]) -> list[tuple[int, str]]:
        """Put lines into the staged tables; what cannot be is returned as (row, why)."""
        frame = pd.DataFrame({"row": range(len(lines)), "line": pd.Series(list(lines), dtype=object)})
        with _registered(self._connection, "batch", frame):
            self._do(_LINES)
        self._convert_first()
        known = [kind.kind for kind in KINDS]
        rejected: list[tuple[int, str]] = self._do(_OTHERS, {"kinds": known}).fetchall()
        for kind in KINDS:
            self._do(staged_sql(kind))
            if "parameters" in columns(kind):
                self._sanitise(kind)
            if self._do(f"SELECT 1 FROM {{read}}staged_{kind.kind} WHERE NOT valid LIMIT 1").fetchall():  # noqa: S608
                rejected += self._do(_problems_sql(kind)).fetchall()
        return rejected

    def find_repeated(self, kind: type[Event]) -> int:
        """Note staged events that are stored, or came before in the batch; returns how many."""
        staged = f"{{read}}staged_{kind.kind}"
        self._do('CREATE OR REPLACE TEMP TABLE repeated ("row" BIGINT)')
        measured = "min(event_id), max(event_id), count(*), count(DISTINCT event_id)"
        bounds = self._do(f"SELECT {measured} FROM {staged} WHERE valid").fetchone()  # noqa: S608
        if bounds is None or not bounds[2]:
            return 0
        # Ids begin with a time, so only that range of what is stored is read.
        self._do(
            f"""
            INSERT INTO repeated SELECT "row" FROM {staged} SEMI JOIN (
                SELECT event_id FROM {kind.table} WHERE event_id BETWEEN $low AND $high
            ) USING (event_id) WHERE valid
            """,  # noqa: S608
            {"low": bounds[0], "high": bounds[1]},
        )
        if bounds[2] != bounds[3]:
            self._do(
                f"""
                INSERT INTO repeated SELECT "row" FROM {staged} WHERE valid
                QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY "row") > 1
                """  # noqa: S608
            )
        self._do(
            f"""
            INSERT INTO duplicate_events
            SELECT event_id, writer, sequence FROM {staged} WHERE "row" IN (SELECT "row" FROM repeated)
            """  # noqa: S608
        )
        found = self._do('SELECT count(DISTINCT "row") FROM repeated').fetchone()
        return int(found[0]) if found else 0

    def store(self, kind: type[Event]) -> int:
        """Copy what holds and is not repeated into its table, and note its days; returns how many."""
        names = ", ".join(f'"{name}"' for name in columns(kind))
        first_seen = 'WHERE valid AND "row" NOT IN (SELECT "row" FROM repeated)'
        new = f"{{read}}staged_{kind.kind} {first_seen}"
        done = self._do(f"INSERT INTO {kind.table} ({names}) SELECT {names} FROM {new}").fetchone()  # noqa: S608
        self._do(
            f"""
            INSERT INTO unexported_days
            SELECT DISTINCT '{kind.kind}', CAST("timestamp" AS DATE) FROM {new}
            EXCEPT SELECT kind, day FROM unexported_days
            """  # noqa: S608
        )
        return int(done[0]) if done else 0

    def _do(self, statement: str, values: Mapping[str, object] | None = None) -> Connection:
        whole = statement.replace("{made} ", self._made).replace("{read}", self._read)
        return self._connection.execute(whole, values) if values else self._connection.execute(whole)

    def _convert_first(self) -> None:
        """Replace lines of the first schema by lines of this one."""
        old = self._do(_FIRST).fetchall()
        if not old:
            return
        lines = [
            json.dumps(first.converted(read_object(line.encode()), self._pseudonym)) for _, line in old
        ]
        frame = pd.DataFrame({"row": [row for row, _ in old], "line": pd.Series(lines, dtype=object)})
        with _registered(self._connection, "converted", frame):
            self._do('DELETE FROM {read}lines WHERE "row" IN (SELECT "row" FROM converted)')
            self._do("INSERT INTO {read}lines SELECT \"row\", line, 'operation' FROM converted")

    def _sanitise(self, kind: type[Event]) -> None:
        """Leave out what may not be told, in lines that something else than our writer wrote."""
        doubtful = self._do(
            f"""
            SELECT "row", CAST(parameters AS VARCHAR) FROM {{read}}staged_{kind.kind}
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
        with _registered(self._connection, "sanitised", frame):
            self._do(
                f"""
                UPDATE {{read}}staged_{kind.kind} AS staged SET parameters = kept
                FROM sanitised WHERE staged."row" = sanitised."row"
                """  # noqa: S608
            )


@contextmanager
def _registered(connection: Connection, name: str, frame: pd.DataFrame) -> Iterator[None]:
    connection.register(name, frame)
    try:
        yield
    finally:
        connection.unregister(name)


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
CREATE OR REPLACE {{made}} staged_{kind.kind} AS
SELECT "row", {values},
    coalesce({conditions}, false) AS valid
FROM (
    SELECT "row", from_json(line, '{form}') AS e, json_type(line, {_paths(fields)}) AS t
    FROM {{read}}lines WHERE kind = '{kind.kind}'
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
    FROM {{read}}lines WHERE "row" IN (SELECT "row" FROM {{read}}staged_{kind.kind} WHERE NOT valid)
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
    type_, given = f"t[{index}]", f'e."{name}"'
    listed = ", ".join(f"'{word}'" for word in column.json)
    if column.nullable:
        holds = [f"coalesce({type_}, 'NULL') IN ('NULL', {listed})"]
    elif column.required:
        holds = [f"{type_} IN ({listed})"]
    else:
        holds = [f"coalesce({type_}, '{column.json[0]}') IN ({listed})"]
    if column.type == "TIMESTAMP":
        holds.append(f"coalesce({_moment(given)} BETWEEN '{_BEFORE}' AND '{_AFTER}', false)")
    if column.pattern:
        holds.append(f"coalesce({_matches(given, column.pattern)}, {type_} IS NULL OR {type_} = 'NULL')")
    elif column.type in ("BIGINT", "DOUBLE"):
        # What is no number of the type is null, though something was given.
        range_ = f"{given} >= 0 AND {given} < 1e300"
        holds.append(f"coalesce({range_}, {type_} IS NULL OR {type_} = 'NULL')")
    return " AND ".join(holds)


def _matches(given: str, pattern: str) -> str:
    if re.fullmatch(r"[a-z]+(\|[a-z]+)*", pattern):
        return f"{given} IN ({', '.join(repr(word) for word in pattern.split('|'))})"
    return f"regexp_full_match({given}, '{quoted(pattern)}')"
