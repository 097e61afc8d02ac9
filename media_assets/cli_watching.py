"""media-assets komposition watch: renders a document again each time it is saved."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, admitted, interruptible, raise_if_interrupted, with_actions
from media_assets.errors import Cancelled, MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions

# Editors write a file in several steps; these together are one save.
_DEBOUNCE_MS = 200
_STEP_MS = 50
_POLL_SECONDS = 0.5
# A document that was left alone for so long is recorded in Dagster, which cannot be cancelled.
_IDLE_SECONDS = 2.0


class Saves:
    """Notices in a thread of its own when a document is saved; use as a context manager.

    Attributes:
        seen: set by each save; a rendering that takes it as its `cancel` gives up then.
    """

    def __init__(self, path: Path) -> None:
        self.seen = threading.Event()
        self._path = path.resolve()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="saves", daemon=True)

    def __enter__(self) -> Saves:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(2 * _POLL_SECONDS + 1)

    def wait(self, seconds: float | None) -> bool:
        """Whether there is a save within that time; None waits for one."""
        end = None if seconds is None else time.monotonic() + seconds
        while not self.seen.wait(_POLL_SECONDS):
            raise_if_interrupted()
            if end is not None and time.monotonic() >= end:
                return False
        return True

    def _watch(self) -> None:
        from watchfiles import watch as changes

        # The folder: editors put a new file in the place of the old one.
        for found in changes(
            self._path.parent,
            watch_filter=lambda _, name: Path(name).name == self._path.name,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=self._stop,
            rust_timeout=int(_POLL_SECONDS * 1000),
            recursive=False,
            raise_interrupt=False,
        ):
            if found:
                self.seen.set()


def watch(
    file: Annotated[Path, typer.Argument(help="A document: a path, or its name under data/kompositions.")],
    preview: Annotated[bool, typer.Option("--preview", help="Render the preview only.")] = False,
    data: Data = None,
) -> None:
    """Render a document, and again each time it is saved, until Ctrl-C."""
    from media_assets.editing import locate

    settings = Settings.from_environment(data)
    path = locate(str(file), settings)
    with interruptible(path), Saves(path) as saves:
        while True:
            admitted(data)
            saves.seen.clear()
            done = _once(path, settings, saves, preview=preview)
            if done and not preview and not saves.wait(_IDLE_SECONDS):
                _record(path, settings)
            saves.wait(None)


def _once(path: Path, settings: Settings, saves: Saves, *, preview: bool) -> bool:
    """Render a document as it is now; whether that was done to the end."""
    from media_assets.editing import render_form
    from media_assets.kompositions.document import load
    from media_assets.store.sources import SourceCatalogue

    started = time.monotonic()
    try:
        changes = SourceCatalogue(settings).changes()
        if changes.unread or changes.removed:
            with_actions(settings.data_root, lambda actions: actions.ingest())
        forms = ["preview"] if preview else ["", *(form.id for form in load(path).renditions)]
        for form in forms:
            with console.progress_bars():
                report = render_form(path, form, settings, cancel=saves.seen)
            _tell(report, time.monotonic() - started)
            started = time.monotonic()
    except Cancelled:
        console.say("it was saved meanwhile: starting anew")
        return False
    except MediaAssetsError as error:
        console.print_error(error)
        console.say(f"waiting for {path.name} to be saved")
        return False
    return True


def _tell(report: dict[str, Any], seconds: float) -> None:
    """One line on what was rendered."""
    for warning in report["warnings"]:
        console.say(f"warning: {warning['place']}: {warning['message']}")
    parts = ", ".join(report["rendered"]) or "nothing"
    console.output.print(
        f"version {report['version']}: rendered {parts} in {console.seconds(seconds)}: {report['output']}",
        soft_wrap=True,
        markup=False,
    )


def _record(path: Path, settings: Settings) -> None:
    """Have the asset made of what is in the store by now."""

    def work(actions: Actions) -> object:
        return actions.render_komposition(path)

    try:
        with_actions(settings.data_root, work)
    except MediaAssetsError as error:
        console.print_error(error)
