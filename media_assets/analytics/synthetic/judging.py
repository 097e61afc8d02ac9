"""How well abuse is found among synthetic events, where it is known who did it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from media_assets.analytics.connection import Connection
from media_assets.analytics.questions import abuse
from media_assets.analytics.rollups import refresh
from media_assets.analytics.synthetic.planted import Planted
from media_assets.settings import Settings

_ALL_DAYS = 36_500


@dataclass(frozen=True)
class Judged:
    """What was found of what was planted.

    Attributes:
        planted, found: abusers by measure; found is who did too much by that measure and was told so.
        users, false_users: others than abusers, and how many of those raised an alarm.
        hours, false_hours: the same for their active hours.
    """

    planted: Mapping[str, int]
    found: Mapping[str, int]
    users: int
    false_users: int
    hours: int
    false_hours: int


def judge(connection: Connection, planted: Planted, settings: Settings | None = None) -> Judged:
    """Look for abuse on all days, and compare with what was planted."""
    settings = settings or Settings.from_environment()
    refresh(connection, abuse.ROLLUPS)
    found = abuse.windows(connection, days=_ALL_DAYS)
    windows = abuse.alarming(found, abuse.usual(found, settings), settings.abuse_z)
    told = set(zip(windows["user"], windows["measure"], strict=True))
    false = windows[~windows["user"].isin(planted.abusers)]
    row = connection.execute(
        'SELECT count(DISTINCT "user"), count(*) FROM abuse_hours WHERE NOT list_contains(?, "user")',
        [list(planted.abusers)],
    ).fetchone()
    users, hours = row if row else (0, 0)
    return Judged(
        planted=Counter(planted.abuses.values()),
        found=Counter(measure for user, measure in planted.abuses.items() if (user, measure) in told),
        users=users,
        false_users=false["user"].nunique(),
        hours=hours,
        false_hours=len(false.drop_duplicates(["user", "hour"])),
    )
