"""The root of the Dagster project: loads media_assets/defs/, nothing else."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg

from media_assets.importing import without_collecting

# Dagster makes definitions of checks anew as it loads them, and warns of a parameter that it gives itself.
warnings.filterwarnings(
    "ignore", "Parameter `execution_type` of function `AssetsDefinition", dg.BetaWarning
)


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under media_assets/defs/."""
    with without_collecting():
        return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
