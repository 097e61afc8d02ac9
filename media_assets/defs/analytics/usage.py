"""How operations are used and how fast they are, as an asset with tables and plots."""

import dagster as dg

from media_assets.analytics.questions import questions, usage_plots
from media_assets.analytics.questions.usage import used
from media_assets.analytics.questions.usage_parameters import failing_parameters, slow_parameters
from media_assets.defs.analytics.answering import EVENTS, answered
from media_assets.defs.analytics.events import WarehouseResource


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def operation_usage(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """How often, how well and how fast each operation goes, whether it becomes slower, and what with."""
    with warehouse_db.get_connection() as connection:
        operations = questions()["usage"].asked(connection)
        answers = {
            "operations": operations,
            "by format and resolution": used(
                connection, ("operation", "output_format", "resolution_class")
            ),
            "slow parameters": slow_parameters(connection),
            "failing parameters": failing_parameters(connection),
        }
        drawn = usage_plots.drawn(connection, operations)
    return answered(context, answers, drawn)


@dg.definitions
def usage_definitions() -> dg.Definitions:
    """The asset."""
    return dg.Definitions(assets=[operation_usage])
