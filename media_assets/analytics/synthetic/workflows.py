"""Synthetic workflow events from the chains of operations, with adoption of templates planted; retention.

Both change a warehouse that `generate` filled: what they plant is a value of this module's, so that the
key figures can be held against it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media_assets.analytics.connection import Connection

# What a chain or a week draws is a hash of it and the seed: the same each time, in any order of rows.
_DRAW = "(hash({what}, $seed) % 1000003) / 1000003.0"

_WEEK_OF_USER = """"user" || ' ' || CAST(since AS VARCHAR)"""

_DERIVE = f"""
INSERT INTO workflow_events BY NAME
WITH bounds AS (
    SELECT epoch(min("timestamp")) AS first, epoch(max("timestamp")) AS last FROM operation_events
),
requests AS (
    SELECT
        chain, max("timestamp") AS "timestamp", max(event_id) AS event_id, any_value("user") AS "user",
        any_value(subject) AS subject, any_value(run) AS run, arg_min(operation, position) AS begun,
        count(*) AS operations, count(*) FILTER (outcome = 'rendered') AS rendered,
        count(*) FILTER (outcome = 'cached') AS cached, count(*) FILTER (outcome = 'failed') AS failed,
        any_value(error) AS error, sum(duration_ms) AS duration_ms, sum(cpu_seconds) AS cpu_seconds,
        CAST(sum(bytes_written) AS BIGINT) AS bytes_written
    FROM operation_events WHERE chain IS NOT NULL GROUP BY chain
),
drawn AS (
    SELECT *,
        {_DRAW.format(what="chain")} < $adoption_first
            + ($adoption_last - $adoption_first) * (epoch("timestamp") - first) / (last - first)
            AS adopted,
        {_DRAW.format(what="chain || 'cancelled'")} < $cancelled AND failed = 0 AS cancelled
    FROM requests, bounds
)
SELECT
    -- An operation's id with another variant is unique too, and as late.
    CAST(overlay_id AS UUID) AS event_id, "timestamp", 'synthetic_workflows' AS writer,
    row_number() OVER (ORDER BY overlay_id) AS "sequence", "user", 'dagster' AS platform,
    'linux-x86_64-2' AS machine, run,
    CASE WHEN adopted THEN 'template_' || begun END AS workflow,
    CASE WHEN adopted THEN 'workflow' ELSE 'job' END AS type,
    CASE WHEN adopted THEN 'template_' || begun END AS template,
    CASE WHEN failed > 0 THEN 'failed' WHEN cancelled THEN 'cancelled' ELSE 'done' END AS outcome,
    failed = 0 AND NOT cancelled AS success, error, operations, rendered, cached, failed, duration_ms,
    cpu_seconds, bytes_written, subject
FROM (
    SELECT *, left(CAST(event_id AS VARCHAR), 19) || '9' || substr(CAST(event_id AS VARCHAR), 21)
        AS overlay_id
    FROM drawn
)
"""  # noqa: S608 - our own words

_LEAVE = f"""
DELETE FROM operation_events WHERE event_id IN (
    WITH bounds AS (SELECT min(CAST("timestamp" AS DATE)) AS first FROM operation_events),
    weeks AS (
        SELECT event_id, "user",
            (CAST(date_trunc('week', "timestamp") AS DATE) - CAST(date_trunc('week', first) AS DATE)) // 7
                AS week
        FROM operation_events, bounds WHERE "user" IS NOT NULL
    ),
    come AS (
        SELECT *, week - CAST(floor({_DRAW.format(what='"user"')} * $weeks) AS BIGINT) AS since FROM weeks
    )
    SELECT event_id FROM come
    WHERE since < 0 OR since > 0
        AND {_DRAW.format(what=_WEEK_OF_USER)}
            >= list_extract($curve, least(since, len($curve)))
)
"""  # noqa: S608


@dataclass(frozen=True)
class PlantedWorkflows:
    """What is planted.

    Attributes:
        adoption: share of requests that are made from a template on the first day, and on the last.
        cancelled: share of those without a failure that are cancelled.
        retention: share of people at work one week after they came, two weeks, and so on; the last
            value holds for all later weeks.
        weeks: people come in the first so many weeks, as many in each.
    """

    adoption: tuple[float, float] = (0.05, 0.45)
    cancelled: float = 0.02
    retention: Sequence[float] = (0.7, 0.55, 0.45, 0.4)
    weeks: int = 6


PLANTED_WORKFLOWS = PlantedWorkflows()


def derive(
    connection: Connection, *, seed: int = 1, planted: PlantedWorkflows = PLANTED_WORKFLOWS
) -> PlantedWorkflows:
    """Put an event of a workflow into the warehouse for each chain of operations that is there."""
    first, last = planted.adoption
    connection.execute(
        _DERIVE,
        {"seed": seed, "adoption_first": first, "adoption_last": last, "cancelled": planted.cancelled},
    )
    return planted


def let_people_leave(
    connection: Connection, *, seed: int = 1, planted: PlantedWorkflows = PLANTED_WORKFLOWS
) -> PlantedWorkflows:
    """Remove what people did before the week they come in, and in weeks that they stay away.

    About half of the operations go. Workflows are derived after this.
    """
    connection.execute(
        _LEAVE, {"seed": seed, "weeks": planted.weeks, "curve": [float(x) for x in planted.retention]}
    )
    return planted
