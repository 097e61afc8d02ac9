"""Templates of workflows, as an asset: proposed from what people run, followed once they are adopted."""

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.analytics.publishing import publish_marts
from media_assets.analytics.templating import lifecycle
from media_assets.analytics.templating.adoptions import adoptions
from media_assets.components.loaded import loaded_workflows
from media_assets.defs.analytics.answering import EVENTS, answered
from media_assets.defs.analytics.events import WarehouseResource
from media_assets.settings import Settings

_DRAFTS_SHOWN = 5


@dg.asset(group_name="analytics", pool="warehouse", kinds={"duckdb"}, deps=[EVENTS])
def workflow_templates(
    context: dg.AssetExecutionContext, warehouse_db: WarehouseResource
) -> dg.MaterializeResult[None]:
    """Chains worth a workflow of their own: candidate, offered, adopted or retired, with the reasons."""
    adopted = adoptions(Settings.from_environment().workflow_root)
    with warehouse_db.get_connection() as connection:
        reserved = [workflow.name for workflow in loaded_workflows() if workflow.template is None]
        frame = lifecycle.update(connection, adopted, reserved)
        publish_marts(connection, warehouse_db.path, warehouse_db.marts_path)
    result = answered(context, {"templates": _told(frame)}, {"Templates": _share(frame)})
    counts = {state: int((frame["state"] == state).sum()) for state in lifecycle.STATES}
    return result._replace(metadata={**(result.metadata or {}), **counts, "drafts": _drafts(frame)})


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with days and kinds as text, and without documents."""
    days = {name: frame[name].dt.strftime("%Y-%m-%d") for name in ("since", "adopted", "last_use")}
    kinds = [", ".join(kinds) for kinds in frame["kinds"]]
    return frame.assign(**days, kinds=kinds).drop(columns="document")


def _drafts(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """The first documents on offer."""
    offered = frame.loc[frame["state"] == "offered", "document"].head(_DRAFTS_SHOWN)
    return dg.MetadataValue.md(
        "\n\n".join(f"```yaml\n{document}```" for document in offered) or "Nothing is on offer."
    )


def _share(frame: pd.DataFrame) -> str:
    shown = frame[frame["state"].isin(["offered", "adopted"])].dropna(subset="share")
    values = {
        f"{name} ({state})": 100 * share
        for name, state, share in zip(shown["name"], shown["state"], shown["share"], strict=True)
    }
    return plots.bars(values, title="Templates", unit="% of requests for their kinds of source")


@dg.definitions
def template_definitions() -> dg.Definitions:
    """The asset."""
    return dg.Definitions(assets=[workflow_templates])
