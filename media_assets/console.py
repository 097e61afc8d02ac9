"""What people see in the terminal: progress bars on stderr, tables or JSON on stdout."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from media_assets import progress
from media_assets.errors import MediaAssetsError

errors = Console(stderr=True, highlight=False)
output = Console(highlight=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout; names that are not text are shown with question marks."""
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str)
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> None:
    """A table on stdout; a short word when it is empty."""
    if not rows:
        output.print(f"{title or 'Nothing'}: none")
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")  # a narrow terminal breaks names, it cuts none off
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    # A pipe has no width: let columns be as wide as they are rather than cut names off.
    (output if output.is_terminal else Console(width=200, highlight=False)).print(table)


def print_reasons(found: Mapping[str, Any]) -> None:
    """What a thing's status is, and a line for each of its reasons, on stdout."""
    print_line(f"{found['id']}: {found['status']}")
    for reason in found["reasons"]:
        print_line(f"  {reason['text']}")


def print_line(text: str) -> None:
    """A line as it is on stdout."""
    output.print(text, markup=False, soft_wrap=True)


def print_error(error: MediaAssetsError) -> None:
    """The error on stderr: what, where, and what to do."""
    errors.print(f"[bold red]{error.code}[/]", end=": ")
    errors.print(str(error), markup=False, soft_wrap=True)


def say(text: str) -> None:
    """A line of news on stderr."""
    errors.print(text, markup=False, soft_wrap=True)


@contextlib.contextmanager
def progress_bars() -> Iterator[None]:
    """Show what `progress.report` tells as a bar for each task; plain lines where there is no terminal."""
    if not errors.is_terminal:
        with progress.listening(_Lines()):
            yield
        return
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[detail]}"),
        TextColumn("left:"),
        TimeRemainingColumn(compact=True),
        console=errors,
    )
    tasks: dict[str, TaskID] = {}
    lock = threading.Lock()

    def show(task: str, fraction: float, detail: str) -> None:
        with lock:
            if task not in tasks:
                tasks[task] = bars.add_task(task, total=1.0, detail="")
            bars.update(tasks[task], completed=fraction, detail=detail)

    with bars, progress.listening(show):
        yield


class _Lines:
    """Progress as lines: one for every quarter of a task."""

    def __init__(self) -> None:
        self._shown: dict[str, int] = {}
        self._lock = threading.Lock()

    def __call__(self, task: str, fraction: float, detail: str) -> None:
        quarter = int(fraction * 4)
        with self._lock:
            if self._shown.get(task, -1) < quarter:
                self._shown[task] = quarter
                say(f"{task}: {quarter * 25} %" + (f", {detail}" if detail else ""))


def size(count: float | None) -> str:
    """Bytes in a unit people read."""
    if count is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def seconds(value: float | None) -> str:
    """Seconds to a hundredth, or nothing."""
    return "" if value is None else f"{value:.2f} s"
