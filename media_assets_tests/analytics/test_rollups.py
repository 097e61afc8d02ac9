"""Sums by day are what a query over all events gives, and only changed days are made again."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from media_assets.analytics import rollups
from media_assets.analytics.rollups import Rollup

SUMS = Rollup(
    "sums", "things", "SELECT day, word, count(*) AS events, sum(amount) AS amount FROM events GROUP BY ALL"
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(
            'CREATE TABLE things (event_id UUID, "timestamp" TIMESTAMP, word VARCHAR, amount BIGINT)'
        )
        add(opened, 1000, "2026-01-01", days=20)
        yield opened


def add(connection: duckdb.DuckDBPyConnection, count: int, first: str, days: int = 1) -> None:
    connection.execute(
        """
        INSERT INTO things
        SELECT uuidv7(), CAST(? AS TIMESTAMP) + to_days(CAST(i % ? AS INTEGER)) + to_seconds(i),
            'word' || i % 3, i
        FROM range(?) AS numbers(i)
        """,
        [first, days, count],
    )


def whole(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute(
        """
        SELECT CAST("timestamp" AS DATE) AS day, word, count(*) AS events, sum(amount) AS amount
        FROM things GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()


def rolled(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.execute("SELECT day, word, events, amount FROM sums ORDER BY ALL").fetchall()


def test_only_days_with_new_events_are_made_again(connection: duckdb.DuckDBPyConnection) -> None:
    assert rollups.refresh(connection, [SUMS]) == {"sums": 20}
    assert rolled(connection) == whole(connection)
    assert rollups.refresh(connection, [SUMS]) == {"sums": 0}
    add(connection, 5, "2026-01-03")
    add(connection, 1, "2025-12-24")
    assert rollups.refresh(connection, [SUMS]) == {"sums": 2}
    assert rolled(connection) == whole(connection)


def test_days_whose_events_are_gone_are_gone(connection: duckdb.DuckDBPyConnection) -> None:
    rollups.refresh(connection, [SUMS])
    connection.execute("DELETE FROM things WHERE \"timestamp\" < '2026-01-05'")
    rollups.refresh(connection, [SUMS])
    assert rolled(connection) == whole(connection)


def test_another_question_is_answered_anew_with_its_own_columns(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rollups.refresh(connection, [SUMS])
    other = Rollup("sums", "things", "SELECT day, max(amount) AS largest FROM events GROUP BY ALL")
    assert rollups.refresh(connection, [other]) == {"sums": 20}
    assert connection.execute("SELECT max(largest), count(*) FROM sums").fetchone() == (999, 20)


def test_rows_that_were_changed_count_once_they_are_told(connection: duckdb.DuckDBPyConnection) -> None:
    rollups.refresh(connection, [SUMS])
    connection.execute("UPDATE things SET word = 'other'")
    assert rollups.refresh(connection, [SUMS]) == {"sums": 0}
    rollups.forget(connection, ["2026-01-02"])
    assert rollups.refresh(connection, [SUMS]) == {"sums": 1}
    rollups.forget(connection)
    assert rollups.refresh(connection, [SUMS]) == {"sums": 20}
    assert rolled(connection) == whole(connection)


def test_without_events_there_is_an_empty_table(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM things")
    assert rollups.refresh(connection, [SUMS]) == {"sums": 0}
    assert rolled(connection) == []


def test_rollups_of_the_same_events_are_brought_up_together(connection: duckdb.DuckDBPyConnection) -> None:
    largest = Rollup("largest", "things", "SELECT day, max(amount) AS largest FROM events GROUP BY ALL")
    rollups.refresh(connection, [SUMS])
    add(connection, 5, "2026-01-03")
    assert rollups.refresh(connection, [SUMS, largest, SUMS]) == {"sums": 1, "largest": 20}
    assert rollups.refresh(connection, [SUMS, largest]) == {"sums": 0, "largest": 0}
    add(connection, 5, "2026-01-04")
    assert rollups.refresh(connection, [SUMS, largest]) == {"sums": 1, "largest": 1}
    assert rolled(connection) == whole(connection)
    assert connection.execute("SELECT max(largest), count(*) FROM largest").fetchone() == (999, 20)


@pytest.mark.parametrize("most", [0, 200_000])
def test_many_changed_events_give_the_same_sums_as_few(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(rollups, "MOST_TAKEN", most)
    counts = Rollup("counts", "things", "SELECT day, count(*) AS events FROM events GROUP BY ALL")
    rollups.refresh(connection, [SUMS, counts])
    add(connection, 500, "2026-01-03", days=3)
    assert rollups.refresh(connection, [SUMS, counts]) == {"sums": 3, "counts": 3}
    assert rolled(connection) == whole(connection)
    assert connection.execute("SELECT sum(events) FROM counts").fetchone() == (1500,)
