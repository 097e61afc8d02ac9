"""Jobs as a user runs them: made once, explained, made again when a source changed, ended when told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from media_assets.analytics.guarding import Guard, keep_guards
from media_assets.settings import Settings
from media_assets_tests.defs.conftest import BLUE, RED, put
from media_assets_tests.e2e.conftest import SCRIPT, Cli, environment, runner
from media_assets_tests.making import clip
from media_assets_tests.measuring import pictures

CUT = {"op": "trim", "input": "video", "output": "cut", "start": "500ms", "duration": "1s"}
SMALL = {"op": "scale", "input": "cut", "output": "small", "params": {"width": 80, "height": -2}}
LONG = [
    {"op": "loop", "input": "video", "output": "looped", "count": 200},
    {"op": "resize", "input": "looped", "output": "big", "width": 1920, "height": 1080},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two clips."""
    root = tmp_path_factory.mktemp("jobs")
    settings = Settings.from_environment(root)
    made = tmp_path_factory.mktemp("made")
    for name, color in ((RED, "red"), (BLUE, "blue")):
        put(root, name, clip(settings, made / name, picture=f"color=c={color}").read_bytes())
    return root


@pytest.fixture(scope="module")
def cli(root: Path) -> Cli:
    """The command line on it."""
    return runner(root)


def write(
    root: Path, *operations: dict[str, Any], outputs: list[dict[str, Any]], source: str = RED, **more: Any
) -> Path:
    """A job's document."""
    document = {"inputs": [{"id": "video", "source": source}], "operations": operations, "outputs": outputs}
    path = root / "job.json"
    path.write_text(json.dumps(document | more))
    return path


def test_a_job_is_made_then_cached_then_explained_and_made_again(cli: Cli, root: Path) -> None:
    document = write(
        root, CUT, SMALL, outputs=[{"id": "small", "destination": "web/small.mp4"}, {"id": "cut"}]
    )
    first = cli("run", document, "--json")
    assert first.status == 0, first.err
    assert {o["id"]: o["status"] for o in first.json["outputs"]} == {"small": "rendered", "cut": "rendered"}
    assert first.json["ffmpeg_runs"] >= 1
    delivered = root / "output" / "jobs" / "web" / "small.mp4"
    assert first.json["outputs"][0]["destination"] == str(delivered)
    frames = pictures(Settings.from_environment(root), delivered)
    assert len(frames) == 30
    assert frames[..., 0].mean() > 200

    second = cli("run", document, "--json")
    assert [o["status"] for o in second.json["outputs"]] == ["cached", "cached"]
    assert second.json["ffmpeg_runs"] == 0

    effect = first.json["effects"]["small"]
    told = cli("explain", effect[-16:-8], "--json")
    assert told.status == 0, told.err
    assert (told.json["status"], told.json["reasons"]) == ("current", [])
    source = told.json["made_of"]["inputs"][0]["inputs"][0]
    assert (source["id"], source["path"], len(source["sha256"])) == ("src_red_mp4", RED, 64)

    put(root, RED, (root / "source" / BLUE).read_bytes())
    keep_guards([Guard("trim", (), "", "half of them fail")], Settings.from_environment(root))
    told = cli("explain", effect, "--json")
    assert (told.json["status"], told.json["dagster"]) == ("stale", "stale")
    (reason,) = told.json["reasons"]
    assert (reason["kind"], reason["subject"], reason["before"]) == (
        "source",
        "src_red_mp4",
        source["sha256"],
    )
    words = cli("explain", effect)
    assert "src_red_mp4 changed" in words.out
    assert reason["after"][:12] in words.out
    assert "to make it: about" in words.out
    assert told.json["estimate"]["cpu_seconds"] > 0
    cut = first.json["effects"]["cut"]
    assert told.json["warnings"] == [{"node": cut, "message": "half of them fail"}]
    assert f"warning: {cut}: half of them fail" in words.out

    again = cli("run", document, "--json", "--only", "small")
    assert [(o["id"], o["status"]) for o in again.json["outputs"]] == [("small", "rendered")]
    assert pictures(Settings.from_environment(root), delivered)[..., 2].mean() > 200
    assert cli("explain", effect, "--json").json["status"] == "current"
    assert cli("explain", cut, "--json").json["status"] == "stale"


def test_what_is_wrong_is_refused_before_anything_is_made(cli: Cli, root: Path) -> None:
    before = sorted((root / "effects").glob("*"))
    outside = write(root, CUT, outputs=[{"id": "cut", "destination": "/etc/cut.mp4"}])
    ran = cli("run", outside, "--json")
    assert ran.status == 2
    (finding,) = ran.json["findings"]
    assert finding["place"] == "$.outputs[0].destination"
    kind = write(
        root, CUT, outputs=[{"id": "cut"}], inputs=[{"id": "video", "source": RED, "type": "audio"}]
    )
    ran = cli("run", kind, "--json")
    assert (ran.status, ran.json["findings"][0]["place"]) == (2, "$.inputs[0].type")
    long = write(root, CUT, outputs=[{"id": "cut"}], limits={"max_duration": "100ms"})
    ran = cli("run", long, "--json")
    assert (ran.status, ran.json["findings"][0]["place"]) == (2, "$.limits.max_duration")
    ran = cli("run", long, "--only", "nothing", "--json")
    assert ran.status == 2
    assert sorted((root / "effects").glob("*")) == before
    for wrong in ("1234567", "ffffffff", "web_preview/small"):
        assert cli("explain", wrong).status == 2


def test_a_destination_that_refuses_is_told_of_and_costs_no_output(
    cli: Cli, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_DESTINATIONS", "ftp://127.0.0.1:1/")
    cut = {**CUT, "duration": "900ms"}
    document = write(root, cut, outputs=[{"id": "cut", "destination": "ftp://127.0.0.1:1/cut.mp4"}])
    ran = cli("run", document, "--json")
    assert ran.status == 1, ran.err
    (output,) = ran.json["outputs"]
    assert output["error"]["error"] == "DeliveryFailed"
    assert Path(output["path"]).is_file()
    events = cli("events", "--last", "3", "--json").json["events"]
    assert ("delivery", "DeliveryFailed") in [(e.get("stage"), e["error"]) for e in events]


@pytest.fixture
def address(root: Path, tmp_path: Path) -> Iterator[str]:
    """A web server on loopback that serves a green clip; its address."""
    clip(Settings.from_environment(root), tmp_path / "green.mp4", picture="color=c=green")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/green.mp4"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_source_by_url_is_fetched_and_is_a_source_then(
    cli: Cli, root: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = write(root, CUT, outputs=[{"id": "cut"}], source=address)
    refused = cli("run", document, "--json")
    assert refused.status == 2
    assert refused.json["findings"][0]["place"] == "$.inputs[0].source"
    monkeypatch.setenv("MEDIA_ASSETS_FETCH_HOSTS", "127.0.0.1")
    small = write(root, CUT, outputs=[{"id": "cut"}], source=address, limits={"max_fetch_size": "1kB"})
    assert cli("run", small, "--json").status == 2
    document = write(root, CUT, outputs=[{"id": "cut"}], source=address)
    ran = cli("run", document, "--json")
    assert ran.status == 0, ran.err
    (output,) = ran.json["outputs"]
    shown = pictures(Settings.from_environment(root), Path(output["path"]))
    assert shown[..., 1].mean() > 100
    assert [o["status"] for o in cli("run", document, "--json").json["outputs"]] == ["cached"]


def started(root: Path, document: Path) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """A run of `document`, and its ffmpeg once it has been rendering for a moment."""
    process = subprocess.Popen(
        [*SCRIPT, "run", str(document)],
        env=environment(root),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for file in (root / "store" / "pending").glob("*/*/*.mp4"):
            children = psutil.Process(process.pid).children()
            if children and file.stat().st_size > 0:
                return process, children[0]
        time.sleep(0.05)
    process.kill()
    pytest.fail("it never came to render")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_job_ends_its_commands_and_leaves_nothing_half_made(
    cli: Cli, root: Path, sign: signal.Signals
) -> None:
    document = write(root, *LONG, outputs=[{"id": "big", "destination": "big.mp4"}], source=BLUE)
    process, ffmpeg = started(root, document)
    os.kill(process.pid, sign)
    assert process.wait(60) == 130
    assert not ffmpeg.is_running()
    assert list((root / "store" / "pending").iterdir()) == []
    assert not (root / "output" / "jobs" / "big.mp4").exists()


def test_jobs_that_start_at_once_on_a_new_data_root_share_what_they_make(
    tmp_path: Path, root: Path
) -> None:
    put(tmp_path, RED, (root / "source" / BLUE).read_bytes())
    document = write(tmp_path, CUT, SMALL, outputs=[{"id": "small"}, {"id": "cut"}])
    with ThreadPoolExecutor(2) as pool:
        ran = list(pool.map(lambda _: runner(tmp_path)("run", document, "--json"), range(2)))
    assert [r.status for r in ran] == [0, 0], [r.err for r in ran]
    outputs = [output for r in ran for output in r.json["outputs"]]
    assert sorted(output["status"] for output in outputs) == ["cached", "cached", "rendered", "rendered"]


def test_a_killed_job_is_finished_by_the_next_run(cli: Cli, root: Path) -> None:
    short = {"op": "trim", "input": "looped", "output": "some", "start": 0, "duration": "2s"}
    document = write(root, *LONG, short, outputs=[{"id": "big", "destination": "big.mp4"}, {"id": "some"}])
    process, ffmpeg = started(root, document)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    ffmpeg.kill()  # an orphan, which the next run does not wait for
    assert not (root / "output" / "jobs" / "big.mp4").exists()
    ran = cli("run", document, "--only", "some", "--json")
    assert ran.status == 0, ran.err
    (output,) = ran.json["outputs"]
    assert len(pictures(Settings.from_environment(root), Path(output["path"]))) == 60
    assert list((root / "store" / "pending").iterdir()) == []
    status = {s["partition"]: s["status"] for s in cli("status", "effect_output", "--json").json["assets"]}
    assert status[ran.json["effects"]["some"]] == "materialized"
    assert status[ran.json["effects"]["big"]] == "missing"
