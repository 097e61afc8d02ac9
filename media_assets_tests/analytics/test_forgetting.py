"""Who is forgotten stands nowhere any more, and nobody else's figures change."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from media_assets.analytics import warehouse
from media_assets.analytics.events import EventWriter
from media_assets.analytics.keyring import add_key
from media_assets.analytics.making import new_operation
from media_assets.analytics.origin import USER_TAG, origin_of
from media_assets.analytics.publishing import publish_marts
from media_assets.analytics.questions import questions
from media_assets.analytics.scanning import files_holding
from media_assets.analytics.standing import Standing, set_standing
from media_assets.backing_up import backup, restore
from media_assets.forgetting import forget
from media_assets.instances import open_instance, prepare_home
from media_assets.settings import Settings

TOTALS = "SELECT operation, count(*), sum(duration_ms) FROM operation_events GROUP BY ALL ORDER BY ALL"
PEOPLE = 6


@pytest.fixture
def studio(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Six people's events under two keys: loaded, exported and published, or still being written."""
    for name in ("DAGSTER_HOME", "MEDIA_ASSETS_DATA"):  # which opening Dagster sets
        monkeypatch.setenv(name, "")
    studio = replace(settings, key_path=tmp_path / "keys" / "analytics.key")
    for round_ in range(2):
        writer = EventWriter(studio.event_root)
        told(studio, writer)
        writer.close()
        loaded(studio)
        if round_ == 0:
            add_key(studio.key_file, studio.data_root)
    return studio


def told(settings: Settings, writer: EventWriter) -> None:
    for person in range(PEOPLE):
        origin = origin_of(replace(settings, user=f"person{person}"), "a-run")
        for step in range(3):
            writer.append(
                new_operation(
                    origin,
                    ("trim", "resize", "encode")[step],
                    "rendered",
                    duration_ms=100.0,
                    chain=origin.chain("run", str(person)),
                    position=step + 1,
                    previous=">".join(("trim", "resize")[:step]),
                    parameters={"start": person},
                )
            )


def loaded(settings: Settings) -> None:
    with warehouse.connect(settings.warehouse_path) as connection:
        warehouse.load_events(connection, settings.event_root, settings.export_root)
        for name in ("usage", "abuse", "recommend"):
            questions()[name].asked(connection)
        publish_marts(connection, settings.warehouse_path, settings.marts_path)


def answer(settings: Settings, query: str, *values: object) -> list[tuple[object, ...]]:
    with warehouse.connect(settings.warehouse_path, read_only=True) as connection:
        return connection.execute(query, values).fetchall()


def hashes(settings: Settings, user: str) -> set[str]:
    """Every hash of a person, as the events in the export have them."""
    from media_assets.analytics.keyring import load_keyring
    from media_assets.analytics.origin import hashes_of

    return set(hashes_of(user, load_keyring(settings.key_file, settings.data_root)))


def test_no_byte_of_the_person_is_left_and_all_is_still_counted(studio: Settings) -> None:
    writer = EventWriter(studio.event_root)
    told(studio, writer)
    gone, other = hashes(studio, "person1"), hashes(studio, "person2")
    for one in gone:
        set_standing(studio, Standing(one, "suspended", "2026-01-01T00:00:00+00:00", None, "much"))
    prepare_home(studio)
    instance = open_instance(studio)
    run = instance.create_run_for_job(
        dg.GraphDefinition(name="nothing").to_job(), tags={USER_TAG: min(gone)}
    )
    instance.dispose()
    assert len(gone) == 2
    assert files_holding(studio.data_root, gone)
    totals = answer(studio, TOTALS)

    assert forget(studio, "person1", dry_run=True).rows == {"operation_events": 9}
    done = forget(studio, "person1")

    assert (done.left, done.runs, done.rows["operation_events"], done.lines) == ((), 1, 9, 3)
    assert files_holding(studio.data_root, gone) == []
    assert files_holding(studio.data_root, other)
    assert [row[1] for row in answer(studio, TOTALS)] == [PEOPLE * 3] * 3
    assert [row[0] for row in totals] == [row[0] for row in answer(studio, TOTALS)]
    assert answer(studio, 'SELECT count(DISTINCT "user") FROM operation_events') == [((PEOPLE - 1) * 2,)]
    linked = 'SELECT count(*) FROM operation_events WHERE "user" IS NULL AND (chain, run) IS NOT NULL'
    assert answer(
        studio, linked.replace("(chain, run) IS NOT NULL", "coalesce(chain, run) IS NOT NULL")
    ) == [(0,)]
    instance = open_instance(studio)
    found = instance.get_run_by_id(run.run_id)
    instance.dispose()
    assert found is not None
    assert found.tags[USER_TAG] == "-"
    audit = (studio.metadata_root / "audit.ndjson").read_text()
    assert "person1" not in audit
    assert not any(one in audit for one in gone)

    told(studio, writer)
    writer.close()
    loaded(studio)
    assert answer(studio, "SELECT count(*) FROM operation_events") == [(PEOPLE * 3 * 4,)]
    assert answer(studio, "SELECT count(*) FROM rejected_lines") == [(0,)]


def test_a_backup_from_before_is_named_and_brings_nobody_back(studio: Settings, tmp_path: Path) -> None:
    archive = tmp_path / "before.tar.gz"
    backup(studio, archive)
    gone = hashes(studio, "person3")
    assert forget(studio, "person3").backups == (str(archive.resolve()),)
    restore(studio, archive, force=True)
    kept = [path for path in files_holding(studio.data_root, gone) if "replaced-" not in str(path)]
    assert kept == []


def test_killed_in_the_middle_it_is_finished_by_the_next(studio: Settings, tmp_path: Path) -> None:
    gone = hashes(studio, "person4")
    program = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from media_assets.settings import Settings; from media_assets.forgetting import forget\n"
        "import media_assets.forgetting as f, os, signal\n"
        "f.rewrite = lambda path: os.kill(os.getpid(), signal.SIGKILL)\n"
        "settings = Settings.from_environment(Path(sys.argv[1]))\n"
        "forget(replace(settings, key_path=Path(sys.argv[2])), 'person4')"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(studio.data_root), str(studio.key_file)],
        env={**os.environ, "MEDIA_ASSETS_DATA": str(studio.data_root)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert files_holding(studio.data_root, gone)
    assert forget(studio, "person4").left == ()
    assert files_holding(studio.data_root, gone) == []
