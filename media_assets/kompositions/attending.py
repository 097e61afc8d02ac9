"""Gets a document's analyses, and so its tempo, speech and focus; nested sources are made first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from media_assets.errors import MediaAssetsError, NotMedia
from media_assets.kompositions.listening import Analyses, Need, Resolved, needed, resolved
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.nesting import Nested, NestedSource, as_made, make_all
from media_assets.kompositions.plan import SourceFacts
from media_assets.settings import Settings
from media_assets.store.analyses import Analysis, AnalysisStore
from media_assets.store.outputs import OutputStore


class AnalysisMissing(MediaAssetsError):
    """What a document leaves to its media is not known yet: planning it takes an analysis."""


class Listener:
    """Resolves documents with the analyses of one data root."""

    def __init__(self, settings: Settings, *, makes: bool) -> None:
        """Use the analyses of `settings`; `makes` says whether missing ones are made, which takes time."""
        self.settings = settings
        self._makes = makes
        self._analyses = AnalysisStore(settings)

    def resolved(
        self, komposition: Komposition, sources: Mapping[str, SourceFacts], nested: Sequence[Nested]
    ) -> Resolved:
        """The document with nothing left open.

        Args:
            komposition: the document.
            sources: what is known of each, by reference.
            nested: what makes those of them that are yet to be made.

        Raises:
            AnalysisMissing: one would have to be made, and none are.
            DocumentError: the tempo is left to music that has none.
        """
        wanted = [need for need in needed(komposition) if need[0] in sources]
        found: dict[Need, Analysis | MediaAssetsError] = {}
        for need in wanted:
            known = self._known(need, sources[need[0]])
            if known is not None:
                found[need] = known
        missing = [need for need in wanted if need not in found]
        if missing:
            found |= self._made(missing, sources, nested)
        return resolved(komposition, sources, found)

    def _known(self, need: Need, source: SourceFacts) -> Analysis | MediaAssetsError | None:
        """What is known already, as that a source without sound says nothing."""
        name, kind = need
        if (source.info.video if kind == "picture" else source.info.audio) is None:
            return NotMedia(f"it has no {'picture' if kind == 'picture' else 'sound'}", where=name)
        return self._analyses.kept(kind, source)

    def _made(
        self, missing: Sequence[Need], sources: Mapping[str, SourceFacts], nested: Sequence[Nested]
    ) -> Analyses:
        names = sorted({name for name, _ in missing})
        if not self._makes:
            raise AnalysisMissing(f"{', '.join(names)} must be analysed first", hint="materialize the plan")
        files = {name: sources[name] for name in names}
        if any(isinstance(source, NestedSource) for source in files.values()):
            store = OutputStore(self.settings)
            make_all(nested, self.settings, store)
            files = as_made(files, self.settings, store)
        return self._analyses.analyses(missing, files)
