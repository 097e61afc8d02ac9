"""Plans of kompositions on record: read for whoever tells of them, as JSON; rendering makes them anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from media_assets.settings import Settings
from media_assets.store.files import read_json


class _Piece(TypedDict):
    id: str
    kind: str
    frames: int
    sources: list[str]
    fingerprint: str


class _Sound(TypedDict):
    fingerprint: str
    target_lufs: NotRequired[float | None]


class _Output(TypedDict):
    width: int
    height: int
    fps: str


class _Plan(TypedDict):
    fingerprint: str
    output: _Output
    frames: int
    duration: float
    pieces: list[_Piece]
    sound: _Sound
    sources: dict[str, str]
    estimate: dict[str, float]
    derived_from: NotRequired[list[str]]
    renditions: NotRequired[dict[str, _Plan]]


_PLAN = TypeAdapter(_Plan)


def plan_path(settings: Settings, key: str) -> Path:
    """Where the plan of a komposition is kept."""
    return settings.plan_root / f"{key}.json"


def read_plan(settings: Settings, key: str) -> dict[str, Any] | None:
    """The plan of a komposition; None where there is none, or it is damaged."""
    document = read_json(plan_path(settings, key))
    try:
        _PLAN.validate_python(document)
    except ValidationError:
        return None
    return document
