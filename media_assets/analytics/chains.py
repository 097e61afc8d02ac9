"""What an operation of a plan is given, and which operations come before it: the context of its event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from media_assets.analytics.schema.common import SOURCE_KINDS, resolution_class, size_category
from media_assets.analytics.schema.operation import LONGEST_PREVIOUS
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Clip
from media_assets.planning.estimates import bits_per_pixel, node_estimate
from media_assets.planning.plan import Node, Plan


@dataclass(frozen=True)
class Step:
    """An operation in its chain.

    Attributes:
        node: the operation.
        position: 1, 2, 3… from the source.
        previous: up to five operations before it, joined by `>`.
        source: id of the source that its chain begins with.
        context: the fields of an event that say what it is given.
        bytes_read: of all its sources.
        expected_bytes, expected_memory_bytes: what the planner thinks, by the shipped figures, that its
            output and its memory will have.
    """

    node: Node
    position: int
    previous: str
    source: str
    context: dict[str, Any]
    bytes_read: int
    expected_bytes: int
    expected_memory_bytes: int


def step_of(plan: Plan, name: str) -> Step:
    """The operation `name` of a plan, in the chain of first inputs that leads to it from a source."""
    node = plan.nodes[name]
    path, given = [node], node.inputs[0] if node.inputs else ""
    while given in plan.nodes:
        path.append(plan.nodes[given])
        given = path[-1].inputs[0] if path[-1].inputs else ""
    before = [one.operation.name for one in reversed(path[1:])][-LONGEST_PREVIOUS:]
    source = plan.sources.get(given)
    origins = plan.origins([name])
    expected = node_estimate(plan, node, 1)
    return Step(
        node=node,
        position=len(path),
        previous=">".join(before),
        source=source.id if source else "",
        context={
            **given_by(source.info if source else None),
            **_picture(node.clips[0] if node.clips else None),
            "source_bits_per_pixel": bits_per_pixel(source.info) if source else None,
            "size_category": size_category(sum(one.info.size for one in origins)) if origins else None,
            "input_seconds": sum(clip.duration or 0.0 for clip in node.clips),
            "output_format": node.profile.extension,
        },
        bytes_read=sum(one.info.size for one in origins),
        expected_bytes=expected.disk_bytes,
        expected_memory_bytes=expected.memory_bytes,
    )


def fused_into(plan: Plan, name: str, wanted: Collection[str]) -> list[Step]:
    """The operations that are done on the way to `name`, without outputs of their own, in order.

    Args:
        wanted: ids of the effects that have outputs of their own.
    """
    nodes = [node for node in plan.closure([name]) if node.name != name]
    return [step_of(plan, node.name) for node in nodes if node.recipe.id not in wanted]


def given_by(info: MediaInfo | None) -> dict[str, Any]:
    """The fields that say what a source is."""
    if info is None:
        return {}
    codecs = [*(one.codec for one in info.videos[:1]), *(one.codec for one in info.audios[:1])]
    return {
        "source_kind": info.kind if info.kind in SOURCE_KINDS else None,
        "source_codec": codecs[0] if codecs else None,
        "size_category": size_category(info.size),
        **_picture(Clip.of(info)),
    }


def _picture(clip: Clip | None) -> dict[str, Any]:
    picture = clip.picture if clip else None
    if clip is None or picture is None:
        return {"fps": None, "width": None, "height": None, "resolution_class": None}
    return {
        "fps": round(float(picture.fps), 3) if clip.kind == "video" else None,
        "width": picture.width,
        "height": picture.height,
        "resolution_class": resolution_class(picture.height),
    }
