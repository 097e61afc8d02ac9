"""A constant input (a logo, a trailer) is part of what every output is made from."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver

from media_assets.actions import Actions
from media_assets.components.workflow import WorkflowComponent
from media_assets.defs import sources
from media_assets.defs.partitions import set_partitions
from media_assets.defs.resources import MediaResource
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.defs.workflow_automation import outstanding, requests, stale_constants
from media_assets.settings import Settings
from media_assets.statuses import LoadingFor
from media_assets_tests.defs.conftest import put
from media_assets_tests.making import clip
from media_assets_tests.measuring import mean_colors

YAML = """
name: with_tail
constants: {tail: blue.mp4}
operations:
  - {op: concatenate, inputs: [source, tail], output: whole}
"""


def definitions(assets: WorkflowAssets, root: Path) -> dg.Definitions:
    """The sources and the workflow, on one data root."""
    return dg.Definitions.merge(
        dg.Definitions(assets=[sources.source_file]),
        assets.definitions(),
        dg.Definitions(
            resources={"media": MediaResource(data_root=str(root))}, executor=dg.in_process_executor
        ),
    )


def test_a_changed_constant_makes_every_output_stale(actions: Actions, root: Path) -> None:
    actions.ingest()
    assets = WorkflowAssets(WorkflowComponent.resolve_from_yaml(YAML).workflow("defs.yaml"))
    defs, instance = definitions(assets, root), actions.session.instance
    set_partitions(instance, assets.partition_set, ["src_red_mp4"])
    whole, tail = assets.key("whole"), assets.key("tail")

    def run(keys: Sequence[dg.AssetKey], partition: str | None = None) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            job = defs.get_repository_def().get_implicit_global_asset_job_def()
            done = job.execute_in_process(
                instance=instance, asset_selection=list(keys), partition_key=partition, raise_on_error=True
            )
        assert done.success

    def statuses() -> tuple[str, str]:
        graph = defs.get_repository_def().asset_graph
        resolver = CachingStaleStatusResolver(instance, graph, LoadingFor(instance))
        return resolver.get_status(tail).value, resolver.get_status(whole, "src_red_mp4").value

    assert stale_constants(assets, instance, actions.media.sources) == [tail]
    assert outstanding(assets, instance) == {}  # nothing to make it from yet
    run([tail])
    assert set(outstanding(assets, instance)) == {"src_red_mp4"}
    run([whole], "src_red_mp4")
    assert statuses() == ("FRESH", "FRESH")
    assert outstanding(assets, instance) == {}
    settings = Settings.from_environment(root)
    path = root / "output" / "with_tail" / "red_mp4_whole.mp4"
    colors = mean_colors(settings, path)
    assert len(colors) == 180
    assert colors[:90].argmax(axis=1).tolist() == [0] * 90
    assert colors[90:].argmax(axis=1).tolist() == [2] * 90

    green = clip(settings, root / "made.mp4", picture="color=c=lime")
    put(root, "blue.mp4", green.read_bytes())
    actions.ingest()
    assert statuses() == ("STALE", "FRESH")  # one hop at a time
    # A tick of a schedule or a sensor records the constant, and asks for what is made from it.
    asked = requests(assets, instance, actions.media).run_requests or []
    assert [request.asset_selection for request in asked] == [[whole]]
    assert statuses() == ("FRESH", "STALE")
    run([whole], "src_red_mp4")
    assert statuses() == ("FRESH", "FRESH")
    assert mean_colors(settings, path)[170].argmax() == 1

    actions.media.sources.forget(["src_blue_mp4"])
    waits = requests(assets, instance, actions.media)
    assert waits.run_requests == []
    assert waits.skip_reason is not None
    assert "waits for a constant input" in (waits.skip_reason.skip_message or "")
