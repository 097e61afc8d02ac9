"""Whether every tracked file is there and holds the bytes that are on record; nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.settings import Settings
from media_assets.store.files import read_json
from media_assets.store.intact import file_state, source_state
from media_assets.store.journal import Entry, Journal
from media_assets.store.layout import sidecars
from media_assets.store.plans import plan_path, read_plan
from media_assets.store.recipes import RecipeStore
from media_assets.store.recovery import orphans
from media_assets.store.sources import SourceCatalogue, SourceFacts
from media_assets.store.tracked import Dependants, Place, Stored, expected, read_stored, users_of

Problem = Literal["missing", "corrupt", "changed", "undescribed"]


@dataclass(frozen=True)
class Finding:
    """One file that is not as it is on record.

    Attributes:
        kind: `source`, `output`, `published`, `analysis`, `plan`, `version`, `recipe` or `record`.
        id: of the source or output; of anything else its name.
        path: under the data root.
        problem: `changed` is a source that was edited and is to be read again; `undescribed` an output
            without a sidecar that holds.
        partitions: (asset, partition) whose file it is.
        dependants: ids of what is made from it, at any depth.
    """

    kind: str
    id: str
    path: str
    problem: Problem
    text: str
    partitions: tuple[Place, ...] = ()
    dependants: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As `verify --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Checked:
    """What was looked at: how many files of each kind, the bytes read, and what is wrong."""

    files: Mapping[str, int]
    bytes_read: int
    findings: tuple[Finding, ...]


@dataclass
class _Notes:
    files: dict[str, int] = field(default_factory=dict)
    bytes_read: int = 0
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: str, size: int = 0) -> None:
        self.files[kind] = self.files.get(kind, 0) + 1
        self.bytes_read += size


def check(
    settings: Settings,
    tracked: Sequence[Entry],
    *,
    quick: bool = False,
    told: Callable[[float], None] | None = None,
) -> Checked:
    """Hold every file against its record.

    Args:
        settings: the data root.
        tracked: the last records of the partitions there are.
        quick: look at sizes and times only, and read no media.
        told: called with the fraction of media files that are done.
    """
    notes = _Notes()
    stored = {one.folder.name: one for one in _stored_with(settings, notes)}
    sources = list(SourceCatalogue(settings))
    dependants = Dependants(stored.values(), tracked)
    works: list[Callable[[], tuple[Finding | None, int]]] = []
    works += [_source_work(facts, settings, quick, dependants) for facts in sources]
    users = users_of(tracked)
    works += [_output_work(one, settings, quick, users, dependants) for one in stored.values()]
    notes.files |= {"source": len(sources), "output": len(stored)}
    with ThreadPoolExecutor(settings.workers) as pool:
        for index, (finding, size) in enumerate(pool.map(lambda work: work(), works)):
            notes.bytes_read += size
            notes.findings += [finding] if finding else []
            if told is not None:
                told((index + 1) / len(works))
    hashes = {one.content_hash: one for one in stored.values()}
    for entry in tracked:
        _check_entry(entry, stored, hashes, settings, quick, notes, dependants)
    _check_documents(settings, notes)
    _check_plans(settings, tracked, notes)
    return Checked(notes.files, notes.bytes_read, tuple(notes.findings))


def _stored_with(settings: Settings, notes: _Notes) -> Iterator[Stored]:
    """Outputs whose sidecars hold; the others are findings."""
    for orphan in orphans(settings):
        where = _relative(orphan.path, settings)
        notes.findings.append(Finding("output", orphan.path.name, where, "undescribed", orphan.reason))
    undescribed = {finding.id for finding in notes.findings}
    for sidecar in sidecars(settings.store_root):
        if sidecar.parent.name in undescribed:
            continue
        try:
            yield read_stored(sidecar)
        except FileNotFoundError:  # cleaned meanwhile
            continue
        except (ValueError, KeyError, TypeError) as error:
            text = f"its sidecar is damaged: {error}"
            where = _relative(sidecar.parent, settings)
            notes.findings.append(Finding("output", sidecar.parent.name, where, "undescribed", text))


def _source_work(
    facts: SourceFacts, settings: Settings, quick: bool, dependants: Dependants
) -> Callable[[], tuple[Finding | None, int]]:
    def work() -> tuple[Finding | None, int]:
        state = source_state(settings.source_root, facts, full=not quick)
        if state.problem is None:
            return None, state.bytes_read
        text, found = f"{state.text}; {state.hint}", dependants.of(facts.id)
        place: tuple[Place, ...] = (("source_file", facts.id),) if state.problem == "corrupt" else ()
        where = _relative(facts.path, settings)
        return Finding("source", facts.id, where, state.problem, text, place, found), state.bytes_read

    return work


def _output_work(
    one: Stored,
    settings: Settings,
    quick: bool,
    users: Mapping[str, tuple[Place, ...]],
    dependants: Dependants,
) -> Callable[[], tuple[Finding | None, int]]:
    def work() -> tuple[Finding | None, int]:
        state = file_state(one.path, one.size, one.content_hash, full=not quick)
        if state.problem is None or not one.folder.exists():
            return None, state.bytes_read
        where, places = _relative(one.path, settings), users.get(one.content_hash, ())
        found = dependants.of(one.id)
        return Finding("output", one.id, where, state.problem, state.text, places, found), state.bytes_read

    return work


def _check_entry(
    entry: Entry,
    stored: Mapping[str, Stored],
    hashes: Mapping[str, Stored],
    settings: Settings,
    quick: bool,
    notes: _Notes,
    dependants: Dependants,
) -> None:
    """Hold a partition's record against the store and the names it was published under."""
    place = (entry.asset, entry.partition)
    identifier = str(entry.metadata.get("effect") or entry.partition)
    missing = False
    for content_hash, published in expected(entry, settings):
        kept = hashes.get(content_hash)
        if kept is None and not missing:
            missing = True
            wanted = str(entry.metadata.get("fingerprint", ""))
            where = f"store/{wanted[:2]}/{wanted}" if wanted else _named(published, settings)
            found = dependants.of(identifier)
            text = "the store has not got it"
            notes.findings.append(Finding("output", identifier, where, "missing", text, (place,), found))
        if published is None:
            continue
        notes.count("published")
        if kept is not None and _same_file(published, kept.path):
            continue
        state = file_state(published, kept.size if kept else None, content_hash, full=not quick)
        notes.bytes_read += state.bytes_read
        if state.problem is not None:
            where = _relative(published, settings)
            notes.findings.append(
                Finding("published", identifier, where, state.problem, state.text, (place,))
            )


def _check_documents(settings: Settings, notes: _Notes) -> None:
    """Small documents: read whole, whether quick or not."""
    root = settings.metadata_root
    for path in sorted(root.glob("analyses/*/*.json")):
        notes.count("analysis")
        if not {"version", "analysis"} <= set(read_json(path) or ()):
            notes.findings.append(_document("analysis", path, "it is no whole document", settings))
    for path in sorted(root.glob("documents/*/[0-9a-f]*")):
        notes.count("version")
        if hash_file(path) != path.name[:64]:
            notes.findings.append(_document("version", path, "its bytes are not those kept", settings))
    recipes = RecipeStore(settings)
    for identifier in recipes:
        notes.count("recipe")
        try:
            recipes.get(identifier)
        except MediaAssetsError as error:
            path = settings.effect_root / f"{identifier}.json"
            notes.findings.append(_document("recipe", path, error.message, settings))
    for path in Journal(settings).damaged():
        notes.findings.append(_document("record", path, "it is no whole record", settings))


def _check_plans(settings: Settings, tracked: Sequence[Entry], notes: _Notes) -> None:
    """The plan of each komposition that has one on record."""
    for entry in tracked:
        if entry.asset != "komposition_plan":
            continue
        notes.count("plan")
        path = plan_path(settings, str(entry.partition))
        if read_plan(settings, str(entry.partition)) is None:
            text = "it is no whole document" if path.exists() else "the file is gone"
            problem: Problem = "corrupt" if path.exists() else "missing"
            where, place = _relative(path, settings), (entry.asset, entry.partition)
            notes.findings.append(Finding("plan", path.stem, where, problem, text, (place,)))


def _document(kind: str, path: Path, text: str, settings: Settings) -> Finding:
    return Finding(kind, path.stem, _relative(path, settings), "corrupt", text)


def _named(published: Path | None, settings: Settings) -> str:
    """An output by its readable name; the store alone, where it has none."""
    return "store" if published is None else _relative(published, settings)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _relative(path: Path, settings: Settings) -> str:
    try:
        return path.relative_to(settings.data_root).as_posix()
    except ValueError:
        return str(path)
