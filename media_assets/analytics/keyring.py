"""The keys of pseudonyms: kept outside the data, several at a time while one follows another."""

from __future__ import annotations

import json
import os
import secrets
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from media_assets.errors import MediaAssetsError

_SECRET_BYTES = 32
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnusableKey(MediaAssetsError):
    """The key file is damaged, open to others, or inside the data that it protects."""


@dataclass(frozen=True)
class Key:
    """One key: `id` stands in every hash that it made; `created` is ISO 8601."""

    id: str
    secret: bytes
    created: str


@dataclass(frozen=True)
class Keyring:
    """Every key there is, the newest last.

    Attributes:
        opted_out: hashes of those who opted out.
        forgotten: hashes of those who were forgotten: a backup from before may bring them back.
    """

    keys: tuple[Key, ...]
    opted_out: frozenset[str]
    forgotten: frozenset[str] = frozenset()

    @property
    def newest(self) -> Key:
        """The key that hashes are made with."""
        return self.keys[-1]


def load_keyring(path: Path, data_root: Path) -> Keyring:
    """The keys in `path`; a first one is made, readable by its owner only, where there is no file.

    Raises:
        UnusableKey: it is under the data root, others may read it, or it is no key file.
    """
    _check_place(path, data_root)
    if not path.exists():
        _change(path, lambda document: document)
    try:
        mode = path.stat().st_mode
        document = json.loads(path.read_text())
        keys = tuple(Key(k["id"], bytes.fromhex(k["secret"]), k["created"]) for k in document["keys"])
        opted_out = frozenset(map(str, document.get("opted_out", ())))
        forgotten = frozenset(map(str, document.get("forgotten", ())))
    except OSError as error:
        raise UnusableKey(f"it cannot be read: {error.strerror}", where=str(path)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableKey(
            "it is no key file",
            where=str(path),
            hint="put the right one back, or move it away for a new one",
        ) from error
    if mode & _OPEN_TO_OTHERS:
        raise UnusableKey("others may read the key", where=str(path), hint=f"chmod 600 {path}")
    if not keys or any(len(key.secret) < _SECRET_BYTES for key in keys):
        raise UnusableKey("it holds no whole key", where=str(path), hint="put the right one back")
    return Keyring(keys, opted_out, forgotten)


def add_key(path: Path, data_root: Path) -> Keyring:
    """Begin a new key; the old ones stay, so that their hashes can still be found and forgotten.

    Raises:
        UnusableKey: see `load_keyring`.
    """
    load_keyring(path, data_root)
    _change(path, lambda document: {**document, "keys": [*document["keys"], _new_key()]})
    return load_keyring(path, data_root)


def set_opted_out(path: Path, data_root: Path, hashes: frozenset[str], *, out: bool) -> Keyring:
    """Put a person's hashes on the list of those who opted out, or take them off it.

    Raises:
        UnusableKey: see `load_keyring`.
    """
    return _list(path, data_root, "opted_out", lambda listed: listed | hashes if out else listed - hashes)


def add_forgotten(path: Path, data_root: Path, hashes: frozenset[str]) -> Keyring:
    """Remember that these hashes are to be forgotten again wherever an old copy brings them back.

    Raises:
        UnusableKey: see `load_keyring`.
    """
    return _list(path, data_root, "forgotten", lambda listed: listed | hashes)


def _list(path: Path, data_root: Path, name: str, change: Callable[[set[str]], set[str]]) -> Keyring:
    load_keyring(path, data_root)
    _change(path, lambda document: {**document, name: sorted(change(set(document.get(name, ()))))})
    return load_keyring(path, data_root)


def _check_place(path: Path, data_root: Path) -> None:
    if path.expanduser().resolve().is_relative_to(data_root.resolve()):
        raise UnusableKey(
            "the key is inside the data that it protects",
            where=str(path),
            hint="set MEDIA_ASSETS_KEY_FILE to a place outside the data root",
        )


def _new_key() -> dict[str, str]:
    return {
        "id": secrets.token_hex(3),
        "secret": secrets.token_hex(_SECRET_BYTES),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _change(path: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Replace the file by what `change` makes of it (of a first key, where there is none), at once."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.with_name(path.name + ".lock"), timeout=10):
            document = json.loads(path.read_text()) if path.exists() else {"keys": [_new_key()]}
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(descriptor, "w") as file:
                    json.dump(change(document), file, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                with suppress(OSError):
                    Path(name).unlink()
                raise
    except OSError as error:
        raise UnusableKey(f"it cannot be written: {error.strerror}", where=str(path)) from error
