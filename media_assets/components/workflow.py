"""WorkflowComponent: a workflow written as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from dagster._utils.schedules import is_valid_cron_schedule
from dagster.components.component_scaffolding import scaffold_component
from dagster.components.scaffold.scaffold import Scaffolder

from media_assets.components.loaded import remember
from media_assets.defs.checks import OF_OUTPUTS, checks_of
from media_assets.defs.partitions import workflow_partitions
from media_assets.defs.workflow_assets import WorkflowAssets
from media_assets.defs.workflow_automation import automation
from media_assets.errors import DocumentError
from media_assets.planning.jobspec import OperationSpec
from media_assets.planning.workflow import Takes, Workflow

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class TakesModel(dg.Model, dg.Resolvable):
    """Which sources the workflow is made for."""

    kind: list[Literal["video", "audio", "image"]] = ["video"]  # noqa: RUF012 - pydantic copies defaults
    sound: bool | None = None
    min_duration: float | str | None = None
    max_duration: float | str | None = None
    min_size: int | None = None
    max_size: int | None = None
    name: str | None = None


class OperationModel(dg.Model, dg.Resolvable):
    """One node: the operation, what it takes, and the name of its output."""

    op: str
    inputs: list[str]
    output: str
    params: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies defaults


class WorkflowScaffolder(Scaffolder[Any]):
    """`dg scaffold defs` writes a workflow that loads as it is."""

    def scaffold(self, request: Any) -> None:
        """Write defs.yaml."""
        name = re.sub(r"[^a-z0-9_]+", "_", request.target_path.name.lower()).strip("_") or "workflow"
        scaffold_component(
            request,
            {
                "name": name,
                "description": "A short, small copy of every video.",
                "takes": {"kind": ["video"]},
                "operations": [
                    {
                        "op": "trim",
                        "inputs": ["source"],
                        "output": "cut",
                        "params": {"start": 0, "duration": 5},
                    },
                    {"op": "resize", "inputs": ["cut"], "output": "small", "params": {"width": 640}},
                ],
                "automation": "manual",
            },
        )


@dg.scaffold_with(WorkflowScaffolder)
class WorkflowComponent(dg.Component, dg.Model, dg.Resolvable):
    """Operations on every source that a filter takes: one asset per node.

    Attributes:
        name: of the workflow; its assets are `<name>/<output>`.
        description: shown with each asset.
        takes: filter on sources (kind, sound, duration, size in bytes, name pattern).
        constants: sources every run takes as they are, by the name operations call them.
        operations: the graph; `source` is the source it is made for.
        automation: `manual`, `eager` (whenever a source is new or changed), or a cron expression.
        template: the template it was made from, if it was made from one.
    """

    name: str
    operations: list[OperationModel]
    description: str = ""
    takes: TakesModel = TakesModel()
    constants: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults
    automation: str = "manual"
    template: str | None = None

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """The workflow's assets and its automation.

        Raises:
            DocumentError: the graph, a parameter or the automation does not hold.
        """
        return self.definitions(str(Path(context.path) / "defs.yaml"))

    def definitions(self, where: str) -> dg.Definitions:
        """The same of a document that is read from `where`."""
        workflow = self.workflow(where)
        remember(workflow)
        assets = WorkflowAssets(workflow)
        checks = [checks_of(key, workflow_partitions(self.name), OF_OUTPUTS) for key in assets.keys]
        return dg.Definitions.merge(
            assets.definitions(), automation(assets), dg.Definitions(asset_checks=checks)
        )

    def workflow(self, where: str) -> Workflow:
        """The workflow this document says.

        Raises:
            DocumentError: every finding; `where` names the document.
        """
        if not _NAME.fullmatch(self.name):
            raise DocumentError(
                "the workflow does not hold",
                [("$.name", f"{self.name!r} is not lower case letters, digits and underscores")],
                where=where,
            )
        if self.template is not None and not _NAME.fullmatch(self.template):
            finding = ("$.template", f"{self.template!r} is not lower case letters, digits and underscores")
            raise DocumentError("the workflow does not hold", [finding], where=where)
        if self.automation not in ("manual", "eager") and not is_valid_cron_schedule(self.automation):
            finding = ("$.automation", f"{self.automation!r} is not manual, eager or a cron expression")
            raise DocumentError("the workflow does not hold", [finding], where=where)
        workflow = Workflow(
            name=self.name,
            description=self.description,
            takes=Takes.model_validate(self.takes.model_dump()),
            constants=dict(self.constants),
            operations=tuple(OperationSpec.model_validate(_plain(o)) for o in self.operations),
            automation=self.automation,
            template=self.template,
        )
        try:
            workflow.check()
        except DocumentError as error:
            raise DocumentError(error.message, error.findings, where=where) from None
        return workflow


def _plain(model: OperationModel) -> Mapping[str, Any]:
    return model.model_dump()
