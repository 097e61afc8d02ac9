"""A question's answer as the result of its asset: version, record on disk, tables and plots."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import dagster as dg
import pandas as pd

from media_assets.analytics import plots
from media_assets.defs.journal import keep
from media_assets.defs.tables import table
from media_assets.defs.versions import described, seen_whole
from media_assets.settings import Settings

EVENTS = dg.AssetKey("operation_events")


def answered(
    context: dg.AssetExecutionContext,
    answers: Mapping[str, pd.DataFrame],
    drawn: Mapping[str, str],
    *,
    reads: tuple[dg.AssetKey, ...] = (EVENTS,),
) -> dg.MaterializeResult[None]:
    """The result of a question's asset: a table and its rows for each answer, and the plots.

    Its data version is a hash of the answers, so that what reads them is stale only if they changed.

    Args:
        answers: by the name of their entry in the metadata; figures of too few people are left out of
            them already.
        drawn: SVG by title.
        reads: the assets that the answers come from.
    """
    version = version_of(answers.values())
    keep_record(context, version, reads)
    pictures = {title: dg.MetadataValue.md(plots.markdown(svg, title)) for title, svg in drawn.items()}
    tables = {name: told(frame) for name, frame in answers.items()}
    counts = {f"{name} (rows)": dg.MetadataValue.int(len(frame)) for name, frame in answers.items()}
    return dg.MaterializeResult(
        metadata={**tables, **pictures, **counts}, data_version=dg.DataVersion(version)
    )


def keep_record(context: dg.AssetExecutionContext, version: str, reads: Iterable[dg.AssetKey] = ()) -> None:
    """Keep on disk what Dagster will record of an asset that was made from what `reads` are now."""
    inputs = {key: seen for key in reads if (seen := seen_whole(context.instance, key))}
    # Without a code version, Dagster takes the run's id.
    code = context.run.run_id
    keep(
        described(
            context.asset_key, None, data_version=version, code_version=code, inputs=inputs, metadata={}
        ),
        Settings.from_environment(),
    )


def told(frame: pd.DataFrame) -> dg.MarkdownMetadataValue:
    """A table as Dagster shows it."""
    return table(list(map(str, frame.columns)), rows(frame))


def version_of(frames: Iterable[pd.DataFrame]) -> str:
    """A hash of tables: the same for the same figures."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(frame.to_json(orient="split", double_precision=12).encode())
    return digest.hexdigest()[:16]


def rows(frame: pd.DataFrame) -> list[list[object]]:
    """Cells as people read them: three digits, and nothing where there is nothing."""
    return [[_cell(value) for value in row] for row in frame.to_numpy(dtype=object).tolist()]


def _cell(value: object) -> object:
    if value is None or value != value:  # NaN is the one value unlike itself
        return None
    if isinstance(value, pd.Timestamp) and value == value.normalize():
        return value.date()
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return value
