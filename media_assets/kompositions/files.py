"""Where documents live: JSON, YAML, XML and `.kompo.md` files under data/kompositions are kompositions."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from media_assets.errors import BadInput, DocumentError
from media_assets.kompositions.decoding import MAX_BYTES, SYNTAXES
from media_assets.kompositions.document import komposition_id, read
from media_assets.settings import Settings

_IMPORTED = "imported"
_MARKDOWN = ".kompo.md"


def is_document(path: Path) -> bool:
    """Whether a file is a document, going by its name; of Markdown files those that say so are."""
    if path.suffix == ".md":
        return path.name.endswith(_MARKDOWN)
    return path.suffix in SYNTAXES


def documents(root: Path) -> dict[str, Path]:
    """Every document under `root` by its komposition id; hidden files are passed over."""
    found = {}
    home = root.resolve()
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        hidden = any(part.startswith(".") for part in relative.parts)
        if not hidden and is_document(path) and path.is_file() and path.resolve().is_relative_to(home):
            found[komposition_id(relative.as_posix())] = path
    return found


def adopt(path: Path, root: Path) -> tuple[str, Path]:
    """The komposition id of a document, and its place under `root`.

    One from elsewhere is copied to `imported/`, always to the same name, so that it is found again
    when everything but the data root is lost. What it names in documents beside it would not be found
    there: then its canonical form is what is kept.

    Raises:
        BadInput: there is no such file, or it is none of a document's name and size.
    """
    resolved = path.resolve()
    if not resolved.is_file():
        raise BadInput("there is no such document", where=str(path))
    if not is_document(resolved):
        raise BadInput(
            f"a komposition is a {', '.join(sorted({*SYNTAXES} - {'.md'}))} or {_MARKDOWN} file",
            where=str(path),
        )
    if resolved.stat().st_size > MAX_BYTES:
        raise BadInput(f"it is larger than {MAX_BYTES} bytes", where=str(path))
    home = root.resolve()
    if not resolved.is_relative_to(home):
        resolved = _imported(resolved, home)
    return komposition_id(resolved.relative_to(home).as_posix()), resolved


def _imported(document: Path, home: Path) -> Path:
    """A copy of a document under `home`, or of its canonical form where it does not stand alone."""
    short = hashlib.sha256(str(document).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    canonical = _canonical_if_it_leans(document)
    ending = _MARKDOWN if document.name.endswith(_MARKDOWN) else document.suffix
    stem = document.name.removesuffix(ending)
    target = home / _IMPORTED / f"{stem}_{short}{'.json' if canonical else ending}"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    if canonical:
        temporary.write_text(canonical, encoding="utf-8")
    else:
        shutil.copyfile(document, temporary)
    temporary.replace(target)
    return target


def _canonical_if_it_leans(document: Path) -> str | None:
    """The canonical form of a document that names parts of media which others describe."""
    try:
        found = read(document)
    except DocumentError:
        return None  # It is told when the copy is read, too.
    return (
        json.dumps(found.canonical, ensure_ascii=False, indent=2) + "\n"
        if found.depends_on_others
        else None
    )


def video_path(key: str, rendition: str, settings: Settings) -> Path:
    """Where a komposition's video is published, or (with its id) one of its renditions."""
    name = key.removeprefix("komp_") + (f"_{rendition}" if rendition else "")
    return settings.output_root / "kompositions" / f"{name}.mp4"
