"""Kompositions in the graph: versions of the document, the plan, pieces, sound, the video, renditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from media_assets.registry.graph import Cost, Edge, Kind, Made, Node
from media_assets.registry.records import Disk, Document, Log, Materialized
from media_assets.registry.stored import cost_of, stored_at

PLAN, VIDEO = "komposition_plan", "komposition_video"


def build(disk: Disk, log: Log, root: Path) -> tuple[dict[str, Node], list[Edge]]:
    """Nodes and edges of every komposition that has a document or a plan."""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    codes = {facts.asset: facts.code_version for facts in log.assets}
    for key in sorted(disk.documents.keys() | disk.plans.keys()):
        one = _Komposition(key, disk, log, root, codes)
        for node in one.nodes():
            nodes[node.id] = node
        edges += one.edges()
    return nodes, edges


class _Komposition:
    """One komposition's part of the graph."""

    def __init__(self, key: str, disk: Disk, log: Log, root: Path, codes: Mapping[str, str | None]) -> None:
        self.key = key
        self.disk = disk
        self.root = root
        self.plan_id = f"{PLAN}/{key}"
        self.document: Document | None = disk.documents.get(key)
        self.plan: Mapping[str, Any] = disk.plans.get(key, {})
        self.planned = log.materialized.get((PLAN, key))
        self.rendered = log.materialized.get((VIDEO, key))
        self.observed = log.observed
        self.codes = codes

    def nodes(self) -> Iterator[Node]:
        yield from self._versions()
        yield self._plan_node()
        for identifier, plan in self._forms():
            yield from self._parts(identifier, plan)
            if identifier != self.key:
                yield self._whole(identifier, plan)
        yield self._video()

    def edges(self) -> Iterator[Edge]:
        time = self.planned.time if self.planned else None
        version = self.planned.metadata.get("version") if self.planned else None
        if version is not None:
            yield Edge(f"{self.key}@{version}", self.plan_id, "plan", time)
        for source in self.plan.get("sources", {}):
            yield Edge(source, self.plan_id, "plan", time)
        rendered = self.rendered.time if self.rendered else None
        yield Edge(self.plan_id, self.key, "render", rendered)
        for identifier, plan in self._forms():
            if identifier != self.key:
                yield Edge(self.plan_id, identifier, "render", self._time(plan.get("fingerprint")))
            joined = self._time(plan.get("fingerprint"))
            for name, kind, sources, fingerprint in _parts(identifier, plan):
                for source in sources:
                    yield Edge(source, name, kind, self._time(fingerprint))
                yield Edge(name, identifier, "join", joined)

    def _forms(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The plan of the video and of each rendition, by the id in the graph."""
        if self.plan:
            yield self.key, self.plan
        for name, plan in self.plan.get("renditions", {}).items():
            yield f"{self.key}:{name}", plan

    def _versions(self) -> Iterator[Node]:
        for version in self.document.versions if self.document else ():
            time = datetime.fromisoformat(version.time).timestamp()
            yield Node(
                id=f"{self.key}@{version.number}",
                kind="version",
                made=Made(version.sha256, time),
                cost=Cost(0.0, version.size, "measured", version.sha256),
                metadata_files=(f"metadata/documents/{self.key}/versions.json",),
            )

    def _plan_node(self) -> Node:
        origins: dict[str, str] = dict(self.plan.get("sources", {}))
        wanted = {name: self._version(name) for name in origins}
        number = self.planned.metadata.get("version") if self.planned else None
        versions = self.document.versions if self.document else ()
        read = next((v.sha256 for v in versions if v.number == number), None)
        if read and self.document:
            origins["document"], wanted["document"] = read, self.document.sha256
        return Node(
            id=self.plan_id,
            kind="plan",
            asset=PLAN,
            partition=self.key,
            operation="plan",
            made=_made(self.planned, origins) if self.planned else None,
            wanted={name: v for name, v in wanted.items() if v} | self._code(PLAN),
            cost=Cost(0.0, 0, "measured"),
            metadata_files=tuple(self._plan_files()),
            problem=None if self.document else "its document is gone",
        )

    def _video(self) -> Node:
        fingerprint = (self.rendered.metadata if self.rendered else self.plan).get("fingerprint")
        output = self.disk.outputs.get(str(fingerprint))
        files, sidecars = stored_at(output, self.root)
        wanted = {self.plan_id: self.planned.version} if self.planned else {}
        before = self.rendered.inputs.get(PLAN) if self.rendered else None
        origins = {self.plan_id: before} if before else {}
        return Node(
            id=self.key,
            kind="komposition",
            asset=VIDEO,
            partition=self.key,
            operation="komposition",
            parameters=output.recipe.parameters if output else {},
            made=_made(self.rendered, origins) if self.rendered else None,
            wanted=wanted | self._code(VIDEO),
            cost=cost_of(output, str(fingerprint) if fingerprint else None),
            files=files,
            metadata_files=(*sidecars, *self._plan_files()),
            lost=self.rendered.lost if self.rendered else None,
            problem=None if self.document else "its document is gone",
        )

    def _whole(self, identifier: str, plan: Mapping[str, Any]) -> Node:
        fingerprint = str(plan.get("fingerprint"))
        return self._part(identifier, "rendition", "komposition", fingerprint, Cost(key=fingerprint))

    def _parts(self, identifier: str, plan: Mapping[str, Any]) -> Iterator[Node]:
        whole = plan.get("estimate", {}).get("cpu_seconds")
        frames = plan.get("frames") or 1
        lengths = {f"{identifier}/{p['id']}": p["frames"] for p in plan.get("pieces", [])}
        for name, operation, _, fingerprint in _parts(identifier, plan):
            length = lengths.get(name)
            # The plan tells its estimate as a whole: a piece's share is that of its frames.
            share = None if whole is None or length is None else round(whole * length / frames, 3)
            guess = Cost(share, None, "unknown" if share is None else "estimated", fingerprint)
            kind: Kind = "sound" if length is None else "piece"
            yield self._part(name, kind, operation, fingerprint, guess)

    def _part(self, identifier: str, kind: Kind, operation: str, fingerprint: str, guess: Cost) -> Node:
        """A file that a komposition is put together from; it is made when it is in the store."""
        output = self.disk.outputs.get(fingerprint)
        files, sidecars = stored_at(output, self.root)
        created = datetime.fromisoformat(output.created).timestamp() if output else 0.0
        return Node(
            id=identifier,
            kind=kind,
            operation=operation,
            parameters=output.recipe.parameters if output else {},
            made=Made(output.content_hash, created) if output else None,
            cost=cost_of(output) if output else guess,
            files=files,
            metadata_files=sidecars,
            aliases=(output.recipe.id,) if output and output.recipe.id.startswith("effect_") else (),
        )

    def _version(self, name: str) -> str | None:
        """What a source of the plan is now: its content, or the fingerprint of what is yet to be made."""
        if name in self.disk.sources:
            return self.disk.sources[name].sha256
        if name in self.disk.plans:
            return str(self.disk.plans[name].get("fingerprint"))
        return self.observed[name].version if name in self.observed else None

    def _time(self, fingerprint: Any) -> float | None:
        output = self.disk.outputs.get(str(fingerprint))
        return datetime.fromisoformat(output.created).timestamp() if output else None

    def _code(self, asset: str) -> dict[str, str]:
        code = self.codes.get(asset)
        return {"code": code} if code is not None else {}

    def _plan_files(self) -> Iterator[str]:
        if self.plan:
            yield f"metadata/plans/{self.key}.json"
        if self.document:
            yield self.document.path


def _parts(identifier: str, plan: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str], str]]:
    """(id, operation, ids of sources, fingerprint) of every piece of a plan, and of its sound."""
    for piece in plan.get("pieces", []):
        operation = "komposition_segment" if piece["kind"] == "body" else "komposition_crossfade"
        yield f"{identifier}/{piece['id']}", operation, list(piece["sources"]), piece["fingerprint"]
    sound = plan.get("sound")
    if sound:
        by_hash = {version: name for name, version in plan.get("sources", {}).items()}
        heard = dict.fromkeys(by_hash[text] for text in _texts(sound) if text in by_hash)
        yield f"{identifier}/sound", "komposition_sound", list(heard), sound["fingerprint"]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value: a plan's sound names what it hears by its hash."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _made(last: Materialized, origins: Mapping[str, str]) -> Made:
    code = {"code": last.code_version} if last.code_version is not None else {}
    return Made(last.version, last.time, {**origins, **code})
