"""What the commands share: their common options, and Dagster opened on a data root."""

from __future__ import annotations

import contextlib
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.importing import without_collecting
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.actions import Actions

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="MEDIA_ASSETS_DATA", help="Another data root than data/ in the project."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

_INTERRUPTED_STATUS = 130
_interrupted = threading.Event()


def with_actions(data: Path | None, work: Callable[[Actions], Any]) -> Any:
    """Open Dagster on the data root, do `work` with progress bars, and close it."""
    # Dagster warns of its own API's stages; that concerns nobody who types a command.
    warnings.simplefilter("ignore")
    with without_collecting():
        from media_assets.actions import Actions
        from media_assets.homes import telling_damage
        from media_assets.session import Session

    settings = Settings.from_environment(data)
    with telling_damage(settings), Session(settings) as session, console.progress_bars():
        return work(Actions(session))


@contextlib.contextmanager
def interruptible(where: Path | str, *, json: bool = False) -> Iterator[None]:
    """End with status 130 and a word on it when Ctrl-C or a service manager interrupts the command."""
    _interrupted.clear()
    # Ending the command ends its ffmpeg: a service manager's signal is taken as Ctrl-C is.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        text = "nothing half made is left, what was finished is kept"
        if json:
            console.print_json({"error": "Interrupted", "message": text, "where": str(where), "hint": None})
        console.say(f"interrupted: {text}")
        raise typer.Exit(_INTERRUPTED_STATUS) from None


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Noted as well as raised: what is raised in a callback of a library is lost there."""
    _interrupted.set()
    signal.default_int_handler(number, frame)


def raise_if_interrupted() -> None:
    """Go on with an interruption that was lost.

    Raises:
        KeyboardInterrupt: there was one.
    """
    if _interrupted.is_set():
        raise KeyboardInterrupt


def admitted(data: Path | None) -> None:
    """Let nobody begin work who is suspended; everything that only looks, and `abuse lift`, stays free.

    Raises:
        Suspended: whoever is at work is.
    """
    from media_assets.analytics.standing import refuse_suspended

    refuse_suspended(Settings.from_environment(data))


def print_rows(rows: list[dict[str, Any]]) -> None:
    """The table at the end of a run."""
    words = {None: "", True: "cached", False: "rendered"}
    cells = [
        (
            row["asset"],
            row["partition"],
            Path(row["path"]).name if row["path"] else "",
            console.seconds(row["duration"]),
            console.size(row["size"]),
            console.seconds(row["seconds"]),
            words[row["cached"]],
        )
        for row in rows
    ]
    console.print_table(["asset", "partition", "file", "duration", "size", "time", ""], cells)
