"""The registry of a data root: the graph of now, and what only this machine can add to its answers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import dagster as dg

from media_assets.actions import Actions
from media_assets.analytics.estimates import factors_of
from media_assets.components.loaded import loaded_workflow
from media_assets.defs.effect_recipes import planned_effect
from media_assets.defs.registered import read_log, record_of
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.explaining import explained
from media_assets.kompositions.attending import AnalysisMissing
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.difference import changes
from media_assets.kompositions.document import load
from media_assets.kompositions.versions import kept_at
from media_assets.media.hardware import Encoders, encoders
from media_assets.planning.effects import Change
from media_assets.planning.estimates import node_estimate
from media_assets.planning.learnt import Factors
from media_assets.registry import komposing, questions
from media_assets.registry.building import SOURCE, build, node_id
from media_assets.registry.graph import Cost, Graph, Node, ancestors, find
from media_assets.registry.questions import Impact, Why, shortened
from media_assets.registry.reading import read_disk
from media_assets.registry.records import Disk, Log, Materialized


@dataclass(frozen=True)
class Registry:
    """A data root as it is now."""

    disk: Disk
    log: Log
    graph: Graph


def registry(actions: Actions) -> Registry:
    """Derive the registry from sidecars and Dagster's event log; nothing is ingested or written."""
    log = read_log(actions.session.instance, actions.session.graph, actions.settings)
    disk = read_disk(actions.settings)
    return Registry(disk, log, build(disk, log, actions.settings.data_root))


def impact(actions: Actions, reference: str) -> Impact:
    """All that a change of something would touch; what was cleaned away is estimated by the planner.

    Raises:
        UnknownNode: nothing is meant by the reference, or several things are.
    """
    found = registry(actions).graph
    return questions.impact(found, find(found, reference), _Estimator(actions))


def why(actions: Actions, asset: str, partition: str | None) -> dict[str, Any]:
    """Why a partition is current, stale, missing or impossible, with old and new versions.

    Returns:
        The report that `why --json` prints; `dagster` is Dagster's own answer.

    Raises:
        BadInput: there is no such asset or partition.
    """
    (dagster,) = _statuses(actions, asset, partition)
    now = registry(actions)
    identifier = node_id(asset, partition)
    found = questions.why(now.graph, identifier)
    node = now.graph.nodes[identifier]
    details = _Details(actions, now)
    reasons = list(details.of(node, found))
    status = found.status
    if any(reason.kind == "error" for reason in reasons):
        status = "impossible"
    elif status == "current" and any(reason.kind in _STALE_KINDS for reason in reasons):
        status = "stale"
    return {
        "id": identifier,
        "asset": asset,
        "partition": partition,
        "status": status,
        "reasons": [reason.to_json() for reason in reasons],
        "upstream": list(found.upstream),
        "made_at": node.made.time if node.made else None,
        "data_version": node.made.version if node.made else None,
        "dagster": {"status": dagster.status, "causes": [asdict(cause) for cause in dagster.causes]},
        "files": list(node.files),
    }


# A file that is not read again yet may hold what it held: that alone makes nothing stale.
_STALE_KINDS = frozenset(
    {"source", "operation", "encoder", "ffmpeg", "other", "parameter", "field", "renderer"}
)
# What explaining an effect says more exactly than its code version does.
_EXPLAINED = frozenset({"source", "operation", "encoder", "ffmpeg", "source_missing", "error"})


def _statuses(actions: Actions, asset: str, partition: str | None) -> list[Any]:
    found = list(actions.session.status(asset, partition))
    if partition is None and (len(found) != 1 or found[0].partition is not None):
        raise BadInput(f"{asset} has partitions", hint="say which; `status` lists them")
    return found


class _Estimator:
    """The planner's estimate of what was made and is not in the store any more."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self._known: tuple[Encoders, Factors] | None = None

    def __call__(self, node: Node) -> Cost | None:
        with contextlib.suppress(MediaAssetsError):
            if node.kind == "effect" and node.partition:
                planned = planned_effect(
                    self._actions.media, node.partition, self._machine[0], unchanged=False
                )
                return self._cost(planned.plan, planned.node.name, node)
            if node.kind == "workflow" and node.asset and node.partition:
                return self._workflow(node)
        return None

    def _workflow(self, node: Node) -> Cost:
        name, _, output = str(node.asset).partition("/")
        workflow, sources = loaded_workflow(name), self._actions.media.sources
        constants = {key: sources.facts(given) for key, given in workflow.constants.items()}
        plan = workflow.plan(sources.facts(str(node.partition)), constants, self._machine[0])
        return self._cost(plan, output, node)

    def _cost(self, plan: Any, name: str, node: Node) -> Cost:
        guess = node_estimate(plan, plan.nodes[name], self._actions.settings.workers, self._machine[1])
        return Cost(round(guess.cpu_seconds, 3), guess.disk_bytes, "estimated", node.cost.key)

    @property
    def _machine(self) -> tuple[Encoders, Factors]:
        if self._known is None:
            self._known = encoders(self._actions.settings), factors_of(self._actions.settings)
        return self._known


class _Details:
    """What the graph does not hold: parameters, fields of documents, files as they are on disk."""

    def __init__(self, actions: Actions, now: Registry) -> None:
        self._actions = actions
        self._now = now

    def of(self, node: Node, found: Why) -> Iterator[Change]:
        """The reasons of the graph, and those that explain them further; none twice."""
        told: set[tuple[str, str, str | None]] = set()
        for reason in self._all(node, found):
            if (reason.kind, reason.subject, reason.after) not in told:
                told.add((reason.kind, reason.subject, reason.after))
                yield reason

    def _all(self, node: Node, found: Why) -> Iterator[Change]:
        yield from found.reasons
        pending = list(self._on_disk(node))
        yield from pending
        if node.made is None or found.status == "impossible":
            return
        if node.kind == "effect" and not pending:
            yield from self._effect(node)
        elif node.kind == "workflow":
            yield from () if pending else self._effect(node)
            yield from self._parameters(node)
        elif node.kind in ("plan", "komposition"):
            yield from self._komposition(node)

    def _on_disk(self, node: Node) -> Iterator[Change]:
        """Files of sources that it is made from, which are not on record as they are now."""
        seen = self._actions.media.sources.changes()
        unread = {file.id for file in (*seen.unread, *seen.growing)}
        for name in (node.id, *ancestors(self._now.graph, node.id)):
            if name in unread:
                text = f"the file of {name} changed after it was read; ingest it"
                yield Change("file", name, None, None, text)
            elif name in seen.removed:
                yield Change("file", name, None, None, f"the file of {name} is gone; ingest to forget it")

    def _effect(self, node: Node) -> Iterator[Change]:
        """Which operation, encoder setting or ffmpeg is another."""
        reference = node.id if node.kind == "effect" else f"{node.asset}/{node.partition}"
        try:
            report = explained(self._actions, reference)
        except MediaAssetsError as error:
            yield Change("error", node.id, None, None, str(error))
            return
        for reason in report["reasons"]:
            if reason["kind"] in _EXPLAINED:
                before, after = reason.get("before"), reason.get("after")
                yield Change(reason["kind"], reason.get("subject", node.id), before, after, reason["text"])

    def _parameters(self, node: Node) -> Iterator[Change]:
        """What a workflow's node was made with, and what its document says now."""
        last = self._now.log.materialized.get((str(node.asset), node.partition))
        name, _, output = str(node.asset).partition("/")
        workflow = loaded_workflow(name)
        before = (last.metadata.get("parameters") if last else None) or {}
        with contextlib.suppress(MediaAssetsError):
            sources = self._actions.media.sources
            constants = {key: sources.facts(given) for key, given in workflow.constants.items()}
            plan = workflow.plan(
                sources.facts(str(node.partition)), constants, encoders(self._actions.settings)
            )
            now = plan.nodes[output].recipe.parameters
            for key in sorted({*before, *now}):
                old, new = before.get(key), now.get(key)
                if old != new:
                    text = f"parameter {key} changed: {_shown(old)} → {_shown(new)}"
                    yield Change("parameter", key, _text(old), _text(new), text)

    def _komposition(self, node: Node) -> Iterator[Change]:
        """Which fields of the document and which sources are not what they were, or what else is not."""
        key = str(node.partition)
        last = self._now.log.materialized[str(node.asset), key]
        told = list(self._fields(key, last.metadata.get("version")))
        if node.kind == "komposition":
            told += self._sources(last)
        yield from told
        try:
            now = Compiler(
                self._actions.settings, self._actions.media.sources.facts, listens=False
            ).compile(key)
        except AnalysisMissing:
            return
        except MediaAssetsError as error:
            yield Change("error", key, None, None, str(error))
            return
        before = last.version if node.kind == "plan" else last.inputs.get(komposing.PLAN)
        if before != now.fingerprint and not told and not any(True for _ in self._inputs(node)):
            yield from self._renderer(last, now.plan.ffmpeg_version)

    def _inputs(self, node: Node) -> Iterator[Change]:
        """What the graph says of what it is made from, but for its plan."""
        return (c for c in questions.differences(node) if not c.subject.startswith(komposing.PLAN))

    def _renderer(self, last: Materialized, ffmpeg: str) -> Iterator[Change]:
        output = self._now.disk.outputs.get(str(last.metadata.get("fingerprint")))
        before = output.made.ffmpeg_version if output else None
        if before and before != ffmpeg:
            text = f"another ffmpeg is used: {before} → {ffmpeg}"
            yield Change("ffmpeg", "ffmpeg", before, ffmpeg, text)
            return
        text = "its document and sources are as they were; the renderer or an encoder setting is another"
        yield Change("renderer", "renderer", None, None, text)

    def _sources(self, last: Materialized) -> Iterator[Change]:
        for source in last.metadata.get("derived_from") or ():
            before = self._content_before(source, last.storage_id)
            facts = self._now.disk.sources.get(source)
            if before is not None and facts is not None and facts.sha256 != before:
                text = f"{source} changed: {shortened(before)} → {shortened(facts.sha256)}"
                yield Change("source", source, before, facts.sha256, text)

    def _fields(self, key: str, number: Any) -> Iterator[Change]:
        document = self._now.disk.documents.get(key)
        if number is None or document is None:
            return
        path = self._actions.settings.data_root / document.path
        try:
            old, new = load(kept_at(key, int(number), self._actions.settings)), load(path)
        except MediaAssetsError as error:
            yield Change("document", document.path, None, None, str(error))
            return
        for field in changes(old, new):
            before, arrow, after = field.text.partition(" → ")
            values = (before, after) if arrow else (None, None)
            yield Change("field", field.place, values[0], values[1], f"{field.place}: {field.text}")

    def _content_before(self, source: str, storage_id: int) -> str | None:
        """What a source held when a record was made."""
        found = self._actions.session.instance.fetch_materializations(
            dg.AssetRecordsFilter(
                asset_key=dg.AssetKey(SOURCE), asset_partitions=[source], before_storage_id=storage_id
            ),
            limit=1,
        ).records
        return record_of(found[0]).version if found else None


def _text(value: Any) -> str | None:
    return None if value is None else _shown(value)


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
