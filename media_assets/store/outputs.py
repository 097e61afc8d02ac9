"""The output store: one folder per fingerprint, holding the file and its sidecar.

A folder appears by one rename, so an output is there whole, with its sidecar, or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from media_assets.errors import MediaAssetsError, disk_errors
from media_assets.ids import hash_file
from media_assets.settings import Settings
from media_assets.store.files import sync
from media_assets.store.layout import (
    FINGERPRINT,
    SIDECAR,
    lock_of,
    locks_folder,
    output_folder,
    pending_folder,
    quarantine,
    sidecars,
)
from media_assets.store.sidecars import Made, Outcome, Output, Recipe, from_sidecar

__all__ = ["SIDECAR", "Made", "Outcome", "Output", "OutputStore", "Recipe", "publish"]

# Start times of processes are counted from the boot, whose time is only known so well.
_CLOCK_SLACK_SECONDS = 2.0
_POLL_SECONDS = 0.1


class OutputStore:
    """Outputs by fingerprint under `settings.store_root`.

    Two processes that ask for the same output render it once: the second waits for the first.
    """

    def __init__(self, settings: Settings) -> None:
        self.root = settings.store_root
        self._pending = pending_folder(self.root)
        self._locks = locks_folder(self.root)
        with disk_errors(self.root):
            for folder in (self._pending, self._locks):
                folder.mkdir(parents=True, exist_ok=True)

    def get(self, fingerprint: str) -> Output | None:
        """The output of that fingerprint, or None; a damaged one is put aside and counts as none.

        Raises:
            DiskRefused: it is there and may not be read.
        """
        if not FINGERPRINT.fullmatch(fingerprint):
            return None  # a record that somebody changed names no folder elsewhere
        folder = output_folder(self.root, fingerprint)
        with disk_errors(folder):
            try:
                document = json.loads((folder / SIDECAR).read_text())
                output = from_sidecar(document, folder)
                if output.path.stat().st_size == output.made.properties.size:
                    return output
            except FileNotFoundError:
                if not folder.exists():
                    return None
            except (ValueError, KeyError, TypeError):
                pass  # a damaged sidecar: the same as a damaged file, below
            self._quarantine(folder)
        return None

    def has(self, fingerprint: str) -> bool:
        """Whether there is an output of that fingerprint, whole or not."""
        return (output_folder(self.root, fingerprint) / SIDECAR).exists()

    def produce(
        self,
        recipes: Sequence[Recipe],
        render: Callable[[Mapping[str, Path]], Mapping[str, Made]],
        *,
        waiting: Callable[[], object] | None = None,
    ) -> list[Outcome]:
        """Return an output for each recipe, rendering those that are missing in one call.

        Args:
            recipes: what is wanted, at least one.
            render: given {fingerprint: path to write} for the missing ones, writes and verifies
                each file and returns what it made, by fingerprint.
            waiting: called again and again while another process makes one of them; what it raises ends
                the wait.

        Raises:
            DiskFull, DiskRefused: no room, or no permission; whatever `render` or `waiting` raises.
                Nothing is put in place then.
        """
        started = time.monotonic()
        found = {r.fingerprint: self.get(r.fingerprint) for r in recipes}
        missing: dict[str, Recipe] = {}
        if not all(found.values()):
            with self._locked(sorted(f for f, output in found.items() if output is None), waiting):
                missing = {r.fingerprint: r for r in recipes if self.get(r.fingerprint) is None}
                if missing:
                    self._make(list(missing.values()), render)
                found = {fingerprint: self.get(fingerprint) for fingerprint in found}
        return [_outcome(found[r.fingerprint], r.fingerprint not in missing, started) for r in recipes]

    def sweep(self) -> int:
        """Remove what killed processes left half made; returns how many folders."""
        removed = 0
        for folder in self._pending.iterdir():
            owner = folder.name.split("-")[0]
            if owner.isdigit() and not _is_owned(folder, int(owner)):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def __iter__(self) -> Iterator[Output]:
        """Every whole output, in order of fingerprint."""
        for sidecar in sidecars(self.root):
            output = self.get(sidecar.parent.name)
            if output is not None:
                yield output

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder for intermediates, gone afterwards; `sweep` removes it if this process is killed."""
        folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=self._pending))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _make(
        self, recipes: Sequence[Recipe], render: Callable[[Mapping[str, Path]], Mapping[str, Made]]
    ) -> None:
        with disk_errors(self.root), self.scratch() as scratch:
            paths = {}
            for recipe in recipes:
                (scratch / recipe.fingerprint).mkdir()
                paths[recipe.fingerprint] = scratch / recipe.fingerprint / recipe.file_name
            made = render(paths)
            for recipe in recipes:
                self._put(recipe, made[recipe.fingerprint], paths[recipe.fingerprint])

    def _put(self, recipe: Recipe, made: Made, path: Path) -> None:
        """Give a finished file its sidecar and, by renaming the folder, its place."""
        document = {
            **asdict(recipe),
            "content_hash": hash_file(path),
            "made": asdict(made),
            "created": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        # Read-only: people reach outputs through links, and an edit in place would poison the cache.
        path.chmod(0o444)
        sidecar = path.parent / SIDECAR
        with sidecar.open("w") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        with path.open("rb") as file:
            os.fsync(file.fileno())
        folder = output_folder(self.root, recipe.fingerprint)
        folder.parent.mkdir(parents=True, exist_ok=True)
        path.parent.rename(folder)
        sync(folder.parent)

    def _quarantine(self, folder: Path) -> None:
        target = quarantine(self.root) / f"{folder.name}-{time.time_ns()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            folder.rename(target)

    @contextlib.contextmanager
    def _locked(self, fingerprints: Sequence[str], waiting: Callable[[], object] | None) -> Iterator[None]:
        """Hold the lock of each fingerprint, taken in order so that two callers never block each other."""
        with contextlib.ExitStack() as stack:
            for fingerprint in fingerprints:
                lock = FileLock(lock_of(self.root, fingerprint))
                with disk_errors(self._locks):
                    _acquire(lock, waiting)
                stack.callback(lock.release)
            yield


def publish(output: Path, target: Path) -> None:
    """Give `output` a second, readable name: a hard link where the disk allows it, else a copy.

    The name is replaced by one rename, so a reader sees the old file or the new one.
    """
    with contextlib.suppress(OSError):
        if target.samefile(output):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        os.link(output, temporary)
    except OSError:
        shutil.copyfile(output, temporary)
    temporary.replace(target)


def _is_owned(folder: Path, pid: int) -> bool:
    """Whether the process that made `folder` lives; its number may have gone to a younger one since."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.create_time() < folder.stat().st_mtime + _CLOCK_SLACK_SECONDS
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False


def _acquire(lock: FileLock, waiting: Callable[[], object] | None) -> None:
    """Wait for a lock, calling `waiting` meanwhile."""
    while True:
        try:
            lock.acquire(timeout=-1 if waiting is None else _POLL_SECONDS)
            return
        except Timeout:
            if waiting is not None:
                waiting()


def _outcome(output: Output | None, cached: bool, started: float) -> Outcome:
    if output is None:
        raise MediaAssetsError(
            "an output vanished from the store while it was being used",
            hint="run again: something else removed it, or its file is not what was written",
        )
    if cached:
        # The sidecar's time tells clean-up when the output was last asked for.
        with contextlib.suppress(OSError):
            os.utime(output.path.parent / SIDECAR)
    return Outcome(output, cached, time.monotonic() - started)
