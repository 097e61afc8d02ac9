"""The destinations of a job: held before anything is rendered, filled afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from media_assets.errors import BadInput, DocumentError
from media_assets.planning.jobspec import Job
from media_assets.settings import Settings
from media_assets.store.destinations import check_destination, deliver


def check_destinations(job: Job, settings: Settings) -> dict[str, str]:
    """Where each output that has a destination will go, by the output's id.

    Raises:
        DocumentError: destinations that are not allowed, cannot be written, or are those of another
            output too; each with its place.
    """
    found: dict[str, str] = {}
    findings = []
    for index, output in enumerate(job.spec.outputs):
        if output.destination is None:
            continue
        place = f"$.outputs[{index}].destination"
        try:
            target = check_destination(output.destination, settings)
        except BadInput as error:
            findings.append((place, str(error)))
            continue
        if target in found.values():
            findings.append((place, f"another output goes to {target} too"))
        found[output.id] = target
    if findings:
        raise job.placed(DocumentError("the destinations do not hold", findings))
    return found


def deliver_outputs(job: Job, finished: Mapping[str, Path], settings: Settings) -> dict[str, str]:
    """Put finished files (by the names of their nodes) at their destinations.

    Returns:
        The path or URL of each output by its id; one without a destination is where it was.

    Raises:
        As `destinations.deliver`; those before the one that failed are delivered.
    """
    return {
        output.id: str(path) if output.destination is None else deliver(path, output.destination, settings)
        for output in job.spec.outputs
        if (path := finished.get(job.wanted[output.id])) is not None
    }
