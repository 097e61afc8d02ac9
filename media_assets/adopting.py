"""Adopting a template: its draft becomes a saved workflow under the data root."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from media_assets.analytics.connection import connect
from media_assets.analytics.templating import lifecycle
from media_assets.analytics.templating.adoptions import adoptions, record_adoption
from media_assets.components.saved import DOCUMENT, parse_saved
from media_assets.errors import BadInput, disk_errors
from media_assets.settings import PROJECT_ROOT, Settings
from media_assets.store.files import write_bytes

PROJECT_WORKFLOWS = PROJECT_ROOT / "media_assets" / "defs" / "workflows"


def templates_now(settings: Settings) -> pd.DataFrame:
    """The templates that the loaded events and the adoptions of now give; empty before the first load."""
    with connect(settings.warehouse_path) as connection:
        return lifecycle.update(connection, adoptions(settings.workflow_root), _names(settings))


def template(settings: Settings, name: str) -> dict[str, Any]:
    """One template.

    Raises:
        BadInput: there is none of that name; the names there are follow.
    """
    frame = templates_now(settings)
    found = [row for row in frame.to_dict("records") if row["name"] == name]
    if not found:
        known = f"there are: {', '.join(frame['name'])}"
        none = "there is none yet: they come from loaded events, which `media-assets analytics` loads"
        raise BadInput(f"there is no template {name!r}", hint=none if frame.empty else known)
    return {str(column): value for column, value in found[0].items()}


def adopt(settings: Settings, name: str) -> Path:
    """Save a template as a workflow of its name, and return the document's path.

    Raises:
        BadInput: there is no such template, it is not on offer, or there is a workflow of that name.
    """
    folder = settings.workflow_root / name
    found = template(settings, name)
    if name in _names(settings) or folder.exists():
        raise BadInput(
            f"there is a workflow {name!r} already",
            where=str(folder if folder.exists() else PROJECT_WORKFLOWS / name),
            hint="it is left as it is; remove it first if you want the template's",
        )
    if found["state"] != "offered":
        raise BadInput(
            f"it is not on offer but {found['state']}: {found['reasons']}",
            where=name,
            hint="`media-assets templates list` shows what is",
        )
    document = folder / DOCUMENT
    data = str(found["document"]).encode()
    parse_saved(data, name, str(document))
    with disk_errors(document):
        folder.mkdir(parents=True)
        # First the record: without a document it tells of nothing, and a document is loaded at once.
        record_adoption(folder, name, str(found["sequence"]).split(">"), datetime.now(UTC).date())
        write_bytes(document, data)
    return document


def _names(settings: Settings) -> set[str]:
    """Workflows that came from no template: the project's, and those that people wrote."""
    adopted = {one.name for one in adoptions(settings.workflow_root)}
    saved = {path.parent.name for path in settings.workflow_root.glob(f"*/{DOCUMENT}")}
    return {path.parent.name for path in PROJECT_WORKFLOWS.glob(f"*/{DOCUMENT}")} | (saved - adopted)
