"""With the daemon and its sensors on, exactly what a change touches is redone, unasked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from media_assets.settings import PROJECT_ROOT, Settings
from media_assets_tests.defs.conftest import BLUE, RED, TONE, age, put, write_document
from media_assets_tests.e2e.conftest import Cli, environment, runner
from media_assets_tests.making import clip, make

PATIENCE_SECONDS = 280.0
# It has three of them, and starts `dagster dev` and stops it.
pytestmark = pytest.mark.timeout(4 * PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips, a sound, and kompositions of one and of both clips."""
    root = tmp_path_factory.mktemp("daemon")
    settings = Settings.from_environment(root)
    made = tmp_path_factory.mktemp("made")
    for name, color in ((RED, "red"), (BLUE, "blue")):
        put(root, name, clip(settings, made / name, picture=f"color=c={color}").read_bytes())
    tone = make(settings, made / TONE, "-f", "lavfi", "-i", "sine=f=220:d=8:r=48000")
    put(root, TONE, tone.read_bytes())
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 0.5)])
    write_document(root, "blue.json", [(BLUE, 0.0), (BLUE, 1.0)])
    return root


@pytest.fixture(scope="module")
def daemon(root: Path) -> Iterator[Cli]:
    """`dagster dev` on that root, on loopback; stopped with all its children."""
    cli = runner(root)
    home = cli("home")
    assert home.status == 0, home.err
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    log = (root / "dagster.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", port],
        cwd=PROJECT_ROOT,
        env=environment(root)
        | {"DAGSTER_HOME": str(root / "dagster_home"), "DAGSTER_DISABLE_TELEMETRY": "1"},
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield cli
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        _, alive = psutil.wait_procs([*children, psutil.Process(process.pid)], timeout=20)
        for child in alive:
            child.kill()
        process.wait()
        log.close()


def wait_for(question: Callable[[], Any], root: Path) -> Any:
    """Ask until the answer is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(3)  # asking takes the time of what is waited for
    pytest.fail("nothing happened:\n" + (root / "dagster.log").read_text()[-3000:])


def times(cli: Cli) -> dict[tuple[str, str], float | None]:
    """When each partition was last materialized."""
    found = cli("status", "--json").json["assets"]
    return {(s["asset"], s["partition"]): s["materialized_at"] for s in found if s["partition"]}


def current(cli: Cli) -> bool:
    """Whether everything that runs by itself is there and fresh."""
    found = cli("status", "--json").json["assets"]
    wanted = [s for s in found if s["partition"] and s["asset"] not in ("content_analysis", "screenshots")]
    videos = [s for s in wanted if s["asset"] == "komposition_video"]
    small = [s for s in wanted if s["asset"] == "web_preview/small"]
    return (len(videos), len(small)) == (2, 2) and all(s["status"] == "materialized" for s in wanted)


def test_what_is_dropped_in_is_made_and_a_change_redoes_exactly_what_it_touches(
    daemon: Cli, root: Path
) -> None:
    wait_for(lambda: current(daemon), root)
    before = times(daemon)

    # Touched, same bytes: nothing follows. Another change after it shows that the sensors have been round.
    age(root / "source" / RED, 10)
    put(root, BLUE, (root / "source" / BLUE).read_bytes() + b"\0\0\0\x10freemore!!!!")
    blue_video = ("komposition_video", "komp_blue")
    wait_for(lambda: times(daemon)[blue_video] != before[blue_video] and current(daemon), root)
    after = times(daemon)
    redone = {key for key in after if after[key] != before.get(key)}
    assert redone - {("source_file", "src_red_mp4")} == {
        ("source_file", "src_blue_mp4"),
        ("thumbnail", "src_blue_mp4"),
        ("web_preview/teaser", "src_blue_mp4"),
        ("web_preview/small", "src_blue_mp4"),
        ("komposition_plan", "komp_blue"),
        ("komposition_video", "komp_blue"),
        ("komposition_plan", "komp_both"),
        ("komposition_video", "komp_both"),
    }

    # A new document is rendered; a file that is no media holds nobody up.
    put(root, "junk.mp4", b"junk")
    write_document(root, "red.json", [(RED, 1.0)])
    new = ("komposition_video", "komp_red")
    wait_for(lambda: times(daemon).get(new), root)
    assert (root / "output" / "kompositions" / "red.mp4").is_file()
    untouched = {key: time for key, time in times(daemon).items() if key in after and time != after[key]}
    assert untouched == {}
