"""media-assets komposition versions, restore, diff: how a document was, and what a change renders anew."""

from __future__ import annotations

from typing import Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.settings import Settings

_NAME = "A document, or a version of one: sample.json, sample@3."
File = Annotated[str, typer.Argument(help="A document: a path, or its name under data/kompositions.")]


def versions(file: File, data: Data = None, json: Json = False) -> None:
    """List the versions of a document that were kept."""
    from media_assets.editing import kept_versions

    named, found = kept_versions(file, Settings.from_environment(data))
    if json:
        from dataclasses import asdict

        console.print_json({"id": named.key, "versions": [asdict(version) for version in found]})
        return
    rows = [(v.number, v.time, console.size(v.size), v.sha256[:12]) for v in found]
    console.print_table(["version", "seen", "size", "SHA-256"], rows)


def restore(
    file: File,
    number: Annotated[int, typer.Argument(min=1, help="The version's number.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a version of a document in its place; what was there is kept as a version."""
    from media_assets.editing import restore as put_back

    version = put_back(file, number, Settings.from_environment(data))
    if json:
        console.print_json({"restored": number, "version": version.number, "sha256": version.sha256})
    else:
        console.say(f"{file} is as it was in version {number}; that is version {version.number} now")


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help=_NAME)],
    after: Annotated[str, typer.Argument(metavar="B", help=_NAME)],
    data: Data = None,
    json: Json = False,
) -> None:
    """Tell what going from A to B changes, and which pieces would be rendered; renders nothing."""
    from media_assets.editing import compare

    found = compare(before, after, Settings.from_environment(data))
    if json:
        console.print_json(found.to_json())
        return
    for change in found.changes:
        console.output.print(f"{change.place}: {change.text}", markup=False, soft_wrap=True)
    rows: list[tuple[object, ...]] = [
        (piece.id, piece.first_frame, piece.frames, "in the store" if piece.stored else "to be rendered")
        for piece in found.pieces
    ]
    if found.sound_changed:
        rows.append(("sound", 0, "", "in the store" if found.sound_stored else "to be made"))
    if rows:
        console.print_table(["piece", "first frame", "frames", ""], rows)
    if found.whole_stored:
        text = "the finished file is in the store"
    elif not found.rendered and not found.sound_rendered:
        text = "nothing is to be rendered, only joined"
    else:
        count = len(found.rendered)
        sound = "sound" if found.sound_rendered else ""
        pieces = f"{count} piece{'' if count == 1 else 's'}" if count else ""
        text = f"to be rendered: {' and '.join(part for part in (pieces, sound) if part)}, "
        text += f"about {found.cpu_seconds:.1f} CPU-seconds"
    console.output.print(text if found.changes else f"no field differs; {text}", markup=False)
