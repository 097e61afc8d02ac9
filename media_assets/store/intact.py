"""Whether files are still what their records say. Nothing is changed by looking."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.settings import Settings
from media_assets.store.outputs import SIDECAR
from media_assets.store.scan import look
from media_assets.store.sidecars import plain_name
from media_assets.store.sources import SourceCatalogue


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


def source_intact(catalogue: SourceCatalogue, key: str, *, full: bool) -> Verdict:
    """Whether a source's file can be read and is the one that was ingested.

    Args:
        catalogue: the records.
        key: the source's id.
        full: compare the content's SHA-256, not only size, time and inode.
    """
    try:
        facts = catalogue.facts(key)
    except MediaAssetsError as error:
        return Verdict.of(error)
    file = look(catalogue.root, facts.relative)
    if file is None:
        return Verdict(False, "its file is gone", facts.relative, "put it back, or ingest")
    if file.stat.size != facts.stat.size:
        sizes = f"it had {facts.stat.size} bytes and has {file.stat.size}"
        return Verdict(False, f"it changed after it was ingested: {sizes}", facts.relative, "ingest again")
    if file.stat != facts.stat:
        text = "its time or place on the disk changed after it was ingested"
        return Verdict(False, text, facts.relative, "ingest again")
    try:
        with facts.path.open("rb") as opened:
            opened.read(1)
        if full and hash_file(facts.path) != facts.sha256:
            text = "its content is not what was ingested, though its size and time are"
            return Verdict(False, text, facts.relative, "restore it from a backup, or touch it and ingest")
    except OSError as error:
        words = error.strerror or str(error)
        return Verdict(False, f"it cannot be read: {words}", facts.relative, "check its permissions")
    how = "SHA-256" if full else "size, time and inode"
    return Verdict(True, "as it was ingested", facts.relative, details={"compared": how})


def output_folder(settings: Settings, fingerprint: str) -> Path:
    """Where an output of the store is."""
    return settings.store_root / fingerprint[:2] / fingerprint


def output_intact(settings: Settings, fingerprint: str, *, full: bool) -> Verdict:
    """Whether an output is there and matches its sidecar.

    Args:
        settings: where the store is.
        fingerprint: the output's.
        full: compare the content's SHA-256, not only the size.
    """
    folder = output_folder(settings, fingerprint)
    again = "materialize it again: what is missing is rendered"
    try:
        sidecar = json.loads((folder / SIDECAR).read_text())
        path, size = folder / plain_name(sidecar["file_name"]), sidecar["made"]["properties"]["size"]
        wanted = sidecar["content_hash"]
        found = path.stat().st_size
        if found != size:
            return Verdict(False, f"it should have {size} bytes and has {found}", str(path), again)
        if full and hash_file(path) != wanted:
            return Verdict(
                False, "its content is not that of its sidecar", str(path), f"delete it; {again}"
            )
    except FileNotFoundError as error:
        return Verdict(False, "it is gone from the store", str(error.filename or folder), again)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Verdict(False, f"its sidecar cannot be read: {error}", str(folder / SIDECAR), again)
    how = "SHA-256" if full else "size"
    return Verdict(True, "as its sidecar says", str(path), details={"compared": how})
