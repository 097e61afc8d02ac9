"""Sums by day that the key figures come from: work, workflows and their times, predictions, people."""

from __future__ import annotations

from media_assets.analytics.questions.histograms import bucket_of
from media_assets.analytics.rollups import Rollup

SMALLEST_ERROR = 1e-4
"""A prediction that is off by less counts as off by this much: a logarithm has no 0."""
_ERROR = f"greatest(abs(predicted / cpu_seconds - 1), {SMALLEST_ERROR})"

# People are numbers made from their pseudonyms, up to 32 a row: enough to tell whether a sum of rows is
# of few. Sums are made by person first, which costs a third of a list of distinct people.
_PEOPLE = """
    list_slice(list_sort(list(md5_number_lower("user")) FILTER ("user" IS NOT NULL)), 1, 32) AS users
"""

WORK = Rollup(
    "kpi_work",
    "operation_events",
    f"""
    , by_user AS (
        SELECT
            day, operation, coalesce(resolution_class, 'none') AS resolution_class, "user",
            count(*) AS events,
            count(*) FILTER (outcome = 'rendered') AS rendered,
            count(*) FILTER (outcome = 'cached') AS cached,
            sum(cpu_seconds) AS cpu_seconds,
            coalesce(sum(cpu_seconds) FILTER (outcome = 'rendered'), 0) AS rendered_cpu_seconds,
            coalesce(sum(output_seconds) FILTER (outcome = 'rendered'), 0) AS made_seconds,
            coalesce(sum(bytes_written) FILTER (outcome = 'rendered'), 0) AS bytes_written
        FROM events GROUP BY ALL
    )
    SELECT
        day, operation, resolution_class,
        CAST(sum(events) AS BIGINT) AS events, CAST(sum(rendered) AS BIGINT) AS rendered,
        CAST(sum(cached) AS BIGINT) AS cached, sum(cpu_seconds) AS cpu_seconds,
        sum(rendered_cpu_seconds) AS rendered_cpu_seconds, sum(made_seconds) AS made_seconds,
        CAST(sum(bytes_written) AS DOUBLE) AS bytes_written, {_PEOPLE}
    FROM by_user GROUP BY ALL
    """,  # noqa: S608 - our own words
)

WORKFLOWS = Rollup(
    "kpi_workflows",
    "workflow_events",
    f"""
    , by_user AS (
        SELECT
            day, type, template IS NOT NULL AS templated, "user", count(*) AS events,
            count(*) FILTER (outcome = 'done') AS done, count(*) FILTER (outcome = 'failed') AS failed
        FROM events GROUP BY ALL
    )
    SELECT
        day, type, templated, CAST(sum(events) AS BIGINT) AS events,
        CAST(sum(done) AS BIGINT) AS done, CAST(sum(failed) AS BIGINT) AS failed, {_PEOPLE}
    FROM by_user GROUP BY ALL
    """,  # noqa: S608
)

TIMES = Rollup(
    "kpi_workflow_times",
    "workflow_events",
    f"""
    SELECT day, type, {bucket_of("duration_ms / 1000")} AS bucket, count(*) AS events
    FROM events WHERE outcome = 'done' AND rendered > 0 AND duration_ms > 0 GROUP BY ALL
    """,  # noqa: S608
)

TEMPLATE_PEOPLE = Rollup(
    "kpi_template_people",
    "workflow_events",
    """
    SELECT day, md5_number_lower("user") AS "user", bool_or(template IS NOT NULL) AS templated
    FROM events WHERE "user" IS NOT NULL AND type IN ('workflow', 'job') GROUP BY day, events."user"
    """,
)

PREDICTIONS = Rollup(
    "kpi_predictions",
    "operation_events",
    f"""
    , pairs AS (
        SELECT
            day, "user", cpu_seconds, predicted_cpu_seconds > 0 AS learnt,
            CASE WHEN predicted_cpu_seconds > 0 THEN predicted_cpu_seconds ELSE expected_cpu_seconds END
                AS predicted
        FROM events WHERE outcome = 'rendered' AND cpu_seconds > 0
    ),
    by_user AS (
        SELECT day, coalesce(learnt, false) AS learnt, {bucket_of(_ERROR)} AS bucket, "user",
            count(*) AS events
        FROM pairs WHERE predicted > 0 GROUP BY ALL
    )
    SELECT day, learnt, bucket, CAST(sum(events) AS BIGINT) AS events, {_PEOPLE}
    FROM by_user GROUP BY ALL
    """,  # noqa: S608
)

PEOPLE = Rollup(
    "retention_people",
    "operation_events",
    """
    SELECT DISTINCT day, md5_number_lower("user") AS "user" FROM events WHERE "user" IS NOT NULL
    """,
)
