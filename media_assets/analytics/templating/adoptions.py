"""Adoptions: which templates became workflows, as the files beside those workflows tell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput
from media_assets.store.files import write_json

RECORD = "template.json"


@dataclass(frozen=True)
class Adoption:
    """A template that became a workflow.

    Attributes:
        name: of both.
        sequence: its operations, joined by `>`.
        day: when, in UTC.
    """

    name: str
    sequence: str
    day: date


def adoptions(root: Path) -> list[Adoption]:
    """Every adoption, by name; one whose workflow's document is gone is none.

    Args:
        root: the folder of saved workflows; it need not exist.

    Raises:
        BadInput: a record is no record.
    """
    paths = sorted(path for path in root.glob(f"*/{RECORD}") if path.with_name("defs.yaml").is_file())
    return [_read(path) for path in paths]


def record_adoption(folder: Path, name: str, operations: Sequence[str], day: date) -> None:
    """Tell beside the document in `folder` which template it came from."""
    document = asdict(Adoption(name, ">".join(operations), day)) | {"day": day.isoformat()}
    write_json(folder / RECORD, document)


def _read(path: Path) -> Adoption:
    try:
        document: Any = json.loads(path.read_bytes())
        return Adoption(
            str(document["name"]), str(document["sequence"]), date.fromisoformat(document["day"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"it does not tell of an adoption: {error!r}",
            where=str(path),
            hint="remove it: the workflow stays, and is no longer counted as a template's",
        ) from None
