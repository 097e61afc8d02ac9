"""What the planner learns from events: how far this machine is from the shipped speeds."""

from __future__ import annotations

from media_assets.analytics.connection import Connection, connect
from media_assets.errors import MediaAssetsError
from media_assets.planning.estimates import Factors
from media_assets.settings import Settings

FEWEST_EVENTS = 5
"""Events of one operation from which its own factor is taken; below, all operations together say."""

# The median of the ratios: one render on a busy machine must not count. A window of the latest events
# follows a machine that changes.
_FACTORS = """
WITH recent AS (
    SELECT operation, cpu_seconds / expected_cpu_seconds AS ratio
    FROM operation_events
    WHERE outcome = 'rendered' AND expected_cpu_seconds > 0 AND cpu_seconds > 0
    QUALIFY row_number() OVER (PARTITION BY operation ORDER BY "timestamp" DESC) <= 500
)
SELECT operation, count(*) AS events, median(ratio) AS factor FROM recent GROUP BY ROLLUP (operation)
"""


def fitted_factors(connection: Connection) -> Factors:
    """Measured over expected CPU-seconds: by operation where there are five events, and over all."""
    rows = connection.execute(_FACTORS).fetchall()
    whole = [factor for name, events, factor in rows if name is None and events >= FEWEST_EVENTS]
    own = {name: factor for name, events, factor in rows if name is not None and events >= FEWEST_EVENTS}
    return Factors(own, whole[0] if whole else 1.0)


def factors_of(settings: Settings) -> Factors:
    """The factors of a data root; the shipped speeds as they are, where nothing was loaded yet or the
    warehouse is in use."""
    try:
        with connect(settings.warehouse_path, read_only=True, timeout=2.0) as connection:
            return fitted_factors(connection)
    except MediaAssetsError:
        return Factors()
