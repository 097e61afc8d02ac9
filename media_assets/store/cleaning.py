"""What may go from the store, the least recently used first, and its removal.

Sources never go, nor what the last record of a workflow, a thumbnail or a komposition names, nor an effect
that a document uses, nor what was used within the last hour: somebody may still be reading it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.journal import Entry
from media_assets.store.layout import lock_of, output_folder, pending_folder, sidecars
from media_assets.store.recipes import RecipeStore
from media_assets.store.sources import SourceCatalogue
from media_assets.store.tracked import Dependants, Stored, expected, read_stored, users_of

Kind = Literal["effect", "komposition", "preview", "irreplaceable"]
KINDS: tuple[Kind, ...] = ("effect", "komposition", "preview")
"""Effects and other operations; pieces, sounds and old versions of kompositions; pictures of outputs."""

IRREPLACEABLE: Kind = "irreplaceable"
"""What cannot be made again, since a source is gone or a recipe damaged: it goes only if asked for."""

GRACE_SECONDS = 3600.0
"""What was used this short a time ago stays, whatever the quota."""

_EFFECT_OUTPUT = "effect_output"
_EFFECT = re.compile(r"effect_[a-z0-9_]+")


@dataclass(frozen=True)
class Candidate:
    """Something that may go.

    Attributes:
        effect: whether it is an effect as a whole, which goes with its recipe and its partition.
        used: when it was last asked for, in seconds since the epoch.
        size: bytes that its removal frees.
        files: fingerprints of its outputs.
        published: its readable name, which goes with it.
    """

    kind: Kind
    id: str
    effect: bool
    used: float
    size: int
    files: tuple[str, ...]
    published: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """As `clean --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Cleaning:
    """What is to go.

    Attributes:
        candidates: in the order in which they go.
        store_bytes: of all outputs before; kept_bytes: of those that may not go at all.
    """

    candidates: tuple[Candidate, ...]
    store_bytes: int
    kept_bytes: int

    @property
    def size(self) -> int:
        """Bytes that it frees."""
        return sum(candidate.size for candidate in self.candidates)


def plan_cleaning(
    settings: Settings,
    tracked: Sequence[Entry],
    *,
    older: float | None,
    quota: int | None = None,
    kinds: Collection[Kind] = KINDS,
    now: float | None = None,
) -> Cleaning:
    """Choose what goes.

    Args:
        tracked: the last records of the partitions there are.
        older: seconds without use after which a thing goes; None keeps it however old it is.
        quota: bytes that the store may have; the least recently used go until it has no more.
        kinds: what may go at all; what cannot be made again is a kind of its own.
        now: seconds since the epoch.
    """
    moment = time.time() if now is None else now
    stored = list(_stored(settings))
    found = [c for c in _candidates(settings, tracked, stored) if c.kind in kinds]
    found = sorted((c for c in found if c.used <= moment - GRACE_SECONDS), key=lambda c: (c.used, c.id))
    total = sum(one.size for one in stored)
    left, chosen = total, []
    for candidate in found:
        expired = older is not None and candidate.used <= moment - older
        over = quota is not None and left > quota and candidate.size > 0
        if expired or over:
            chosen.append(candidate)
            left -= candidate.size
    needed = users_of(_kept(tracked))
    return Cleaning(tuple(chosen), total, sum(one.size for one in stored if one.content_hash in needed))


def remove(settings: Settings, candidate: Candidate) -> bool:
    """Remove one candidate; False, and nothing is removed, where an output of it is being made or used."""
    with contextlib.ExitStack() as stack:
        for fingerprint in candidate.files:
            lock = FileLock(lock_of(settings.store_root, fingerprint), timeout=0)
            try:
                stack.enter_context(lock)
            except Timeout:
                return False
        if candidate.effect:
            # The recipe first: a kill in between leaves outputs of no effect, which go the next time.
            (settings.effect_root / f"{candidate.id}.json").unlink(missing_ok=True)
        if candidate.published is not None:
            candidate.published.unlink(missing_ok=True)
        for fingerprint in candidate.files:
            _remove_folder(settings, fingerprint)
    return True


def _remove_folder(settings: Settings, fingerprint: str) -> None:
    """Take an output out of its place by one rename; a kill meanwhile leaves what `sweep` removes."""
    folder = output_folder(settings.store_root, fingerprint)
    aside = pending_folder(settings.store_root) / f"{os.getpid()}-clean-{fingerprint[:16]}"
    with contextlib.suppress(FileNotFoundError):
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)


def _stored(settings: Settings) -> Iterator[Stored]:
    for sidecar in sidecars(settings.store_root):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            yield read_stored(sidecar)


def _kept(tracked: Iterable[Entry]) -> list[Entry]:
    """Records whose files stay: all but those of effects."""
    return [entry for entry in tracked if entry.asset != _EFFECT_OUTPUT]


def _candidates(
    settings: Settings, tracked: Sequence[Entry], stored: Sequence[Stored]
) -> Iterator[Candidate]:
    kept = _kept(tracked)
    needed = users_of(kept)
    effects = {e.partition: e for e in tracked if e.asset == _EFFECT_OUTPUT}
    nested = _nested(settings)
    current: dict[str, list[str]] = {}
    for entry in effects.values():
        current.setdefault(str(entry.metadata.get("fingerprint")), []).append(str(entry.partition))
    known = set(SourceCatalogue(settings).versions())
    dependants = Dependants(stored, tracked)
    origins = dependants.origins(str(o) for e in kept for o in e.metadata.get("derived_from") or ())
    of_effect: dict[str, list[Stored]] = {}
    for one in stored:
        if one.content_hash in needed:
            continue
        users = current.get(one.folder.name, [])
        if len(users) == 1:
            of_effect.setdefault(users[0], []).append(one)
        if users:  # it goes with the last of them
            continue
        gone = {o for o in dependants.origins(one.derived_from) if o.startswith("src_")} - known
        if not gone & origins:
            kind = IRREPLACEABLE if gone else _kind(one)
            yield Candidate(kind, one.id, False, one.used, _freed(one.path, None), (one.folder.name,))
    recipes = RecipeStore(settings)
    for identifier in recipes:
        if not _is_nested(identifier, nested):
            kind = "effect" if _can_be_made(recipes, identifier, known) else IRREPLACEABLE
            yield _effect(settings, kind, identifier, of_effect.get(identifier, []), effects)


def _can_be_made(recipes: RecipeStore, identifier: str, known: Collection[str]) -> bool:
    """Whether an effect's recipe can be read and the sources that it takes are there."""
    try:
        return all(source in known for source in recipes.get(identifier).inputs)
    except MediaAssetsError:
        return False


def _effect(
    settings: Settings,
    kind: Kind,
    identifier: str,
    outputs: Sequence[Stored],
    effects: Mapping[str | None, Entry],
) -> Candidate:
    recipe = settings.effect_root / f"{identifier}.json"
    used = max([recipe.stat().st_mtime, *(one.used for one in outputs)])
    published = None
    if identifier in effects:
        names = [name for _, name in expected(effects[identifier], settings) if name is not None]
        published = next((name for name in names if name.is_file()), None)
    size = sum(_freed(one.path, published) for one in outputs)
    files = tuple(one.folder.name for one in outputs)
    return Candidate(kind, identifier, True, used, size, files, published)


def _kind(one: Stored) -> Kind:
    if one.operation in ("thumbnail", "screenshot") or one.operation.endswith("_preview"):
        return "preview"
    return "komposition" if one.operation.startswith("komposition") else "effect"


def _freed(path: Path, published: Path | None) -> int:
    """Bytes that removing a file and its readable name frees: none while it has a third name."""
    try:
        status = path.stat()
        names = 1 + (published is not None and published.samefile(path))
    except OSError:
        return 0
    return status.st_size if status.st_nlink <= names else 0


def _nested(settings: Settings) -> set[str]:
    """What documents say that begins as an effect's id does, by whatever form of document."""
    found: set[str] = set()
    for path in settings.komposition_root.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                found.update(_EFFECT.findall(path.read_text(encoding="utf-8", errors="replace")))
    return found


def _is_nested(identifier: str, named: Collection[str]) -> bool:
    """Whether a document names an effect, in full or by the first digits of its hash."""
    return any(identifier.startswith(name) for name in named)
