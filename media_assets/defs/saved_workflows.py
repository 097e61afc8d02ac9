"""Workflows that are saved under the data root, beside those of the project."""

from pathlib import Path

import dagster as dg

from media_assets.components.loaded import forget_saved
from media_assets.components.saved import read_saved, saved_documents
from media_assets.errors import DocumentError
from media_assets.settings import Settings

PROJECT = Path(__file__).parent / "workflows"
"""The folder of the project's own workflows."""


@dg.definitions
def saved_workflow_definitions() -> dg.Definitions:
    """The assets of each document.

    Raises:
        DocumentError: one does not hold, or has the name of a workflow of the project.
    """
    documents = saved_documents(Settings.from_environment().workflow_root)
    forget_saved(path.parent.name for path in documents)
    own = {path.name for path in PROJECT.iterdir()}
    for path in documents:
        if path.parent.name in own:
            finding = ("$.attributes.name", f"the project has a workflow {path.parent.name!r}")
            raise DocumentError("the workflow does not hold", [finding], where=str(path))
    return dg.Definitions.merge(*(read_saved(path).definitions(str(path)) for path in documents))
