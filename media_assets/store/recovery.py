"""Files in the store that nothing describes: they get their sidecar again, or are put aside."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media_assets.errors import MediaAssetsError
from media_assets.ids import hash_file
from media_assets.media.verify import read_properties
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json
from media_assets.store.journal import Entry
from media_assets.store.layout import FINGERPRINT, SHARD, SIDECAR, quarantine
from media_assets.store.outputs import Made, OutputStore

_OPERATION = re.compile(r"effect_([a-z0-9_]+)_[0-9a-f]{16}")


@dataclass(frozen=True)
class Orphan:
    """Something in the store without a sidecar that holds.

    Attributes:
        path: the folder, or the single file.
        reason: why it is none of the store's.
    """

    path: Path
    reason: str


def orphans(settings: Settings) -> list[Orphan]:
    """What lies where outputs lie and is none; folders with other names are not looked at."""
    found: list[Orphan] = []
    if settings.store_root.is_dir():
        for shard in sorted(settings.store_root.iterdir()):
            if SHARD.fullmatch(shard.name) and shard.is_dir():
                found += _in_shard(shard)
    return found


def _in_shard(shard: Path) -> Iterator[Orphan]:
    for path in sorted(shard.iterdir()):
        if not path.is_dir():
            yield Orphan(path, "it is a file outside the folder of an output")
        elif not FINGERPRINT.fullmatch(path.name) or not path.name.startswith(shard.name):
            yield Orphan(path, "its name is no fingerprint, or one of another folder")
        else:
            problem = _problem(path)
            if problem:
                yield Orphan(path, problem)


def _problem(folder: Path) -> str | None:
    document = read_json(folder / SIDECAR)
    if document is None:
        return "its sidecar is missing" if not (folder / SIDECAR).exists() else "its sidecar is damaged"
    if document.get("fingerprint") != folder.name:
        return "its sidecar is that of another output"
    return None


def rebuild(orphan: Orphan, records: Mapping[str, Entry], settings: Settings) -> bool:
    """Write the sidecar of an output again, if a record says what it is and its bytes are those recorded.

    What it holds is read from the file; how it was made (commands, times) is not known any more.

    Args:
        records: of outputs, by fingerprint.

    Returns:
        Whether it has its sidecar now.
    """
    entry = records.get(orphan.path.name)
    files = [path for path in orphan.path.iterdir() if path.name != SIDECAR] if orphan.path.is_dir() else []
    if entry is None or len(files) != 1:
        return False
    try:
        if hash_file(files[0]) != entry.metadata["content_hash"]:
            return False
        document = _sidecar(files[0], orphan.path.name, entry, settings)
    except (MediaAssetsError, OSError, KeyError):
        return False
    write_json(orphan.path / SIDECAR, document)
    return OutputStore(settings).get(orphan.path.name) is not None


def _sidecar(path: Path, fingerprint: str, entry: Entry, settings: Settings) -> dict[str, Any]:
    identifier = str(entry.metadata["effect"])
    operation = _OPERATION.fullmatch(identifier)
    return {
        "id": identifier,
        "fingerprint": fingerprint,
        "operation": operation[1] if operation else "komposition",
        "parameters": dict(entry.metadata.get("parameters") or {}),
        "derived_from": list(entry.metadata.get("derived_from") or ()),
        "file_name": path.name,
        "content_hash": entry.metadata["content_hash"],
        "made": asdict(Made(read_properties(path, settings), notes={"recovered": True})),
        "created": datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds"),
    }


def put_aside(path: Path, reason: str, settings: Settings) -> Path:
    """Move a file or folder to the store's quarantine, with a note beside it of where it was and why.

    Returns:
        Where it is now; where it was, if another process was faster.
    """
    target = quarantine(settings.store_root) / f"{path.name}-{time.time_ns()}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.rename(target)
        note = {"from": str(path.relative_to(settings.store_root)), "reason": reason, "at": time.time()}
        write_json(target.with_name(f"{target.name}.json"), note)
        return target
    return path


def by_fingerprint(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Records of outputs by the fingerprint of the file."""
    return {str(e.metadata["fingerprint"]): e for e in entries if "fingerprint" in e.metadata}
