"""What sequences are counted from: histories, users and times, by day."""

from __future__ import annotations

from media_assets.analytics.rollups import Rollup

BUCKET = 1.04
"""Times are kept in buckets this much apart: a median is within 2 % of the true one."""
MOST_USERS = 32
"""Users are counted up to here, which is as far as the setting goes."""

# A request is of the day on which it began. One that failed at once may have no event of its beginning.
REQUESTS = Rollup(
    "sequence_requests",
    "operation_events",
    """
    SELECT day, source_kind, count(*) AS requests FROM (
        SELECT day, hash(chain) AS request, any_value(source_kind) AS source_kind,
            min(position) AS first, arg_min(success, position) AS passed
        FROM events WHERE chain IS NOT NULL AND position > 0 GROUP BY ALL
    ) WHERE first = 1 OR NOT passed GROUP BY ALL
    """,
)

# A failure is counted where it happened. What follows it in its chain only carries it on.
STEPS = Rollup(
    "sequence_steps",
    "operation_events",
    """
    SELECT day, source_kind, previous, operation, position,
        count(DISTINCT hash(chain)) AS chains,
        count(DISTINCT hash(chain)) FILTER (WHERE position > broken) AS carried,
        count(DISTINCT hash(chain)) FILTER (WHERE position = broken AND NOT success) AS failed
    FROM events LEFT JOIN (
        SELECT day, chain, min(position) AS broken FROM events
        WHERE NOT success AND chain IS NOT NULL AND position > 0 GROUP BY ALL
    ) AS failures USING (day, chain)
    WHERE chain IS NOT NULL AND position > 0 AND previous IS NOT NULL
    GROUP BY ALL
    """,
)

USERS = Rollup(
    "sequence_users",
    "operation_events",
    f"""
    SELECT day, previous, operation, list("user")[:{MOST_USERS}] AS users
    FROM (
        SELECT DISTINCT day, previous, operation, "user" FROM events
        WHERE chain IS NOT NULL AND position > 0 AND previous IS NOT NULL AND "user" IS NOT NULL
    ) GROUP BY ALL
    """,  # noqa: S608 - our own number
)

# Times need whole chains: the list of running sums gives every part of one by a difference.
TIMES = Rollup(
    "sequence_times",
    "operation_events",
    f"""
    SELECT * FROM (
        WITH chains AS MATERIALIZED (
            SELECT day, hash(chain) AS request,
                string_agg(operation, '>' ORDER BY position) FILTER (WHERE position <= 6) AS path,
                [0.0,
                    sum(duration_ms) FILTER (WHERE position <= 1),
                    sum(duration_ms) FILTER (WHERE position <= 2),
                    sum(duration_ms) FILTER (WHERE position <= 3),
                    sum(duration_ms) FILTER (WHERE position <= 4),
                    sum(duration_ms) FILTER (WHERE position <= 5),
                    sum(duration_ms) FILTER (WHERE position <= 6)] AS passed
            FROM events WHERE chain IS NOT NULL AND position > 0 GROUP BY ALL
            HAVING count(*) = max(position) AND count(DISTINCT position) = max(position)
                AND bool_and(success)
        ),
        paths AS (SELECT path, string_split(path, '>') AS steps FROM (SELECT DISTINCT path FROM chains)),
        ends AS (SELECT path, steps, unnest(range(2, len(steps) + 1)) AS "end" FROM paths),
        bounds AS (SELECT path, steps, "end", unnest(range(1, "end")) AS start FROM ends),
        parts AS MATERIALIZED (
            SELECT path, start, "end", array_to_string(steps[start:"end"], '>') AS sequence FROM bounds
        )
        SELECT day, sequence,
            CAST(floor(ln(greatest(passed["end" + 1] - passed[start], 1.0)) / ln({BUCKET})) AS SMALLINT)
                AS bucket,
            count(*) AS chains
        FROM chains JOIN parts USING (path) GROUP BY ALL
    )
    """,  # noqa: S608 - our own number
)
