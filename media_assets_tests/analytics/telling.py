"""Events for tests, of an origin whose key never changes."""

from __future__ import annotations

from typing import Any

from media_assets.analytics.keyring import Key
from media_assets.analytics.making import new_operation
from media_assets.analytics.origin import Origin
from media_assets.analytics.schema import OperationEvent

KEY = Key("test", bytes(32), "2026-01-01T00:00:00+00:00")
ORIGIN = Origin("u_test_" + "0" * 32, "cli", "linux-x86_64-2", "a-run", KEY)


def new_event(
    operation: str, effect: str, outcome: str, *, seconds: float = 0.0, **values: Any
) -> OperationEvent:
    """The event of an operation that made `effect`."""
    values.setdefault("output", ORIGIN.output(effect))
    return new_operation(ORIGIN, operation, outcome, duration_ms=seconds * 1000, **values)
