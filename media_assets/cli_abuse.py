"""media-assets abuse, and analytics abuse: who uses far too much, and what is done about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.analytics.alerts import Entry

app = typer.Typer(
    help="Alerts of abuse, suspensions and their undoing; for whoever runs the installation.",
    no_args_is_help=True,
)
User = Annotated[str, typer.Argument(help="A hash as `abuse list` shows it, its beginning, or a name.")]

_LONGEST_DAYS = 3650
_FEWEST_DIGITS = 6


def scores(data: Data = None, json: Json = False) -> None:
    """Show what is usual in 1, 6 and 24 hours, from where on it is abuse, and in which hours that was."""
    from media_assets.analytics.connection import connect
    from media_assets.analytics.questions import abuse
    from media_assets.analytics.rollups import refresh

    settings = Settings.from_environment(data)
    path = settings.warehouse_path
    if not path.exists():
        raise MediaAssetsError(
            "nothing was loaded yet", where=str(path), hint="`media-assets analytics` loads the events"
        )
    with connect(path) as connection:
        refresh(connection, abuse.ROLLUPS)
        windows = abuse.windows(connection)
    usual = abuse.usual(windows, settings)
    hours = abuse.told(abuse.alarming(windows, usual, settings.abuse_z))
    named = [f"{hour:%Y-%m-%dT%H}:00Z" for hour in hours["hour"]]
    hours = hours.assign(hour=named, score=hours["score"].round(2))
    limits = abuse.limits(usual)
    if json:
        found = {"limits": limits, "hours": hours}
        console.print_json({name: table.to_dict("records") for name, table in found.items()})
        return
    if not usual:
        console.say(f"fewer than {settings.fewest_users} users are known: nothing can be compared")
        return
    for title, table in (("What is usual", limits), ("Hours of abuse", hours)):
        console.print_table(list(table.columns), table.to_numpy(dtype=object).tolist(), title)


@app.command("list")
def list_alerts(data: Data = None, json: Json = False) -> None:
    """Show who is suspended or exempt, and the log: alerts, suspensions and what was lifted."""
    from media_assets.analytics.alerts import read_log
    from media_assets.analytics.standing import standings

    settings = Settings.from_environment(data)
    held, log = standings(settings), read_log(settings)
    if json:
        console.print_json({"users": [asdict(one) for one in held], "log": [asdict(one) for one in log]})
        return
    rows = [(one.user, one.state, one.since, one.until, one.reasons) for one in held]
    console.print_table(["user", "is", "since", "until", "why"], rows, "Users")
    _print_log(log)


@app.command()
def show(user: User, data: Data = None, json: Json = False) -> None:
    """Show whether a user is suspended or exempt, and all that the log has of him."""
    from media_assets.analytics.alerts import read_log
    from media_assets.analytics.standing import standing_of

    settings = Settings.from_environment(data)
    users = _meant(settings, user)
    held = [found for one in users if (found := standing_of(settings, one))]
    log = [entry for entry in read_log(settings) if entry.user in users]
    if json:
        console.print_json({"users": [asdict(one) for one in held], "log": [asdict(one) for one in log]})
        return
    for one in held:
        until = f" until {one.until}" if one.until else ""
        console.say(f"{one.user} is {one.state} since {one.since}{until}")
    if not held:
        console.say(f"{user} is neither suspended nor exempt")
    _print_log(log)


@app.command()
def suspend(
    user: User,
    reason: Annotated[str, typer.Option("--reason", help="Told to whom it concerns.")] = "by hand",
    data: Data = None,
    json: Json = False,
) -> None:
    """Refuse a user's requests until that is lifted; what runs already goes on."""
    from media_assets.analytics import alerts

    settings = Settings.from_environment(data)
    # The newest hash does: a name is looked for under all keys.
    _tell(alerts.suspend(settings, _meant(settings, user)[-1:], reason), json)


@app.command()
def lift(
    user: User,
    days: Annotated[
        int, typer.Option("--days", min=0, max=_LONGEST_DAYS, help="Not suspended by itself for so long.")
    ] = 7,
    data: Data = None,
    json: Json = False,
) -> None:
    """Undo a suspension, or keep somebody from one; the command is refused to nobody."""
    from media_assets.analytics import alerts
    from media_assets.analytics.standing import standing_of

    settings = Settings.from_environment(data)
    users = _meant(settings, user)
    held = [one for one in users if standing_of(settings, one)] or list(users[-1:])
    _tell(alerts.lift(settings, held, timedelta(days=days)), json)


def _meant(settings: Settings, user: str) -> tuple[str, ...]:
    """The hashes that are meant, the newest last.

    Raises:
        BadInput: the beginning of a hash fits none or several, or a name cannot be hashed.
    """
    from media_assets.analytics.alerts import read_log
    from media_assets.analytics.standing import hashes, is_user, standings

    if is_user(user) or not user.startswith("u_"):
        if found := hashes(settings, user):
            return found
        raise BadInput("names cannot be hashed", where=user, hint="`media-assets privacy status` says why")
    known = {one.user for one in standings(settings)} | {entry.user for entry in read_log(settings)}
    fitting = sorted(one for one in known if one.startswith(user))
    if len(fitting) != 1 or len(user) < _FEWEST_DIGITS:
        count = "several" if len(fitting) > 1 else "no" if not fitting else "too short for one of the"
        raise BadInput(f"{count} known hashes begin so", where=user, hint="`media-assets abuse list`")
    return tuple(fitting)


def _tell(added: list[Entry], json: bool) -> None:
    if json:
        console.print_json({"log": [asdict(entry) for entry in added]})
        return
    for entry in added:
        until = f", and exempt until {entry.until}" if entry.until else ""
        console.say(f"{entry.user} was {entry.action}{until}")


def _print_log(log: list[Entry]) -> None:
    rows = [(one.at, one.user, one.action, one.by, one.score, one.reasons) for one in log]
    console.print_table(["when", "user", "what", "by", "z", "why"], rows, "Log")
