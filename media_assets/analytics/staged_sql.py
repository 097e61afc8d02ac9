"""The SQL that reads lines as events: which columns they have, what holds, and what does not and why.

A line that is plain is read the quick way: its first characters after each name show that every value has
the type that it should have, so only what is left is looked at (patterns, times, what is missing). Any
other line is read the strict way, which asks DuckDB for the type of each value. Both decide alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

from media_assets.analytics.schema import KINDS, Event, columns
from media_assets.analytics.schema.columns import Column

_BEFORE, _AFTER = "2000-01-01", "9999-01-01"

# What may not follow a name and its colon. Whole numbers of up to 18 digits fit, and so do fractions that
# are written with at most 24 digits before the point and no exponent above zero.
_ODD = {
    "BIGINT": r"[^0-9]|[0-9]{19}|[0-9]+[^0-9,}]",
    "DOUBLE": r"[^0-9]|[0-9]{25}|[0-9.]+[eE][^-]",
    "BOOLEAN": "[^tf]",
    "JSON": "[^{]",
}
_ODD_TEXT = '[^"]'
# The writer puts nothing between a name and its colon; after a quote, this stands nowhere else.
_SPACED = r'"[ \t\r]+:'


def quoted(text: str) -> str:
    """Text as it stands between single quotes in SQL."""
    return text.replace("'", "''")


def _paths(names: Iterable[str]) -> str:
    paths = ", ".join(f"'$.{name}'" for name in names)
    return f"[{paths}]"


def plain_sql() -> str:
    """The condition that a line is plain: no value of a known name begins as its type does not."""
    names: dict[str, list[str]] = {}
    for name, type_ in _types().items():
        names.setdefault(_ODD.get(type_, _ODD_TEXT), []).append(name)
    odd = "|".join(f'"(?:{"|".join(found)})":(?:{follows})' for follows, found in names.items())
    odd = f"{odd}|{_SPACED}"
    return f"NOT (contains(line, '\\') OR regexp_matches(line, '{quoted(odd)}'))"


def _types() -> dict[str, str]:
    """The type of every name; a name has the same one in all kinds."""
    found: dict[str, str] = {}
    for kind in KINDS:
        for name, column in columns(kind).items():
            if found.setdefault(name, column.type) != column.type:
                raise AssertionError(f"{name} has two types")
    return found


def staged_sql(kind: type[Event]) -> str:
    """The statement that reads the lines of a kind."""
    fields = columns(kind)
    form = json.dumps({name: _read_as(column) for name, column in fields.items()})
    values = ",\n    ".join(f'{_value(name, column)} AS "{name}"' for name, column in fields.items())
    quick = f"from_json(line, '{form}') AS e"
    strict = f"{quick}, json_type(line, {_paths(fields)}) AS t"

    def read(asked: str, plain: str, condition: Callable[[int, str, Column], str]) -> str:
        return f"""
SELECT "row", {values},
    coalesce({_all(kind, condition)}, false) AS valid
FROM (SELECT "row", {asked} FROM {{read}}lines WHERE kind = '{kind.kind}' AND {plain})
"""  # noqa: S608

    return (
        f"CREATE OR REPLACE {{made}} staged_{kind.kind} AS"
        f"{read(quick, 'plain', _plain_condition)}UNION ALL{read(strict, 'NOT plain', _condition)}"
    )


def _all(kind: type[Event], condition: Callable[[int, str, Column], str]) -> str:
    """That a condition holds for each column; what is always so is left out."""
    told = (condition(index, name, one) for index, (name, one) in enumerate(columns(kind).items(), 1))
    return "\n    AND ".join(f"({one})" for one in told if one)


def problems_sql(kind: type[Event]) -> str:
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


def _plain_condition(index: int, name: str, column: Column) -> str:
    """The same of a plain line: types are right there, and what is null is missing."""
    given = f'e."{name}"'
    if column.type == "TIMESTAMP":
        pattern = _matches(given, column.pattern)
        return f"{_moment(given)} BETWEEN '{_BEFORE}' AND '{_AFTER}' AND {pattern}"
    if column.pattern:
        holds = _matches(given, column.pattern)
        return holds if column.required else f"coalesce({holds}, true)"
    if column.type in ("BIGINT", "DOUBLE"):
        return ""
    return f"{given} IS NOT NULL" if column.required else ""


def _matches(given: str, pattern: str) -> str:
    if re.fullmatch(r"[a-z]+(\|[a-z]+)*", pattern):
        return f"{given} IN ({', '.join(repr(word) for word in pattern.split('|'))})"
    return f"regexp_full_match({given}, '{quoted(pattern)}')"
