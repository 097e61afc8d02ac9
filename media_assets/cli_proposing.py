"""media-assets komposition new: a first document from music and clips, to be edited from there."""

from __future__ import annotations

import filecmp
import json as json_format
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from media_assets import console
from media_assets.cli_common import Data, Json, with_actions
from media_assets.errors import BadInput, MediaAssetsError, NotMedia
from media_assets.settings import Settings

if TYPE_CHECKING:
    from media_assets.kompositions.proposing import Wishes
    from media_assets.store.analyses import Analysis
    from media_assets.store.sources import SourceCatalogue, SourceFacts

_SIZE = re.compile(r"(\d{2,5})x(\d{2,5})")
_STYLES = ("calm", "balanced", "energetic")

Music = Annotated[str, typer.Option("--music", help="A sound file or a video: a path, or a source id.")]
Clips = Annotated[
    list[str], typer.Option("--clips", help="Videos and stills, one after the other: --clips A B C.")
]
More = Annotated[list[str] | None, typer.Argument(metavar="CLIP", help="More clips.", show_default=False)]
Bpm = Annotated[str, typer.Option("--bpm", help="Beats a minute, or auto: as the music has it.")]
StyleOption = Annotated[str, typer.Option("--style", help=f"How it is cut: {', '.join(_STYLES)}.")]
Size = Annotated[str, typer.Option("--size", help="Width and height in pixels.")]
Length = Annotated[
    float | None, typer.Option("--length", help="Seconds; as long as it carries, if not given.")
]
SpeechOption = Annotated[
    str | None,
    typer.Option("--speech", help="keep: what is said is heard, and the music lowered under it."),
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="Where to write it; else under data/kompositions.")
]
Add = Annotated[
    bool, typer.Option("--add", help="Copy files from elsewhere into the source folder (data/source).")
]
Force = Annotated[bool, typer.Option("--force", help="Write over a document that is there already.")]


def new(
    music: Music,
    clips: Clips,
    more: More = None,
    bpm: Bpm = "auto",
    style: StyleOption = "balanced",
    size: Size = "1280x720",
    length: Length = None,
    speech: SpeechOption = None,
    output: Output = None,
    add: Add = False,
    force: Force = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Propose a document: the best parts of clips, cut on the beats of music.

    Every clip is used. What is proposed holds and can be rendered as it is.
    """
    settings = Settings.from_environment(data)
    wishes = _wishes(bpm, style, size, length, speech)
    if output is not None:
        _check_place(output, force=force)
    track = _inside(music, settings, add=add)
    chosen = list(dict.fromkeys(_inside(name, settings, add=add) for name in [*clips, *(more or [])]))

    def work(actions: Any) -> dict[str, Any]:
        actions.ingest()
        return _proposed(track, chosen, wishes, actions.media.sources, settings)

    document = with_actions(data, work)
    path = output or settings.komposition_root / f"{_file_name(document['title'])}.json"
    _write(document, path, force=force)
    if json:
        console.print_json({"output": str(path), "document": document})
        return
    count, shown = len(document["segments"]), document["segments"]
    rows = [(s["id"], s["source"], s.get("in_point", ""), s["duration"], _entry(s)) for s in shown]
    console.print_table(["segment", "source", "from (s)", "beats", "comes in by"], rows)
    console.output.print(f"{path}: {count} segments", soft_wrap=True)


def _wishes(bpm: str, style: str, size: str, length: float | None, speech: str | None) -> Wishes:
    """What was asked for, in its own types.

    Raises:
        BadInput: an option that means nothing.
    """
    from media_assets.kompositions.cutting import Style
    from media_assets.kompositions.proposing import Wishes

    form = _SIZE.fullmatch(size)
    if form is None or int(form[1]) % 2 or int(form[2]) % 2:
        raise BadInput(f"{size!r} is no size", where="--size", hint="two even numbers, such as 1280x720")
    known = {name: name for name in get_args(Style)}
    if style not in known:
        raise BadInput(f"{style!r} is no style", where="--style", hint="known: " + ", ".join(known))
    if speech not in (None, "keep"):
        raise BadInput(
            f"{speech!r} means nothing here", where="--speech", hint="give keep, or leave it out"
        )
    if length is not None and not 1 <= length <= 3600:
        raise BadInput(f"{length:g} s is not between 1 and 3600", where="--length")
    return Wishes(
        bpm=_tempo(bpm),
        style=known[style],
        width=int(form[1]),
        height=int(form[2]),
        seconds=length,
        speech=speech == "keep",
    )


def _tempo(bpm: str) -> float | Literal["auto"]:
    if bpm == "auto":
        return "auto"
    try:
        value = float(bpm)
    except ValueError:
        value = 0.0
    if not 20 <= value <= 400:
        raise BadInput(f"{bpm!r} is no tempo", where="--bpm", hint="a number from 20 to 400, or auto")
    return value


def _inside(name: str, settings: Settings, *, add: bool) -> str:
    """What a document calls a file: its path under the source folder, or a source id.

    Raises:
        BadInput: it is not in the source folder, and may not be copied there.
    """
    root, path = settings.source_root, Path(name)
    if (root / name).is_file() and not path.is_absolute():
        return path.as_posix()
    if not path.is_file():
        if name.startswith("src_"):
            return name
        raise BadInput("there is no such file", where=name, hint=f"look under {root}")
    resolved = path.resolve()
    if resolved.is_relative_to(root.resolve()):
        return resolved.relative_to(root.resolve()).as_posix()
    target = root / path.name
    if add:
        if not target.exists():
            root.mkdir(parents=True, exist_ok=True)
            temporary = target.with_name(f".{target.name}.tmp")
            shutil.copy2(resolved, temporary)
            temporary.replace(target)
        if filecmp.cmp(resolved, target, shallow=False):
            return target.name
        raise BadInput(f"{target} is another file of that name", where=name, hint="rename one of them")
    raise BadInput(
        "it is not in the source folder",
        where=name,
        hint=f"copy it to {root}, or give --add, which does that",
    )


def _proposed(
    music: str, clips: list[str], wishes: Wishes, catalogue: SourceCatalogue, settings: Settings
) -> dict[str, Any]:
    """The document, from what is heard and seen in sources that have been read."""
    from media_assets.kompositions.choosing import Clip
    from media_assets.kompositions.document import parse
    from media_assets.kompositions.proposing import Heard, propose
    from media_assets.media.analysis.beats import Beats
    from media_assets.media.analysis.picture import PictureContent
    from media_assets.media.analysis.sound import SoundContent
    from media_assets.store.analyses import AnalysisStore

    sources = {name: catalogue.unchanged(name) for name in [music, *clips]}
    _check(music, clips, sources)
    wanted: list[Any] = [(music, "beats"), (music, "sound")]
    for name in clips:
        wanted.append((name, "picture"))
        if sources[name].info.audio is not None:
            wanted.append((name, "sound"))
    found = AnalysisStore(settings).analyses(wanted, sources)

    def get(name: str, kind: Any, of: type[Analysis]) -> Any:
        value = found.get((name, kind))
        if isinstance(value, MediaAssetsError):
            raise value
        return value if isinstance(value, of) else None

    heard = Heard(music, sources[music].info, get(music, "sound", SoundContent), get(music, "beats", Beats))
    parts = [
        Clip(
            name,
            sources[name].info,
            get(name, "picture", PictureContent),
            get(name, "sound", SoundContent),
        )
        for name in clips
    ]
    document = propose(heard, parts, wishes)
    parse(document, "the proposal")
    return document


def _check(music: str, clips: list[str], sources: dict[str, SourceFacts]) -> None:
    """Raise before anything is decoded where something is of the wrong kind."""
    if sources[music].info.audio is None:
        raise NotMedia("it has no sound to be music", where=music, hint="name a file with sound")
    for name in clips:
        if sources[name].info.video is None:
            hint = "name videos or stills after --clips"
            raise NotMedia("it has no picture to be a clip", where=name, hint=hint)


def _write(document: dict[str, Any], path: Path, *, force: bool) -> None:
    """Write the document whole, or not at all.

    Raises:
        BadInput: there is one already, or the place cannot be written to.
    """
    _check_place(path, force=force)
    text = json_format.dumps(document, indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"it cannot be written: {error.strerror}", where=str(path)) from None


def _check_place(path: Path, *, force: bool) -> None:
    """Raise where a document cannot be written."""
    if path.suffix != ".json":
        raise BadInput("a komposition is a .json file", where=str(path), hint="end its name in .json")
    if path.exists() and not force:
        raise BadInput("it is there already", where=str(path), hint="give another -o, or --force")


def _file_name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60].strip("-") or "new"


def _entry(segment: dict[str, Any]) -> str:
    return segment["transition"]["type"] if "transition" in segment else ""
