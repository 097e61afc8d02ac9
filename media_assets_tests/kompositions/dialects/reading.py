"""Writes documents of other forms and reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from media_assets.errors import DocumentError
from media_assets.kompositions.document import Document, read


def reads(folder: Path, document: Any, *, name: str = "document.json", lenient: bool = False) -> Document:
    """What is read of a document: JSON values, or a text as it is."""
    return read(_written(folder, document, name), lenient=lenient)


def refusal(
    folder: Path, document: Any, *, name: str = "document.json", lenient: bool = False
) -> dict[str, str]:
    """The findings, by place, for which a document is refused."""
    with pytest.raises(DocumentError) as caught:
        read(_written(folder, document, name), lenient=lenient)
    return dict(caught.value.findings)


def _written(folder: Path, document: Any, name: str) -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document, indent=1))
    return path


def told(document: Document) -> dict[str, str]:
    """Warnings by place, those of one place joined."""
    found: dict[str, str] = {}
    for place, text in document.warnings:
        found[place] = f"{found[place]}; {text}" if place in found else text
    return found
