"""media-assets analyze …: what is heard and seen in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, admitted, with_actions
from media_assets.errors import NotMedia
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.store.analyses import Analysed

app = typer.Typer(help="What is heard and seen in a file.", no_args_is_help=True)

File = Annotated[str, typer.Argument(help="A media file: a path anywhere, or a source id (src_…).")]
_SHOWN = 12


@app.command("beats")
def beats(file: File, data: Data = None, json: Json = False) -> None:
    """Find the tempo of a file's sound and where its beats are."""
    from media_assets.store.analyses import AnalysisStore

    admitted(data)
    settings = Settings.from_environment(data)
    source = _source(file, settings)
    found = AnalysisStore(settings).analysis("beats", source)
    bpm, times = found.found(file)
    if json:
        console.print_json({"file": file, **found.to_json()})
        return
    kind = "even" if found.steady else "wandering"
    console.output.print(
        f"{bpm:.2f} beats a minute, {len(times)} beats ({kind}), the first at {times[0]:.3f} s, "
        f"confidence {found.confidence:.2f}",
        soft_wrap=True,
    )
    bars = times[found.downbeat :: 4]
    console.output.print(f"bars of four probably begin at {_listed(bars)}", soft_wrap=True)
    if (source.info.duration or 0.0) > found.seconds + 1:
        console.say(f"only the first {found.seconds:g} s were listened to")


@app.command("content")
def content(file: File, data: Data = None, json: Json = False) -> None:
    """Find cuts, and how sharp, moving, bright and loud a file is, with its silence and its speech."""
    from media_assets.store.analyses import AnalysisStore

    admitted(data)
    settings = Settings.from_environment(data)
    source = _source(file, settings)
    store = AnalysisStore(settings)
    if source.info.video is None and source.info.audio is None:
        raise NotMedia("it holds nothing to see or to hear", where=file)
    picture = store.analysis("picture", source) if source.info.video else None
    sound = store.analysis("sound", source) if source.info.audio else None
    if json:
        parts = {"picture": picture, "sound": sound}
        console.print_json({"file": file} | {n: p.to_json() if p else None for n, p in parts.items()})
        return
    columns = ["second", "sharpness", "motion", "brightness", "focus", "loudness"]
    seen: list[Sequence[Any]] = []
    if picture is not None:
        console.output.print(f"cuts at {_listed(picture.cuts)}", soft_wrap=True)
        points = [f"{x:.2f}, {y:.2f}" for x, y in picture.focus]
        seen = [picture.sharpness, picture.motion, picture.brightness, points]
    if sound is not None:
        console.output.print(f"silence {_ranges(sound.silences)}", soft_wrap=True)
        console.output.print(f"speech {_ranges(sound.speech)}", soft_wrap=True)
    loudness = sound.loudness if sound is not None else ()
    lists = [*(seen or [()] * 4), loudness]
    rows = [
        [second, *(_cell(values, second) for values in lists)] for second in range(max(map(len, lists)))
    ]
    console.print_table(columns, rows)


@app.command("sources")
def sources(
    source: Annotated[
        list[str] | None, typer.Argument(help="Ids or paths; without, all that need it.")
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Materialize content_analysis and screenshots of ingested sources."""
    admitted(data)
    done = with_actions(data, lambda actions: actions.analyse(source or []))
    if json:
        console.print_json({"sources": list(done.asked), "failed": done.failed})
    else:
        console.output.print(f"{len(done.asked)} sources: see content_analysis and screenshots in the UI")
        for text in done.failed:
            console.say(text)
    if done.failed:
        raise typer.Exit(1)


def _source(file: str, settings: Settings) -> Analysed:
    """The file by its path, or the source of that id.

    Raises:
        BadInput: there is neither.
    """
    from media_assets.store.analyses import AnyFile
    from media_assets.store.sources import SourceCatalogue

    path = Path(file)
    if not path.exists() and (file.startswith("src_") or (settings.source_root / file).is_file()):
        return SourceCatalogue(settings).unchanged(file)
    return AnyFile.read(path, settings)


def _listed(times: Sequence[float]) -> str:
    shown = ", ".join(f"{time:.2f}" for time in times[:_SHOWN]) or "no time"
    return f"{shown} … ({len(times)})" if len(times) > _SHOWN else shown


def _ranges(ranges: Sequence[tuple[float, float]]) -> str:
    shown = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in ranges[:_SHOWN]) or "nowhere"
    return f"{shown} … ({len(ranges)})" if len(ranges) > _SHOWN else shown


def _cell(values: Sequence[Any], at: int) -> str:
    if at >= len(values):
        return ""
    value = values[at]
    return value if isinstance(value, str) else f"{value:.3f}"
