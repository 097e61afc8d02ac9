"""Synthetic events are the same for the same seed, and hold what was planted."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from media_assets.analytics import tables
from media_assets.analytics.synthetic.generate import generate
from media_assets.analytics.synthetic.planted import PLANTED


def filled(events: int, seed: int) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    tables.create(connection)
    generate(connection, events, seed=seed)
    return connection


@pytest.fixture(scope="module")
def events() -> Iterator[duckdb.DuckDBPyConnection]:
    with filled(30_000, 1) as connection:
        yield connection


def one(connection: duckdb.DuckDBPyConnection, query: str, *values: object) -> float:
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return float(row[0])


def test_a_seed_gives_the_same_events_and_another_seed_others() -> None:
    def digest(seed: int) -> float:
        with filled(3_000, seed) as connection:
            return one(
                connection, "SELECT sum(hash(event_id, operation, duration_ms)) FROM operation_events"
            )

    assert digest(5) == digest(5) != digest(6)


def test_every_planted_chain_is_as_frequent_as_it_says(events: duckdb.DuckDBPyConnection) -> None:
    for kind, chains in PLANTED.chains.items():
        requests = one(
            events, "SELECT count(DISTINCT chain) FROM operation_events WHERE source_kind = ?", kind
        )
        for chain, share in chains.items():
            *before, last = chain
            begun = one(
                events,
                """
                SELECT count(*) FROM operation_events
                WHERE source_kind = ? AND operation = ? AND previous = ? AND position = ?
                """,
                *(kind, last, ">".join(before), len(chain)),
            )
            assert begun / requests > share * 0.3, chain


def test_what_follows_a_failure_did_not_happen(events: duckdb.DuckDBPyConnection) -> None:
    assert not one(
        events,
        """
        SELECT count(*) FROM operation_events AS later
        SEMI JOIN (SELECT chain, position FROM operation_events WHERE NOT success) AS failed
            ON later.chain = failed.chain AND later.position > failed.position
        """,
    )


def test_odd_widths_fail_and_the_slowed_operation_takes_longer(events: duckdb.DuckDBPyConnection) -> None:
    odd = "operation = 'resize' AND CAST(parameters->>'width' AS INTEGER) % 2 = 1"
    assert one(events, f"SELECT count(*) FROM operation_events WHERE {odd}") > 50  # noqa: S608
    assert one(events, f"SELECT max(CAST(success AS INTEGER)) FROM operation_events WHERE {odd}") == 0  # noqa: S608
    typical = """
        SELECT median(duration_ms / (input_seconds * width * height)) FROM operation_events
        WHERE operation = ? AND outcome = 'rendered' AND "timestamp" {} TIMESTAMP '2026-10-09 12:00:00'
    """
    late, early = (one(events, typical.format(side), PLANTED.slowed) for side in (">", "<"))
    assert late / early == pytest.approx(PLANTED.slowdown, rel=0.15)


def test_who_opted_out_leaves_nothing_but_counts(events: duckdb.DuckDBPyConnection) -> None:
    assert one(events, 'SELECT count(*) FROM operation_events WHERE "user" IS NULL') > 0
    assert not one(
        events,
        """
        SELECT count(*) FROM operation_events
        WHERE "user" IS NULL AND coalesce(run, chain, subject, nullif(previous, '')) IS NOT NULL
        """,
    )
