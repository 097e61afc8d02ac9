"""A person taken out of everything that is kept, and the proof of it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from media_assets.analytics.alerts import forget_alerts
from media_assets.analytics.connection import connect, locked
from media_assets.analytics.erasing import blank_segments, erase, rows_of
from media_assets.analytics.exporting import export_days
from media_assets.analytics.keyring import add_forgotten, load_keyring
from media_assets.analytics.loading import load_events
from media_assets.analytics.migrating import rewrite
from media_assets.analytics.origin import NOBODY, USER_TAG, first_pseudonym, hashes_of
from media_assets.analytics.publishing import publish_marts
from media_assets.analytics.scanning import files_holding
from media_assets.analytics.standing import is_user, standing_path
from media_assets.errors import disk_errors
from media_assets.instances import open_instance, prepare_home
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

_SQLITE_SECONDS = 30.0


@dataclass(frozen=True)
class Forgotten:
    """What was done.

    Attributes:
        hashes: how many the person had: one for each key.
        rows: rows changed or removed, by table.
        lines: lines blanked in segments that are still written to.
        runs: Dagster's runs that were asked for by the person.
        alerts: lines and scores taken from the log of alerts.
        left: files under the data root in which a hash still stands; none is what is wanted.
        backups: backups made before: they hold the person until they are removed or made anew.
        dry: only counted, nothing was changed.
    """

    hashes: int
    rows: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    runs: int = 0
    alerts: int = 0
    left: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()
    dry: bool = False


def forget(settings: Settings, user: str, *, dry_run: bool = False) -> Forgotten:
    """Take a person out of all events, sums, exports, alerts and runs; then look whether any is left.

    Killed at any moment, it is finished by being run again. What the person does afterwards is new; an
    opt-out is what keeps that from being told.

    Args:
        user: a name as `MEDIA_ASSETS_USER` gives it, or the hash itself.

    Raises:
        UnusableKey: the keys cannot be read, so nobody knows the hashes.
        WarehouseBusy: a load takes too long.
    """
    keyring = load_keyring(settings.key_file, settings.data_root)
    hashes = frozenset([user] if is_user(user) else hashes_of(user, keyring))
    backups = tuple(entry["path"] for entry in known_backups(settings))
    if dry_run:
        with connect(settings.warehouse_path) as connection:
            _load(settings, connection)
            rows = rows_of(connection, hashes)
        return Forgotten(len(hashes), rows, backups=backups, dry=True)
    # First: if this is killed, a backup that is restored in between brings nobody back.
    add_forgotten(settings.key_file, settings.data_root, hashes)
    done = _forget(settings, hashes, backups)
    _audit(settings, done)
    return done


def forget_again(settings: Settings) -> Forgotten | None:
    """Forget everybody who was forgotten before, after an old copy was put back; None where nobody was."""
    hashes = load_keyring(settings.key_file, settings.data_root).forgotten
    return _forget(settings, hashes, ()) if hashes else None


def note_backup(settings: Settings, path: Path) -> None:
    """Remember where a backup was written, for those who want to be forgotten."""
    entry = {"path": str(path.resolve()), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    others = [one for one in known_backups(settings) if one["path"] != entry["path"]]
    write_json(_backups_path(settings), {"backups": [*others, entry]})


def known_backups(settings: Settings) -> list[dict[str, str]]:
    """Where backups were written that are still there, the oldest first."""
    found = (read_json(_backups_path(settings)) or {}).get("backups", [])
    return [entry for entry in found if Path(entry["path"]).exists()]


def _forget(settings: Settings, hashes: frozenset[str], backups: tuple[str, ...]) -> Forgotten:
    with connect(settings.warehouse_path) as connection:
        _load(settings, connection)
        rows = erase(connection, hashes)
        lines = blank_segments(connection, settings.event_root, hashes)
        export_days(connection, settings.export_root)
    # What was deleted is in a database's file until that is written anew.
    with locked(settings.warehouse_path):
        rewrite(settings.warehouse_path)
    with connect(settings.warehouse_path) as connection:
        publish_marts(connection, settings.warehouse_path, settings.marts_path)
    alerts = forget_alerts(settings, hashes)
    for one in hashes:
        standing_path(settings, one).unlink(missing_ok=True)
    runs = _untag_runs(settings, hashes)
    left = tuple(str(path) for path in files_holding(settings.data_root, hashes))
    return Forgotten(len(hashes), rows, lines, runs, alerts, left, backups)


def _load(settings: Settings, connection: Any) -> None:
    load_events(connection, settings.event_root, settings.export_root, pseudonym=first_pseudonym(settings))


def _untag_runs(settings: Settings, hashes: Collection[str]) -> int:
    """Take the person off Dagster's runs, and the old bytes out of its database."""
    if not settings.dagster_home.is_dir():
        return 0
    prepare_home(settings)
    instance = open_instance(settings)
    try:
        tags = [dg.RunsFilter(tags={USER_TAG: one}) for one in hashes]
        found = [run.run_id for one in tags for run in instance.get_runs(one)]
        for run in found:
            instance.add_run_tags(run, {USER_TAG: NOBODY})
    finally:
        instance.dispose()
    if found:
        for path in sorted(settings.dagster_home.rglob("runs.db")):
            with closing(sqlite3.connect(path, timeout=_SQLITE_SECONDS)) as database:
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(found)


def _audit(settings: Settings, done: Forgotten) -> None:
    """Tell that somebody was forgotten, and not who."""
    path = settings.metadata_root / "audit.ndjson"
    told = {name: value for name, value in asdict(done).items() if name not in ("left", "backups", "dry")}
    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "action": "forget",
        **told,
        "files_left": len(done.left),
        "backups_left": len(done.backups),
    }
    with disk_errors(path), path.open("ab") as file:
        file.write(json.dumps(entry).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _backups_path(settings: Settings) -> Path:
    return settings.metadata_root / "backups.json"
