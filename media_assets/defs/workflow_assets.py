"""Workflow → assets: one multi-asset per workflow with one asset per node, and its automation."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

import dagster as dg
from dagster._core.definitions.data_version import DATA_VERSION_TAG

from media_assets import progress
from media_assets.analytics.outcomes import Tally, log_error, log_result, log_whole
from media_assets.defs.batches import sign_run
from media_assets.defs.journal import keep
from media_assets.defs.partitions import workflow_partitions
from media_assets.defs.recording import Failures, as_metadata, output_metadata, place_of
from media_assets.defs.records import Records
from media_assets.defs.resources import MediaResource
from media_assets.defs.sources import SOURCE_FILE, ingested
from media_assets.defs.versions import Edge, Seen, described, inputs_of, seen
from media_assets.errors import MediaAssetsError
from media_assets.ids import source_id
from media_assets.media.hardware import encoders
from media_assets.planning.execute import NodeResult, execute
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.plan import Plan
from media_assets.planning.workflow import SOURCE, Workflow
from media_assets.store.outputs import publish
from media_assets.store.sources import SourceCatalogue, SourceFacts
from media_assets.store.thumbnails import preview_of


@dataclass(frozen=True)
class WorkflowAssets:
    """A workflow as the orchestrator sees it: keys, edges, code versions."""

    workflow: Workflow

    @property
    def partition_set(self) -> str:
        """Name of the set of sources it takes."""
        return f"workflow.{self.workflow.name}"

    @property
    def keys(self) -> list[dg.AssetKey]:
        """The node assets, in the document's order."""
        return [self.key(node.output) for node in self.workflow.operations]

    @property
    def constant_keys(self) -> list[dg.AssetKey]:
        """The assets of its constant inputs."""
        return [self.key(name) for name in self.workflow.constants]

    def key(self, name: str) -> dg.AssetKey:
        """The asset of a node or constant."""
        return dg.AssetKey([self.workflow.name, name])

    def edges(self, node: OperationSpec) -> list[Edge]:
        """What a node depends on."""
        edges = []
        for name in dict.fromkeys(node.inputs):
            if name == SOURCE:
                edges.append(Edge(SOURCE_FILE))
            else:
                edges.append(Edge(self.key(name), partitioned=name not in self.workflow.constants))
        return edges

    def definitions(self) -> dg.Definitions:
        """The multi-asset, and an asset for each constant input."""
        constants = [self._constant_asset(name, ref) for name, ref in self.workflow.constants.items()]
        return dg.Definitions(assets=[self._nodes_asset(), *constants])

    def constant_record(
        self, name: str, instance: dg.DagsterInstance, catalogue: SourceCatalogue
    ) -> dg.AssetMaterialization:
        """A constant input as it is now.

        Raises:
            UnknownSource: its source is not there; BadInput: it changed after it was ingested.
        """
        facts = catalogue.unchanged(self.workflow.constants[name])
        inputs = seen(instance, SOURCE_FILE, [facts.id])
        return described(
            self.key(name),
            None,
            data_version=facts.sha256,
            code_version="1",
            inputs={SOURCE_FILE: inputs[facts.id]} if facts.id in inputs else {},
            metadata=as_metadata({"path": facts.relative}),
        )

    def _spec(self, node: OperationSpec) -> dg.AssetSpec:
        deps = [
            dg.AssetDep(
                edge.asset,
                partition_mapping=dg.IdentityPartitionMapping() if edge.partitioned else None,
            )
            for edge in self.edges(node)
        ]
        return dg.AssetSpec(
            self.key(node.output),
            deps=deps,
            skippable=True,
            code_version=self.workflow.code_version(node),
            group_name=f"workflow_{self.workflow.name}",
            kinds={"ffmpeg"},
            description=f"{node.op} of {', '.join(node.inputs)}. {self.workflow.description}",
            metadata={"workflow": self.workflow.name, "operation": node.op, "parameters": node.params},
        )

    def _nodes_asset(self) -> dg.AssetsDefinition:
        @dg.multi_asset(
            name=self.workflow.name,
            specs=[self._spec(node) for node in self.workflow.operations],
            partitions_def=workflow_partitions(self.workflow.name),
            can_subset=True,
            backfill_policy=dg.BackfillPolicy.multi_run(100),
            pool="ffmpeg",
        )
        def nodes(
            context: dg.AssetExecutionContext, media: MediaResource
        ) -> Iterator[dg.MaterializeResult[None]]:
            _run(self, context, media)
            yield from ()  # every partition is on record already, with a version of its own

        return nodes

    def _constant_asset(self, name: str, reference: str) -> dg.AssetsDefinition:
        source = reference if reference.startswith("src_") else source_id(reference)

        @dg.asset(
            key=self.key(name),
            deps=[
                dg.AssetDep(SOURCE_FILE, partition_mapping=dg.SpecificPartitionsPartitionMapping([source]))
            ],
            group_name=f"workflow_{self.workflow.name}",
            code_version="1",
            kinds={"file"},
            description=f"The constant input {reference} of {self.workflow.name}.",
        )
        def constant(context: dg.AssetExecutionContext, media: MediaResource) -> dg.MaterializeResult[None]:
            event = self.constant_record(name, context.instance, media.sources)
            keep(event)
            return dg.MaterializeResult(
                data_version=dg.DataVersion((event.tags or {})[DATA_VERSION_TAG]), metadata=event.metadata
            )

        return constant


@dataclass(frozen=True)
class Made:
    """What became of the wanted nodes of one source, by name, the plan, and the wall-clock seconds.

    Attributes:
        told: effects of which an event was written.
    """

    plan: Plan
    results: Mapping[str, NodeResult]
    seconds: float
    told: set[str] = field(default_factory=set)

    @property
    def wanted(self) -> set[str]:
        """Ids of the effects that were wanted."""
        return {result.node.recipe.id for result in self.results.values()}

    def tally(self) -> Tally:
        """What came of all."""
        tally = Tally()
        for result in self.results.values():
            ended = result.outcome or result.error
            if ended is not None:
                tally.add(ended)
        return tally


def _run(assets: WorkflowAssets, context: dg.AssetExecutionContext, media: MediaResource) -> None:
    """Make the selected nodes of every partition, sources side by side, and record them node by node."""
    sign_run(context.instance, context.run_id)
    keys = list(context.partition_keys)
    selected = [
        n for n in assets.workflow.operations if assets.key(n.output) in context.selected_asset_keys
    ]
    seen = inputs_of(context.instance, [Edge(SOURCE_FILE)], keys)
    constants = {name: media.sources.unchanged(ref) for name, ref in assets.workflow.constants.items()}
    failures, template = Failures(context), assets.workflow.template
    made: dict[str, Made] = {}
    with ThreadPoolExecutor(media.settings.workers) as pool:
        work = [
            pool.submit(
                _make, assets.workflow, key, seen[key], constants, [n.output for n in selected], media
            )
            for key in keys
        ]
        for index, (key, future) in enumerate(zip(keys, work, strict=True)):
            place = place_of(context, media.settings, SOURCE_FILE, key, assets.workflow.name)
            with failures.catching(key):
                try:
                    made[key] = future.result()
                except MediaAssetsError as error:
                    log_error(place, "plan", error)
                    log_whole(place, "workflow", Tally(error=error), 0.0, template)
                    raise
                log_whole(place, "workflow", made[key].tally(), made[key].seconds, template)
            progress.report(assets.workflow.name, (index + 1) / len(keys))
    failed: set[str] = set()
    for node in _in_order(assets.workflow, selected):
        with Records(context) as records:
            _record_node(assets, node, made, seen, failed, failures, records, media)
    failures.raise_if_any(len(keys))


def _make(
    workflow: Workflow,
    key: str,
    inputs: dict[dg.AssetKey, Seen],
    constants: Mapping[str, SourceFacts],
    wanted: list[str],
    media: MediaResource,
) -> Made:
    """Every wanted node of one source, with previews and readable names."""
    started = time.monotonic()
    source = ingested(media.sources, key, inputs)
    plan = workflow.plan(source, constants, encoders(media.settings))
    results = execute(plan, wanted, media.store, media.settings)
    for result in results:
        if result.outcome is not None:
            publish(result.outcome.output.path, _readable(workflow, key, result, media))
            preview_of(result.outcome.output, media.store, media.settings)
    by_name = {result.node.name: result for result in results}
    return Made(plan, by_name, time.monotonic() - started)


def _readable(workflow: Workflow, key: str, result: NodeResult, media: MediaResource) -> Path:
    """The name under which a person finds a node's output."""
    name = f"{key.removeprefix('src_')}_{result.node.name}.{result.node.profile.extension}"
    return media.settings.output_root / workflow.name / name


def _record_node(
    assets: WorkflowAssets,
    node: OperationSpec,
    made: Mapping[str, Made],
    seen: Mapping[str, Mapping[dg.AssetKey, Seen]],
    failed: set[str],
    failures: Failures,
    records: Records,
    media: MediaResource,
) -> None:
    """Log one node of every partition; its inputs' records are there by now."""
    asset = assets.key(node.output)
    edges = [edge for edge in assets.edges(node) if edge.asset != SOURCE_FILE]
    others = inputs_of(records.context.instance, edges, list(made))
    uses_source = SOURCE in node.inputs
    for key, one in made.items():
        result = one.results[node.output]
        place = place_of(records.context, media.settings, asset, key, assets.workflow.name)
        log_result(place, one.plan, result, wanted=one.wanted, told=one.told)
        if result.error is not None:
            if key not in failed:
                failures.add(key, result.error)
            failed.add(key)
            continue
        if result.outcome is None:
            continue
        inputs = others[key] | ({SOURCE_FILE: seen[key][SOURCE_FILE]} if uses_source else {})
        preview = preview_of(result.outcome.output, media.store, media.settings)
        records.add(
            described(
                asset,
                key,
                data_version=result.outcome.output.content_hash,
                code_version=assets.workflow.code_version(node),
                inputs=inputs,
                metadata=output_metadata(
                    result.outcome, preview, _readable(assets.workflow, key, result, media)
                ),
            )
        )


def _in_order(workflow: Workflow, selected: list[OperationSpec]) -> Iterator[OperationSpec]:
    """The selected nodes, each after those it needs."""
    by_name = {node.output: node for node in selected}
    order = TopologicalSorter({node.output: node.inputs for node in workflow.operations}).static_order()
    return (by_name[name] for name in order if name in by_name)
