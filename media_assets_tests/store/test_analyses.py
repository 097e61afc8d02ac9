"""Analyses are kept by content: made once, made again when damaged or of an older version."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from media_assets.errors import BadInput, CorruptMedia, NotMedia
from media_assets.media.analysis.picture import PictureContent
from media_assets.media.analysis.sound import SoundContent
from media_assets.media.run import commands_started
from media_assets.settings import Settings
from media_assets.store import analyses as module
from media_assets.store.analyses import AnalysisStore, AnyFile
from media_assets_tests.making import clip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> AnyFile:
    """Half a second of picture and sound."""
    folder = tmp_path_factory.mktemp("analysed")
    settings = Settings.from_environment(folder)
    return AnyFile.read(clip(settings, folder / "a.mp4", seconds=0.5), settings)


def kept(settings: Settings) -> list[Path]:
    return sorted(settings.metadata_root.rglob("analyses/*/*"))


def test_the_work_is_done_once(settings: Settings, file: AnyFile) -> None:
    store = AnalysisStore(settings)
    first = store.analysis("sound", file)
    before = commands_started()
    assert AnalysisStore(settings).analysis("sound", file) == first
    renamed = dataclasses.replace(file, path=file.path.with_name("gone.mp4"))
    assert store.analysis("sound", renamed) == first
    assert commands_started() == before
    assert [path.name for path in kept(settings)] == [f"{file.sha256}.json"]


def test_two_that_want_the_same_at_once_do_it_once(settings: Settings, file: AnyFile) -> None:
    before = commands_started()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: AnalysisStore(settings).analysis("picture", file), range(4)))
    assert commands_started() == before + 1
    assert len(set(found)) == 1


@pytest.mark.parametrize("damage", ["{", "[]", '{"version": 1}', '{"version": 1, "analysis": {"cuts": 3}}'])
def test_a_damaged_document_is_made_again(settings: Settings, file: AnyFile, damage: str) -> None:
    store = AnalysisStore(settings)
    first = store.analysis("picture", file)
    (path,) = kept(settings)
    path.write_text(damage)
    assert store.analysis("picture", file) == first
    assert json.loads(path.read_text())["analysis"]["seconds"] == first.seconds


def test_an_older_version_is_made_again(
    settings: Settings, file: AnyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    AnalysisStore(settings).analysis("sound", file)
    way = module._WAYS["sound"]
    newer = {**module._WAYS, "sound": dataclasses.replace(way, version=way.version + 1)}
    monkeypatch.setattr(module, "_WAYS", newer)
    before = commands_started()
    AnalysisStore(settings).analysis("sound", file)
    assert commands_started() == before + 1


def test_several_files_with_what_is_wrong_in_its_place(
    settings: Settings, file: AnyFile, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(file.path.read_bytes()[:3000])
    sources = {
        "a.mp4": file,
        "broken.mp4": AnyFile(broken, "0" * 64, file.info),
        "gone.mp4": AnyFile(tmp_path / "gone.mp4", "1" * 64, file.info),
        "mute.mp4": dataclasses.replace(file, info=dataclasses.replace(file.info, audios=())),
    }
    wanted = [(name, "sound") for name in [*sources, "unknown.mp4"]] + [("a.mp4", "picture")]
    found = AnalysisStore(settings).analyses(wanted, sources)  # type: ignore[arg-type]
    assert isinstance(found["a.mp4", "sound"], SoundContent)
    assert isinstance(found["a.mp4", "picture"], PictureContent)
    assert isinstance(found["broken.mp4", "sound"], CorruptMedia)
    assert isinstance(found["gone.mp4", "sound"], BadInput)
    assert not isinstance(found["gone.mp4", "sound"], CorruptMedia)
    assert isinstance(found["mute.mp4", "sound"], SoundContent | NotMedia)
    assert ("unknown.mp4", "sound") not in found
    assert not list(settings.metadata_root.rglob(".making-*"))
