"""Dagster's instance of a data root: its home made ready, and opened."""

from __future__ import annotations

import os
import time

import dagster as dg
from dagster._check import CheckError
from filelock import FileLock
from sqlalchemy.exc import DatabaseError
from yaml import YAMLError

from media_assets.errors import BadInput
from media_assets.homes import is_damage
from media_assets.settings import Settings

_DAGSTER_YAML = """\
# Written once; edit as you like.
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator.queued_run_coordinator
  class: QueuedRunCoordinator
  config:
    dequeue_interval_seconds: 1
concurrency:
  runs:
    max_concurrent_runs: 4
  pools:
    # Each pool is one machine-wide resource: a run in "ffmpeg" uses every core, DuckDB has one writer.
    # Those two have limits of their own: MEDIA_ASSETS_POOL_FFMPEG and MEDIA_ASSETS_POOL_WAREHOUSE.
    default_limit: 1
    granularity: op
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
sensors:
  use_threads: true
  num_workers: 4
"""

_CONFIGURATION = "dagster.yaml"
# What Dagster raises over it: values of another shape than it expects it meets unprepared.
_MISCONFIGURED = (
    *(dg.DagsterInvalidConfigError, dg.DagsterInvariantViolationError, YAMLError, CheckError),
    *(AttributeError, TypeError, KeyError, ValueError, IsADirectoryError),
)
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)


def prepare_home(settings: Settings) -> None:
    """Make the data root's folders and its Dagster home, and point this process and its children there."""
    for folder in (settings.source_root, settings.komposition_root, settings.dagster_home):
        folder.mkdir(parents=True, exist_ok=True)
    configuration = settings.dagster_home / _CONFIGURATION
    if not configuration.exists():
        # Whole or not at all: an empty one would be taken for the user's wish to have no limits.
        temporary = configuration.with_name(f".{configuration.name}.{os.getpid()}")
        temporary.write_text(_DAGSTER_YAML)
        temporary.replace(configuration)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["MEDIA_ASSETS_DATA"] = str(settings.data_root)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Dagster's instance of a prepared home, whose databases are made if it is the first to open it.

    Dagster makes them unguarded: of two processes that are the first, one fails on what the other has made
    ("table already exists"). Ours wait for each other (and `home` makes them before `dagster dev` starts);
    one that meets a foreign process at it tries again.
    """
    with FileLock(settings.dagster_home / ".opening.lock"):
        for pause in _PAUSES_SECONDS:
            try:
                return _opened(settings)
            except DatabaseError as error:
                if is_damage(error):
                    raise
                time.sleep(pause)
        return _opened(settings)


def _opened(settings: Settings) -> dg.DagsterInstance:
    """The instance, with the limits of pools that the settings give; they are kept in its event log."""
    try:
        instance = dg.DagsterInstance.get()
    except _MISCONFIGURED as error:
        raise BadInput(
            f"Dagster's configuration cannot be used: {error}",
            where=str(settings.dagster_home / _CONFIGURATION),
            hint="mend it, or remove it: it is written anew",
        ) from error
    log = instance.event_log_storage
    known = {pool.name: pool.limit for pool in log.get_pool_limits()}
    for pool, limit in settings.pools.items():
        if known.get(pool) != limit:
            log.set_concurrency_slots(pool, limit)
    return instance
