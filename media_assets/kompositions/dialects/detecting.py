"""Which form a document is written in, by its marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from media_assets.kompositions.dialects import couchdb, metadata, oldest, version3
from media_assets.kompositions.dialects.reading import Member

_KINDS = frozenset({"komposition", "video", "audio"})
_SEGMENTS = ("segments", "videoSegments", "video_segments", "timeline", "clips")
_CONFIGURED = ("audioConfiguration", "renderSettings", "transitions", "audio_configuration")
_ABROAD = frozenset(
    {
        "sourceRef",
        "source_ref",
        "sourceid",
        "startBeat",
        "start_beat",
        "beat_start",
        "durationBeats",
        "extractionParams",
        "timing",
        "operation",
        "start_time",
        "startTime",
    }
)
"""Members of segments that the canonical form does not have."""


@dataclass(frozen=True)
class Dialect:
    """A form of documents.

    Attributes:
        read: makes the canonical form of a document, as JSON values.
    """

    name: str
    read: Callable[[Member], dict[str, Any]]


COUCHDB = Dialect("couchdb", couchdb.read)
SOURCE_TIMING = Dialect("source-timing", couchdb.read)
OLDEST = Dialect("master-mix", oldest.read)
BEATS = Dialect("beats", metadata.read)
CONFIGURED = Dialect("configured", metadata.read)
ONE_OFF = Dialect("one-off", metadata.read)
VERSION_3 = Dialect("version-3", version3.read)
DIALECTS = (COUCHDB, SOURCE_TIMING, OLDEST, BEATS, CONFIGURED, ONE_OFF, VERSION_3)


def dialect_of(value: Any) -> Dialect | None:
    """The form of a document; None is the canonical one, and whatever bears no marks of another."""
    if not isinstance(value, dict) or (value.get("version") in (1, "1") and "metadata" not in value):
        return None
    if "layers" in value and ("meta" in value or str(value.get("version", "")).lstrip("v") == "3"):
        return VERSION_3
    if "parts" in value and ("masterBpm" in value or "masterbpm" in value):
        return OLDEST
    if "mediaFile" in value or "beatpattern" in value or str(value.get("type", "")).lower() in _KINDS:
        return (
            SOURCE_TIMING if _in_segments(value) & {"source_timing"} or "effects_tree" in value else COUCHDB
        )
    members = _in_segments(value)
    foreign = any(isinstance(value.get(name), list) for name in _SEGMENTS[1:])
    if "metadata" in value or members & _ABROAD or foreign:
        return _of_segments(value, members)
    return None


def _of_segments(value: dict[str, Any], members: set[str]) -> Dialect | None:
    if not any(name in value for name in _SEGMENTS) and "metadata" not in value:
        return None
    if any(name in value for name in _CONFIGURED) or "extractionParams" in members:
        return CONFIGURED
    return BEATS if "metadata" in value and members & {"startBeat", "endBeat"} else ONE_OFF


def _in_segments(value: dict[str, Any]) -> set[str]:
    """Names of members of segments."""
    found: set[str] = set()
    for name in _SEGMENTS:
        listed = value.get(name)
        for item in listed if isinstance(listed, list) else []:
            if isinstance(item, dict):
                found.update(item)
    return found
