"""Events of the first schema, of which lines and tables may still be there: made into those of today."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from media_assets.analytics.schema.common import SCHEMA

_EFFECT = re.compile(r"effect_[a-z0-9_]{1,80}_[0-9a-f]{16}")
MACHINE = "unknown-unknown-0"
Pseudonym = Callable[[str, str], str]
_SAME = (
    "event_id", "timestamp", "writer", "sequence", "operation", "outcome", "success", "error",
    "parameters", "cpu_seconds", "peak_memory_bytes", "ffmpeg_runs", "input_seconds", "output_seconds",
    "speed", "expected_cpu_seconds", "fingerprint",
)  # fmt: skip
_LISTED_ASSETS = ("source_file", "thumbnail", "content_analysis", "screenshots", "effect_output")


def is_first(document: Mapping[str, Any]) -> bool:
    """Whether a line is of the first schema: it tells no kind, and names an effect."""
    return "kind" not in document and "effect" in document


def converted(document: Mapping[str, Any], pseudonym: Pseudonym | None = None) -> Mapping[str, Any]:
    """A line of the first schema as one of today; any other is given back as it is.

    What named files or kompositions becomes a keyed hash, or nothing without `pseudonym` (which takes a
    letter for the kind of name, and the name).
    """
    if not is_first(document):
        return document
    made = {name: document[name] for name in _SAME if document.get(name) is not None}
    made |= {"kind": "operation", "schema": SCHEMA, "platform": "dagster", "machine": MACHINE}
    for new, old, factor in (("duration_ms", "seconds", 1000), ("bytes_written", "output_bytes", 1)):
        value = document.get(old)
        if value is not None:
            made[new] = value * factor if type(value) in (int, float) else value
    asset, run, effect = (document.get(name) for name in ("asset", "run_id", "effect"))
    if isinstance(run, str) and run.replace("-", "").isalnum():
        made["run"] = run
    if isinstance(asset, str) and (
        asset in _LISTED_ASSETS or "/" in asset or asset.startswith("komposition_")
    ):
        made["asset"] = asset
        if "/" in asset:
            made["workflow"] = asset.split("/")[0]
    if isinstance(effect, str) and _EFFECT.fullmatch(effect):
        made["output"] = effect
    elif pseudonym is not None and effect:
        made["output"] = pseudonym("o", str(effect))
    if pseudonym is not None and document.get("partition"):
        made["subject"] = pseudonym("s", str(document["partition"]))
    return made
