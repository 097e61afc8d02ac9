"""Who and what an event comes from: pseudonyms, platform, machine and run."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import platform as machine_platform
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from media_assets.analytics.keyring import Key, Keyring, UnusableKey, load_keyring
from media_assets.analytics.schema import first
from media_assets.analytics.schema.columns import HASH
from media_assets.analytics.schema.common import PLATFORMS
from media_assets.settings import Settings

USER_TAG = "media_assets/user"
"""A run's tag with the keyed hash of who asked for it; `-` for somebody who opted out."""
PLATFORM_TAG = "media_assets/platform"
NOBODY = "-"

_EFFECT = re.compile(r"effect_[a-z0-9_]{1,80}_[0-9a-f]{16}")
_platform = "dagster"


@dataclass(frozen=True)
class Origin:
    """Where events come from; made by `origin_of`.

    Attributes:
        user: keyed hash, or None.
        key: that names are hashed with; None where it cannot be used.
        counted_only: whoever it is opted out: only what counting needs may be written.
    """

    user: str | None
    platform: str
    machine: str
    run: str | None
    key: Key | None
    counted_only: bool = False

    def fields(self) -> dict[str, Any]:
        """The fields that all events have of it."""
        return {
            "user": self.user,
            "platform": self.platform,
            "machine": self.machine,
            "run": None if self.counted_only else self.run,
        }

    def subject(self, *names: str | None) -> str | None:
        """Keyed hash of what is worked on."""
        return self._hash("s", names)

    def chain(self, *names: str | None) -> str | None:
        """Keyed hash of a request and its source."""
        return self._hash("c", names)

    def output(self, identifier: str) -> str | None:
        """An effect's id as it is; anything else may hold a file's name, and is hashed."""
        if self.counted_only:
            return None
        return identifier if _EFFECT.fullmatch(identifier) else self._hash("o", (identifier,))

    def _hash(self, letter: str, names: tuple[str | None, ...]) -> str | None:
        if self.key is None or self.counted_only:
            return None
        return pseudonym(self.key, letter, "\n".join(name or "" for name in names))


def pseudonym(key: Key, letter: str, text: str) -> str:
    """Half of an HMAC-SHA-256 of `text`, with the key's id; the letter keeps kinds of names apart."""
    digest = hmac.new(key.secret, f"{letter}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"{letter}_{key.id}_{digest.hexdigest()[:32]}"


def hashes_of(user: str, keyring: Keyring) -> tuple[str, ...]:
    """A person's hash under every key there is, the newest last."""
    return tuple(pseudonym(key, "u", user) for key in keyring.keys)


def user_of(settings: Settings) -> str:
    """Who is at work: `MEDIA_ASSETS_USER`, or the system's user."""
    return settings.user or _system_user()


def user_tag(user: str, keyring: Keyring) -> str:
    """What a run's tag says of a person: the newest hash, or `-` after an opt-out."""
    hashes = hashes_of(user, keyring)
    return NOBODY if keyring.opted_out.intersection(hashes) else hashes[-1]


def origin_of(settings: Settings, run: str | None = None, tags: Mapping[str, str] | None = None) -> Origin:
    """The origin of events of now.

    Args:
        run: Dagster's run id; without one, a random id of this process.
        tags: the run's, which may name who asked for it, and by what.
    """
    tags = tags or {}
    keyring = keyring_of(settings)
    asked = tags.get(PLATFORM_TAG, "")
    tag = tags.get(USER_TAG) or (user_tag(user_of(settings), keyring) if keyring else NOBODY)
    out = keyring is None or tag == NOBODY or tag in keyring.opted_out
    known = not out and re.fullmatch(HASH.replace("[a-z]", "u", 1), tag) is not None
    return Origin(
        user=tag if known else None,
        platform=asked if asked in PLATFORMS else _platform,
        machine=_machine(settings.cores),
        run=run or _process_run(os.getpid()),
        key=keyring.newest if keyring else None,
        counted_only=out,
    )


def keyring_of(settings: Settings) -> Keyring | None:
    """The keys, or None where they cannot be used: then no name in any form is written."""
    try:
        return _loaded(settings.key_file, settings.data_root, _stamp(settings.key_file))
    except UnusableKey:
        return None


def first_pseudonym(settings: Settings) -> first.Pseudonym | None:
    """What names in events of the first schema are hashed with; None where no key can be used."""
    keyring = keyring_of(settings)
    return partial(pseudonym, keyring.newest) if keyring else None


def declare_platform(word: str) -> None:
    """Say what this process is: `cli`, `dagster` (as without a word) or `api`."""
    global _platform
    _platform = word


@lru_cache(16)
def _loaded(path: Path, data_root: Path, stamp: tuple[int, int]) -> Keyring:
    """Read again whenever the file's time or inode changes: an opt-out holds at once."""
    return load_keyring(path, data_root)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid-{os.getuid()}"


@cache
def _machine(cores: int) -> str:
    words = (machine_platform.system(), machine_platform.machine())
    system, architecture = (re.sub(r"[^a-z0-9_]+", "_", w.lower()) or "unknown" for w in words)
    return f"{system}-{architecture}-{cores}"


@cache
def _process_run(pid: int) -> str:
    return f"cli-{uuid.uuid4()}"
