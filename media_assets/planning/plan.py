"""Request → plan: nodes in order, what they will be, what they are called, what they cost. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from media_assets import ids
from media_assets.errors import BadInput, DocumentError
from media_assets.media.encode import Profile
from media_assets.media.hardware import Encoders, on_this_machine
from media_assets.operations.base import Operation
from media_assets.operations.clip import Clip
from media_assets.operations.parameters import Parameters
from media_assets.operations.registry import operation, read_parameters
from media_assets.planning.specs import OperationSpec
from media_assets.store.outputs import Recipe
from media_assets.store.sources import SourceFacts

# What probing says of a file that no filter and no encoder takes notice of.
_DESCRIPTIVE = frozenset(
    {"size", "bit_rate", "subtitles", "attached_pictures", "chapters", "title", "creation_time", "warnings"}
)


@dataclass(frozen=True)
class Node:
    """One operation of a plan.

    Attributes:
        name: what the document calls its output.
        inputs: names of plan inputs or other nodes.
        clips: what its inputs are expected to be; clip: what it is expected to be.
        content: hash of everything that decides its pixels and samples, before any encoding.
        recipe: its identity as a stored output.
        profile: how it is written.
        stage: nodes of one stage do not need each other.
        note: what a person should know of how it is written, if anything.
    """

    name: str
    operation: Operation[Any]
    parameters: Parameters
    inputs: tuple[str, ...]
    clips: tuple[Clip, ...]
    clip: Clip
    content: str
    recipe: Recipe
    profile: Profile
    stage: int
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """Nodes in an order in which each comes after its inputs, and the sources they start from."""

    sources: Mapping[str, SourceFacts]
    nodes: Mapping[str, Node]

    def closure(self, names: Sequence[str]) -> list[Node]:
        """The nodes that `names` need, themselves included, in order."""
        needed: set[str] = set()
        waiting = [name for name in names if name in self.nodes]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += [i for i in self.nodes[name].inputs if i in self.nodes]
        return [node for node in self.nodes.values() if node.name in needed]

    def origins(self, names: Sequence[str]) -> list[SourceFacts]:
        """The sources that `names` are made from, by id."""
        taken = {given for node in self.closure(names) for given in node.inputs if given in self.sources}
        return sorted((self.sources[given] for given in taken), key=lambda source: source.id)

    def settled(self, name: str, clip: Clip) -> Plan:
        """The plan, now that `name` is known to be `clip`: what comes after it follows.

        Raises:
            BadInput: an operation after it does not fit any more.
        """
        nodes = dict(self.nodes)
        if nodes[name].clip == clip:
            return self
        nodes[name] = replace(nodes[name], clip=clip)
        changed = {name}
        for node in self.nodes.values():
            if changed.isdisjoint(node.inputs):
                continue
            pairs = zip(node.inputs, node.clips, strict=True)
            clips = tuple(nodes[i].clip if i in changed else old for i, old in pairs)
            nodes[node.name] = replace(
                node, clips=clips, clip=node.operation.expect(clips, node.parameters)
            )
            changed.add(node.name)
        return replace(self, nodes=nodes)


def make_plan(
    operations: Sequence[OperationSpec], sources: Mapping[str, SourceFacts], encoders: Encoders
) -> Plan:
    """Plan `operations` over `sources` (by the names the document gives them).

    Raises:
        DocumentError: every problem found: unknown operations and names, parameters out of range,
            cycles, inputs that do not fit.
    """
    findings: list[tuple[str, str]] = []
    order = _order(operations, sources, findings)
    kinds = _kinds(operations, findings)
    if findings:
        raise DocumentError("the operations do not hold", findings)
    nodes: dict[str, Node] = {}
    for index in order:
        spec = operations[index]
        kind, parameters = kinds[index]
        try:
            nodes[spec.output] = _node(spec, kind, parameters, sources, nodes, encoders)
        except BadInput as error:
            # What follows depends on this node: its problems would only repeat this one.
            raise DocumentError(
                "the operations do not hold", [(f"$.operations[{index}]", str(error))]
            ) from None
    return Plan(dict(sources), nodes)


def check(operations: Sequence[OperationSpec], inputs: Sequence[str]) -> None:
    """Hold what can be held before any source is known: names, operations, parameters, cycles.

    Raises:
        DocumentError: every problem found.
    """
    findings: list[tuple[str, str]] = []
    _order(operations, dict.fromkeys(inputs), findings)
    _kinds(operations, findings)
    if findings:
        raise DocumentError("the operations do not hold", findings)


def _node(
    spec: OperationSpec,
    kind: Operation[Any],
    parameters: Parameters,
    sources: Mapping[str, SourceFacts],
    nodes: Mapping[str, Node],
    encoders: Encoders,
) -> Node:
    clips = tuple(
        nodes[name].clip if name in nodes else Clip.of(sources[name].info) for name in spec.inputs
    )
    kind.check_inputs(clips)
    if kind.opens and not all(name in sources for name in spec.inputs):
        raise BadInput(
            f"{kind.name} says how a file is opened, and takes no operation's result",
            hint="give it the source itself",
        )
    clip = kind.expect(clips, parameters)
    profile, note = on_this_machine(kind.encoding(clip, parameters), encoders)
    values = parameters.model_dump(mode="json", exclude_none=True)
    upstream = [nodes[n].content if n in nodes else _source_content(sources[n]) for n in spec.inputs]
    origins = tuple(nodes[n].recipe.id if n in nodes else sources[n].id for n in spec.inputs)
    if not kind.takes.ordered:
        upstream, origins = sorted(upstream), tuple(sorted(origins))
    content = ids.fingerprint(
        {"operation": kind.name, "version": kind.version, "parameters": values, "inputs": upstream}
    )
    effect = ids.effect_id(kind.name, origins, values, ordered=kind.takes.ordered)
    chosen = parameters.model_dump(mode="json", exclude_defaults=True)
    recipe = Recipe(
        id=effect,
        fingerprint=ids.fingerprint(
            {"content": content, "profile": profile.to_json(), "ffmpeg": encoders.version}
        ),
        operation=kind.name,
        parameters=values,
        derived_from=origins,
        file_name=ids.output_name(kind.name, origins, chosen, effect[-16:-8], profile.extension),
    )
    stages = [nodes[n].stage for n in spec.inputs if n in nodes]
    return Node(
        name=spec.output,
        operation=kind,
        parameters=parameters,
        inputs=tuple(spec.inputs),
        clips=clips,
        clip=clip,
        content=content,
        recipe=recipe,
        profile=profile,
        stage=max(stages, default=-1) + 1,
        note=note,
    )


def _source_content(source: SourceFacts) -> str:
    """Hash of a source's bytes and of what was read from them: filters are built from both."""
    info = {name: value for name, value in source.info.to_json().items() if name not in _DESCRIPTIVE}
    return ids.fingerprint({"sha256": source.sha256, "info": info})


def _kinds(
    operations: Sequence[OperationSpec], findings: list[tuple[str, str]]
) -> list[tuple[Operation[Any], Parameters]]:
    """The operation and parameters of each spec; what does not hold goes to `findings`."""
    kinds = []
    for index, spec in enumerate(operations):
        place = f"$.operations[{index}]"
        try:
            kind = operation(spec.op)
            kinds.append((kind, read_parameters(kind, spec.params, f"{place}.params")))
        except DocumentError as error:
            findings += error.findings
        except BadInput as error:
            findings.append((f"{place}.op", str(error)))
    return kinds


def _order(
    operations: Sequence[OperationSpec], inputs: Mapping[str, object], findings: list[tuple[str, str]]
) -> list[int]:
    """Indexes of the operations, each after those it needs."""
    indexes: dict[str, int] = {}
    for index, spec in enumerate(operations):
        if spec.output in indexes or spec.output in inputs:
            findings.append((f"$.operations[{index}].output", f"the name {spec.output!r} is already taken"))
        indexes.setdefault(spec.output, index)
    needs: dict[int, list[int]] = {}
    for index, spec in enumerate(operations):
        for place, name in enumerate(spec.inputs):
            if name not in indexes and name not in inputs:
                known = ", ".join([*inputs, *indexes])
                text = f"nothing is called {name!r}; there are {known}"
                findings.append((f"$.operations[{index}].inputs[{place}]", text))
        needs[index] = [indexes[name] for name in spec.inputs if name in indexes]
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        names = " → ".join(operations[index].output for index in reversed(error.args[1]))
        findings.append(("$.operations", f"these need each other: {names}"))
        return []
    order: list[int] = []
    while sorter.is_active():
        # By name, so that a plan does not depend on the order in which a document lists its operations.
        ready = sorted(sorter.get_ready(), key=lambda index: operations[index].output)
        order += ready
        sorter.done(*ready)
    return order
