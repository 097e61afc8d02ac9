"""The root of the Dagster project: loads media_assets/defs/, nothing else."""

from __future__ import annotations

from pathlib import Path

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Everything under media_assets/defs/."""
    return dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
