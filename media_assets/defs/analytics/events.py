"""Events into the warehouse and what they say, hourly and on demand."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pandas as pd
from dagster_duckdb import DuckDBResource
from pydantic import Field

from media_assets.analytics import warehouse
from media_assets.analytics.origin import first_pseudonym, keyring_of
from media_assets.analytics.publishing import publish_marts
from media_assets.defs.analytics.answering import EVENTS, keep_record, told
from media_assets.settings import Settings

_EVENTS_SHOWN = 10
_COLUMNS_SHOWN = ["timestamp", "kind", "operation", "outcome", "duration_ms", "error"]
_OLDEST_SECONDS = 2 * 3600.0


class WarehouseResource(DuckDBResource):
    """The warehouse as a DuckDB resource, one process at a time.

    Dagster's own leaves the connection open when the body raises, and holds no lock while it opens.
    """

    database: str = Field(default="", description="Path of the DuckDB file; empty: the data root's.")

    @property
    def path(self) -> Path:
        """The DuckDB file, looked up when it is used: the environment may differ from import time's."""
        return Path(self.database) if self.database else Settings.from_environment().warehouse_path

    @property
    def marts_path(self) -> Path:
        """The copy for readers, beside the DuckDB file."""
        return self.path.with_name("marts.duckdb")

    @property
    def export_root(self) -> Path:
        """The folder of the daily export, beside the DuckDB file."""
        return self.path.with_name("events")

    @contextmanager
    def get_connection(self) -> Iterator[warehouse.Connection]:
        """A connection that is closed, and whose lock is let go, however the body ends.

        Raises:
            WarehouseBusy: another process held the warehouse for too long.
        """
        with warehouse.connect(self.path, config=self.connection_config) as connection:
            yield connection


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"})
def operation_events(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Every event, one row each, in a table for each kind; and their days as Parquet."""
    settings = Settings.from_environment()
    with warehouse_db.get_connection() as connection:
        report = warehouse.load_events(
            connection,
            settings.event_root,
            warehouse_db.export_root,
            pseudonym=first_pseudonym(settings),
        )
        total, version = warehouse.events_version(connection)
        last = pd.DataFrame(warehouse.stored_events(connection, _EVENTS_SHOWN), columns=_COLUMNS_SHOWN)
        publish_marts(connection, warehouse_db.path, warehouse_db.marts_path)
    keep_record(context, version)
    return dg.MaterializeResult(
        metadata={
            **asdict(report),
            "total": total,
            "last_events": told(last),
            "pseudonyms": "yes" if keyring_of(settings) else "no: `media-assets privacy status` says why",
        },
        data_version=dg.DataVersion(version),
    )


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[operation_events])
def operation_performance(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """How often, how well and how fast each operation went."""
    with warehouse_db.get_connection() as connection:
        statistics = warehouse.store_operation_performance(connection)
        publish_marts(connection, warehouse_db.path, warehouse_db.marts_path)
    content = statistics.to_json(orient="records", double_precision=15)
    version = hashlib.sha256(content.encode()).hexdigest()[:16]
    keep_record(context, version, (EVENTS,))
    return dg.MaterializeResult(
        metadata={
            "operations": len(statistics),
            "performance": told(statistics),
            "statistics": dg.MetadataValue.json(json.loads(content)),
        },
        data_version=dg.DataVersion(version),
    )


@dg.asset_check(asset=operation_events, pool="warehouse")
def no_events_lost(warehouse_db: WarehouseResource) -> dg.AssetCheckResult:
    """Each writer's events are loaded without a gap, up to its latest loaded one."""
    with warehouse_db.get_connection() as connection:
        lost = warehouse.lost_sequences(connection)
    return dg.AssetCheckResult(
        passed=lost.empty,
        metadata={"missing": int(lost["missing"].sum()), "writers": told(lost)},
    )


@dg.asset_check(asset=operation_events, pool="warehouse")
def events_are_fresh(warehouse_db: WarehouseResource) -> dg.AssetCheckResult:
    """No event waits to be loaded for longer than two hours."""
    with warehouse_db.get_connection() as connection:
        ages = warehouse.waiting_seconds(connection, Settings.from_environment().event_root)
    oldest = max(ages, default=0.0)
    return dg.AssetCheckResult(
        passed=oldest <= _OLDEST_SECONDS,
        metadata={"segments": len(ages), "oldest_seconds": round(oldest, 1)},
    )


@dg.asset_check(asset=operation_events, pool="warehouse")
def tables_are_as_documented(warehouse_db: WarehouseResource) -> dg.AssetCheckResult:
    """The tables have exactly the columns that the schema of events says."""
    with warehouse_db.get_connection() as connection:
        problems = warehouse.schema_problems(connection)
    return dg.AssetCheckResult(passed=not problems, metadata={"problems": dg.MetadataValue.json(problems)})


hourly_analytics = dg.ScheduleDefinition(
    name="hourly_analytics",
    target=dg.AssetSelection.groups("analytics"),
    cron_schedule="0 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Loads the events that wait and refreshes the figures.",
)


@dg.definitions
def analytics_definitions() -> dg.Definitions:
    """The warehouse, its two assets, their checks and their schedule."""
    return dg.Definitions(
        assets=[operation_events, operation_performance],
        asset_checks=[no_events_lost, events_are_fresh, tables_are_as_documented],
        schedules=[hourly_analytics],
        resources={"warehouse_db": WarehouseResource()},
    )
