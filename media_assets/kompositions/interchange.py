"""Kompositions to and from OpenTimelineIO, its own JSON form (.otio); no plugin of it is loaded.

What the other side does not understand is told; our own fields travel in the metadata, so that what is
written here and read again is the same document.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import opentimelineio as otio

from media_assets.errors import BadInput
from media_assets.kompositions.document import parse
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.otio_reading import document_of
from media_assets.kompositions.otio_values import Lost
from media_assets.kompositions.otio_writing import timeline_of
from media_assets.kompositions.tempo import Tempo

MAX_BYTES = 32 << 20
# What OpenTimelineIO's reader raises for objects that lack fields or have ones of another type.
_UNREADABLE = (ValueError, KeyError, TypeError, RuntimeError, RecursionError, otio.exceptions.OTIOError)


def to_otio(
    komposition: Komposition, tempo: Tempo | None = None, files: Mapping[str, str] | None = None
) -> tuple[str, Lost]:
    """A komposition as the text of an .otio file.

    Args:
        komposition: the document.
        tempo: where its positions are; None is an even grid of its bpm.
        files: paths under the source folder by reference, where that is not a path itself.

    Returns:
        The text, and what other programs will not understand of it: (place, text).

    Raises:
        BadInput: its bpm is that of its music, and no tempo was given.
    """
    if tempo is None:
        try:
            tempo = Tempo(komposition.unit_seconds)
        except ValueError as error:
            raise BadInput(
                str(error), where="$.bpm", hint="give the bpm, or let the music be analysed"
            ) from error
    timeline, lost = timeline_of(komposition, tempo, files or {})
    return otio.core.serialize_json_to_string(timeline, {}, 2), lost


def from_otio(
    text: str, where: str, *, size: tuple[int, int] | None = None
) -> tuple[Komposition, dict[str, Any], Lost]:
    """The komposition that the text of an .otio file comes to.

    Args:
        text: the file's content.
        where: names it in errors.
        size: of the output, where the file does not carry it.

    Returns:
        The komposition, the same as JSON values, and what of the file is not in it: (place, text).

    Raises:
        BadInput: it is no timeline; DocumentError: what it comes to does not hold.
    """
    document, lost = document_of(_timeline(text, where), size)
    if not document.get("segments"):
        raise BadInput("it has no clips", where=where, hint="\n".join(f"{p}: {t}" for p, t in lost) or None)
    komposition = parse(document, where)
    values: dict[str, Any] = komposition.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return komposition, values, lost


def _timeline(text: str, where: str) -> otio.schema.Timeline:
    """The first timeline in a file."""
    try:
        # Python's reader first: it refuses what is nested too deep, before which the other would crash.
        json.loads(text, parse_constant=_no_constant)
        found = otio.core.deserialize_json_from_string(text)
    except _UNREADABLE as error:
        raise BadInput(f"it is no OpenTimelineIO file: {error}", where=where) from error
    if isinstance(found, otio.schema.SerializableCollection):
        found = next((item for item in found if isinstance(item, otio.schema.Timeline)), None)
    if not isinstance(found, otio.schema.Timeline):
        raise BadInput("it holds no timeline", where=where, hint="export the timeline, not a clip or a bin")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")
