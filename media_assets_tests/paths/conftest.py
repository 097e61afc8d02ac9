"""A data root with one clip, and beside it a canary that nothing may read or change."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media_assets.settings import Settings
from media_assets.store.sources import SourceCatalogue
from media_assets_tests.making import clip, ingested

CANARY = "canary-7c1e"


@dataclass(frozen=True)
class Kept:
    """A data root, its settings and what lies beside it."""

    settings: Settings
    catalogue: SourceCatalogue
    canary: Path

    @property
    def out(self) -> str:
        """The way from the source folder to the canary."""
        return f"../../{self.canary.name}"


def files_below(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of everything below a folder."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }


@pytest.fixture(scope="session")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with the clip and its record, made once: what is copied is not probed again."""
    settings = Settings.from_environment(data=tmp_path_factory.mktemp("prototype") / "data")
    clip(settings, settings.source_root / "a.mp4", seconds=0.5, sound=None)
    ingested(settings, settings.source_root / "a.mp4")
    return settings.data_root


@pytest.fixture
def kept(settings: Settings, prototype: Path) -> Iterator[Kept]:
    """Nothing but the data root has changed afterwards."""
    shutil.copytree(prototype, settings.data_root)
    ingested(settings, settings.source_root / "a.mp4")
    outside = settings.data_root.parent
    canary = outside / "canary.mp4"
    # It would be taken for a source anywhere else.
    canary.write_bytes((settings.source_root / "a.mp4").read_bytes() + CANARY.encode())
    canary.chmod(0o644)

    def around() -> dict[str, tuple[int, int]]:
        return {name: state for name, state in files_below(outside).items() if not name.startswith("data/")}

    before = around()
    yield Kept(settings, SourceCatalogue(settings), canary)
    assert around() == before
