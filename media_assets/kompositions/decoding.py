"""Reads the text of a document: JSON, YAML, XML or Markdown, and where things are in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from media_assets.errors import BadInput
from media_assets.kompositions.dialects.markdown import decode as decode_markdown
from media_assets.kompositions.dialects.xml import decode as decode_xml
from media_assets.kompositions.findings import refused
from media_assets.planning.positions import Positions, decode, decode_yaml

MAX_BYTES = 1 << 20
Syntax = Literal["JSON", "YAML", "XML", "Markdown"]
SYNTAXES: dict[str, Syntax] = {
    ".json": "JSON",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".xml": "XML",
    ".md": "Markdown",
}
"""How a document is written, by the end of its name."""
_READERS = {"JSON": decode, "YAML": decode_yaml, "XML": decode_xml, "Markdown": decode_markdown}


@dataclass(frozen=True)
class Written:
    """A document as it is written: JSON values, and where each is."""

    value: Any
    positions: Positions
    syntax: Syntax


def read_text(path: Path) -> Written:
    """Read the text of a document of at most 1 MiB; a name that ends in nothing known is taken for JSON.

    Raises:
        DocumentError: it is larger, or not what its name says.
        BadInput: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=path.name) from error
    if len(data) > MAX_BYTES:
        raise refused(path.name, [((), f"is larger than {MAX_BYTES} bytes")], Positions())
    syntax = SYNTAXES.get(path.suffix.lower(), "JSON")
    try:
        value, positions = _READERS[syntax](data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        text = f"is not {syntax}: {_in_short(error, data)}"
        raise refused(path.name, [((), text)], Positions()) from error
    return Written(value, positions, syntax)


def _in_short(error: Exception, data: bytes) -> str:
    """What a parser says, in one line and without what only its programmers understand."""
    words = str(error)
    if not data.strip():
        return "it is empty"
    if isinstance(error, UnicodeDecodeError):
        return f"it is no text in UTF-8, from byte {error.start} on"
    if words.startswith("Exceeds the limit"):
        return "it has a number of thousands of digits"
    words = re.sub(r'\n\s*in "<unicode string>",', " at", re.sub(r" \(char \d+\)$", "", words))
    return ", ".join(line.strip() for line in words.splitlines())
