"""From a document on disk to its plans: what it names is found, nested sources are planned first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from media_assets.errors import BadInput, DocumentError
from media_assets.ids import fingerprint
from media_assets.kompositions.attending import Listener
from media_assets.kompositions.document import Document, read
from media_assets.kompositions.files import documents
from media_assets.kompositions.model import Komposition, references
from media_assets.kompositions.nesting import (
    KompositionCycle,
    Nested,
    is_effect,
    is_komposition,
    nested_effect,
    nested_komposition,
    origins,
    places,
)
from media_assets.kompositions.plan import KompositionPlan, SourceFacts, plan
from media_assets.kompositions.renditions import rendition_of
from media_assets.media.hardware import Encoders, encoders
from media_assets.planning.effects import plan_from_recipe
from media_assets.settings import Settings
from media_assets.store import sources as catalogue
from media_assets.store.recipes import RecipeStore

MAX_DEPTH = 32
"""Kompositions inside one another."""


@dataclass(frozen=True)
class Compiled:
    """A document with its plans.

    Attributes:
        plan: of the video itself; renditions: of each other form that the document lists, by its id.
        sources: what is known of each source, by the reference that the document uses.
        nested: what has to be made before anything is rendered, in order.
    """

    plan: KompositionPlan
    sources: Mapping[str, SourceFacts]
    nested: tuple[Nested, ...]
    renditions: Mapping[str, KompositionPlan]

    @property
    def plans(self) -> dict[str, KompositionPlan]:
        """Every plan by the rendition's id, which is empty for the video itself."""
        return {"": self.plan, **self.renditions}

    @property
    def fingerprint(self) -> str:
        """Of all that rendering it gives."""
        return together(self.plan.fingerprint, {n: p.fingerprint for n, p in self.renditions.items()})

    @property
    def derived_from(self) -> list[str]:
        """Ids of all that goes into it: sources, effects and kompositions, at any depth."""
        return sorted(origins(self.plan, self.nested))

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values, with what is nested in it and the renditions."""
        document = self.plan.to_json() | {"derived_from": self.derived_from}
        if self.nested:
            document["nested"] = {one.source.id: one.source.sha256 for one in self.nested}
        if self.renditions:
            document["renditions"] = {name: plan.to_json() for name, plan in self.renditions.items()}
        return document


def together(main: str, renditions: Mapping[str, str]) -> str:
    """One version for a video with its renditions; that of the video where there are none."""
    return fingerprint({"main": main, "renditions": dict(renditions)}) if renditions else main


class Compiler:
    """Compiles documents of one data root; what several of them nest is planned once."""

    def __init__(
        self, settings: Settings, find: Callable[[str], catalogue.SourceFacts], *, listens: bool = True
    ) -> None:
        """Make one for a moment: it remembers what it planned.

        Args:
            settings: where documents and recipes are.
            find: gives a source's record by its reference.
            listens: whether analyses that a document needs are made; if not, those that are kept must do.
        """
        self.settings = settings
        self._listener = Listener(settings, makes=listens)
        self._find = find
        self._documents = documents(settings.komposition_root)
        self._recipes = RecipeStore(settings)
        self._machine: Encoders | None = None
        self._nested: dict[str, tuple[Nested, tuple[Nested, ...]]] = {}

    def compile(self, key: str) -> Compiled:
        """The plans of the document of that komposition id, as it is on disk.

        Raises:
            DocumentError: it does not hold, or not with what it names, each with its place.
            KompositionCycle: kompositions need each other.
            BadInput: there is no such document.
            AnalysisMissing: an analysis is to be made first, and this one makes none.
        """
        return self._compile(key, ())

    def compile_as(self, komposition: Komposition, key: str, written: Document | None = None) -> Compiled:
        """The plans of a document in hand, such as an earlier version of the one of that id.

        Args:
            written: what it was read from: findings are then told at its places.

        Raises:
            DocumentError, KompositionCycle: as `compile`.
        """
        return (
            self._planned(komposition, key, ())
            if written is None
            else self._told(written, komposition, key)
        )

    def document(self, key: str) -> Path:
        """Where a document is.

        Raises:
            BadInput: there is none of that id.
        """
        path = self._documents.get(key)
        if path is None:
            raise BadInput("there is no such komposition", where=key, hint="its document is gone")
        return path

    def _compile(self, key: str, above: tuple[str, ...]) -> Compiled:
        document = read(self.document(key))
        return self._told(document, document.komposition, key, above)

    def _told(
        self, written: Document, komposition: Komposition, key: str, above: tuple[str, ...] = ()
    ) -> Compiled:
        """The plans of a document, or of a form of it, with what is said about it at its places."""
        try:
            compiled = self._planned(komposition, key, above, written.warnings)
        except DocumentError as error:
            # Those of kompositions inside it are told at their own places already.
            if error.where in (key, None):
                error.where, error.findings = key, written.placed(error.findings)
            raise
        renditions = {name: _at_places(plan, written) for name, plan in compiled.renditions.items()}
        return replace(compiled, plan=_at_places(compiled.plan, written), renditions=renditions)

    def _planned(
        self,
        komposition: Komposition,
        key: str,
        above: tuple[str, ...],
        warnings: Sequence[tuple[str, str]] = (),
    ) -> Compiled:
        sources, nested = self._resolve(komposition, (*above, key))
        found = self._listener.resolved(komposition, sources, nested)

        def planned(form: Komposition, identifier: str) -> KompositionPlan:
            return plan(
                form,
                sources,
                self._encoders.version,
                identifier=identifier,
                tempo=found.tempo,
                speech=found.speech,
                focus=found.focus,
                warnings=(*warnings, *found.warnings),
            )

        main = planned(found.komposition, key)
        renditions = {
            form.id: planned(rendition_of(found.komposition, form.id), f"{key}_{form.id}")
            for form in komposition.renditions
            if not above
        }
        return Compiled(main, sources, tuple(nested), renditions)

    def _resolve(
        self, komposition: Komposition, above: tuple[str, ...]
    ) -> tuple[dict[str, SourceFacts], Sequence[Nested]]:
        """Each source by its reference, and what is to be made before, deepest first."""
        sources: dict[str, SourceFacts] = {}
        needed: dict[str, Nested] = {}
        findings: list[tuple[str, str]] = []
        for reference in references(komposition):
            try:
                source, nested = self._source(komposition.source(reference), above)
            except KompositionCycle:
                raise
            except BadInput as error:
                findings += [(place, str(error)) for place in places(komposition, reference)]
                continue
            sources[reference] = source
            needed |= {one.source.sha256: one for one in nested}
        if findings:
            raise DocumentError("not everything it names can be used", findings, where=above[-1])
        return sources, list(needed.values())

    def _source(self, reference: str, above: tuple[str, ...]) -> tuple[SourceFacts, Iterable[Nested]]:
        root = self.settings.source_root
        if is_komposition(reference, root):
            if reference in above:
                ring = (*above[above.index(reference) :], reference)
                raise KompositionCycle(
                    f"kompositions need each other: {' → '.join(ring)}",
                    where=above[0],
                    hint="take one of them out of another",
                )
            if len(above) >= MAX_DEPTH:
                raise BadInput(
                    f"more than {MAX_DEPTH} kompositions are inside one another", where=reference
                )
            return self._made(reference, lambda: self._nested_komposition(reference, above))
        if is_effect(reference, root):
            identifier = self._recipes.find(reference)
            return self._made(identifier, lambda: (self._nested_effect(identifier), ()))
        return self._find(reference), ()

    def _made(
        self, key: str, compile_: Callable[[], tuple[Nested, tuple[Nested, ...]]]
    ) -> tuple[SourceFacts, Iterable[Nested]]:
        if key not in self._nested:
            self._nested[key] = compile_()
        made, below = self._nested[key]
        return made.source, (*below, made)

    def _nested_komposition(self, key: str, above: tuple[str, ...]) -> tuple[Nested, tuple[Nested, ...]]:
        inner = self._compile(key, above)
        return nested_komposition(inner.plan, inner.sources, inner.nested), inner.nested

    def _nested_effect(self, identifier: str) -> Nested:
        recipe = self._recipes.get(identifier)
        sources = {name: self._find(name) for name in recipe.inputs}
        planned, _ = plan_from_recipe(recipe, sources, self._encoders)
        return nested_effect(planned, identifier)

    @property
    def _encoders(self) -> Encoders:
        if self._machine is None:
            self._machine = encoders(self.settings)
        return self._machine


def _at_places(plan: KompositionPlan, written: Document) -> KompositionPlan:
    """A plan that tells what was found in planning at the places of the document as written."""
    said = len(written.warnings)
    return replace(plan, warnings=(*plan.warnings[:said], *written.placed(plan.warnings[said:])))
