"""Which figures may be shown: what few people did is not, for it would tell of them."""

from __future__ import annotations

import pandas as pd

from media_assets.analytics.connection import Connection
from media_assets.settings import Settings


def suppressed(
    frame: pd.DataFrame, connection: Connection, *, fewest: int | None = None, users: str = "users"
) -> pd.DataFrame:
    """The rows of figures that may be shown, without the column `users`.

    Where fewer than `fewest` people use the whole installation, all rows are kept: who looks is one of
    them, and figures about operations name nobody. Figures about users go through `withheld` instead.

    Args:
        frame: figures, with a column that tells how many users are behind each row.
        fewest: users behind a row that is shown; the setting without.
        users: that column.
    """
    least = _fewest(fewest)
    if known_users(connection, least) >= least:
        frame = frame[frame[users] >= least]
    return frame.drop(columns=users).reset_index(drop=True)


def withheld(frame: pd.DataFrame, *, fewest: int | None = None, users: str = "users") -> pd.DataFrame:
    """The rows of figures about users that may be shown to others, however few use the installation."""
    return frame[frame[users] >= _fewest(fewest)].drop(columns=users).reset_index(drop=True)


def known_users(connection: Connection, most: int) -> int:
    """How many users the events are of, counted up to `most`."""
    row = connection.execute(
        """
        SELECT count(*) FROM (
            SELECT DISTINCT "user" FROM operation_events WHERE "user" IS NOT NULL LIMIT ?
        )
        """,
        [most],
    ).fetchone()
    return int(row[0]) if row else 0


def _fewest(given: int | None) -> int:
    return Settings.from_environment().fewest_users if given is None else given
