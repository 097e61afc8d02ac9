"""Takes over a tree of files with random ids: sources get deterministic ids, nothing is overwritten.

What a file is called there (`file_3f2a9c1d.mp4`) says nothing; its metadata says what it was called before.
What is known already is matched by content. Files that were made from others are not taken over as sources:
they are matched by content with what is in the store, or left where they are.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.ids import hash_file, source_id
from media_assets.media.probe import probe
from media_assets.registry.legacy_metadata import Entry, read_entries
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue

Fate = Literal["imported", "known", "left"]

_UNFIT = re.compile(r"[\x00-\x1f/\\:]")
_LONGEST_NAME = 120
_METADATA = frozenset({".json", ".ndjson", ".txt", ".md", ".lock", ".log", ".db", ".sqlite"})


@dataclass(frozen=True)
class Matched:
    """What became of one file of the tree.

    Attributes:
        legacy_id: what the metadata calls it, or its name without the extension.
        path: under the tree; None where its metadata names a file that is not there.
        fate: `imported` (it is a source now), `known` (its content was there already), or `left`.
        id: the deterministic id that stands for it now.
        source: its path under the source root.
        reason: why it was left, or how it is known.
    """

    legacy_id: str
    path: str | None
    fate: Fate
    id: str | None = None
    source: str | None = None
    sha256: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class LegacyReport:
    """What became of a whole tree; with `dry_run`, what would."""

    files: tuple[Matched, ...]
    dry_run: bool

    def count(self, fate: Fate) -> int:
        """How many files have that fate."""
        return sum(one.fate == fate for one in self.files)

    def to_json(self) -> dict[str, Any]:
        """As `import-legacy --json` prints it."""
        return {
            "dry_run": self.dry_run,
            "imported": self.count("imported"),
            "known": self.count("known"),
            "left": self.count("left"),
            "ids": {one.legacy_id: one.id for one in self.files if one.id},
            "files": [asdict(one) for one in self.files],
        }


def import_legacy(folder: Path, settings: Settings, *, dry_run: bool = False) -> LegacyReport:
    """Take over the media under `folder`, which is only read.

    Args:
        dry_run: only say what would be done.

    Raises:
        BadInput: there is no such folder, it is inside the data root, or its metadata are damaged.
    """
    if not folder.is_dir():
        raise BadInput("there is no such folder", where=str(folder))
    if folder.resolve().is_relative_to(settings.data_root):
        raise BadInput("the folder is part of the data root", where=str(folder), hint="give one beside it")
    entries = read_entries(folder)
    importer = _Importer(settings, dry_run)
    files: list[Matched] = []
    named: set[str] = set()
    for path in _media(folder):
        entry = entries.of(path)
        named |= {entry.id} if entry else set()
        files.append(importer.take(path, folder, entry))
    for entry in entries:
        if entry.id not in named:
            text = "its metadata name a file that is not in the folder"
            files.append(Matched(entry.id, None, "left", reason=text))
    return LegacyReport(tuple(files), dry_run)


class _Importer:
    """Decides file by file, and remembers what it took."""

    def __init__(self, settings: Settings, dry_run: bool) -> None:
        self.settings = settings
        self.dry_run = dry_run
        catalogue = SourceCatalogue(settings)
        self._sources = {facts.sha256: (facts.id, facts.relative) for facts in catalogue}
        self._outputs = {output.content_hash: output.recipe.id for output in OutputStore(settings)}
        self._taken: dict[str, str] = {}

    def take(self, path: Path, folder: Path, entry: Entry | None) -> Matched:
        """Import a file, match it, or leave it."""
        relative = path.relative_to(folder).as_posix()
        shown = relative.encode("utf-8", "replace").decode()
        plain = Matched(entry.id if entry else Path(shown).stem, shown, "left")
        try:
            sha256 = hash_file(path)
        except OSError as error:
            return replace(plain, reason=f"it cannot be read: {error.strerror}")
        plain = replace(plain, sha256=sha256)
        known = self._known(plain, sha256)
        if known is not None:
            return known
        if entry is not None and entry.sha256 not in (None, sha256):
            return replace(plain, reason="its content is not what its metadata say")
        if entry is not None and entry.derived_from:
            made_from = ", ".join(entry.derived_from)
            return replace(plain, reason=f"it was made from {made_from}: make it again")
        try:
            probe(path, self.settings)
        except MediaAssetsError as error:
            return replace(plain, reason=f"{error.code}: {error.message}")
        return self._imported(path, plain, sha256, entry)

    def _known(self, plain: Matched, sha256: str) -> Matched | None:
        if sha256 in self._sources:
            identifier, relative = self._sources[sha256]
            text = "a source has this content"
            return replace(plain, fate="known", id=identifier, source=relative, reason=text)
        if sha256 in self._outputs:
            text = "an output in the store has this content"
            return replace(plain, fate="known", id=self._outputs[sha256], reason=text)
        return None

    def _imported(self, path: Path, plain: Matched, sha256: str, entry: Entry | None) -> Matched:
        name = _fitting(entry.name if entry and entry.name else path.name, path)
        for candidate in (name, f"{Path(name).stem}_{sha256[:8]}{Path(name).suffix}"):
            holder = self._held(candidate)
            if holder is None:
                try:
                    self._copy(path, candidate)
                except FileExistsError:
                    continue
                except OSError as error:
                    return replace(plain, reason=f"it cannot be copied: {error.strerror}")
                holder = sha256
                self._taken[candidate] = sha256
            if holder == sha256:
                found = source_id(candidate)
                self._sources[sha256] = (found, candidate)
                return replace(plain, fate="imported", id=found, source=candidate)
        return replace(plain, reason=f"the source folder holds another {name!r}")

    def _held(self, name: str) -> str | None:
        """The content of what has that name in the source folder, or would have it."""
        target = self.settings.source_root / name
        if target.is_symlink() or (target.exists() and not target.is_file()):
            return ""
        if target.is_file():
            return hash_file(target)
        return self._taken.get(name)

    def _copy(self, path: Path, name: str) -> None:
        """Copy a file whole, or not at all; what has the name already stays."""
        if self.dry_run:
            return
        root = self.settings.source_root
        root.mkdir(parents=True, exist_ok=True)
        temporary = root / f".{name}.{os.getpid()}.tmp"
        try:
            shutil.copy2(path, temporary, follow_symlinks=False)
            # A link fails where the name is taken; a rename would replace.
            os.link(temporary, root / name)
        finally:
            temporary.unlink(missing_ok=True)


def _media(folder: Path) -> Iterator[Path]:
    """Every file that may be media: no link, nothing hidden, no metadata."""
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if any(part.startswith(".") for part in relative.parts) or path.is_symlink():
            continue
        inside = path.resolve().is_relative_to(folder.resolve())
        if inside and path.is_file() and path.suffix.lower() not in _METADATA:
            yield path


def _fitting(name: str, path: Path) -> str:
    """A name for the source folder: the last part of `name`, with the file's own extension."""
    last = _UNFIT.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(". ")
    with contextlib.suppress(UnicodeEncodeError):
        last.encode()
        stem = last.removesuffix(Path(last).suffix)[:_LONGEST_NAME].strip()
        if stem:
            return f"{stem}{path.suffix}"
    return f"file_{hash_file(path)[:8]}{path.suffix}"
