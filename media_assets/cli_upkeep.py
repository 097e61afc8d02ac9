"""media-assets verify, clean, recover, backup, restore: nothing is lost, and what is, comes back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, with_actions
from media_assets.errors import BadInput
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.store.backup import BackedUp, Restored
    from media_assets.store.cleaning import Kind
    from media_assets.upkeep import Cleaned, Verified

_DAY = 86_400.0
_AGES = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": _DAY, "w": 7 * _DAY}
_SIZES = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_UNUSED = "7d"


def verify(
    quick: Annotated[
        bool, typer.Option("--quick", help="Look at sizes and times only; read no media.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Render again what is missing or damaged.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Hold every tracked file against its record; what is missing or damaged shows as stale."""
    from media_assets import progress
    from media_assets.upkeep import verify as run

    found: Verified = with_actions(
        data,
        lambda actions: run(
            actions.session,
            quick=quick,
            repair=repair,
            told=lambda fraction: progress.report("verify", fraction),
        ),
    )
    if json:
        console.print_json(found.to_json())
    else:
        rows = [(f.kind, f.path, f.problem, f.text, len(f.dependants)) for f in found.checked.findings]
        console.print_table(["kind", "file", "", "what is wrong", "made from it"], rows, title="Findings")
        counted = ", ".join(f"{kind} {count}" for kind, count in found.checked.files.items())
        console.say(f"looked at: {counted}; {console.size(found.checked.bytes_read)} read")
        for text in [*(f"right again: {one}" for one in found.repaired), *found.failed]:
            console.say(text)
        if found.marked:
            console.say(f"{found.marked} partitions show as stale")
    raise typer.Exit(0 if found.clean else 1)


def clean(
    older: Annotated[
        str | None, typer.Option(help=f"What was not used for that long: 12h, 7d, 4w [default: {_UNUSED}].")
    ] = None,
    quota: Annotated[
        str | None, typer.Option(help="Bytes the store may have: 500M, 20G. Alone, age does not count.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="effect, komposition or preview: all, if none is given; or irreplaceable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, remove nothing.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Remove outputs that are not used any more, the least recently used first."""
    from media_assets.upkeep import clean as run

    age = seconds_of(older or _UNUSED) if older or not quota else None
    limit = bytes_of(quota) if quota else None
    kinds = _kinds(kind or [])
    found: Cleaned = with_actions(
        data,
        lambda actions: run(
            actions.session.instance,
            actions.session.graph,
            actions.settings,
            older=age,
            quota=limit,
            kinds=kinds,
            dry_run=dry_run,
        ),
    )
    if json:
        console.print_json(found.to_json())
        return
    rows = [(c.kind, c.id, console.size(c.size)) for c in found.removed]
    console.print_table(["kind", "what", "frees"], rows, title="Would go" if dry_run else "Removed")
    for candidate in found.in_use:
        console.say(f"in use, left: {candidate.id}")
    verb = "would be freed" if dry_run else "freed"
    console.say(
        f"{console.size(found.freed)} {verb} of {console.size(found.store_bytes)}; "
        f"{console.size(found.kept_bytes)} are of what is current, and stay"
    )


def recover(
    anew: Annotated[
        bool, typer.Option("--anew", help="Put the Dagster home there is aside first: it is damaged.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is there, change nothing.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Rebuild Dagster's partitions and records from what is on disk; nothing becomes stale by it."""
    from media_assets.recovering import recover as run
    from media_assets.recovering import set_home_aside, survey

    settings = Settings.from_environment(data)
    if dry_run:
        found = survey(settings)
    else:
        aside = set_home_aside(settings) if anew else None
        if aside is not None:
            console.say(f"the old home is {aside}")
        found = with_actions(data, lambda actions: run(actions.session))
    if json:
        console.print_json(found.to_json())
        return
    console.print_table(["asset", "records"], list(found.records.items()), title="Records on disk")
    console.print_table(
        ["path", "why"], found.quarantined, title="To be put aside" if dry_run else "Put aside"
    )
    if not dry_run:
        count = sum(found.partitions.values())
        console.say(f"{found.reported} records were reported again; there are {count} partitions")
    for text in [
        *(f"described again: {path}" for path in found.rebuilt),
        *(f"a record that cannot be read: {path}" for path in found.damaged),
        *(f"records of an asset that is not defined any more: {name}" for name in found.unknown),
    ]:
        console.say(text)


def seconds_of(text: str) -> float:
    """An age such as `7d`, in seconds.

    Raises:
        BadInput: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip().lower())
    if match is None:
        raise BadInput(f"{text!r} is no age", where="--older", hint="give 90m, 12h, 7d or 4w")
    return float(match[1]) * _AGES[match[2]]


def bytes_of(text: str) -> int:
    """A size such as `20G`, in bytes, in powers of 1024.

    Raises:
        BadInput: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?", text.strip().lower())
    if match is None:
        raise BadInput(f"{text!r} is no size", where="--quota", hint="give 500M or 20G")
    return int(float(match[1]) * 1024 ** _SIZES[match[2]])


def _kinds(names: list[str]) -> Sequence[Kind]:
    from media_assets.store.cleaning import IRREPLACEABLE, KINDS

    known = (*KINDS, IRREPLACEABLE)
    for name in names:
        if name not in known:
            raise BadInput(f"{name!r} is no kind", where="--kind", hint="there are: " + ", ".join(known))
    return [kind for kind in known if kind in names] or KINDS


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it, such as monday.tar.gz.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Write all but the media into one file: Dagster's home, warehouse, documents, records, sidecars."""
    from media_assets.backing_up import backup as run

    done = run(Settings.from_environment(data), file, force=force)
    if _listed(done, "Backed up", json=json):
        console.say(f"{file}: {console.size(done.size)} in {console.seconds(done.seconds)}")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also where there is a Dagster home: it is put aside.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a backup back; what it replaces is moved aside. Stop Dagster first."""
    from media_assets.backing_up import restore as run

    done = run(Settings.from_environment(data), file, force=force)
    if not _listed(done, f"As of {done.created}", json=json):
        return
    if done.aside is not None:
        console.say(f"what was replaced is under {done.aside}")
    if done.missing:
        console.say(f"{len(done.missing)} outputs are not in the store: `media-assets verify --repair`")


def _listed(done: BackedUp | Restored, title: str, *, json: bool) -> bool:
    """Print what an archive holds; whether there is more to say, which JSON holds already."""
    if json:
        console.print_json(asdict(done))
    else:
        console.print_table(["folder", "files"], list(done.files.items()), title=title)
    return not json
