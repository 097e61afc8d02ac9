"""A workflow: a saved graph of operations, made for every source that its filter takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from pydantic import Field

from media_assets import ids
from media_assets.errors import DocumentError
from media_assets.media.hardware import Encoders
from media_assets.operations.parameters import Duration
from media_assets.operations.registry import operation, read_parameters
from media_assets.planning.plan import Plan, check, make_plan
from media_assets.planning.specs import OperationSpec, Strict
from media_assets.store.sources import SourceFacts

SOURCE = "source"
"""What a workflow's operations call the source they are made for."""


class Takes(Strict):
    """Which sources a workflow takes; what is left out is not asked about."""

    kind: tuple[Literal["video", "audio", "image"], ...] = ("video",)
    sound: bool | None = None
    min_duration: Duration | None = None
    max_duration: Duration | None = None
    min_size: int | None = Field(default=None, ge=0)
    max_size: int | None = Field(default=None, ge=0)
    name: str | None = None

    def takes(self, source: SourceFacts) -> bool:
        """Whether the workflow is made for `source`; `name` is a shell pattern on its path."""
        info = source.info
        seconds = info.duration or 0.0
        return (
            info.kind in self.kind
            and (self.sound is None or self.sound == bool(info.audios))
            and (self.min_duration is None or seconds >= self.min_duration)
            and (self.max_duration is None or seconds <= self.max_duration)
            and (self.min_size is None or info.size >= self.min_size)
            and (self.max_size is None or info.size <= self.max_size)
            and (self.name is None or fnmatchcase(source.relative, self.name))
        )


@dataclass(frozen=True)
class Workflow:
    """A named graph of operations.

    Attributes:
        name: lower case, digits and underscores.
        takes: which sources it is made for; none of its constants are among them.
        constants: sources that every run takes as they are (a logo, a music bed), by name.
        operations: the graph; an operation's output names the node.
        automation: `manual`, `eager`, or a cron expression.
        template: the template it was made from, if it was made from one.
    """

    name: str
    description: str
    takes: Takes
    constants: Mapping[str, str]
    operations: tuple[OperationSpec, ...]
    automation: str = "manual"
    template: str | None = None

    def check(self) -> None:
        """Hold the graph against the registry.

        Raises:
            DocumentError: every problem found.
        """
        check(self.operations, [SOURCE, *self.constants])
        clashes = [name for name in self.constants if name == SOURCE]
        if clashes:
            raise DocumentError("the workflow does not hold", [("$.constants", f"{SOURCE!r} is taken")])

    def plan(self, source: SourceFacts, constants: Mapping[str, SourceFacts], encoders: Encoders) -> Plan:
        """What is made for one source.

        Raises:
            DocumentError: an operation does not fit this source.
        """
        return make_plan(self.operations, {SOURCE: source, **constants}, encoders)

    def code_version(self, node: OperationSpec) -> str:
        """Changes when the same inputs would give another output of `node`."""
        kind = operation(node.op)
        values = read_parameters(kind, node.params, "$.params").model_dump(mode="json")
        document: dict[str, Any] = {
            "operation": kind.name,
            "version": kind.version,
            "parameters": values,
            "inputs": list(node.inputs),
        }
        return ids.fingerprint(document)[:16]
