"""Chains of operations that somebody does, put into the warehouse's table of events."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from media_assets.analytics.connection import Connection

_INSERT = """
INSERT INTO operation_events BY NAME
SELECT CAST(event_id AS UUID) AS event_id, "timestamp", CAST("user" AS VARCHAR) AS "user",
    'cli' AS platform, 'test' AS machine, operation, outcome, outcome <> 'failed' AS success,
    CAST(parameters AS JSON) AS parameters, position, CAST(previous AS VARCHAR) AS previous, source_kind
FROM done
"""


def do(
    connection: Connection,
    user: str | None,
    chain: Sequence[str],
    *,
    times: int = 1,
    kind: str = "video",
    at: datetime = datetime(2026, 10, 1, 12),
    parameters: Mapping[str, Any] | None = None,
    fails: bool = False,
) -> None:
    """Somebody does a chain, `times` times from `at` on.

    Args:
        parameters: of the last operation.
        fails: the last operation does.
    """
    done = [
        {
            "event_id": str(uuid.uuid4()),
            "timestamp": at + timedelta(seconds=10 * again + place),
            "user": user,
            "operation": operation,
            "outcome": "failed" if fails and place == len(chain) - 1 else "rendered",
            "parameters": json.dumps(parameters if parameters and place == len(chain) - 1 else {}),
            "position": place + 1,
            "previous": ">".join(chain[max(0, place - 5) : place]) if user is not None else None,
            "source_kind": kind,
        }
        for again in range(times)
        for place, operation in enumerate(chain)
    ]
    connection.register("done", pd.DataFrame(done))
    connection.execute(_INSERT)
    connection.unregister("done")
