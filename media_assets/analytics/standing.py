"""Who may not ask for work at present: a small document for each hash of somebody suspended or exempt.

The documents follow the log of alerts (`alerts.py`): only what the log says is ever put here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from media_assets.analytics.origin import hashes_of, keyring_of, user_of
from media_assets.errors import MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_json

SUSPENDED, EXEMPT = "suspended", "exempt"
_USER = re.compile(r"u_[0-9a-z]{1,16}_[0-9a-f]{32}")


class Suspended(MediaAssetsError):
    """Whoever asks has been suspended; nothing was begun."""


@dataclass(frozen=True)
class Standing:
    """How somebody stands.

    Attributes:
        user: keyed hash.
        state: `suspended` until it is lifted, or `exempt`: not suspended by itself until `until`.
        since, until: ISO 8601, UTC; a suspension has no `until`.
        reasons: in words.
    """

    user: str
    state: str
    since: str
    until: str | None
    reasons: str


def is_user(text: str) -> bool:
    """Whether `text` is the keyed hash of a user, and so may name a file."""
    return _USER.fullmatch(text) is not None


def standing_of(settings: Settings, user: str) -> Standing | None:
    """How the user of a hash stands; None where nothing is on record.

    A document that cannot be read counts as a suspension: who may damage files does not get free by it.
    """
    path = standing_path(settings, user)
    document = read_json(path) if path.parent.is_dir() else None
    if document is None:
        damaged = path.exists()
        return Standing(user, SUSPENDED, "?", None, "the flag cannot be read") if damaged else None
    try:
        found = Standing(**document)
    except TypeError:
        return Standing(user, SUSPENDED, "?", None, "the flag cannot be read")
    return found


def standings(settings: Settings) -> list[Standing]:
    """Everybody on record, by hash."""
    users = sorted(path.stem for path in _root(settings).glob("u_*.json") if is_user(path.stem))
    return [found for user in users if (found := standing_of(settings, user))]


def set_standing(settings: Settings, standing: Standing) -> None:
    """Put a document in the place of the one before."""
    write_json(standing_path(settings, standing.user), asdict(standing))


def is_suspended(settings: Settings, user: str | None = None) -> Standing | None:
    """The suspension of a user, under whichever key his name was hashed then; None where there is none.

    Args:
        user: a name, or a hash; whoever is at work, without.
    """
    if not _root(settings).is_dir():
        return None
    suspended = (standing_of(settings, one) for one in hashes(settings, user or user_of(settings)))
    return next((found for found in suspended if found and found.state == SUSPENDED), None)


def refuse_suspended(settings: Settings, user: str | None = None) -> None:
    """Let nobody go on who is suspended; called where requests come in.

    Raises:
        Suspended: with since when, why, and who can lift it.
    """
    found = is_suspended(settings, user)
    if found is not None:
        raise Suspended(
            f"suspended since {found.since}: {found.reasons}",
            where=found.user,
            hint=f"who runs this installation can lift it: `media-assets abuse lift {found.user}`",
        )


def hashes(settings: Settings, user: str) -> tuple[str, ...]:
    """The hash itself, or all that a name has under the keys there are, the newest last."""
    if is_user(user):
        return (user,)
    keyring = keyring_of(settings)
    return hashes_of(user, keyring) if keyring else ()


def forget_standings(settings: Settings, users: Iterable[str]) -> int:
    """Remove the documents of these hashes; how many there were."""
    paths = [path for user in users if is_user(user) and (path := standing_path(settings, user)).exists()]
    for path in paths:
        path.unlink(missing_ok=True)
    return len(paths)


def standing_path(settings: Settings, user: str) -> Path:
    """Where the document of a hash is."""
    return _root(settings) / f"{user}.json"


def _root(settings: Settings) -> Path:
    return settings.metadata_root / "suspended"
