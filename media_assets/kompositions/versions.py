"""Every saved change of a document, kept: listed, shown and restored by its number.

`data/metadata/documents/<komposition>/` holds the bytes of each version once, named by their SHA-256, and
`versions.json`, the list of them in the order in which they were seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.kompositions.document import MAX_BYTES
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_bytes, write_json

_INDEX = "versions.json"
_AT = re.compile(r"(?P<name>.+)@(?P<number>[1-9][0-9]{0,8})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRIES = 20

Value = TypeVar("Value")


@dataclass(frozen=True)
class Version:
    """A document as it once was.

    Attributes:
        number: 1 is the first that was seen.
        sha256: 64 hex digits of its bytes.
        time: when it was first seen, in UTC (ISO 8601).
        size: bytes.
    """

    number: int
    sha256: str
    time: str
    size: int


def keep(path: Path, komposition: str, settings: Settings) -> Version:
    """Keep the document at `path` as it is now, unless that is how it was when it was last kept.

    Args:
        path: the document.
        komposition: its id.
        settings: where documents are kept.

    Raises:
        BadInput: it cannot be read, or is larger than a document may be.
    """
    data = _content(path)
    digest = hashlib.sha256(data).hexdigest()
    folder = _folder(komposition, settings)
    known = _index(folder)
    if known and known[-1].sha256 == digest:
        return known[-1]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        known = _index(folder)
        if known and known[-1].sha256 == digest:
            return known[-1]
        if not any(version.sha256 == digest for version in known):
            write_bytes(folder / f"{digest}{''.join(path.suffixes[-2:])}", data)
        number = known[-1].number + 1 if known else 1
        version = Version(number, digest, datetime.now(UTC).isoformat(timespec="milliseconds"), len(data))
        write_json(folder / _INDEX, {"versions": [asdict(entry) for entry in (*known, version)]})
    return version


def read_kept(
    path: Path, komposition: str, settings: Settings, read: Callable[[Path], Value]
) -> tuple[Version, Value]:
    """Read a document and say which version was read; one that is saved meanwhile is read again.

    Raises:
        BadInput: as `keep`, or it is saved again and again; and whatever `read` raises.
    """
    version = keep(path, komposition, settings)
    for _ in range(_TRIES):
        value = read(path)
        after = keep(path, komposition, settings)
        if after == version:
            return version, value
        version = after
    raise BadInput("it is being saved again and again", where=path.name, hint="try once that has ended")


def versions(komposition: str, settings: Settings) -> tuple[Version, ...]:
    """The versions of a komposition's document, the oldest first."""
    return _index(_folder(komposition, settings))


def kept_at(komposition: str, number: int, settings: Settings) -> Path:
    """Where the bytes of a version are kept.

    Raises:
        BadInput: there is no such version.
    """
    folder = _folder(komposition, settings)
    known = {version.number: version for version in _index(folder)}
    found = sorted(folder.glob(f"{known[number].sha256}*")) if number in known else []
    if not found:
        there = f"its versions are 1 to {max(known)}" if known else "none was ever kept"
        raise BadInput(f"there is no version {number}", where=komposition, hint=there)
    return found[0]


def restore(path: Path, komposition: str, number: int, settings: Settings) -> Version:
    """Put a version in the place of the document at `path`; what was there is kept before.

    Returns:
        The new version, which has the old one's bytes.

    Raises:
        BadInput: there is no such version, or its bytes are not what they were.
    """
    data = kept_at(komposition, number, settings).read_bytes()
    wanted = next(v for v in versions(komposition, settings) if v.number == number)
    if hashlib.sha256(data).hexdigest() != wanted.sha256:
        raise BadInput(f"the copy of version {number} is damaged", where=komposition, hint="take another")
    if path.exists():
        keep(path, komposition, settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
    except OSError as error:
        raise MediaAssetsError(f"it could not be written: {error.strerror}", where=str(path)) from error
    return keep(path, komposition, settings)


def split_version(text: str) -> tuple[str, int | None]:
    """A document's name, and the number of the version that is meant; None is how it is now.

    >>> split_version("sample.json@3")
    ('sample.json', 3)
    """
    found = _AT.fullmatch(text)
    return (found["name"], int(found["number"])) if found else (text, None)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=path.name) from error
    if len(data) > MAX_BYTES:
        raise BadInput(f"it is larger than {MAX_BYTES} bytes", where=path.name)
    return data


def _folder(komposition: str, settings: Settings) -> Path:
    return settings.metadata_root / "documents" / komposition


def _index(folder: Path) -> tuple[Version, ...]:
    """The list as it was last written; without one, what the files themselves tell."""
    document = read_json(folder / _INDEX)
    try:
        found = tuple(Version(**entry) for entry in (document or {})["versions"])
        if all(_SHA256.fullmatch(version.sha256) for version in found):
            return found
    except (KeyError, TypeError):
        pass  # the same as a list that names other files
    return _told_by_files(folder)


def _told_by_files(folder: Path) -> tuple[Version, ...]:
    """Versions whose list was lost, by the time of their files; one that came back is told once."""
    files = [path for path in folder.glob("*") if re.match(r"[0-9a-f]{64}(\.|$)", path.name)]
    files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
    return tuple(
        Version(
            number,
            path.name[:64],
            datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds"),
            path.stat().st_size,
        )
        for number, path in enumerate(files, 1)
    )
