"""Python, which writes events, and DuckDB, which loads them, hold the same values to be right."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.making import new_error, new_operation, new_workflow
from media_assets.analytics.reading import parse_line
from media_assets.analytics.schema import KINDS, Event, columns
from media_assets.analytics.staging import Stage
from media_assets_tests.analytics.telling import ORIGIN

EXAMPLES: dict[str, Event] = {
    "operation": new_operation(ORIGIN, "trim", "rendered", parameters={"start": 1.5, "codec": "libx264"}),
    "workflow": new_workflow(ORIGIN, "workflow", "done", workflow="web_preview"),
    "error": new_error(ORIGIN, "ingest", "CorruptMedia"),
}
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 7.5, -0.5, 1e300, 1 << 62, 1 << 63, 1 << 70, "", "x", "trim", "a/b", "A b",
    "trim>resize", "trim>", ">".join(["trim"] * 5), ">".join(["trim"] * 6), "caf\u00e9", "a\nb", "a\x00b",
    "u_k1_" + "0" * 32, "s_k1_" + "0" * 32, "c_k1_" + "0" * 32, "o_k1_" + "0" * 31,
    "effect_trim_" + "0" * 16,
    "src_lookin_mp4", "rendered", "fused", "done", "cli", "video", "tiny", "uhd", "ValueError",
    "linux-x86_64-2",
    "019a0000-0000-7000-8000-000000000000", "019A0000-0000-7000-8000-000000000000",
    "2026-11-05T06:00:00+02:00",
    "2026-11-05T06:00:00", "2026-11-05 06:00:00.5Z", "2026-02-30T06:00:00+00:00",
    "1999-01-01T00:00:00+00:00",
    "2026-11-05T06:00:00.123456+00:00", [], ["trim"], {}, {"start": 1},
]  # fmt: skip


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["as the writer", "with spaces"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_what_may_be_written_is_what_is_loaded(
    kind: type[Event], separators: tuple[str, str], warehouse: Connection
) -> None:
    good = EXAMPLES[kind.kind].line()
    cases = [(name, value) for name in columns(kind) for value in VALUES]
    lines = [json.dumps({**good, name: value}, separators=separators) for name, value in cases]
    rejected = dict(Stage(warehouse, None).put(lines))
    for row, (name, value) in enumerate(cases):
        column = columns(kind)[name]
        assert (row not in rejected) == column.holds(value), (name, value, rejected.get(row))
        if row in rejected:
            assert name in rejected[row]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_a_field_that_is_not_there_has_its_default_or_is_missed(
    kind: type[Event], warehouse: Connection
) -> None:
    good = EXAMPLES[kind.kind].line()
    lines = [json.dumps({key: good[key] for key in good if key != name}) for name in columns(kind)]
    rejected = dict(Stage(warehouse, None).put(lines))
    for row, (name, column) in enumerate(columns(kind).items()):
        assert rejected.get(row) == (f"no {name}" if column.required else None)
        if column.required:
            with pytest.raises(ValueError, match=f"no {name}"):
                parse_line(lines[row].encode())
        else:
            parse_line(lines[row].encode())


def test_damaged_lines_are_rejected_and_spoil_no_other(warehouse: Connection) -> None:
    """Lines as the writer writes them, and such with something cut out, put in or changed, in one batch."""
    chance = random.Random(5)
    good = [json.dumps(event.line(), separators=(",", ":")) for event in EXAMPLES.values()]
    lines = [*good, *(_damaged(chance.choice(good), chance) for _ in range(6_000))]
    rejected = dict(Stage(warehouse, None).put(lines))
    wrong = [line for row, line in enumerate(lines) if _is_event(line) == (row in rejected)]
    assert [line for line in wrong if ",}" not in line] == []  # a comma too many is none to DuckDB
    assert 1_000 < len(rejected) < 5_000


def _damaged(line: str, chance: random.Random) -> str:
    values = [
        "5",
        '"5"',
        "true",
        "null",
        "1.5",
        "1e3",
        "[]",
        "{}",
        '"x"',
        str(1 << 64),
        "-1",
        "1e400",
        " 7",
    ]
    name = chance.choice(re.findall(r'"(\w+)":', line))
    value, gap = chance.choice(values), chance.choice("  \t")
    at = chance.randrange(len(line))
    return chance.choice(
        [
            re.sub(rf'"{name}":("[^"]*"|[0-9.e-]+|true|false)', f'"{name}"{gap}:{value}', line),
            line[:at] + line[at + chance.randrange(1, 4) :],
            line[:at] + chance.choice(' \\",:{}[]019aé') + line[at:],
        ]
    )


def _is_event(line: str) -> bool:
    try:
        parse_line(line.encode())
    except ValueError:
        return False
    return True


def test_every_kind_has_a_table_of_its_fields(warehouse: Connection) -> None:
    for kind in KINDS:
        found = warehouse.execute(f"DESCRIBE {kind.table}").fetchall()
        assert [row[0] for row in found] == list(columns(kind))


def test_parameters_of_a_foreign_line_are_sanitised_as_ours_are(warehouse: Connection) -> None:
    given = [
        {"start": 1.5, "codec": "libx264", "keep": True, "ratio": "16:9"},
        {"text": "hello", "width": 640},
        {"overlay_file": "logo", "height": 360},
        {"note": "A sentence", "fps": 25},
        {"music": "song.mp3"},
        {"nested": {"text": "x"}, "list": [1], "nothing": None},
        {"Some Title": 1},
        {},
    ]
    good = EXAMPLES["operation"].line()
    lines = [json.dumps({**good, "parameters": one}) for one in given]
    assert Stage(warehouse, None).put(lines) == []
    rows = warehouse.execute('SELECT parameters FROM staged_operation ORDER BY "row"').fetchall()
    assert [json.loads(text) for (text,) in rows] == [
        parse_line(line.encode())["parameters"] for line in lines
    ]
