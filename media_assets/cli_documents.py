"""media-assets komposition check, convert, schema: documents in any form, and what is said of them."""

from __future__ import annotations

import json as jsons
from pathlib import Path
from typing import Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json
from media_assets.errors import BadInput
from media_assets.settings import Settings

DocumentFile = Annotated[
    Path,
    typer.Argument(
        help="A document (.json, .yaml, .xml, .kompo.md): a path, or its name under data/kompositions."
    ),
]
Lenient = Annotated[
    bool,
    typer.Option(
        "--lenient", help="Leave out, with a warning, effects that nobody knows and footage not told."
    ),
]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write to this file, which must not be there yet.")
]


def located(file: Path, data: Path | None) -> Path:
    """The document as named, or the one of that name among the data root's."""
    inside = Settings.from_environment(data).komposition_root / file
    return inside if not file.exists() and inside.is_file() else file


def check(file: DocumentFile, lenient: Lenient = False, data: Data = None, json: Json = False) -> None:
    """Tell a document's form, everything that was decided in reading it, and its canonical form."""
    from media_assets.kompositions.document import read

    found = read(located(file, data), lenient=lenient)
    warnings = [{"place": place, "message": text} for place, text in found.warnings]
    if json:
        said = {"dialect": found.dialect, "warnings": warnings, "document": found.canonical}
        console.print_json({"valid": True, "findings": [], **said})
        return
    console.say(f"{file.name} holds; its form is {found.dialect}")
    for place, text in found.warnings:
        console.say(f"warning: {place}: {text}")
    console.print_json(found.canonical)


def convert(
    file: DocumentFile, out: Out = None, lenient: Lenient = False, data: Data = None, json: Json = False
) -> None:
    """Write a document of any form in the canonical one."""
    from media_assets.kompositions.document import read

    found = read(located(file, data), lenient=lenient)
    if out is None:
        console.print_json(found.canonical)
    else:
        write_new(out, jsons.dumps(found.canonical, ensure_ascii=False, indent=2) + "\n")
    for place, message in found.warnings:
        console.say(f"warning: {place}: {message}")
    if out is not None and json:
        console.print_json({"written": str(out), "dialect": found.dialect})
    elif out is not None:
        console.say(f"{out} is {file.name} in the canonical form")


def schema() -> None:
    """Print the JSON Schema of the canonical form."""
    console.print_json(published_schema())


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a komposition document."""
    from media_assets.kompositions.model import Komposition

    about = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return about | Komposition.model_json_schema()


def schema_page() -> str:
    """The schema as docs/komposition.schema.json has it."""
    return jsons.dumps(published_schema(), ensure_ascii=False, indent=2) + "\n"


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises:
        BadInput: it is there, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise BadInput("it is there already", where=str(path), hint="name another file") from None
    except OSError as error:
        raise BadInput(f"it cannot be written: {error.strerror}", where=str(path)) from error


def mount(app: typer.Typer) -> None:
    """Add these commands to `komposition`."""
    app.command("check")(check)
    app.command("convert")(convert)
    app.command("schema")(schema)
