"""A data root with thousands of sources and all that Dagster would have on record of them.

One clip goes through everything for real: ingest, thumbnail, workflow, analysis. Every further source is
a file of its own, other in content, and its rows in Dagster's database are those of the first with other
names, hashes and ids: making them by runs would take hours at 100,000.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from media_assets.actions import Actions
from media_assets.media.run import run_ffmpeg
from media_assets.session import Session
from media_assets.settings import Settings
from media_assets.store.scan import Stat
from media_assets.store.sources import SourceCatalogue, SourceFacts

FIRST = "clip000000"
BATCH = 100
"""Partitions in a run."""
_AT_ONCE = 1000
_OLD = 1_000_000_000  # long settled


@dataclass(frozen=True)
class Event:
    """A row of the event log about the first source, its text cut where another source's differs."""

    row: Mapping[str, Any]
    pieces: Sequence[str]
    tags: Sequence[Mapping[str, Any]]


def make_clip(path: Path, settings: Settings) -> bytes:
    """A real clip of 1.5 kB: a second of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = "color=c=red:s=64x36:r=2:d=1"
    run_ffmpeg(["-f", "lavfi", "-i", picture, "-c:v", "libx264", f"file:{path}"], settings=settings)
    return path.read_bytes()


def make_sources(settings: Settings, count: int, first: int = 0) -> list[str]:
    """Clips that are all different, long settled; their paths under the source root."""
    content = make_clip(settings.data_root / "clip.mp4", settings)
    settings.source_root.mkdir(parents=True, exist_ok=True)
    names = [f"clip{number:06d}.mp4" for number in range(first, first + count)]
    for number, name in enumerate(names, first):
        path = settings.source_root / name
        # A box that players pass over tells one from the other.
        path.write_bytes(content + b"\0\0\0\x10free" + number.to_bytes(8, "big"))
        os.utime(path, (_OLD, _OLD))
    return names


def populate(settings: Settings, count: int) -> None:
    """Make the data root."""
    names = make_sources(settings, count)
    hidden = [settings.source_root / name for name in names[1:]]
    aside = settings.data_root / "aside"
    aside.mkdir()
    for path in hidden:
        path.rename(aside / path.name)
    with Session(settings) as session:
        actions = Actions(session)
        actions.ingest()
        actions.run_workflow("web_preview")
        actions.analyse()
    for path in hidden:
        (aside / path.name).rename(path)
    hashes = _put_on_record(settings, names)
    for name in ("partitions.stamp", "effects.json"):
        (settings.metadata_root / name).unlink(missing_ok=True)
    with closing(sqlite3.connect(settings.dagster_home / "history" / "runs" / "index.db")) as database:
        runs = _runs(settings, count)
        _copy_partitions(database, count)
        _copy_events(database, hashes, runs)
        database.commit()


def _put_on_record(settings: Settings, names: Sequence[str]) -> list[str]:
    """Write each source's record and the memo, as reading it would have; returns the SHA-256 of each."""
    first = SourceCatalogue(settings).facts(names[0])
    folder, memo, hashes = settings.metadata_root / "sources", {}, []
    for name in names:
        path = settings.source_root / name
        status = path.stat()
        stat = Stat(status.st_size, status.st_mtime_ns, status.st_ino)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        facts = replace(first, id=_id(name), path=path, relative=name, sha256=digest, stat=stat)
        _write(folder / f"{facts.id}.json", facts)
        memo[facts.id] = [stat.size, stat.mtime_ns, stat.inode, digest]
        hashes.append(digest)
    (settings.metadata_root / "memo.json").write_text(json.dumps(memo, indent=1))
    return hashes


def _write(path: Path, facts: SourceFacts) -> None:
    path.write_text(json.dumps(facts.to_json(), indent=1, ensure_ascii=False))


def _id(name: str) -> str:
    return "src_" + name.replace(".", "_")


def _copy_partitions(database: sqlite3.Connection, count: int) -> None:
    """Put every source into the sets that the first is in."""
    found = database.execute(
        "SELECT partitions_def_name, create_timestamp FROM dynamic_partitions WHERE partition = ?",
        [_id(f"{FIRST}.mp4")],
    ).fetchall()
    columns = ("partitions_def_name", "create_timestamp", "partition")
    keys = [_id(f"clip{number:06d}.mp4") for number in range(1, count)]
    rows = [dict(zip(columns, (name, made, key), strict=True)) for name, made in found for key in keys]
    _insert(database, "dynamic_partitions", rows)


def _copy_events(
    database: sqlite3.Connection, hashes: Sequence[str], runs: Mapping[str, list[str]]
) -> None:
    """Repeat each event about the first source for all others, inputs before what was made of them."""
    database.row_factory = sqlite3.Row
    events = list(_events(database))
    latest = database.execute("SELECT max(id) FROM event_logs").fetchone()[0]
    versions = [tag["value"] for event in events for tag in event.tags]
    begins = {event.row["id"]: latest + 1 + n * len(hashes) for n, event in enumerate(events)}
    for event in events:
        numbered = _numbered(event, begins, hashes, versions, runs)
        while some := list(itertools.islice(numbered, _AT_ONCE)):
            _insert(database, "event_logs", [row for row, _ in some])
            _insert(database, "asset_event_tags", [tag for _, tags in some for tag in tags])


def _events(database: sqlite3.Connection) -> Iterator[Event]:
    partition = _id(f"{FIRST}.mp4")
    found = database.execute("SELECT * FROM event_logs WHERE partition = ? ORDER BY id", [partition])
    for row in found.fetchall():
        tags = database.execute("SELECT * FROM asset_event_tags WHERE event_id = ?", [row["id"]]).fetchall()
        # Split at names, hashes, runs and pointers; what is between stays.
        pieces = re.split(
            rf"({FIRST}|[0-9a-f]{{64}}|{row['run_id']}|_pointer/[^\"]+\": \"\d+)", row["event"]
        )
        yield Event(dict(row), pieces, [dict(tag) for tag in tags])


def _numbered(
    event: Event,
    begins: Mapping[int, int],
    hashes: Sequence[str],
    versions: Sequence[str],
    runs: Mapping[str, list[str]],
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The row of an event, and its tags, for each source but the first."""
    for number in range(1, len(hashes)):
        name = f"clip{number:06d}"
        run = runs[event.row["run_id"]][number // BATCH]
        changed = {old: _version(old, number, hashes) for old in versions}
        changed |= {FIRST: name, event.row["run_id"]: run}
        text = "".join(_piece(piece, changed, begins, number) for piece in event.pieces)
        identifier = begins[event.row["id"]] + number
        partition = _id(f"{name}.mp4")
        row = event.row | {"id": identifier, "run_id": run, "event": text, "partition": partition}
        yield (
            row,
            [
                {
                    **tag,
                    "id": None,
                    "event_id": identifier,
                    "value": changed.get(tag["value"], tag["value"]),
                }
                for tag in event.tags
            ],
        )


def _piece(piece: str, changed: Mapping[str, str], begins: Mapping[int, int], number: int) -> str:
    if piece.startswith("_pointer/"):
        key, _, pointer = piece.rpartition('"')
        return f'{key}"{begins[int(pointer)] + number}'
    return changed.get(piece, piece)


def _version(old: str, number: int, hashes: Sequence[str]) -> str:
    """Of a source its hash; of anything else a hash that no other has."""
    return hashes[number] if old == hashes[0] else hashlib.sha256(f"{old}{number}".encode()).hexdigest()


def _runs(settings: Settings, count: int) -> dict[str, list[str]]:
    """For each run about the first source, the ids of runs of a batch each, which are on record."""
    with closing(sqlite3.connect(settings.dagster_home / "history" / "runs.db")) as database:
        database.row_factory = sqlite3.Row
        found: dict[str, list[str]] = {}
        for row in [dict(row) for row in database.execute("SELECT * FROM runs ORDER BY id").fetchall()]:
            ids = [row["run_id"], *(str(uuid.uuid4()) for _ in range((count - 1) // BATCH))]
            found[row["run_id"]] = ids
            tags = database.execute("SELECT * FROM run_tags WHERE run_id = ?", [row["run_id"]]).fetchall()
            for run in ids[1:]:
                body = row["run_body"].replace(row["run_id"], run)
                _insert(database, "runs", [row | {"id": None, "run_id": run, "run_body": body}])
                _insert(database, "run_tags", [{**dict(tag), "id": None, "run_id": run} for tag in tags])
        database.commit()
    return found


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the columns of the first."""
    if rows:
        columns = ", ".join(rows[0])
        values = ", ".join(f":{name}" for name in rows[0])
        statement = f"INSERT INTO {table} ({columns}) VALUES ({values})"  # noqa: S608 - Dagster's own columns
        database.executemany(statement, rows)
