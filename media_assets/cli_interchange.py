"""media-assets komposition import-otio, export-otio: timelines from and to editing programs."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import Annotated

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import BadInput, MediaAssetsError
from media_assets.settings import Settings

Out = Annotated[
    Path | None, typer.Option("-o", "--output", help="Where to write it, instead of on stdout.")
]
Lost = list[tuple[str, str]]


def import_otio(
    file: Annotated[Path, typer.Argument(help="An OpenTimelineIO timeline (.otio).")],
    output: Out = None,
    size: Annotated[
        str | None, typer.Option("--size", help="Of the video, such as 1280x720; such files do not say it.")
    ] = None,
    json: Json = False,
) -> None:
    """Turn an OpenTimelineIO timeline into a document, and say what was lost."""
    from media_assets.kompositions.interchange import MAX_BYTES, from_otio

    if file.suffix.lower() != ".otio":
        raise BadInput(
            "a timeline is an .otio file", where=str(file), hint="export OpenTimelineIO's JSON form"
        )
    try:
        if file.stat().st_size > MAX_BYTES:
            raise BadInput(f"it is larger than {MAX_BYTES} bytes", where=str(file))
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("it is no OpenTimelineIO file: it is not text", where=str(file)) from None
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=str(file)) from error
    _, document, lost = from_otio(text, file.name, size=_size(size))
    written = jsons.dumps(document, indent=1, ensure_ascii=False) + "\n"
    _give(written, {"document": document}, output, lost, json=json)


def export_otio(
    file: Annotated[str, typer.Argument(help="A document: a path, or its name under data/kompositions.")],
    output: Out = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Turn a document into an OpenTimelineIO timeline, and say what other programs will not understand."""
    from media_assets.editing import exported

    text, lost = exported(file, Settings.from_environment(data))
    _give(text + "\n", {"timeline": jsons.loads(text)}, output, lost, json=json)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    width, by, height = text.lower().partition("x")
    if not (by and width.isdecimal() and height.isdecimal()):
        raise BadInput(f"{text!r} is no size", where="--size", hint="give it as 1280x720")
    return int(width), int(height)


def _give(text: str, document: dict[str, object], output: Path | None, lost: Lost, *, json: bool) -> None:
    """Write the result, to a file or stdout, and tell what was lost."""
    from media_assets.store.files import write_bytes

    if output is not None:
        try:
            write_bytes(output, text.encode())
        except OSError as error:
            raise MediaAssetsError(f"it cannot be written: {error.strerror}", where=str(output)) from error
    told = [{"place": place, "message": message} for place, message in lost]
    if json:
        console.print_json(({"output": str(output)} if output else document) | {"lost": told})
        return
    if output is None:
        print(text, end="")
    else:
        console.say(f"wrote {output}")
    for place, message in lost:
        console.say(f"lost: {place}: {message}")
