"""Looks for parts of videos in the documents that lie beside a document."""

from __future__ import annotations

from pathlib import Path

from media_assets.errors import MediaAssetsError
from media_assets.kompositions.decoding import SYNTAXES, read_text
from media_assets.kompositions.dialects.couchdb import named_parts
from media_assets.kompositions.dialects.reading import NamedPart, Reading

_MOST = 500
"""Documents that are looked into."""


class Nowhere:
    """No documents lie beside this one."""

    asked = False

    def part(self, name: str) -> NamedPart | None:
        """No part."""
        return None


class Neighbours:
    """The documents in the folder of another one, read when the first part is asked for."""

    def __init__(self, path: Path) -> None:
        self.asked = False
        self._path = path
        self._parts: dict[str, NamedPart] | None = None

    def part(self, name: str) -> NamedPart | None:
        """The part of a video that one of them, the first by name, calls so."""
        if self._parts is None:
            self._parts = self._read()
        found = self._parts.get(name)
        self.asked = self.asked or found is not None
        return found

    def _read(self) -> dict[str, NamedPart]:
        parts: dict[str, NamedPart] = {}
        beside = sorted(self._path.absolute().parent.iterdir())
        documents = [p for p in beside if p.suffix.lower() in SYNTAXES and p.name != self._path.name]
        for path in documents[:_MOST]:
            try:
                written = read_text(path)
            except MediaAssetsError:
                continue  # What is wrong with it is told when it is read for itself.
            if not isinstance(written.value, dict):
                continue
            reading = Reading(written.positions, Nowhere())
            for name, part in named_parts(reading.root(written.value), path.name):
                parts.setdefault(name, part)
        return parts
