"""media-assets privacy: the key that names are hashed with, and who does not want to be counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.settings import Settings

app = typer.Typer(help=__doc__, no_args_is_help=True)
User = Annotated[str | None, typer.Argument(help="Whoever is at work, without.")]


@app.command()
def status(data: Data = None, json: Json = False) -> None:
    """Tell where the keys are, and what the events of whoever is at work say of them."""
    from media_assets.analytics.keyring import load_keyring
    from media_assets.analytics.origin import NOBODY, user_of, user_tag

    settings = Settings.from_environment(data)
    keyring = load_keyring(settings.key_file, settings.data_root)
    tag = user_tag(user_of(settings), keyring)
    found = {
        "key_file": str(settings.key_file),
        "keys": [{"id": key.id, "created": key.created} for key in keyring.keys],
        "user": None if tag == NOBODY else tag,
        "opted_out": tag == NOBODY,
    }
    _tell(found, json)


@app.command("rotate-key")
def rotate_key(data: Data = None, json: Json = False) -> None:
    """Begin a new key: hashes of today and of tomorrow cannot be told to be one person's without both."""
    from media_assets.analytics.keyring import add_key

    settings = Settings.from_environment(data)
    keyring = add_key(settings.key_file, settings.data_root)
    _tell({"newest": keyring.newest.id, "keys": [key.id for key in keyring.keys]}, json)


@app.command("opt-out")
def opt_out(user: User = None, data: Data = None, json: Json = False) -> None:
    """From now on, write of a person's operations only what counting needs, and no user."""
    _set(user, Settings.from_environment(data), True, lambda found: _tell(found, json))


@app.command("opt-in")
def opt_in(user: User = None, data: Data = None, json: Json = False) -> None:
    """Take an opt-out back, for events from now on."""
    _set(user, Settings.from_environment(data), False, lambda found: _tell(found, json))


def forget(
    user: Annotated[str, typer.Argument(help="A name, or a hash as events have it.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Take a person out of all events, sums, exports, alerts and runs; then look whether any is left."""
    from media_assets.forgetting import forget as run

    done = run(Settings.from_environment(data), user, dry_run=dry_run)
    if json:
        console.print_json(asdict(done))
    else:
        rows = [*done.rows.items(), ("lines being written", done.lines), ("runs", done.runs)]
        title = "What would be changed" if done.dry else "Changed"
        console.print_table(["table", "rows"], [*rows, ("alerts", done.alerts)], title=title)
        for path in done.left:
            console.say(f"still there: {path}; end what has it open, and forget again")
        for path in done.backups:
            console.say(f"a backup from before holds the person: {path}; remove it, or make it anew")
        if not done.dry and not done.left:
            console.say("no file under the data root holds any of the person's hashes")
    if done.left:
        raise typer.Exit(1)


def _set(user: str | None, settings: Settings, out: bool, tell: Callable[[dict[str, Any]], None]) -> None:
    from media_assets.analytics.keyring import load_keyring, set_opted_out
    from media_assets.analytics.origin import hashes_of, user_of

    keyring = load_keyring(settings.key_file, settings.data_root)
    hashes = frozenset(hashes_of(user or user_of(settings), keyring))
    set_opted_out(settings.key_file, settings.data_root, hashes, out=out)
    tell({"user": user or user_of(settings), "opted_out": out})


def _tell(found: dict[str, Any], json: bool) -> None:
    if json:
        console.print_json(found)
        return
    for name, value in found.items():
        console.output.print(f"{name}: {value}", soft_wrap=True, markup=False)
