"""How long pages of Dagster's UI take on a large home: its webserver, on loopback, and a real browser."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.scale import browser
from media_assets.settings import PROJECT_ROOT, Settings

PAGES = {
    "catalog": ("/assets", r"{count:,} partitions"),
    "lineage": ("/asset-groups", r"workflow_web_preview"),
    "asset": ("/assets/source_file", r"\bsha256\b"),
    "partitions": ("/assets/source_file?view=partitions", r"Materialized \({count}\)[^$]*src_clip"),
    "partitions of a node": (
        "/assets/web_preview/small?view=partitions",
        r"Materialized \({count}\)[^$]*src_clip",
    ),
    "one partition": (
        "/assets/web_preview/small?view=partitions&partition={partition}",
        r"Materialized \({count}\)[^$]*fingerprint",
    ),
    "lineage of a node": ("/assets/web_preview/small?view=lineage", r"Graph depth[^$]*teaser"),
    "events of a node": ("/assets/web_preview/small?view=events", r"materialized in run"),
    "runs": ("/runs", r"Manually launched"),
    "automation": ("/automation", r"web_preview_sensor"),
}
"""Where each page is, and what of it a reader waits for."""

_START_SECONDS = 180.0


def measure(settings: Settings, count: int, runs: int) -> dict[str, Any]:
    """Median seconds of each page until it shows what it is for, and the slowest queries behind them.

    Without a browser on the machine there is nothing to measure, which is said.
    """
    path = browser.program()
    if path is None:
        return {"pages": f"none of {', '.join(browser.PROGRAMS)} is on this machine"}
    words = {"count": count, "partition": f"src_clip{count // 2:06d}_mp4"}
    with serving(settings) as (address, server), browser.browser(path) as window:
        window.load(address + "/automation", "web_preview_sensor")  # the page's own files, once
        found = {
            name: [window.load(address + place.format(**words), shows.format(**words)) for _ in range(runs)]
            for name, (place, shows) in PAGES.items()
        }
        family = [server, *server.children(recursive=True)]
        held = sum(process.memory_info().rss for process in family) / 1e6
    seconds = {name: statistics.median(one.seconds for one in loads) for name, loads in found.items()}
    queries: dict[str, float] = {}
    for loads in found.values():
        for name in {name for one in loads for name in one.queries}:
            taken = statistics.median(one.queries[name] for one in loads if name in one.queries)
            queries[name] = max(queries.get(name, 0.0), taken)
    slowest = sorted(queries.items(), key=lambda item: -item[1])[:8]
    return {
        "page_seconds": {name: round(value, 2) for name, value in seconds.items()},
        "slowest_queries_seconds": {name: round(value, 2) for name, value in slowest},
        "slowest_page_seconds": round(max(seconds.values()), 2),
        "webserver_megabytes": round(held, 1),
    }


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[tuple[str, psutil.Process]]:
    """Dagster's webserver on a data root, on loopback: its address and process. It ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {"DAGSTER_HOME": str(settings.dagster_home), "MEDIA_ASSETS_DATA": str(settings.data_root)}
    program = str(Path(sys.executable).with_name("dagster-webserver"))
    command = [program, "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml"]
    log = settings.data_root / "webserver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=os.environ | home, cwd=PROJECT_ROOT, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process, log)
            yield address, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/server_info", timeout=5).status_code == httpx.codes.OK:
                return
        time.sleep(0.5)
    raise RuntimeError(f"the webserver did not start: {log.read_text()[-2000:]}")
