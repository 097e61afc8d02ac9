"""Workflows that people saved: documents under the data root, read as those of the project are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from media_assets.components.workflow import WorkflowComponent
from media_assets.errors import BadInput, DocumentError

DOCUMENT = "defs.yaml"
_TYPE = f"{WorkflowComponent.__module__}.{WorkflowComponent.__name__}"
_LARGEST = 1 << 20


def saved_documents(root: Path) -> list[Path]:
    """The documents of saved workflows, by name; the folder need not exist."""
    return sorted(root.glob(f"*/{DOCUMENT}"))


def read_saved(path: Path) -> WorkflowComponent:
    """The workflow that a document says; its folder has its name.

    Raises:
        BadInput: it cannot be read; DocumentError: it is no workflow, or does not hold.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=str(path)) from None
    return parse_saved(data, path.parent.name, str(path))


def parse_saved(data: bytes, name: str, where: str) -> WorkflowComponent:
    """The same of a document's bytes.

    Args:
        name: what the workflow must be called.
        where: names the document.

    Raises:
        DocumentError: it is no workflow, does not hold, or has another name.
    """
    component = _component(_attributes(data, where), where)
    component.workflow(where)
    if component.name != name:
        text = f"{component.name!r} is not the name of its folder, {name!r}"
        raise DocumentError("the workflow does not hold", [("$.attributes.name", text)], where=where)
    return component


def _attributes(data: bytes, where: str) -> dict[str, Any]:
    if len(data) > _LARGEST:
        raise BadInput("the document is larger than 1 MiB", where=where)
    try:
        document = yaml.safe_load(data.decode("utf-8-sig"))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        text = " ".join(str(error).split())
        raise BadInput(f"it is not a YAML document: {text}", where=where) from None
    if not isinstance(document, dict) or document.get("type") != _TYPE:
        raise DocumentError("it is no workflow", [("$.type", f"must be {_TYPE}")], where=where)
    attributes = document.get("attributes")
    if not isinstance(attributes, dict):
        raise DocumentError("it is no workflow", [("$.attributes", "must be an object")], where=where)
    return attributes


def _component(attributes: dict[str, Any], where: str) -> WorkflowComponent:
    """Without the placeholders that documents of the project may have: these come from anywhere."""
    try:
        return WorkflowComponent.model_validate(attributes)
    except ValidationError as error:
        findings = [
            (".".join(["$.attributes", *map(str, one["loc"])]), str(one["msg"])) for one in error.errors()
        ]
        raise DocumentError("the workflow does not hold", findings, where=where) from None
