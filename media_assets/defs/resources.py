"""The resource that assets get their settings, catalogue and store from."""

from functools import cached_property
from pathlib import Path

import dagster as dg
from pydantic import PrivateAttr

from media_assets.settings import Settings
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue


class MediaResource(dg.ConfigurableResource[None]):
    """Access to media: the data root's settings, sources and outputs.

    Attributes:
        data_root: another data root than `MEDIA_ASSETS_DATA` names.
    """

    data_root: str | None = None
    _settings: Settings | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """The settings, read when first needed."""
        if self._settings is None:
            self._settings = Settings.from_environment(Path(self.data_root) if self.data_root else None)
        return self._settings

    @cached_property
    def store(self) -> OutputStore:
        """The outputs."""
        return OutputStore(self.settings)

    @cached_property
    def sources(self) -> SourceCatalogue:
        """The sources on record."""
        return SourceCatalogue(self.settings)


@dg.definitions
def resources() -> dg.Definitions:
    """Every asset gets the same resource; steps of a run share one process."""
    return dg.Definitions(resources={"media": MediaResource()}, executor=dg.in_process_executor)
