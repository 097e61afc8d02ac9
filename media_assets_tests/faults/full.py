"""Disks that are full or read-only, and missing permissions: told with the path, nothing half made.

Folders of a data root are small file systems of their own here, which are filled to the last page. Mounting
takes rights, so this runs in a process with mounts of its own: `python -m … FOLDER SEED [STAGE …]`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from media_assets.settings import PROJECT_ROOT
from media_assets_tests.faults.ledger import Ledger, Verdict, tell
from media_assets_tests.faults.world import Words, World
from media_assets_tests.warm import Command, Warm

_PAGE = 4096
_FULL = ("no space", "No space", "no room", "are to stay free")
_REFUSED = ("Read-only", "Permission denied")
_MEGABYTE = 1 << 20
_APART = (("unshare", "-m"), ("unshare", "-Urm"))
_SIZES = {"store": 8, "metadata": 2, "events": 2, "dagster_home": 48, "warehouse": 32, "backups": 16}


@dataclass(frozen=True)
class Stage:
    """What is full: a folder, but for so many pages, while a command of the load runs.

    Attributes:
        reserve: bytes that a render has to leave free; with 1 it is begun and finds no room.
    """

    name: str
    folder: str
    command: str
    pages: int = 0
    reserve: int = 1


STAGES = (
    Stage("ingest record", "metadata", "ingest"),
    Stage("half an ingest record", "metadata", "ingest", 1),
    Stage("what is estimated", "store", "effects", 3, reserve=1 << 20),
    Stage("ffmpeg output", "store", "effects", 3),
    Stage("sidecar", "store", "effects", 9),
    Stage("event", "events", "effects"),
    Stage("Dagster's SQLite", "dagster_home", "effects", 12),
    Stage("Dagster's SQLite at once", "dagster_home", "ingest"),
    Stage("DuckDB load", "warehouse", "analytics"),
    Stage("backup", "backups", "backup", 5),
)
REFUSALS = ("read-only store", "read-only root", "no permission: store", "no permission: home")


def apart(folder: Path, seed: int, names: Sequence[str]) -> list[Verdict]:
    """Run stages in a process that may mount; where none may, with a limit on the size of files."""
    way = mounting()
    command = [*way, sys.executable, "-m", __name__, str(folder), str(seed), *names]
    environment = os.environ | {"MEDIA_ASSETS_FAULTS_MOUNTED": " ".join(way)}
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return [Verdict(**one) for one in json.loads(done.stdout)]


def mounting() -> tuple[str, ...]:
    """The words before a command that lets it mount; none where nobody may."""
    return next((way for way in _APART if _may_mount(way)), ())


def _may_mount(way: Sequence[str]) -> bool:
    """Whether a process started in that way may mount."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FileNotFoundError):
        mount = [*way, "mount", "-t", "tmpfs", "-o", "size=64k", "none", folder]
        return subprocess.run(mount, capture_output=True, check=False).returncode == 0
    return False


class Disks:
    """The folders of a data root as small file systems; with a limit on files where none can be mounted."""

    def __init__(self, root: Path, way: str) -> None:
        self.root = root
        self.mounted = bool(way)
        self.how = f"tmpfs ({way})" if way else "a limit on the size of files"
        for name, megabytes in _SIZES.items():
            (root / name).mkdir(parents=True)
            if self.mounted:
                size = f"size={megabytes}m"
                _mount("-t", "tmpfs", "-o", size, "none", str(root / name))

    @contextlib.contextmanager
    def full(self, stage: Stage) -> Iterator[dict[str, str]]:
        """Leave so many pages in the stage's folder; what the command's environment needs for that."""
        if not self.mounted:
            yield {"MEDIA_ASSETS_FAULTS_FILE_SIZE": str(stage.pages * _PAGE or 1)}
            return
        ballast = self.root / stage.folder / ".ballast"
        found = os.statvfs(ballast.parent)
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, found.f_bavail - stage.pages) * found.f_bsize)
        try:
            yield {}
        finally:
            ballast.unlink()

    @contextlib.contextmanager
    def read_only(self, folder: Path) -> Iterator[None]:
        """A folder that refuses writing, by its mount."""
        if folder == self.root:
            with contextlib.ExitStack() as stack:
                for name in _SIZES:
                    stack.enter_context(self.read_only(self.root / name))
                yield
            return
        _mount("-o", "remount,ro", str(folder))
        try:
            yield
        finally:
            _mount("-o", "remount,rw", str(folder))


def _mount(*words: str) -> None:
    subprocess.run([shutil.which("mount") or "/bin/mount", *words], check=True)


def stages(warm: Warm, folder: Path, way: str, rng: random.Random, names: Sequence[str]) -> Verdict:
    """Fill each stage's folder, run its command, free the folder, and run it again."""
    started, verdict = time.monotonic(), Verdict("disk full")
    root = folder / "full"
    disks = Disks(root, way)
    world = World(root, folder)
    ledger = Ledger(world.settings)
    _begin(warm, world, verdict)
    chosen = [stage for stage in STAGES if not names or stage.name in names]
    for number, stage in enumerate(rng.sample(chosen, len(chosen)), 1):
        ledger.take()
        world.add(number)
        words = _words(world, stage.command, number)
        if stage.command != "ingest":
            verdict.check(warm.run(root, "ingest", "--json"))
        with disks.full(stage) as environment:
            environment = {"MEDIA_ASSETS_RESERVE_BYTES": str(stage.reserve), **environment}
            refused = warm.run(root, *words, **environment)
        _told(
            refused,
            _FULL,
            root / stage.folder,
            verdict,
            stage.name,
        )
        ledger.take(refused)
        verdict.check(warm.run(root, *words))
        verdict.check_verified(warm.run(root, "verify", "--json"))
        ledger.compare(verdict)
        verdict.rounds += 1
        tell(f"full: {stage.name}: {refused.err.read_text()[-300:].strip()}", verdict)
    verdict.how, verdict.seconds = disks.how, time.monotonic() - started
    return verdict


def refusals(warm: Warm, folder: Path, way: str, names: Sequence[str]) -> Verdict:
    """Take the right to write away, run a job, give it back, and run it again."""
    started, verdict = time.monotonic(), Verdict("read-only, no permission")
    root = folder / "refused"
    disks = Disks(root, way)
    world = World(root, folder)
    ledger = Ledger(world.settings)
    _begin(warm, world, verdict)
    ways: Mapping[str, tuple[Path, Callable[[Path], contextlib.AbstractContextManager[None]]]] = {
        "read-only store": (root / "store", disks.read_only),
        "read-only root": (root, disks.read_only),
        "no permission: store": (root / "store", forbidden),
        "no permission: home": (root / "dagster_home", forbidden),
    }
    chosen = [name for name in REFUSALS if not names or name in names]
    for number, name in enumerate(chosen, 1):
        place, taken = ways[name]
        if taken == disks.read_only and not disks.mounted:
            continue
        ledger.take()
        world.add(number)
        words = world.load(number)["effects"]
        with taken(place):
            refused = warm.run(root, *words, MEDIA_ASSETS_FAULTS_PLAIN="1")
        _told(refused, _REFUSED, place, verdict, name)
        ledger.compare(verdict)
        verdict.check(warm.run(root, *words))
        verdict.check_verified(warm.run(root, "verify", "--json"))
        verdict.rounds += 1
        tell(f"refused: {name}: {refused.err.read_text()[-300:].strip()}", verdict)
    verdict.how = "remounted, without capabilities" if disks.mounted else "permission bits"
    verdict.seconds = time.monotonic() - started
    return verdict


@contextlib.contextmanager
def forbidden(folder: Path) -> Iterator[None]:
    """A folder that may be neither read nor written; nor may what is in it be written."""
    paths = [path for path in [folder, *folder.rglob("*")] if path.is_dir() or path.suffix == ".db"]
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def _begin(warm: Warm, world: World, verdict: Verdict) -> None:
    world.add(0)
    for words in world.going_on(0):
        verdict.check(warm.run(world.root, *words))


def _words(world: World, command: str, number: int) -> Words:
    if command == "backup":
        return ("backup", world.root / "backups" / f"{number}.tar.gz", "--json")
    return world.load(number)[command]


def _told(refused: Command, words: Sequence[str], place: Path, verdict: Verdict, name: str) -> None:
    """A command that was refused says why and where, and shows no traceback."""
    text = refused.out.read_text() + refused.err.read_text()
    if refused.status not in (1, 2):
        verdict.wrong.append(f"{name}: status {refused.status}: {text[-600:]}")
    if "Traceback" in text:
        verdict.wrong.append(f"{name}: {text[-1500:]}")
    if not any(word in text for word in words):
        verdict.wrong.append(f"{name}: it does not say why: {text[-600:]}")
    if str(place) not in text:
        verdict.wrong.append(f"{name}: it does not name {place}: {text[-600:]}")


def main() -> None:
    """Run in this process, which may mount if it was started so."""
    folder, seed, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    way = os.environ["MEDIA_ASSETS_FAULTS_MOUNTED"]
    found = []
    with Warm(folder / "full-log") as warm:
        if not names or {stage.name for stage in STAGES} & set(names):
            found.append(stages(warm, folder, way, random.Random(seed), names))
        if not names or set(REFUSALS) & set(names):
            found.append(refusals(warm, folder, way, names))
    print(json.dumps([asdict(verdict) for verdict in found]))


if __name__ == "__main__":
    main()
