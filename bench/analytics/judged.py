"""How many of the planted abusers are found, and how many others are taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.timing import Clock
from media_assets.analytics.connection import connect
from media_assets.analytics.synthetic.judging import judge
from media_assets.analytics.synthetic.planted import PLANTED


def measure(path: Path, size: int) -> dict[str, Any]:
    """Judge the warehouse at `path`, of which is known who was planted."""
    abuses = json.loads(path.with_suffix(".json").read_text())
    clock = Clock()
    with connect(path) as connection:
        found = judge(connection, replace(PLANTED, abusers=tuple(abuses), abuses=abuses))
    planted, told = sum(found.planted.values()), sum(found.found.values())
    return clock.told() | {
        "planted": dict(found.planted),
        "found": dict(found.found),
        "missed": planted - told,
        "users": found.users,
        "false_users": found.false_users,
        "false_users_share": round(found.false_users / max(found.users, 1), 5),
        "hours": found.hours,
        "false_hours": found.false_hours,
    }
