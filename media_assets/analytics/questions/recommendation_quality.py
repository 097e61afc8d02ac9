"""Question: how good recommendations are, against what was then done and against simpler ones."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.analytics.recommender.evaluation import evaluate
from media_assets.analytics.recommender.uses import ROLLUP
from media_assets.settings import Settings

ROLLUPS = (ROLLUP,)


def answer(connection: Connection) -> pd.DataFrame:
    """The evaluation over all its windows; its columns are those of `evaluate`."""
    return evaluate(connection, fewest=Settings.from_environment().fewest_users).whole
