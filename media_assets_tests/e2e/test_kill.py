"""kill -9 in the middle of a render: nothing half made, no event lost, and the next run goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets_tests.defs.conftest import put, write_document
from media_assets_tests.e2e.conftest import SCRIPT, environment, runner
from media_assets_tests.making import clip
from media_assets_tests.measuring import pictures

SEGMENTS = 10


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A komposition of ten segments that each take a while to render."""
    settings = Settings.from_environment(tmp_path)
    made = clip(settings, tmp_path / "made.mp4", seconds=12, size="640x360", picture="testsrc2")
    put(tmp_path, "clip.mp4", made.read_bytes())
    output = {"width": 1280, "height": 720, "fps": "30"}
    write_document(tmp_path, "ten.json", [("clip.mp4", float(i)) for i in range(SEGMENTS)], output=output)
    return tmp_path


def finished(root: Path) -> set[str]:
    """Fingerprints of the segments in the store."""
    store = OutputStore(Settings.from_environment(root))
    return {o.recipe.fingerprint for o in store if o.recipe.operation == "komposition_segment"}


def test_a_killed_render_is_finished_by_the_next_run(root: Path) -> None:
    cli = runner(root)
    document = root / "kompositions" / "ten.json"
    assert cli("ingest").status == 0
    process = subprocess.Popen(
        [*SCRIPT, "komposition", "render", str(document)],
        env=environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(finished(root)) < 2 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = finished(root)
    assert 2 <= len(done) < SEGMENTS
    assert not (root / "output" / "kompositions" / "ten.mp4").exists()

    before = {e["effect"] for e in cli("events", "--last", "1000", "--json").json["events"]}
    ran = cli("komposition", "render", document, "--json")
    assert ran.status == 0, ran.err
    assert sum(row["cached"] for row in ran.json["segments"]) >= len(done)
    assert finished(root) > done
    assert len(pictures(Settings.from_environment(root), Path(ran.json["output"]))) == 30 * SEGMENTS
    # Nothing is left of what was being written, and the dead run is not running any more.
    assert list((root / "store" / "pending").iterdir()) == []
    after = {e["effect"] for e in cli("events", "--last", "1000", "--json").json["events"]}
    assert before <= after
    (video,) = cli("status", "komposition_video", "komp_ten", "--json").json["assets"]
    assert video["status"] == "materialized"
