"""Whether files are still what their records say. Nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.settings import Settings
from media_assets.store.layout import SIDECAR, output_folder
from media_assets.store.scan import look
from media_assets.store.sources import SourceCatalogue, SourceFacts
from media_assets.store.tracked import read_stored

Problem = Literal["missing", "corrupt", "changed"]

_AGAIN = "materialize it again: what is missing is rendered"


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        passed: that all is well.
        message: what was found, or what is wrong.
        where: the file, or what else it is about.
        hint: what to do about it.
        details: figures worth seeing.
    """

    passed: bool
    message: str
    where: str = ""
    hint: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All of it in one line."""
        what = f"{self.where}: {self.message}" if self.where else self.message
        return f"{what} ({self.hint})" if self.hint else what

    @classmethod
    def of(cls, error: MediaAssetsError) -> Verdict:
        """A failure that an error tells."""
        return cls(False, error.message, error.where or "", error.hint or "")


@dataclass(frozen=True)
class State:
    """How a file is, beside its record.

    Attributes:
        problem: None where it is as it was; `changed` is a source that was edited.
        text: what is wrong; hint: what to do about it.
        bytes_read: of its content.
    """

    problem: Problem | None = None
    text: str = ""
    hint: str = ""
    bytes_read: int = 0


def source_state(root: Path, facts: SourceFacts, *, full: bool) -> State:
    """Whether a source's file can be read and is the one that was ingested.

    Args:
        root: where sources are.
        facts: its record.
        full: compare the content's SHA-256, not only size, time and inode.
    """
    file = look(root, facts.relative)
    if file is None:
        return State("missing", "its file is gone", "put it back, or ingest")
    if file.stat.size != facts.stat.size:
        sizes = f"it had {facts.stat.size} bytes and has {file.stat.size}"
        return State("changed", f"it changed after it was ingested: {sizes}", "ingest again")
    if file.stat != facts.stat:
        text = "its time or place on the disk changed after it was ingested"
        return State("changed", text, "ingest again")
    try:
        with facts.path.open("rb") as opened:
            opened.read(1)
        if full and hash_file(facts.path) != facts.sha256:
            text = "its content is not what was ingested, though its size and time are"
            return State(
                "corrupt", text, "restore it from a backup, or touch it and ingest", facts.stat.size
            )
    except OSError as error:
        words = error.strerror or str(error)
        return State("corrupt", f"it cannot be read: {words}", "check its permissions")
    return State(bytes_read=facts.stat.size if full else 0)


def file_state(path: Path, size: int | None, sha256: str, *, full: bool) -> State:
    """Whether a file that was made is there with the bytes on record.

    Args:
        size: None where it is not known.
        full: compare the content's SHA-256, not only the size.
    """
    try:
        found = path.stat().st_size
        if size is not None and found != size:
            return State("corrupt", f"it should have {size} bytes and has {found}", _AGAIN)
        if full and hash_file(path) != sha256:
            return State("corrupt", "its content is not that of its sidecar", f"delete it; {_AGAIN}", found)
    except FileNotFoundError:
        return State("missing", "the file is gone", _AGAIN)
    except OSError as error:
        words = error.strerror or str(error)
        return State("corrupt", f"it cannot be read: {words}", "check its permissions")
    return State(bytes_read=found if full else 0)


def source_intact(catalogue: SourceCatalogue, key: str, *, full: bool) -> Verdict:
    """What a check says of a source, by its id; see `source_state`."""
    try:
        facts = catalogue.facts(key)
    except MediaAssetsError as error:
        return Verdict.of(error)
    state = source_state(catalogue.root, facts, full=full)
    if state.problem is not None:
        return Verdict(False, state.text, facts.relative, state.hint)
    how = "SHA-256" if full else "size, time and inode"
    return Verdict(True, "as it was ingested", facts.relative, details={"compared": how})


def output_intact(settings: Settings, fingerprint: str, *, full: bool) -> Verdict:
    """What a check says of an output, by its fingerprint: whether it is there and matches its sidecar."""
    sidecar = output_folder(settings.store_root, fingerprint) / SIDECAR
    try:
        one = read_stored(sidecar)
    except FileNotFoundError:
        return Verdict(False, "it is gone from the store", str(sidecar), _AGAIN)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Verdict(False, f"its sidecar cannot be read: {error}", str(sidecar), _AGAIN)
    state = file_state(one.path, one.size, one.content_hash, full=full)
    if state.problem is not None:
        return Verdict(False, state.text, str(one.path), state.hint)
    how = "SHA-256" if full else "size"
    return Verdict(True, "as its sidecar says", str(one.path), details={"compared": how})
