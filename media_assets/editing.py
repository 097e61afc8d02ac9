"""What people do with a document while they edit it: find it, compare its versions, look at it at once.

Dagster is not asked: what is rendered here is in the store when its asset is made.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from media_assets.analytics.outcomes import Parts, Place
from media_assets.errors import BadInput, DocumentError, MediaAssetsError
from media_assets.kompositions import versions
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.difference import Difference, difference
from media_assets.kompositions.document import Document, komposition_id, read
from media_assets.kompositions.files import adopt, documents, video_path
from media_assets.kompositions.guarding import GuardedStore
from media_assets.kompositions.interchange import to_otio
from media_assets.kompositions.listening import listened
from media_assets.kompositions.model import Komposition, references
from media_assets.kompositions.nesting import as_made, make_all
from media_assets.kompositions.otio_values import Lost
from media_assets.kompositions.outcomes import Step
from media_assets.kompositions.plan import KompositionPlan
from media_assets.kompositions.render import render
from media_assets.kompositions.renditions import rendition_of
from media_assets.progress import Pace
from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore, publish
from media_assets.store.sources import SourceCatalogue


@dataclass(frozen=True)
class Named:
    """A document that somebody named: its komposition's id, its file, and the version that is meant."""

    key: str
    path: Path
    version: int | None = None


def locate(name: str, settings: Settings) -> Path:
    """The document of that name: a path, a name under data/kompositions, or a komposition's id.

    One that is not there (any more) is looked for where it would be: among the data root's.
    """
    root = settings.komposition_root
    inside = root / name
    for path in (Path(name), inside, inside.with_name(f"{inside.name}.json")):
        if path.is_file():
            return path
    known = documents(root).get(name)
    if known is not None:
        return known
    missing = Path(name)
    if missing.is_absolute() or missing.is_dir() or len(missing.parts) > 1 or ".." in missing.parts:
        return missing
    return inside if inside.suffix else inside.with_name(f"{inside.name}.json")


def find(text: str, settings: Settings) -> Named:
    """What `name` or `name@version` means; a document from elsewhere is copied to the data root's.

    Raises:
        BadInput: there is no such document, and none of its versions was kept.
    """
    try:
        name, number = (text, None) if Path(text).is_file() else versions.split_version(text)
        path = locate(name, settings)
        resolved = path.resolve()
    except (OSError, ValueError):  # no file can be called so
        raise BadInput("there is no such document", where=ascii(text[:200])) from None
    if path.is_file():
        key, _ = adopt(path, settings.komposition_root)
        return Named(key, path, number)
    home = settings.komposition_root.resolve()
    if resolved.is_relative_to(home):
        key = komposition_id(resolved.relative_to(home).as_posix())
        if versions.versions(key, settings):
            return Named(key, path, number)
    raise BadInput("there is no such document", where=text)


def kept_versions(name: str, settings: Settings) -> tuple[Named, tuple[versions.Version, ...]]:
    """A document and all its versions, its present state among them; the oldest first."""
    named = find(name, settings)
    if named.path.is_file():
        versions.keep(named.path, named.key, settings)
    return named, versions.versions(named.key, settings)


def restore(name: str, number: int, settings: Settings) -> versions.Version:
    """Put a version of a document in its place, as a new version.

    Raises:
        BadInput: there is no such document or version.
    """
    named = find(name, settings)
    version = versions.restore(named.path, named.key, number, settings)
    if named.path.resolve().is_relative_to(settings.komposition_root.resolve()):
        return version
    adopt(named.path, settings.komposition_root)
    return version


def compare(before: str, after: str, settings: Settings) -> Difference:
    """What going from one document or version to another changes; no media are made.

    Raises:
        BadInput: one of them is not there, or cannot be planned.
    """
    catalogue, store = SourceCatalogue(settings), OutputStore(settings)
    compiler = Compiler(settings, catalogue.facts, listens=False)

    def planned(text: str) -> tuple[Komposition, KompositionPlan]:
        key, document = _read(find(text, settings), text, settings)
        komposition = document.komposition
        return komposition, compiler.compile_as(komposition, key, document).plan

    return difference(planned(before), planned(after), lambda key: store.get(key) is not None)


def exported(text: str, settings: Settings) -> tuple[str, Lost]:
    """A document, or a version of one, as the text of an .otio file, and what is lost elsewhere.

    Raises:
        BadInput: it is not there; DocumentError: it leaves its tempo to music that cannot be listened to.
    """
    komposition = _read(find(text, settings), text, settings)[1].komposition
    catalogue, sources = SourceCatalogue(settings), {}
    for reference in references(komposition):
        with contextlib.suppress(BadInput):  # where it is not read yet, its name is all there is to tell
            sources[reference] = catalogue.facts(komposition.source(reference))
    tempo = listened(komposition, sources, settings).tempo
    return to_otio(komposition, tempo, {name: facts.relative for name, facts in sources.items()})


def render_form(
    path: Path, rendition: str, settings: Settings, *, cancel: threading.Event | None = None
) -> dict[str, Any]:
    """Render a document, or one of its renditions, and put it in the output folder.

    Args:
        path: the document.
        rendition: its id; `preview` is always there, and empty is the video itself.
        settings: where everything is.
        cancel: when set, what is being rendered is given up; what was finished is kept.

    Returns:
        A report as `komposition preview --json` prints it.

    Raises:
        DocumentError: it cannot be planned; Cancelled: it was cancelled; what rendering raises.
    """
    key, inside = adopt(path, settings.komposition_root)
    version, document = versions.read_kept(inside, key, settings, read)
    whole = document.komposition
    form = rendition_of(whole, rendition) if rendition else whole.model_copy(update={"renditions": ()})
    catalogue = SourceCatalogue(settings)
    store = GuardedStore(settings, catalogue.unchanged)
    name = f"{key}_{rendition}" if rendition else key
    compiled = Compiler(settings, catalogue.unchanged).compile_as(form, name, document)
    told = _Told(key, settings)
    make_all(compiled.nested, settings, store, told=told, cancel=cancel)
    plan = compiled.plan
    done = render(
        plan,
        as_made(compiled.sources, settings, store),
        settings,
        store,
        on_outcome=told,
        on_progress=Pace(name, plan.duration),
        cancel=cancel,
    )
    published = video_path(key, rendition, settings)
    publish(done.final.output.path, published)
    return done.to_json() | {
        "id": key,
        "rendition": rendition or None,
        "version": version.number,
        "output": str(published),
        "rendered": told.rendered,
        "warnings": [{"place": place, "message": text} for place, text in plan.warnings],
    }


def _read(named: Named, text: str, settings: Settings) -> tuple[str, Document]:
    """The id of a komposition that was named by `text`, and its document in the version that is meant."""
    if named.version is None:
        return named.key, read(named.path)
    try:
        return named.key, read(versions.kept_at(named.key, named.version, settings))
    except DocumentError as error:
        # Versions are kept under names that tell nobody anything.
        error.where = text
        raise


class _Told:
    """Writes an event for each part, and remembers which were rendered."""

    def __init__(self, key: str, settings: Settings) -> None:
        self._key = key
        self._parts = Parts(Place(settings, None, key))
        self.rendered: list[str] = []

    def __call__(self, step: Step) -> None:
        """Take note of a part that ended."""
        self._parts.ended(step.kind, f"{self._key}/{step.id}", step.result)
        if isinstance(step.result, MediaAssetsError):
            return
        if not step.result.cached and step.kind != "komposition":
            self.rendered.append(step.id)
