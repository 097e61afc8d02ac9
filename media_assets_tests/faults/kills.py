"""kill -9 at random moments during a mixed load: one process, all of them, or one ffmpeg."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from media_assets.settings import Settings
from media_assets_tests.faults.ledger import Ledger, Verdict, tell
from media_assets_tests.faults.world import APPENDING, World
from media_assets_tests.warm import Command, Warm

KINDS = ("one", "all", "ffmpeg")
_LONGEST_SECONDS = 9.0
_FEWEST = 3
_APPENDING_SECONDS = 20
_FFMPEGS_PASSED = 3
_RENDERING = ("workflow", "komposition", "effects")


def kills(
    warm: Warm,
    folder: Path,
    rng: random.Random,
    rounds: int,
    *,
    names: Sequence[str] = (),
    longest: float = _LONGEST_SECONDS,
) -> Verdict:
    """Kill in each of `rounds` rounds, go on, and hold what is there against what was acknowledged.

    Args:
        names: commands of the load, and what is run afterwards, verified at the end; without, some or all
            of them by chance, verified each time.
        longest: seconds after the start up to which a kill may come.
    """
    started = time.monotonic()
    verdict = Verdict("kill -9")
    world = World(folder / "kills", folder)
    ledger = Ledger(world.settings)
    done: dict[str, int] = {}
    world.add(0)
    for words in world.going_on(0, names):
        verdict.check(warm.run(world.root, *words))
    for number in range(1, rounds + 1):
        ledger.take()
        world.add(number)
        if number > 2:  # nobody asks for these again: clean may take them
            ledger.forget(world.forsake(number - 2))
        load = world.load(number)
        kind = KINDS[(number - 1) % len(KINDS)]
        chosen = list(names) or rng.sample(sorted(load), rng.randint(_FEWEST, len(load)))
        if kind == "ffmpeg":
            chosen = list(dict.fromkeys([*chosen, *_RENDERING]))
        commands = [warm.start(world.root, *load[name]) for name in chosen]
        commands.append(warm.start(world.root, str(_APPENDING_SECONDS), entry=APPENDING))
        hit = _kill(kind, rng, warm, commands, longest)
        done[hit] = done.get(hit, 0) + 1
        if kind != "all":
            warm.kill(commands[-1])
            warm.wait(*commands)
        _nothing_runs_on(world.settings, verdict)
        ledger.take(*commands)
        for words in world.going_on(number, names):
            verdict.check(warm.run(world.root, *words))
        if not names or number == rounds:
            verdict.check_verified(warm.run(world.root, "verify", "--json"))
        ledger.compare(verdict)
        _swept(world.settings, verdict)
        verdict.rounds += 1
        tell(f"kill {number} of {rounds}: {hit}", verdict)
    verdict.how = ", ".join(f"{count} {what}" for what, count in sorted(done.items()))
    verdict.seconds = time.monotonic() - started
    return verdict


def _kill(kind: str, rng: random.Random, warm: Warm, commands: Sequence[Command], longest: float) -> str:
    """Wait for a random moment and kill; returns what was hit."""
    moment = time.monotonic() + rng.uniform(0.05, longest)
    busy = commands[:-1]
    if kind == "ffmpeg":
        return _kill_ffmpeg(rng, warm, busy)
    while time.monotonic() < moment and any(warm.poll(command) is None for command in busy):
        time.sleep(0.03)
    alive = [command for command in busy if warm.poll(command) is None]
    if not alive:
        return "none: all had ended"
    for command in commands if kind == "all" else [rng.choice(alive)]:
        _kill_tree(command, whole=kind == "all")
    if kind == "all":
        warm.wait(*commands)
    return {"all": "all at once", "one": "one process"}[kind]


def _kill_tree(command: Command, *, whole: bool) -> None:
    """Kill a process, and with `whole` everything that it has started, as a machine does that goes down."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(command.pid)
        for child in process.children(recursive=True) if whole else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()


def _kill_ffmpeg(rng: random.Random, warm: Warm, commands: Sequence[Command]) -> str:
    """Kill one ffmpeg that these commands run, not always the first; returns what was hit."""
    passing, seen = rng.randint(0, _FFMPEGS_PASSED), set[int]()
    while any(warm.poll(command) is None for command in commands):
        for command in commands:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(command.pid).children(recursive=True):
                    if "ffmpeg" in child.name():
                        seen.add(child.pid)
                        if len(seen) > passing:
                            child.kill()
                            return "an ffmpeg alone"
        time.sleep(0.04)
    return "nothing: too few ffmpegs ran"


def _nothing_runs_on(settings: Settings, verdict: Verdict) -> None:
    """No ffmpeg outlives the process that started it."""
    deadline = time.monotonic() + 2
    while left := _ffmpegs(settings):
        if time.monotonic() > deadline:
            verdict.wrong.append(f"ffmpeg goes on without the process that started it: {left}")
            return
        time.sleep(0.05)


def _ffmpegs(settings: Settings) -> list[int]:
    """ffmpeg processes that write into the store of that data root."""
    place, found = str(settings.store_root), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name().startswith("ffmpeg") and any(place in word for word in process.cmdline()):
                found.append(process.pid)
    return found


def _swept(settings: Settings, verdict: Verdict) -> None:
    """What killed processes left half made is gone."""
    left = [path.name for path in (settings.store_root / "pending").iterdir()]
    if left:
        verdict.wrong.append(f"left half made: {', '.join(left)}")
