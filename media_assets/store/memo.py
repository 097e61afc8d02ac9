"""What is known of every source in one document, read again only when it is another file than before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from media_assets.store.files import read_json, write_json

_ENTRIES = TypeAdapter(dict[str, tuple[int, int, int, str | None]])
State = tuple[int, int, int]
"""What tells whether a document is still the one that was read: bytes, ns since the epoch, inode."""

# Kept for the process, since every run and every tick has a catalogue of its own.
_memos: dict[Path, tuple[State, dict[str, Any]]] = {}
_answers: dict[tuple[Path, str], dict[str, tuple[State, bool]]] = {}


class Memo:
    """Entries by source id, in one JSON file.

    Args:
        path: the file.
        rebuild: makes the entries anew from the records, where the file is missing or damaged.
    """

    def __init__(self, path: Path, rebuild: Callable[[], dict[str, Any]]) -> None:
        self.path = path
        self._rebuild = rebuild

    def entries(self) -> Mapping[str, Any]:
        """All of them; a tick that finds the file as it was parses nothing."""
        state = _state(self.path)  # taken first: a file that replaces this one meanwhile is read next time
        kept = _memos.get(self.path)
        if kept is not None and kept[0] == state:
            return kept[1]
        memo = read_json(self.path)
        try:
            _ENTRIES.validate_python(memo)
        except ValidationError:
            memo = None
        if memo is None:
            return self._rebuild()
        if state is not None:
            _memos[self.path] = (state, memo)
        return memo

    @contextlib.contextmanager
    def updating(self) -> Iterator[dict[str, Any]]:
        """The entries, to be changed and written back while no other process does."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            memo = dict(self.entries())
            yield memo
            write_json(self.path, memo)

    def stamp(self) -> int:
        """Changes whenever an entry does (ns)."""
        state = _state(self.path)
        return 0 if state is None else state[1]


def passing(folder: Path, name: str, test: Callable[[str], bool]) -> list[str]:
    """Which of the documents in `folder` pass a test, by their names without `.json`, in order.

    Args:
        folder: of the documents.
        name: of the test. Under it each answer is remembered until the document is another file, so that of
            many documents only the new ones are read.
        test: takes the name of a document.
    """
    answers = _answers.setdefault((folder, name), {})
    found = dict(_documents(folder))
    for document, state in found.items():
        known = answers.get(document)
        if known is None or known[0] != state:
            answers[document] = (state, test(document))
    for gone in answers.keys() - found.keys():
        del answers[gone]
    return [document for document in sorted(found) if answers[document][1]]


def _documents(folder: Path) -> Iterator[tuple[str, State]]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".json") and not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    yield entry.name.removesuffix(".json"), _state_of(entry.stat())


def _state(path: Path) -> State | None:
    try:
        return _state_of(path.stat())
    except FileNotFoundError:
        return None


def _state_of(status: os.stat_result) -> State:
    return status.st_size, status.st_mtime_ns, status.st_ino
