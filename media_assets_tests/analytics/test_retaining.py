"""Old events are removed, their sums stay, and nobody is in those."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from media_assets.analytics import warehouse
from media_assets.analytics.exporting import export_days
from media_assets.analytics.questions import questions
from media_assets.analytics.retaining import retain
from media_assets.analytics.synthetic.generate import generate
from media_assets.settings import Settings

TODAY = date(2026, 11, 1)
DAILY = "SELECT day, operation, sum(events) FROM usage_days GROUP BY ALL ORDER BY ALL"


@pytest.fixture
def loaded(settings: Settings) -> Settings:
    """A year and a half of events, exported."""
    kept = replace(settings, retention_days=400)
    with warehouse.connect(kept.warehouse_path) as connection:
        generate(connection, 3000, days=550)
        connection.execute(
            """
            INSERT INTO unexported_days SELECT DISTINCT 'operation', CAST("timestamp" AS DATE)
            FROM operation_events WHERE day(CAST("timestamp" AS DATE)) = 1
            """
        )
        export_days(connection, kept.export_root)
    return kept


def asked(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with warehouse.connect(settings.warehouse_path) as connection:
        return connection.execute(query).fetchall()


def test_sums_of_removed_events_stay_and_name_nobody(loaded: Settings) -> None:
    with warehouse.connect(loaded.warehouse_path) as connection:
        questions()["usage"].asked(connection)
        before = connection.execute(DAILY).fetchall()
    exported = len(list(loaded.export_root.glob("day=*")))

    done = retain(loaded, TODAY)

    assert done.before == date(2025, 9, 27)
    assert done.removed > 500
    assert 0 < done.days < exported
    assert asked(loaded, "SELECT min(\"timestamp\") >= DATE '2025-09-27' FROM operation_events") == [
        (True,)
    ]
    assert warehouse_is_whole(loaded)
    with warehouse.connect(loaded.warehouse_path) as connection:
        for question in questions().values():
            question.asked(connection)
        assert connection.execute(DAILY).fetchall() == before
        for name in {rollup.name for question in questions().values() for rollup in question.rollups}:
            columns = {row[0] for row in connection.execute(f"DESCRIBE {name}").fetchall()}
            if "user" in columns:
                found = connection.execute(
                    f"SELECT count(\"user\") FROM {name} WHERE day < DATE '2025-09-27'"  # noqa: S608
                ).fetchone()
                assert found == (0,), name
    assert retain(loaded, TODAY).removed == 0


def warehouse_is_whole(settings: Settings) -> bool:
    """No event counts as lost that was removed on purpose."""
    with warehouse.connect(settings.warehouse_path, read_only=True) as connection:
        return bool(warehouse.lost_sequences(connection).empty)


def test_the_file_holds_no_removed_event(loaded: Settings, tmp_path: Path) -> None:
    ((oldest,),) = asked(
        loaded, 'SELECT chain FROM operation_events WHERE chain IS NOT NULL ORDER BY "timestamp" LIMIT 1'
    )
    retain(loaded, TODAY)
    assert str(oldest).encode() not in loaded.warehouse_path.read_bytes()
