"""Verify and clean a data root, and have Dagster show what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from media_assets.defs import journal
from media_assets.defs.effect_recipes import EFFECT_RECIPE, observe_changed
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE
from media_assets.session import Session, failures
from media_assets.settings import Settings
from media_assets.store.cleaning import KINDS, Candidate, Kind, plan_cleaning, remove
from media_assets.store.journal import Entry, Journal
from media_assets.store.outputs import OutputStore, publish
from media_assets.store.recovery import Orphan, by_fingerprint, put_aside, rebuild
from media_assets.store.tracked import Place, expected, tells_files
from media_assets.store.verifying import Checked, Finding, check


@dataclass(frozen=True)
class Verified:
    """What verification found and did.

    Attributes:
        checked: files and what is wrong with them, before anything was done.
        marked: partitions that show as stale since.
        repaired: what is right again, by its path or its asset and partition.
        failed: why other things could not be repaired.
    """

    checked: Checked
    marked: int
    repaired: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong any more; a source that was edited is not wrong."""
        wrong = [finding for finding in self.checked.findings if finding.problem != "changed"]
        return not wrong

    def to_json(self) -> dict[str, Any]:
        """As `verify --json` prints it."""
        return {
            "checked": dict(self.checked.files),
            "bytes_read": self.checked.bytes_read,
            "findings": [finding.to_json() for finding in self.checked.findings],
            "marked": self.marked,
            "repaired": list(self.repaired),
            "failed": list(self.failed),
            "clean": self.clean,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Cleaned:
    """What clean-up removed, or would remove.

    Attributes:
        in_use: candidates that were left, because an output of theirs was being made.
        freed: bytes. store_bytes: of all outputs before; kept_bytes: of those that may not go.
    """

    dry_run: bool
    removed: tuple[Candidate, ...]
    in_use: tuple[Candidate, ...]
    freed: int
    store_bytes: int
    kept_bytes: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """As `clean --json` prints it."""
        return asdict(self)


def tracked(instance: dg.DagsterInstance, graph: AssetGraph, settings: Settings) -> list[Entry]:
    """The last records of the partitions there are; what was removed is not tracked any more."""
    sets: dict[dg.AssetKey, set[str] | None] = {}
    for key in graph.materializable_asset_keys:
        definition = graph.get(key).partitions_def
        sets[key] = (
            None
            if definition is None
            else set(definition.get_partition_keys(dynamic_partitions_store=instance))
        )
    found = []
    for entry in Journal(settings):
        key = dg.AssetKey.from_user_string(entry.asset)
        if key in sets:
            present = sets[key]
            if entry.partition is None if present is None else entry.partition in present:
                found.append(entry)
    return found


def examine(
    instance: dg.DagsterInstance,
    graph: AssetGraph,
    settings: Settings,
    *,
    quick: bool = False,
    told: Callable[[float], None] | None = None,
) -> Verified:
    """Check every tracked file; what is damaged is put aside, and its partitions are marked as stale."""
    started = time.monotonic()
    journal.catch_up(instance, settings, graph)
    entries = tracked(instance, graph, settings)
    checked = check(settings, entries, quick=quick, told=told)
    repaired = [found.path for found in checked.findings if _set_right(found, entries, settings)]
    lost: dict[Place, str] = {}
    for finding in checked.findings:
        if finding.kind != "published" and finding.path not in repaired:
            lost |= dict.fromkeys(finding.partitions, f"{finding.path}: {finding.text}")
    marked = journal.mark_lost(instance, settings, lost)
    wrong = {place for finding in checked.findings for place in finding.partitions}
    whole = (entry for entry in entries if (entry.asset, entry.partition) not in wrong)
    if not quick:
        journal.mark_found(instance, settings, (entry for entry in whole if _tells_files(entry)))
    return Verified(checked, marked, tuple(repaired), (), time.monotonic() - started)


def verify(
    session: Session,
    *,
    quick: bool = False,
    repair: bool = False,
    told: Callable[[float], None] | None = None,
) -> Verified:
    """Check every tracked file, and with `repair` render again what is lost or damaged.

    Returns:
        With `repair`, the findings that are left afterwards.
    """
    first = examine(session.instance, session.graph, session.settings, quick=quick, told=told)
    if not repair or not first.checked.findings:
        return first
    failed, made = _render_again(session, first.checked.findings)
    _publish_again(session)
    last = examine(session.instance, session.graph, session.settings, quick=quick, told=told)
    repaired = tuple(dict.fromkeys([*first.repaired, *made, *last.repaired]))
    return Verified(last.checked, first.marked, repaired, tuple(failed), first.seconds + last.seconds)


def clean(
    instance: dg.DagsterInstance,
    graph: AssetGraph,
    settings: Settings,
    *,
    older: float | None,
    quota: int | None = None,
    kinds: Collection[Kind] = KINDS,
    dry_run: bool = False,
) -> Cleaned:
    """Remove what was not used for `older` seconds, and what is over `quota` bytes.

    An effect goes with its recipe and its partition; asking for it again makes it again.
    """
    started = time.monotonic()
    journal.catch_up(instance, settings, graph)
    entries = tracked(instance, graph, settings)
    plan = plan_cleaning(settings, entries, older=older, quota=quota, kinds=kinds)
    if dry_run:
        seconds = time.monotonic() - started
        return Cleaned(True, plan.candidates, (), plan.size, plan.store_bytes, plan.kept_bytes, seconds)
    OutputStore(settings).sweep()
    removed = [candidate for candidate in plan.candidates if remove(settings, candidate)]
    _forget(instance, settings, [candidate.id for candidate in removed if candidate.effect])
    in_use = tuple(candidate for candidate in plan.candidates if candidate not in removed)
    freed = sum(candidate.size for candidate in removed)
    seconds = time.monotonic() - started
    return Cleaned(False, tuple(removed), in_use, freed, plan.store_bytes, plan.kept_bytes, seconds)


def _forget(instance: dg.DagsterInstance, settings: Settings, effects: Sequence[str]) -> None:
    """Remove the partitions of effects; one that comes back later is stale until it is made again."""
    if not effects:
        return
    outputs, recipes = EFFECT_OUTPUT.to_user_string(), EFFECT_RECIPE.to_user_string()
    journal.mark_lost(instance, settings, {(outputs, key): "it was cleaned" for key in effects})
    observe_changed(instance, MediaResource(data_root=str(settings.data_root)))
    for key in effects:
        Journal(settings).remove(outputs, key)
        Journal(settings).remove(recipes, key)


def _tells_files(entry: Entry) -> bool:
    """Whether a record says which files it is of: then that they are whole can be told."""
    return tells_files(entry) or (entry.asset == SOURCE_FILE.to_user_string() and "path" in entry.metadata)


def _set_right(finding: Finding, entries: Iterable[Entry], settings: Settings) -> bool:
    """What can be done at once and loses nothing; returns whether the finding is settled by it."""
    path = settings.data_root / finding.path
    if finding.kind == "output" and finding.problem == "undescribed":
        records = by_fingerprint(entries)
        if rebuild(Orphan(path, finding.text), records, settings):
            return True
        put_aside(path, finding.text, settings)
        return path.name not in records
    if finding.kind == "output" and path.parent.parent.parent == settings.store_root:
        put_aside(path.parent, finding.text, settings)
        return not finding.partitions  # nobody's record names it: it is made again when it is needed
    if finding.kind in ("analysis", "plan", "record"):
        path.unlink(missing_ok=True)  # derived: made again from what it was made from
    return finding.kind in ("analysis", "record")


def _render_again(session: Session, findings: Sequence[Finding]) -> tuple[list[str], list[str]]:
    """Materialize the partitions of what is lost; inputs come before what is made from them."""
    wanted: dict[dg.AssetKey, list[str]] = {}
    for finding in findings:
        if finding.kind in ("output", "plan"):
            for asset, partition in finding.partitions:
                key = dg.AssetKey.from_user_string(asset)
                if partition is not None and partition not in wanted.setdefault(key, []):
                    wanted[key].append(partition)
    failed, made = [], []
    for key in session.graph.toposorted_asset_keys:
        if key not in wanted or key == SOURCE_FILE:
            continue
        assets = [PLAN, VIDEO] if key == VIDEO else [key]
        problems = failures(session.run(assets, wanted[key]))
        failed += problems
        made += [] if problems else [f"{key.to_user_string()} {one}" for one in wanted[key]]
    return failed, made


def _publish_again(session: Session) -> None:
    """Give outputs that are whole the readable names they lost."""
    outputs: Mapping[str, Any] = {o.content_hash: o for o in OutputStore(session.settings)}
    for entry in tracked(session.instance, session.graph, session.settings):
        for content_hash, published in expected(entry, session.settings):
            if published is not None and content_hash in outputs:
                publish(outputs[content_hash].path, published)
