"""Holds a plan against what its job allows: lengths, sizes, cost, and the extensions of destinations."""

from __future__ import annotations

from collections.abc import Iterator

from media_assets.errors import DocumentError
from media_assets.planning.jobspec import Job
from media_assets.planning.plan import Node, Plan
from media_assets.planning.positions import Finding
from media_assets.planning.rewriting import extension

_SAME = (frozenset({"mp4", "m4v", "m4a"}), frozenset({"jpg", "jpeg"}), frozenset({"ogg", "oga", "opus"}))


def check_plan(job: Job, plan: Plan, cpu_seconds: float | None = None, memory: int | None = None) -> None:
    """Hold a plan against its job before anything is rendered.

    The size of an output and the job's time limit are held while it runs.

    Args:
        cpu_seconds: what the job is estimated to take; None where nobody knows.
        memory: bytes that its largest process is estimated to take.

    Raises:
        DocumentError: every limit that the plan is expected to exceed, and every format or
            extension of a destination that is not what is written; each with its place.
    """
    findings = [*_lengths(job, plan), *_cost(job, cpu_seconds, memory), *_extensions(job, plan)]
    if findings:
        raise job.placed(DocumentError("the job does not hold", findings))


def _lengths(job: Job, plan: Plan) -> Iterator[Finding]:
    limits = job.spec.limits
    for output, name in job.wanted.items():
        clip = plan.nodes[name].clip
        longest, seconds = limits.max_duration, clip.duration or 0.0
        if longest is not None and seconds > longest:
            yield "$.limits.max_duration", f"{output!r} lasts {seconds:.3f} s; the most is {longest:g} s"
        if limits.max_resolution is not None and clip.picture is not None:
            size, most = (clip.picture.width, clip.picture.height), limits.max_resolution
            if max(size) > max(most) or min(size) > min(most):
                text = f"{output!r} has {size[0]}x{size[1]} pixels; the most is {most[0]}x{most[1]}"
                yield "$.limits.max_resolution", text


def _cost(job: Job, cpu_seconds: float | None, memory: int | None) -> Iterator[Finding]:
    limits = job.spec.limits
    if limits.max_cpu_seconds is not None and (cpu_seconds or 0) > limits.max_cpu_seconds:
        text = f"the job takes about {cpu_seconds:.0f} CPU-seconds; the most is {limits.max_cpu_seconds:g}"
        yield "$.limits.max_cpu_seconds", text
    if limits.max_memory is not None and (memory or 0) > limits.max_memory:
        text = f"the job takes about {memory} bytes of memory; the most is {limits.max_memory}"
        yield "$.limits.max_memory", text


def _extensions(job: Job, plan: Plan) -> Iterator[Finding]:
    for index, output in enumerate(job.spec.outputs):
        node = plan.nodes[job.wanted[output.id]]
        said = {"format": (output.format or "").lower(), "destination": extension(output.destination)}
        for member, asked in said.items():
            if asked and not _is_same(asked, node):
                text = f"{output.id!r} is written as .{node.profile.extension}, not .{asked}"
                yield f"$.outputs[{index}].{member}", text


def _is_same(asked: str, node: Node) -> bool:
    written = node.profile.extension
    return asked == written or any(asked in names and written in names for names in _SAME)
