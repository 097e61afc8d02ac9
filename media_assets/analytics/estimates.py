"""What the planner knows of past events: curves kept beside the warehouse, and predictions from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from media_assets.planning.learnt import Factors, Predicted, Quantity, basis, scales, traits
from media_assets.settings import Settings
from media_assets.store.files import write_json
from media_assets.store.outputs import Recipe

_FACTORS = TypeAdapter(Factors)
_FIELDS: Mapping[Quantity, tuple[str, float]] = {
    "cpu_seconds": ("predicted_cpu_seconds", 1.0),
    "seconds": ("predicted_ms", 1000.0),
    "memory_bytes": ("predicted_memory_bytes", 1.0),
    "disk_bytes": ("predicted_bytes", 1.0),
}


def keep_factors(factors: Factors, settings: Settings) -> None:
    """Keep what was learnt for the planner, in the place of what was learnt before."""
    write_json(settings.predictions_path, _FACTORS.dump_python(factors, mode="json"))


def factors_of(settings: Settings) -> Factors:
    """What was learnt of a data root; nothing, where nothing was yet, or its file cannot be read."""
    path = settings.predictions_path
    try:
        state = path.stat()
        return _read(path, state.st_mtime_ns, state.st_size, state.st_ino)
    except (OSError, ValidationError):
        return Factors()


def predictions(
    factors: Factors, operation: str, parameters: Mapping[str, Any], fields: Mapping[str, Any]
) -> dict[Quantity, Predicted]:
    """What an operation will take by what was learnt.

    Args:
        fields: that its event will have; what is only known afterwards is not looked at.
    """
    known = traits(parameters, fields)
    found: dict[Quantity, Predicted] = {}
    for quantity, scale in scales(fields).items():
        curve = factors.curve(quantity, operation, basis(fields))
        if curve is not None and scale > 0:
            found[quantity] = curve.at(scale, known)
    return found


def predicted_fields(settings: Settings, recipe: Recipe, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an event that tell what was predicted, from its other fields."""
    found: dict[str, Any] = {}
    known = predictions(factors_of(settings), recipe.operation, recipe.parameters, fields)
    for quantity, predicted in known.items():
        name, unit = _FIELDS[quantity]
        value = predicted.value * unit
        found[name] = int(value) if quantity.endswith("bytes") else round(value, 4)
    return found


@lru_cache(4)
def _read(path: Path, *_state: int) -> Factors:
    return _FACTORS.validate_json(path.read_bytes())
