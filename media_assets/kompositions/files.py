"""Where documents live: every `.json` under data/kompositions is a komposition."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from media_assets.errors import BadInput
from media_assets.kompositions.document import MAX_BYTES, komposition_id

_IMPORTED = "imported"


def documents(root: Path) -> dict[str, Path]:
    """Every document under `root` by its komposition id; hidden files are passed over."""
    found = {}
    for path in sorted(root.rglob("*.json")):
        relative = path.relative_to(root)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and path.is_file() and path.resolve().is_relative_to(root.resolve()):
            found[komposition_id(relative.as_posix())] = path
    return found


def adopt(path: Path, root: Path) -> tuple[str, Path]:
    """The komposition id of a document, and its place under `root`.

    One from elsewhere is copied to `imported/`, always to the same name, so that it is found again
    when everything but the data root is lost.

    Raises:
        BadInput: there is no such file, or it is no JSON file of a document's size.
    """
    resolved = path.resolve()
    if not resolved.is_file():
        raise BadInput("there is no such document", where=str(path))
    if resolved.suffix != ".json":
        raise BadInput("a komposition is a .json file", where=str(path))
    if resolved.stat().st_size > MAX_BYTES:
        raise BadInput(f"it is larger than {MAX_BYTES} bytes", where=str(path))
    home = root.resolve()
    if not resolved.is_relative_to(home):
        short = hashlib.sha256(str(resolved).encode("utf-8", "surrogateescape")).hexdigest()[:8]
        target = home / _IMPORTED / f"{resolved.stem}_{short}.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        shutil.copyfile(resolved, temporary)
        temporary.replace(target)
        resolved = target
    return komposition_id(resolved.relative_to(home).as_posix()), resolved
