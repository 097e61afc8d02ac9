"""Files that are damaged: sidecars, outputs, and the databases of Dagster's home."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from media_assets_tests.faults.ledger import Ledger, Verdict, stored, tell
from media_assets_tests.faults.world import World
from media_assets_tests.warm import Warm

DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
_PAGE = 4096


def header(path: Path) -> None:
    """The first bytes, which say that it is a database."""
    _overwrite(path, 0, b"\xa5" * 100)


def half(path: Path) -> None:
    """The second half is gone."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def pages(path: Path) -> None:
    """Every other page holds something else."""
    for at in range(_PAGE, path.stat().st_size, 2 * _PAGE):
        _overwrite(path, at, b"\xa5" * _PAGE)


def empty(path: Path) -> None:
    """Nothing is left of it."""
    with path.open("r+b") as file:
        file.truncate(0)


WAYS: Mapping[str, Callable[[Path], None]] = {
    "header": header,
    "half": half,
    "pages": pages,
    "empty": empty,
}


def files(warm: Warm, folder: Path, rng: random.Random, rounds: int) -> Verdict:
    """Damage one sidecar and one output in each round: found, told, rendered again, and nothing else."""
    started, verdict = time.monotonic(), Verdict("damaged sidecar, truncated output")
    world = World(folder / "damaged", folder)
    world.add(0)
    for words in world.going_on(0):
        verdict.check(warm.run(world.root, *words))
    for _ in range(rounds):
        ledger = Ledger(world.settings)
        ledger.take()
        first, second = rng.sample(sorted(stored(world.settings)), 2)
        sidecar = _folder(world, first) / "sidecar.json"
        _overwrite(sidecar, rng.randrange(sidecar.stat().st_size // 2), b"\x00{")
        media = next(p for p in _folder(world, second).iterdir() if p.name != "sidecar.json")
        media.chmod(0o644)
        half(media)
        # One that no record names, such as a piece of a komposition, is only made again when it is needed.
        ledger.forget({first, second})
        found = verdict.check(warm.run(world.root, "verify", "--json"), status=1)
        if not found or len(found["findings"]) < 2:
            verdict.wrong.append(f"verify found not both of {sidecar} and {media}: {found}")
        warm.run(world.root, "verify", "--repair", "--json")
        verdict.check_verified(warm.run(world.root, "verify", "--json"))
        ledger.compare_files(verdict)
        verdict.rounds += 1
        tell("damaged files", verdict)
    verdict.seconds = time.monotonic() - started
    return verdict


def databases(
    warm: Warm, folder: Path, names: Sequence[str] = DATABASES, ways: Sequence[str] = tuple(WAYS)
) -> Verdict:
    """Damage each database of Dagster's in each way: told which it is; after recovery all is as it was."""
    started, verdict = time.monotonic(), Verdict("damaged Dagster database")
    world = World(folder / "home", folder)
    world.add(0)
    for words in world.going_on(0):
        verdict.check(warm.run(world.root, *words))
    home, good = world.settings.dagster_home, folder / "good-home"
    before = _statuses(warm, world)
    shutil.copytree(home, good)
    ledger = Ledger(world.settings)
    told = 0
    for name in names:
        for way in ways:
            shutil.rmtree(home)
            shutil.copytree(good, home)
            ledger.take()
            WAYS[way](home / name)
            told += _tells(warm, world, name, way, before, verdict)
            verdict.check(warm.run(world.root, "recover", "--anew", "--json"))
            after = _statuses(warm, world)
            if after != before:
                gone = {place for place, state in before.items() if after.get(place) != state}
                verdict.lost.append(f"{name}, {way}: the status of {sorted(gone)}")
            verdict.check_verified(warm.run(world.root, "verify", "--json"))
            ledger.compare_files(verdict)
            verdict.rounds += 1
            tell(f"{name}: {way}", verdict)
    verdict.how = f"told by the first command: {told}"
    verdict.seconds = time.monotonic() - started
    return verdict


def _tells(
    warm: Warm, world: World, name: str, way: str, before: Mapping[Any, str], verdict: Verdict
) -> bool:
    """Whether a command says which file is damaged; one that does not need it has to do what it does."""
    asked = warm.run(world.root, "status", "--json")
    text = asked.out.read_text() + asked.err.read_text()
    if asked.status == 0 and _told(asked.json) == before:
        return False
    for part in (name.split("/")[-1], "recover --anew", "DamagedHome"):
        if part not in text or "Traceback" in text:
            verdict.wrong.append(f"{name}, {way}: {part} is not in {text[-700:]}")
    return True


def _statuses(warm: Warm, world: World) -> dict[tuple[str, str | None], str]:
    return _told(warm.run(world.root, "status", "--json").json)


def _told(document: Any) -> dict[tuple[str, str | None], str]:
    return {(s["asset"], s["partition"]): s["status"] for s in (document or {}).get("assets", [])}


def _folder(world: World, fingerprint: str) -> Path:
    return world.settings.store_root / fingerprint[:2] / fingerprint


def _overwrite(path: Path, at: int, data: bytes) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)
