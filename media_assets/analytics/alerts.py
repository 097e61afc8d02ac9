"""Alerts of abuse, suspensions and their undoing: a log that only grows, and what follows from it.

Lines of JSON in `data/metadata/alerts/`, a file a month. The log goes first: a suspension that it has and
that no flag shows, because the machine stopped in between, is put in force by the next one who looks.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from media_assets.analytics.questions.abuse import SAME_EPISODE
from media_assets.analytics.standing import (
    EXEMPT,
    SUSPENDED,
    Standing,
    is_user,
    set_standing,
    standing_of,
)
from media_assets.errors import MediaAssetsError, disk_errors
from media_assets.settings import Settings
from media_assets.store.files import read_json, write_bytes, write_json

RECENT = timedelta(hours=48)
"""Abuse that is older raises no alert: nothing can be done about it any more."""
EXEMPTION = timedelta(days=7)
"""For how long nobody whose suspension was lifted is suspended by the detector, unless told otherwise."""
_LOCK_SECONDS = 30.0
ALERTED, LIFTED = "alerted", "lifted"


@dataclass(frozen=True)
class Entry:
    """One line of the log.

    Attributes:
        at: ISO 8601, UTC.
        user: keyed hash.
        action: `alerted`, `suspended` or `lifted`.
        by: `detector` or `operator`.
        reasons: in words.
        hour: of an alert: when its first window ended (ISO 8601, UTC).
        score: of an alert: the highest z.
        until: of a lifted suspension: the end of the exemption.
    """

    at: str
    user: str
    action: str
    by: str
    reasons: str
    hour: str | None = None
    score: float | None = None
    until: str | None = None


_FIELDS = ("user", "hour", "score", "reasons")


def keep_scores(settings: Settings, scores: pd.DataFrame) -> None:
    """Keep the hours of abuse as last found, for the sensor: it need not wait for the warehouse."""
    rows = [
        dict(zip(_FIELDS, (user, hour.isoformat(), round(score, 3), reasons), strict=True))
        for user, hour, score, reasons in scores[list(_FIELDS)].itertuples(index=False)
    ]
    write_json(scores_path(settings), {"hours": rows})


def raise_alerts(settings: Settings, now: datetime | None = None) -> list[Entry]:
    """Log an alert for each episode of abuse that has none yet, and suspend where that is switched on.

    An episode is what one user does within a day of its first hour; abuse that goes on is told daily.

    Returns:
        What was added to the log.
    """
    now = now or datetime.now(UTC)
    if not _root(settings).is_dir():
        return []
    with _locked(settings):
        log = read_log(settings)
        standing = {entry.user: _follows(entry) for entry in log if entry.action != ALERTED}
        known: dict[str, list[datetime]] = {}
        for entry in log:
            if entry.action == ALERTED and entry.hour:
                known.setdefault(entry.user, []).append(_time(entry.hour))
        added = []
        for alert in _episodes(_scores(settings), known, now):
            added.append(alert)
            if settings.suspend == "on" and not _holds(standing.get(alert.user), now):
                added.append(Entry(_text(now), alert.user, SUSPENDED, "detector", alert.reasons))
        _append(settings, added)
        _put_in_force(settings, [*log, *added])
    return added


def suspend(settings: Settings, users: Sequence[str], reasons: str) -> list[Entry]:
    """Suspend the hashes of a user until that is lifted."""
    at = _text(datetime.now(UTC))
    return _decide(settings, [Entry(at, user, SUSPENDED, "operator", reasons) for user in users])


def lift(settings: Settings, users: Sequence[str], exemption: timedelta = EXEMPTION) -> list[Entry]:
    """Undo a suspension, if there is one, and keep the detector from another one for a while."""
    now = datetime.now(UTC)
    until = _text(now + exemption)
    entries = [Entry(_text(now), user, LIFTED, "operator", "", until=until) for user in users]
    return _decide(settings, entries)


def read_log(settings: Settings) -> list[Entry]:
    """Every line, the oldest first; one that was torn as it was written is left out."""
    found = []
    for path in sorted(_root(settings).glob("*.ndjson")):
        for line in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, TypeError):
                entry = Entry(**json.loads(line))
                if is_user(entry.user):
                    found.append(entry)
    return found


def forget_alerts(settings: Settings, users: Iterable[str]) -> int:
    """Take every line of these hashes out of the log, and their scores; how many there were."""
    gone = set(users)
    with _locked(settings):
        removed = 0
        for path in _root(settings).glob("*.ndjson"):
            lines = path.read_bytes().splitlines(True)
            kept = [line for line in lines if not any(user.encode() in line for user in gone)]
            if len(kept) < len(lines):
                write_bytes(path, b"".join(kept))
            removed += len(lines) - len(kept)
        rows = _scores(settings)
        others = [row for row in rows if row["user"] not in gone]
        if len(others) < len(rows):
            write_json(scores_path(settings), {"hours": others})
    return removed + len(rows) - len(others)


def scores_path(settings: Settings) -> Path:
    """Where the hours of abuse are kept as last found."""
    return _root(settings) / "scores.json"


def _episodes(
    scores: list[dict[str, str]], known: dict[str, list[datetime]], now: datetime
) -> Iterator[Entry]:
    """An alert for each user's hours within a day of the first that no alert is known of."""
    hours = sorted(scores, key=lambda row: (row["hour"], row["user"]))
    for row in hours:
        first = _time(row["hour"])
        told = known.setdefault(row["user"], [])
        if now - first > RECENT or any(abs(first - other) < SAME_EPISODE for other in told):
            continue
        told.append(first)
        episode = [
            one
            for one in hours
            if one["user"] == row["user"] and timedelta(0) <= _time(one["hour"]) - first < SAME_EPISODE
        ]
        worst = max(episode, key=lambda one: float(one["score"]))
        score = float(worst["score"])
        yield Entry(_text(now), row["user"], ALERTED, "detector", worst["reasons"], _text(first), score)


def _decide(settings: Settings, entries: list[Entry]) -> list[Entry]:
    with _locked(settings):
        _append(settings, entries)
        _put_in_force(settings, entries)
    return entries


def _put_in_force(settings: Settings, log: Sequence[Entry]) -> None:
    """Make the flags what the latest words on each user say."""
    last = {entry.user: _follows(entry) for entry in log if entry.action != ALERTED}
    for user, standing in last.items():
        if standing_of(settings, user) != standing:
            set_standing(settings, standing)


def _follows(entry: Entry) -> Standing:
    state = SUSPENDED if entry.action == SUSPENDED else EXEMPT
    return Standing(entry.user, state, entry.at, entry.until, entry.reasons)


def _holds(standing: Standing | None, now: datetime) -> bool:
    """Whether a user needs no suspension: he has one, or is exempt."""
    if standing is None:
        return False
    return standing.state == SUSPENDED or (standing.until is not None and _time(standing.until) > now)


def _scores(settings: Settings) -> list[dict[str, str]]:
    """The hours of abuse as last found; none where the document is damaged: it is written every hour."""
    rows = (read_json(scores_path(settings)) or {}).get("hours", [])
    try:
        return [{name: str(row[name]) for name in _FIELDS} for row in rows if is_user(row["user"])]
    except (TypeError, KeyError):
        return []


def _append(settings: Settings, entries: Sequence[Entry]) -> None:
    """Add lines, which are on the disk when this returns."""
    if not entries:
        return
    path = _root(settings) / f"{entries[0].at[:7]}.ndjson"
    lines = "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries).encode()
    with disk_errors(path), path.open("a+b") as file:
        if file.tell() and not _ends_a_line(file.fileno(), file.tell()):
            lines = b"\n" + lines
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def _ends_a_line(descriptor: int, size: int) -> bool:
    return os.pread(descriptor, 1, size - 1) == b"\n"


@contextlib.contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    root = _root(settings)
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(root / "log.lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout as error:
        raise MediaAssetsError("another process writes it", where=str(root), hint="try again") from error
    try:
        yield
    finally:
        lock.release()


def _root(settings: Settings) -> Path:
    return settings.metadata_root / "alerts"


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")
