"""A store that takes in nothing that was made from a source that changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from media_assets.errors import BadInput, MediaAssetsError
from media_assets.settings import Settings
from media_assets.store.outputs import Made, Outcome, OutputStore, Recipe


class SourceChanged(BadInput):
    """A source is not the file any more that was planned for; nothing that was made from it is kept."""


class GuardedStore(OutputStore):
    """The store of `settings`; each output's sources are looked at again before it is put in place."""

    def __init__(self, settings: Settings, check: Callable[[str], object]) -> None:
        """Guard a store.

        Args:
            settings: where it is.
            check: given a source's id, raises BadInput if its file is not as on record.
        """
        super().__init__(settings)
        self._check = check

    def produce(
        self,
        recipes: Sequence[Recipe],
        render: Callable[[Mapping[str, Path]], Mapping[str, Made]],
        *,
        waiting: Callable[[], object] | None = None,
    ) -> list[Outcome]:
        """As `OutputStore.produce`.

        Raises:
            SourceChanged: instead of what rendering said of a source that is gone or another one now.
        """
        sources = dict.fromkeys(name for recipe in recipes for name in recipe.derived_from)

        def guarded(paths: Mapping[str, Path]) -> Mapping[str, Made]:
            try:
                made = render(paths)
            except MediaAssetsError:
                self._look(sources)
                raise
            self._look(sources)
            return made

        return super().produce(recipes, guarded, waiting=waiting)

    def _look(self, sources: Iterable[str]) -> None:
        for name in sources:
            if not name.startswith("src_"):
                continue
            try:
                self._check(name)
            except BadInput as error:
                raise SourceChanged(
                    f"it changed or went away while it was being rendered: {error.message}",
                    where=error.where or name,
                    hint="ingest, and run again",
                ) from error
