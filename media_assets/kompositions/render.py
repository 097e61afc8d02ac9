"""Renders a komposition: missing pieces side by side, one sound pass, and a join by copying.

Every piece, the sound and the finished file are cached by fingerprint, so a second rendering does only
what changed. A piece that fails leaves the others in the cache and no finished file.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from media_assets.errors import Cancelled, DiskFull, MediaAssetsError
from media_assets.kompositions.joining import join
from media_assets.kompositions.outcomes import RenderedKomposition, Step, joined_error, rendered
from media_assets.kompositions.pieces import render_piece
from media_assets.kompositions.plan import KompositionPlan, PlannedPiece, SourceFacts
from media_assets.kompositions.recipes import final_recipe, piece_recipe, sound_recipe
from media_assets.kompositions.room import check_room_for
from media_assets.kompositions.sound import render_sound
from media_assets.media.run import Progress
from media_assets.settings import Settings
from media_assets.store.outputs import Made, Outcome, OutputStore, Recipe

__all__ = ["RenderedKomposition", "Step", "render", "render_parts"]

Told = Callable[[Progress], None]


@dataclass(frozen=True)
class _Job:
    """A part to be had: `make` writes it to a path, telling how far it is."""

    id: str
    recipe: Recipe
    frames: int
    make: Callable[[Path, Told], Made]


def render(
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    settings: Settings,
    store: OutputStore,
    *,
    on_outcome: Callable[[Step], None] | None = None,
    on_progress: Callable[[float], None] | None = None,
    cancel: threading.Event | None = None,
) -> RenderedKomposition:
    """Return the finished komposition, rendering what is not in the store.

    Args:
        plan: what to render.
        sources: what is known of each source, by the reference that the document uses, as for `plan`.
        settings: how many pieces at a time, which ffmpeg.
        store: where outputs are looked up and kept.
        on_outcome: called in the calling thread for each part that ends, failures included.
        on_progress: called in working threads, one at a time, with the fraction of frames done.
        cancel: when set, running commands are ended and nothing more is started.

    Raises:
        FfmpegFailed, VerificationFailed, TimeLimitExceeded: parts failed; the message names them all.
        Cancelled, DiskFull: and the rest was not started.
    """
    started = time.monotonic()
    runner = _Runner(store, cancel or threading.Event(), on_outcome, _Meter(plan.frames, on_progress))
    parts: dict[str, Outcome] = {}

    def joined(path: Path, _: Told) -> Made:
        pieces = [parts[planned.fingerprint].output for planned in plan.pieces]
        sound = parts[plan.sound_fingerprint].output
        return join(plan, pieces, sound, path, settings, store, cancel=runner.cancel)

    # A finished file that is there is all that is looked at.
    if store.get(plan.fingerprint) is None:
        check_room_for(plan, settings, store)
        jobs = _jobs(plan, sources, settings, store, runner.cancel)
        parts.update(runner.run(jobs, settings.workers))
    final = runner.run([_Job(plan.id, final_recipe(plan), plan.frames, joined)], 1)
    return rendered(plan, parts, final[plan.fingerprint], time.monotonic() - started)


def render_parts(
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    settings: Settings,
    store: OutputStore,
    wanted: Collection[str],
    *,
    on_outcome: Callable[[Step], None] | None = None,
    on_progress: Callable[[float], None] | None = None,
    cancel: threading.Event | None = None,
) -> dict[str, Outcome]:
    """Have some parts of a plan in the store, whoever joins them later.

    Args:
        wanted: fingerprints of pieces, and of the sound.

    Returns:
        The outcome of each, by its fingerprint.

    Raises:
        As `render`.
    """
    stopped = cancel or threading.Event()
    check_room_for(plan, settings, store, wanted)
    jobs = [j for j in _jobs(plan, sources, settings, store, stopped) if j.recipe.fingerprint in wanted]
    meter = _Meter(sum(job.frames for job in jobs), on_progress)
    return _Runner(store, stopped, on_outcome, meter).run(jobs, settings.workers)


def _jobs(
    plan: KompositionPlan,
    sources: Mapping[str, SourceFacts],
    settings: Settings,
    store: OutputStore,
    cancel: threading.Event,
) -> list[_Job]:
    """The sound, then each different piece, the longest first: no worker then ends long before the rest."""
    planned = {piece.fingerprint: piece for piece in plan.pieces}
    names: dict[str, list[str]] = {}
    for piece in plan.pieces:
        names.setdefault(piece.fingerprint, []).append(piece.piece.id)

    def piece_job(piece: PlannedPiece) -> _Job:
        def make(path: Path, told: Told) -> Made:
            return render_piece(piece, plan, sources, path, settings, on_progress=told, cancel=cancel)

        same = names[piece.fingerprint]
        frames = piece.piece.frames * len(same)
        return _Job(", ".join(same), piece_recipe(piece, plan), frames, make)

    def make_sound(path: Path, _: Told) -> Made:
        return render_sound(plan, sources, path, settings, store, cancel=cancel)

    sound = _Job("sound", sound_recipe(plan), 0, make_sound)
    longest_first = sorted(planned.values(), key=lambda piece: -piece.estimate)
    return [sound, *(piece_job(piece) for piece in longest_first)]


class _Meter:
    """Adds up how far parts are, from several threads."""

    def __init__(self, frames: int, on_progress: Callable[[float], None] | None) -> None:
        self._frames = frames
        self._on_progress = on_progress
        self._done: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, job: _Job, fraction: float) -> None:
        """Part `job` is `fraction` done."""
        if self._on_progress is None or not job.frames:
            return
        with self._lock:
            if job.frames == self._frames:
                self._done.clear()
            self._done[job.recipe.fingerprint] = fraction * job.frames
            self._on_progress(min(1.0, sum(self._done.values()) / self._frames))


class _Runner:
    """Gets parts from the store, several at a time, and reports each."""

    def __init__(
        self,
        store: OutputStore,
        cancel: threading.Event,
        on_outcome: Callable[[Step], None] | None,
        meter: _Meter,
    ) -> None:
        self.cancel = cancel
        self._store = store
        self._on_outcome = on_outcome or (lambda outcome: None)
        self._meter = meter
        self._halted = threading.Event()

    def run(self, jobs: Sequence[_Job], workers: int) -> dict[str, Outcome]:
        """Outcomes by fingerprint, once all jobs have ended.

        Raises:
            MediaAssetsError: one error for all that failed.
        """
        outcomes: dict[str, Outcome] = {}
        failures: list[tuple[str, MediaAssetsError]] = []
        with ThreadPoolExecutor(workers, "komposition") as pool:
            try:
                for job in as_completed([pool.submit(self._get, job) for job in jobs]):
                    ended = job.result()
                    if isinstance(ended.result, MediaAssetsError):
                        failures.append((ended.id, ended.result))
                    else:
                        outcomes[ended.recipe.fingerprint] = ended.result
                    self._on_outcome(ended)
            except BaseException:
                # Interrupted, or the caller's own error: what still runs would be thrown away.
                self._halted.set()
                self.cancel.set()
                raise
        if failures:
            raise joined_error(failures)
        return outcomes

    def _get(self, job: _Job) -> Step:
        started = time.monotonic()

        def write(paths: Mapping[str, Path]) -> Mapping[str, Made]:
            def told(progress: Progress) -> None:
                self._meter.tell(job, progress.fraction or 0.0)

            key = job.recipe.fingerprint
            return {key: job.make(paths[key], told)}

        result: Outcome | MediaAssetsError
        try:
            self._go_on()
            (result,) = self._store.produce([job.recipe], write, waiting=self._go_on)
            self._meter.tell(job, 1.0)
        except MediaAssetsError as error:
            if isinstance(error, DiskFull):
                self._halted.set()
            result = error
        except OSError as error:
            result = MediaAssetsError(f"the disk refused: {error}", where=job.id)
        return Step(job.id, job.recipe, result, time.monotonic() - started)

    def _go_on(self) -> None:
        if self._halted.is_set() or self.cancel.is_set():
            raise Cancelled("the work was cancelled before this was started")
