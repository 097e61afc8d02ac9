"""What the assets of questions share: the record on disk, and tables as Dagster shows them."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import pandas as pd

from media_assets.defs.journal import keep
from media_assets.defs.versions import Seen, described
from media_assets.settings import Settings


def keep_record(
    context: dg.AssetExecutionContext, version: str, inputs: Mapping[dg.AssetKey, Seen]
) -> None:
    """Keep on disk what Dagster will record; without a code version, it takes the run's id."""
    asset, code = context.asset_key, context.run.run_id
    keep(
        described(asset, None, data_version=version, code_version=code, inputs=inputs, metadata={}),
        Settings.from_environment(),
    )


def table(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """A markdown table; ids hold `|` where a partition key has two parts."""
    shown = frame.map(_cell)
    lines = [list(map(str, shown.columns)), ["---"] * len(shown.columns), *shown.to_numpy().tolist()]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def _cell(value: object) -> str:
    if value is None or value != value:  # NaN is the one value unlike itself
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("|", "\\|")
