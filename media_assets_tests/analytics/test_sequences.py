"""Sequences are what a count over every chain gives, and what PrefixSpan finds in the same chains."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
import pytest

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import questions, sequences
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.planted import PLANTED
from media_assets_tests.analytics.conftest import synthetic

Chain = tuple[str, ...]
Rows = dict[str, dict[str, Any]]
LEAST = 0.01


@pytest.fixture(scope="module")
def events() -> Iterator[Connection]:
    with synthetic(8_000, seed=3, rollups=sequences.ROLLUPS) as connection:
        yield connection


@pytest.fixture(scope="module")
def performed(events: Connection) -> pd.DataFrame:
    """Every operation of a chain, in order."""
    return events.execute(
        """
        SELECT chain, operation, success, duration_ms FROM operation_events
        WHERE chain IS NOT NULL ORDER BY chain, position
        """
    ).df()


@pytest.fixture(scope="module")
def chains(performed: pd.DataFrame) -> list[Chain]:
    return [tuple(one) for one in performed.groupby("chain")["operation"].agg(list)]


@pytest.fixture(scope="module")
def found(events: Connection) -> Rows:
    return by_sequence(sequences.answer(events, support=LEAST))


def by_sequence(frame: pd.DataFrame) -> Rows:
    return {str(row["sequence"]): {str(k): v for k, v in row.items()} for row in frame.to_dict("records")}


def column(found: Rows, name: str) -> dict[str, Any]:
    return {sequence: row[name] for sequence, row in found.items()}


def parts(chain: Sequence[str]) -> set[Chain]:
    """The sequences of one to six operations that follow one another directly."""
    return {
        tuple(chain[start : start + size])
        for size in range(1, sequences.LONGEST + 1)
        for start in range(len(chain) - size + 1)
    }


def prefixspan(chains: Sequence[Chain], least: float) -> dict[Chain, int]:
    """Frequent subsequences, gaps allowed, of up to six items: Pei et al., PrefixSpan (2001).

    A pattern is extended by each item that enough of its projected database (what follows the pattern's
    first occurrence, in each chain that has it) holds.
    """
    counted: dict[Chain, int] = {}

    def extended(pattern: Chain, projected: list[tuple[int, int]]) -> None:
        after: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, start in projected:
            seen: set[str] = set()
            for place in range(start, len(chains[number])):
                item = chains[number][place]
                if item not in seen:
                    seen.add(item)
                    after[item].append((number, place + 1))
        for item, rest in after.items():
            if len(rest) >= least:
                counted[(*pattern, item)] = len(rest)
                if len(pattern) + 1 < sequences.LONGEST:
                    extended((*pattern, item), rest)

    extended((), [(number, 0) for number in range(len(chains))])
    return counted


def test_counts_are_those_of_every_single_chain(chains: list[Chain], found: Rows) -> None:
    counted = Counter(part for chain in chains for part in parts(chain))
    frequent = {
        ">".join(part): count
        for part, count in counted.items()
        if len(part) > 1 and count >= max(sequences.FEWEST_CHAINS, LEAST * len(chains))
    }
    assert len(frequent) > 30
    assert column(found, "chains") == frequent
    for name, row in found.items():
        part = tuple(name.split(">"))
        confidence = counted[part] / counted[part[:-1]]
        assert row["support"] == pytest.approx(counted[part] / len(chains))
        assert row["confidence"] == pytest.approx(confidence)
        assert row["lift"] == pytest.approx(confidence / (counted[part[-1:]] / len(chains)))


def test_prefixspan_finds_the_same_in_the_same_chains(chains: list[Chain], found: Rows) -> None:
    """Its patterns may have gaps.

    So every sequence without gaps is among its patterns, and both ways of counting are made comparable:
    its supports are ours with others in between (`loose_support`); its patterns, counted again without
    gaps, are our sequences, none more and none less.
    """
    beginnings = [chain[: sequences.LONGEST] for chain in chains]
    patterns = prefixspan(beginnings, LEAST * len(chains))
    for name, row in found.items():
        loose = patterns[tuple(name.split(">"))]
        assert row["loose_support"] == pytest.approx(loose / len(chains)), name
    whole = prefixspan(chains, LEAST * len(chains))
    held = [parts(chain) for chain in chains]
    direct = {part: sum(part in one for one in held) for part in whole if len(part) > 1}
    assert {">".join(p): n for p, n in direct.items() if n >= LEAST * len(chains)} == column(
        found, "chains"
    )


def test_what_was_planted_is_found_and_lifted(found: Rows) -> None:
    for planted in PLANTED.chains.values():
        for chain in planted:
            row = found[">".join(chain)]
            assert row["position"] == 1
            assert row["lift"] > 1 or len(chain) == 2


def test_times_are_the_medians_of_whole_successful_chains(performed: pd.DataFrame, found: Rows) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    for _, chain in performed.groupby("chain"):
        if not chain["success"].all():
            continue
        operations, durations = list(chain["operation"]), list(chain["duration_ms"])
        for size in range(2, 7):
            for start in range(min(len(operations), 6) - size + 1):
                name = ">".join(operations[start : start + size])
                took[name].append(sum(durations[start : start + size]) / 1000)
    for name, row in found.items():
        # A chain that goes on after midnight is in no time: the middle may be that of a neighbour.
        ordered = sorted(took[name])
        middle = len(ordered) // 2
        low, high = ordered[max(0, middle - 2)], ordered[min(len(ordered) - 1, middle + 2)]
        assert low * 0.979 <= row["seconds"] <= high * 1.021, name


def test_success_is_that_of_all_its_steps(performed: pd.DataFrame, found: Rows) -> None:
    tried: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for _, chain in performed.groupby("chain"):
        operations, passed = list(chain["operation"]), list(chain["success"])
        seen = set()
        for end in range(1, len(operations) + 1):
            for size in range(1, min(end, 6) + 1):
                name = ">".join(operations[end - size : end])
                if name not in seen:
                    seen.add(name)
                    tried[name] += 1
                    failed[name] += not passed[end - 1]
    for name, row in found.items():
        steps = name.split(">")
        rate = 1.0
        for size in range(1, len(steps) + 1):
            prefix = ">".join(steps[:size])
            rate *= 1 - failed[prefix] / tried[prefix]
        assert row["success_rate"] == pytest.approx(rate), name
    odd_widths = found["trim>resize"]["success_rate"]
    assert odd_widths < found["trim>stabilize"]["success_rate"]


def test_where_they_start_adds_up_to_how_many_there_are(events: Connection, found: Rows) -> None:
    names = list(found)[:10]
    places = sequences.by_position(events, names)
    wanted = {name: found[name] for name in names}
    assert places.groupby("sequence")["chains"].sum().to_dict() == column(wanted, "chains")
    assert places["share"].between(0, 1).all()
    most = places.sort_values("chains").groupby("sequence")["position"].last()
    assert most.to_dict() == column(wanted, "position")


def test_weeks_tell_when(warehouse: Connection) -> None:
    for day, fades in (("2026-03-03", 2), ("2026-03-12", 8)):
        add(warehouse, ("trim", "fade"), fades, day)
        add(warehouse, ("trim", "crop"), 8, day)
    refresh(warehouse, sequences.ROLLUPS)
    weeks = sequences.by_week(warehouse, ["trim>fade"])
    found = dict(zip(weeks["week"].dt.strftime("%m-%d"), weeks["support"], strict=True))
    assert found == {"03-05": 0.2, "03-12": 0.5}


def test_nothing_changes_where_nothing_was_planted(found: Rows) -> None:
    assert set(column(found, "trend").values()) == {""}


def add(
    connection: Connection, chain: Chain, count: int, day: str, user: str = "u_1_", users: int = 10
) -> None:
    """Requests for a chain, one after another, on one day."""
    connection.execute(
        """
        INSERT INTO operation_events BY NAME
        SELECT uuidv7() AS event_id, CAST(? AS TIMESTAMP) + to_seconds(i + position) AS "timestamp",
            ? || i % ? AS "user", 'cli' AS platform, 'm-m-1' AS machine, steps[position] AS operation,
            'rendered' AS outcome, true AS success, 'c_' || ? || i AS chain, position,
            array_to_string(steps[greatest(1, position - 5):position - 1], '>') AS previous,
            'video' AS source_kind, 1000.0 AS duration_ms
        FROM range(?) AS numbers(i), (SELECT ?::VARCHAR[] AS steps),
            (SELECT unnest(range(1, ? + 1)) AS position)
        """,
        [day, user, users, f"{day}{'>'.join(chain)}", count, list(chain), len(chain)],
    )


def test_what_rises_and_falls_is_told_and_what_stays_is_not(warehouse: Connection) -> None:
    for day, new, old in (("2026-03-03", 20, 60), ("2026-03-20", 60, 20)):
        add(warehouse, ("crop", "fade"), new, day)
        add(warehouse, ("trim", "speed"), old, day)
        add(warehouse, ("pad", "flip"), 40, day)
    found = by_sequence(questions()["sequences"].asked(warehouse))
    assert column(found, "trend") == {"crop>fade": "rising", "trim>speed": "falling", "pad>flip": ""}
    assert found["crop>fade"]["change"] == pytest.approx(3.0)
    assert found["pad>flip"]["change"] == pytest.approx(1.0)


def test_a_chain_counts_once_however_often_it_has_the_sequence(warehouse: Connection) -> None:
    add(warehouse, ("trim", "fade", "trim", "fade", "trim", "fade"), 6, "2026-03-03", users=3)
    found = by_sequence(questions()["sequences"].asked(warehouse))
    assert found["trim>fade"]["chains"] == 6
    assert found["trim>fade"]["support"] == 1
    assert set(column(found, "users").values()) == {3}


def test_branches_of_a_request_are_paths_of_their_own(warehouse: Connection) -> None:
    for end in ("fade", "crop"):
        add(warehouse, ("trim", "resize", end), 8, "2026-03-03")
    warehouse.execute(
        """
        UPDATE operation_events SET chain = 'same_' || "user";
        DELETE FROM operation_events WHERE "user" > 'u_1_7'
        """
    )
    found = by_sequence(questions()["sequences"].asked(warehouse))
    assert column(found, "chains") == dict.fromkeys(
        ("trim>resize", "resize>fade", "resize>crop", "trim>resize>fade", "trim>resize>crop"), 8
    )


def test_new_events_make_their_day_again_and_no_other(events: Connection) -> None:
    add(events, ("trim", "resize"), 3, "2026-10-01")
    remade = refresh(events, sequences.ROLLUPS)
    events.execute("DELETE FROM operation_events WHERE chain LIKE 'c_2026%'")
    assert set(remade.values()) == {1}
    refresh(events, sequences.ROLLUPS)
