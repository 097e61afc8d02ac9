"""Reads komposition documents: a value, or every finding with its place and line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from media_assets.ids import source_id
from media_assets.kompositions import values
from media_assets.kompositions.decoding import MAX_BYTES, Written, read_text
from media_assets.kompositions.dialects.detecting import Dialect, dialect_of
from media_assets.kompositions.dialects.neighbours import Neighbours
from media_assets.kompositions.dialects.reading import Reading
from media_assets.kompositions.findings import Finding, placed, refused, shape_findings
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.whole_findings import whole_findings
from media_assets.planning.positions import Place, Positions, json_path, place_of

__all__ = ["MAX_BYTES", "Document", "komposition_id", "load", "parse", "read"]

CANONICAL = "canonical"


@dataclass(frozen=True)
class Document:
    """A document as it was read.

    Attributes:
        dialect: the name of the form that it is written in.
        warnings: (place in the document as it is written, text) of what was decided for its author.
        canonical: its canonical form as JSON values; what is as it is without saying is not said.
        depends_on_others: whether it names parts of media that documents beside it describe.
        positions: the line of each of its places.
        original: the place that a place of the canonical form was made from; None where that is the same.
    """

    komposition: Komposition
    dialect: str
    warnings: tuple[tuple[str, str], ...]
    canonical: dict[str, Any]
    depends_on_others: bool = False
    positions: Positions = field(default_factory=Positions, repr=False, compare=False)
    original: Callable[[Place], Place] | None = field(default=None, repr=False, compare=False)

    def placed(self, findings: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Findings at places of the canonical form, told where they are in the document as written."""
        found = []
        for written, text in findings:
            path = place_of(written)
            if self.original is not None:
                path, text = self.original(path), _as_read(path, text)
            found.append(placed(path, text, self.positions))
        return found


def komposition_id(relative_path: str) -> str:
    """The partition key of a document: `komp_` + its normalised name without `.json`.

    Names that end otherwise keep that, and 8 hex digits of a SHA-256 follow: `a.json` and `a.xml` are two.

    >>> komposition_id("sample.json")
    'komp_sample'
    >>> komposition_id("sample.xml")
    'komp_sample_xml_03146310'
    """
    if relative_path.endswith(".json"):
        return "komp_" + source_id(relative_path.removesuffix(".json")).removeprefix("src_")
    unlike_json = hashlib.sha256(f"document:{relative_path}".encode("utf-8", "surrogateescape"))
    return f"komp_{source_id(relative_path).removeprefix('src_')}_{unlike_json.hexdigest()[:8]}"


def load(path: Path) -> Komposition:
    """What a document of any dialect says.

    Raises:
        DocumentError: all findings, each with its place and line.
        BadInput: there is no such file, or it cannot be read.
    """
    return read(path).komposition


def read(path: Path, *, lenient: bool = False) -> Document:
    """Read a document of any dialect, of at most 1 MiB.

    Args:
        lenient: effects that nobody knows, and segments whose footage is not said, are warned of and left
            out instead of refused.

    Raises:
        DocumentError: all findings, each with its place and line in the document as it is written.
        BadInput: there is no such file, or it cannot be read.
    """
    written = read_text(path)
    dialect = dialect_of(written.value)
    if dialect is None:
        _is_komposition(written, path.name)
        komposition = _parse(written.value, path.name, written.positions)
        canonical = _canonical(komposition)
        return Document(komposition, CANONICAL, (), canonical, positions=written.positions)
    reading = Reading(written.positions, Neighbours(path), lenient=lenient)
    return _translated(written.value, path.name, dialect, reading)


def parse(data: Any, where: str) -> Komposition:
    """Read a canonical document from JSON values; `where` names it in errors.

    Raises:
        DocumentError: all findings, each with its JSON path.
    """
    return _parse(data, where, Positions())


def _is_komposition(written: Written, where: str) -> None:
    """Refuse an object that has nothing of a komposition in one sentence, not member by member."""
    value = written.value
    if not isinstance(value, dict) or not value or set(value) & set(Komposition.model_fields):
        return
    text = "is no komposition: it has no segments"
    if all(isinstance(item, dict) and "filter_chain" in item for item in value.values()):
        text = f"describes {len(value)} effects, and no timeline on which they would be used"
    raise refused(where, [((), text)], written.positions)


def _translated(value: Any, where: str, dialect: Dialect, reading: Reading) -> Document:
    """A document of a dialect: what its reader makes of it, held against the schema."""
    member = reading.root(value)
    translated = dialect.read(member)
    if not reading.errors:
        reading.tell_unused(member)
        komposition, findings = _findings(translated)
        reading.errors += [(reading.original(path), _as_read(path, text)) for path, text in findings]
    if reading.errors or komposition is None:
        raise refused(where, reading.errors, reading.positions)
    warnings = tuple(placed(path, text, reading.positions) for path, text in reading.warnings)
    canonical = _canonical(komposition)
    return Document(
        komposition=komposition,
        dialect=dialect.name,
        warnings=warnings,
        canonical=canonical,
        depends_on_others=reading.neighbours.asked,
        positions=reading.positions,
        original=reading.original,
    )


def _as_read(path: Place, text: str) -> str:
    """A finding in what was made of a document, told where its author can see it."""
    return f"{text} (read as {json_path(path)})"


def _parse(data: Any, where: str, positions: Positions) -> Komposition:
    findings: list[Finding] = [(path, "is given twice") for path in positions.repeated]
    komposition, found = _findings(data)
    if findings + found or komposition is None:
        raise refused(where, findings + found, positions)
    return komposition


def _findings(data: Any) -> tuple[Komposition | None, list[Finding]]:
    """A canonical document, and everything that is wrong with it, each place told once."""
    segments = data.get("segments") if isinstance(data, dict) else None
    if isinstance(segments, list) and len(segments) > values.MAX_SEGMENTS:
        # Going on could find hundreds of thousands of things.
        return None, [(("segments",), f"are {len(segments)}; the most is {values.MAX_SEGMENTS}")]
    findings: list[Finding] = []
    komposition = None
    try:
        komposition = Komposition.model_validate(data)
    except ValidationError as error:
        findings = shape_findings([dict(detail) for detail in error.errors(include_url=False)])
    told = {path for path, _ in findings}
    findings += [(path, text) for path, text in whole_findings(data) if path not in told]
    return komposition, findings


def _canonical(komposition: Komposition) -> dict[str, Any]:
    return komposition.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
