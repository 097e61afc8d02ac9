"""A disk that is full or read-only is told with the path, and nothing half made is left."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from media_assets.analytics.events import EventWriter, read_events
from media_assets.errors import Cancelled, DiskFull, DiskRefused
from media_assets.homes import DamagedHome, check_home, telling_damage
from media_assets.settings import PROJECT_ROOT, Settings
from media_assets.store.databases import damaged
from media_assets.store.files import read_json, write_json
from media_assets.store.outputs import OutputStore
from media_assets_tests.analytics.telling import new_event
from media_assets_tests.faults import damage
from media_assets_tests.faults.full import Disks, Stage, forbidden, mounting
from media_assets_tests.store.test_outputs import recipe, writes

_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux alone can do this")


def test_a_full_and_a_read_only_disk_refuse_in_words_and_it_goes_on(tmp_path: Path) -> None:
    way = mounting()
    code = f"from {__name__} import refused; refused()"
    environment = os.environ | {"FAULTS_ROOT": str(tmp_path / "data"), "FAULTS_WAY": " ".join(way)}
    command = [*way, sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr


def refused() -> None:
    """In a process that may mount: every writer of ours on a full disk, and on one that is read-only."""
    root, way = Path(os.environ["FAULTS_ROOT"]), os.environ["FAULTS_WAY"]
    disks = Disks(root, way)
    print(disks.how)
    settings = Settings.from_environment(root)
    store, writer = OutputStore(settings), EventWriter(settings.event_root)
    document = settings.metadata_root / "one.json"
    write_json(document, {"kept": True})
    if disks.mounted:
        _full(disks, store, writer, document)
    taken = disks.read_only if disks.mounted else forbidden
    with taken(root / "store"):
        with pytest.raises(DiskRefused, match=str(root / "store")):
            store.produce([recipe("two")], writes())  # type: ignore[arg-type]
        assert store.get(recipe("two").fingerprint) is None
    (outcome,) = store.produce([recipe("two")], writes())  # type: ignore[arg-type]
    assert not outcome.cached
    assert list((root / "store" / "pending").iterdir()) == []


def _full(disks: Disks, store: OutputStore, writer: EventWriter, document: Path) -> None:
    with disks.full(Stage("", "metadata", "")), pytest.raises(DiskFull, match=str(document)):
        write_json(document, {"long": "x" * 10_000})
    assert read_json(document) == {"kept": True}
    # One page for the file, none for the sidecar; then none for the file.
    for pages in (1, 0):
        with disks.full(Stage("", "store", "", pages)), pytest.raises(DiskFull, match=str(store.root)):
            store.produce([recipe("one")], writes(b"x" * 4096))  # type: ignore[arg-type]
        assert store.get(recipe("one").fingerprint) is None
        assert list((store.root / "pending").iterdir()) == []
    store.produce([recipe("one")], writes())  # type: ignore[arg-type]
    event = new_event("test", "effect_test", "rendered")
    with disks.full(Stage("", "events", "")), pytest.raises(DiskFull, match="events"):
        writer.append(event)
    told = writer.append(event)
    assert [found["event_id"] for found in read_events(writer.root, 10)] == [told.event_id]


@pytest.mark.parametrize("way", ["header", "half", "pages", "empty"])
def test_a_damaged_database_is_named(settings: Settings, way: str) -> None:
    path = settings.dagster_home / "history" / "runs" / "index.db"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as opened:
        opened.execute("CREATE TABLE one (text TEXT)")
        opened.executemany("INSERT INTO one VALUES (?)", [("x" * 1000,)] * 100)
    opened.close()
    assert damaged(settings.dagster_home) == []
    damage.WAYS[way](path)
    write_json(settings.metadata_root / "recorded" / "source_file" / "src_a.json", {})
    with pytest.raises(DamagedHome, match=r"index\.db.*recover --anew"), telling_damage(settings):
        check_home(settings)
        opened = sqlite3.connect(path)
        try:
            opened.execute("SELECT count(text) FROM one").fetchall()
        finally:
            opened.close()


def test_a_cancel_is_heard_while_another_makes_the_output(settings: Settings) -> None:
    store, cancel = OutputStore(settings), threading.Event()
    heard: list[BaseException] = []

    def go_on() -> None:
        if cancel.is_set():
            raise Cancelled("it was cancelled")

    def ask() -> None:
        try:
            store.produce([recipe()], writes(), waiting=go_on)  # type: ignore[arg-type]
        except Cancelled as error:
            heard.append(error)

    with FileLock(store.root / "locks" / f"{recipe().fingerprint[:16]}.lock"):
        asker = threading.Thread(target=ask)
        asker.start()
        asker.join(0.3)
        assert asker.is_alive()
        cancel.set()
        asker.join(10)
        assert not asker.is_alive()
    assert len(heard) == 1


@_LINUX
def test_ffmpeg_ends_with_the_process_that_runs_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from media_assets.media.run import run_ffmpeg\n"
        "from media_assets.settings import Settings\n"
        "source = ['-re', '-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=5']\n"
        "run_ffmpeg([*source, '-f', 'null', '-'], settings=Settings.from_environment(Path(sys.argv[1])),"
        " on_progress=lambda progress: print('runs', flush=True))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "runs\n"
        children = psutil.Process(process.pid).children(recursive=True)
        assert [child.name()[:6] for child in children] == ["ffmpeg"]
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
