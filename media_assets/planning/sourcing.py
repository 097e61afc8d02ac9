"""The sources of a job: URLs fetched, then every input held against what its source is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from media_assets.errors import BadInput, DocumentError
from media_assets.planning.jobspec import Job
from media_assets.planning.specs import InputSpec
from media_assets.settings import Settings
from media_assets.store.fetching import fetch
from media_assets.store.sources import SourceCatalogue, SourceFacts
from media_assets.store.urls import is_url

Fetcher = Callable[..., Path]
"""`fetch`, or something that takes the same."""


def references(job: Job, settings: Settings, fetcher: Fetcher = fetch) -> dict[str, str]:
    """For each input that an operation takes, its source id or its path under the source root.

    What is named by URL is fetched; it is an ordinary file then, still to be ingested.

    Raises:
        DocumentError: sources that cannot be taken, each with its place.
        FetchFailed, TimeLimitExceeded, DiskFull: a download did not come through.
    """
    found: dict[str, str] = {}
    findings = []
    for index, given in _used(job):
        found[given.id] = given.source
        if not is_url(given.source):
            continue
        try:
            path = fetcher(given.source, settings, max_bytes=job.spec.limits.max_fetch_size)
            found[given.id] = path.relative_to(settings.source_root).as_posix()
        except BadInput as error:
            findings.append((f"$.inputs[{index}].source", str(error)))
    if findings:
        raise job.placed(DocumentError("not every source can be fetched", findings))
    return found


def facts(job: Job, references: Mapping[str, str], catalogue: SourceCatalogue) -> dict[str, SourceFacts]:
    """What is on record of each source, by the name of the input: what `make_plan` takes.

    Raises:
        DocumentError: sources that are not there, lie outside the source root, changed since they were
            read, or are not of the type the document says; each with its place.
    """
    found: dict[str, SourceFacts] = {}
    findings = []
    for index, given in _used(job):
        try:
            source = catalogue.unchanged(references[given.id])
        except BadInput as error:
            findings.append((f"$.inputs[{index}].source", str(error)))
            continue
        if given.type not in (None, source.info.kind):
            text = f"{given.source} is {source.info.kind}, not {given.type}"
            findings.append((f"$.inputs[{index}].type", text))
        found[given.id] = source
    if findings:
        raise job.placed(DocumentError("the sources do not hold", findings))
    return found


def _used(job: Job) -> list[tuple[int, InputSpec]]:
    taken = {name for operation in job.operations for name in operation.inputs}
    return [(index, given) for index, given in enumerate(job.spec.inputs) if given.id in taken]
