"""What a job would do: its plan from the document and the sources, without Dagster or rendering."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from media_assets.analytics.estimates import factors_of
from media_assets.analytics.guarding import plan_warnings
from media_assets.errors import DocumentError
from media_assets.media.hardware import encoders
from media_assets.planning.estimates import job_estimate
from media_assets.planning.jobspec import Job, open_job
from media_assets.planning.limits import check_plan
from media_assets.planning.plan import Plan, make_plan
from media_assets.planning.report import report
from media_assets.planning.sourcing import facts, references
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue, SourceFacts


def plan_job(path: Path, settings: Settings) -> dict[str, Any]:
    """The plan of a JobSpec as `planning.report` gives it, with `warnings`; new sources are probed.

    A warning is for an operation that mostly failed in the past under the conditions it now has.

    Raises:
        DocumentError: the document, its sources or its graph do not hold: every finding with its line.
        FetchFailed, TimeLimitExceeded, DiskFull: a source could not be fetched.
    """
    job = open_job(path)
    catalogue = SourceCatalogue(settings)
    named = references(job, settings)
    _read(catalogue, {catalogue.identify(reference) for reference in named.values()})
    sources = facts(job, named, catalogue)
    plan = planned(job, sources, settings)
    store = OutputStore(settings)
    document = report(
        plan, job.wanted, settings, lambda print_: store.get(print_) is not None, factors_of(settings)
    )
    return document | {"warnings": plan_warnings(plan, settings)}


def planned(job: Job, sources: Mapping[str, SourceFacts], settings: Settings) -> Plan:
    """The plan of a job, held against its limits.

    Raises:
        DocumentError: in the words and lines of the document.
    """
    limits = job.spec.limits
    try:
        plan = make_plan(job.operations, sources, encoders(settings))
    except DocumentError as error:
        raise job.placed(error) from None
    if limits.max_cpu_seconds is None and limits.max_memory is None:
        check_plan(job, plan)
    else:
        wanted = list(dict.fromkeys(job.wanted.values()))
        cost = job_estimate(plan, wanted, settings.workers, factors_of(settings))
        check_plan(job, plan, cost.cpu_seconds, cost.memory_bytes)
    return plan


def _read(catalogue: SourceCatalogue, wanted: set[str]) -> None:
    """Ingest those of the wanted sources that are new or changed."""
    changes = catalogue.changes()
    files = [file for file in (*changes.unread, *changes.growing) if file.id in wanted]
    for _ in catalogue.ingest(files):
        pass
