"""Two that do the same at once: askers of one effect, of which one is killed, and two daemons."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from media_assets.analytics.warehouse import last_events
from media_assets.settings import PROJECT_ROOT, Settings
from media_assets_tests.faults.ledger import Ledger, Verdict
from media_assets_tests.faults.world import World
from media_assets_tests.warm import Command, Warm

_PATIENCE_SECONDS = 600.0


def one_effect(warm: Warm, folder: Path, rounds: int) -> Verdict:
    """Two processes ask for one effect: one renders, both get it; if that one is killed, the other does."""
    started, verdict = time.monotonic(), Verdict("two ask for one effect")
    world = World(folder / "together", folder)
    ledger = Ledger(world.settings)
    world.add(0)
    verdict.check(warm.run(world.root, "ingest", "--json"))
    for number in range(1, rounds + 1):
        ledger.take()
        world.add(number)
        words = world.load(number)["effects"]
        both = [warm.start(world.root, *words) for _ in range(2)]
        killed = _kill_renderer(warm, both) if number % 2 == 0 else None
        warm.wait(*both)
        living = [command for command in both if command is not killed]
        told = [verdict.check(command) for command in living]
        _agree(told, world.settings, verdict, killed=killed is not None)
        ledger.take(*living)
        ledger.compare(verdict)
        verdict.rounds += 1
    verdict.check_verified(warm.run(world.root, "verify", "--json"))
    verdict.how = f"renderer killed in {rounds // 2} of {rounds}"
    verdict.seconds = time.monotonic() - started
    return verdict


def _kill_renderer(warm: Warm, both: list[Command]) -> Command | None:
    """Kill the one that runs ffmpeg to make an output."""
    while all(warm.poll(command) is None for command in both):
        for command in both:
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(command.pid).children(recursive=True):
                    if any("/pending/" in word for word in child.cmdline()):
                        warm.kill(command)
                        return command
        time.sleep(0.03)
    return None


def _agree(told: list[Any], settings: Settings, verdict: Verdict, *, killed: bool) -> None:
    """Each output was rendered by one, and both have the same."""
    outputs = [{o["effect"]: o for o in one["outputs"]} for one in told if isinstance(one, dict)]
    for effect in outputs[0] if outputs else ():
        states = sorted(one[effect]["status"] for one in outputs)
        if not killed and states != ["cached", "rendered"]:
            verdict.repeated.append(f"{effect}: {' and '.join(states)}")
        if len({one[effect]["path"] for one in outputs}) != 1:
            verdict.wrong.append(f"{effect} has two files")
    verdict.repeated += rendered_twice(settings)


def rendered_twice(settings: Settings) -> list[str]:
    """Fingerprints that were rendered more than once, by the events."""
    counts: dict[str, int] = {}
    for event in last_events(settings, 100_000):
        if event["outcome"] == "rendered" and event["fingerprint"]:
            counts[event["fingerprint"]] = counts.get(event["fingerprint"], 0) + 1
    return [f"{name} was rendered {count} times" for name, count in counts.items() if count > 1]


def two_daemons(warm: Warm, folder: Path) -> Verdict:
    """Two daemons on one home: everything is made, each thing once."""
    started, verdict = time.monotonic(), Verdict("two daemons")
    world = World(folder / "daemons", folder)
    ledger = Ledger(world.settings)
    world.add(0)
    verdict.check(warm.run(world.root, "home"))
    with _daemon(world, 1), _daemon(world, 2):
        for number in range(1, 3):
            _settle(warm, world, verdict)
            ledger.take()
            world.add(number)
        _settle(warm, world, verdict)
        verdict.rounds = 1
    verdict.check_verified(warm.run(world.root, "verify", "--json"))
    ledger.compare(verdict)
    verdict.repeated += rendered_twice(world.settings)
    verdict.seconds = time.monotonic() - started
    return verdict


def _settle(warm: Warm, world: World, verdict: Verdict) -> None:
    """Wait until all that runs by itself is current."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    wanted = len(list(world.settings.source_root.iterdir()))
    while time.monotonic() < deadline:
        time.sleep(1)
        found = warm.run(world.root, "status", "--json").json
        states = {(s["asset"], s["partition"]): s["status"] for s in (found or {}).get("assets", [])}
        made = [state for (asset, part), state in states.items() if asset in _BY_THEMSELVES and part]
        if len(made) == wanted * 4 + 2 and set(made) == {"materialized"}:
            return
    verdict.wrong.append(f"not everything was made in {_PATIENCE_SECONDS:g} s: {states}")


_BY_THEMSELVES = {
    *("source_file", "thumbnail", "web_preview/small", "web_preview/teaser"),
    *("komposition_plan", "komposition_video"),
}


@contextlib.contextmanager
def _daemon(world: World, number: int) -> Iterator[None]:
    """A daemon on the data root's home, ended with all that it started."""
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(world.settings.dagster_home),
        "MEDIA_ASSETS_DATA": str(world.root),
        "MEDIA_ASSETS_SETTLE_SECONDS": "0.3",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    with (world.root.parent / f"daemon{number}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster._daemon", "run", "-w", "workspace.yaml"],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield
        finally:
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(signal.SIGINT)
            _, alive = psutil.wait_procs([*children, psutil.Process(process.pid)], timeout=20)
            for child in alive:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.wait()
