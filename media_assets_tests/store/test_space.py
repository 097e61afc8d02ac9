"""What would not fit on the disk is refused before anything is written; what is there already is given."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from media_assets.errors import BadInput, DiskFull
from media_assets.kompositions.compiling import Compiler
from media_assets.kompositions.render import render
from media_assets.media.hardware import encoders
from media_assets.media.run import commands_started
from media_assets.planning.execute import execute
from media_assets.planning.jobspec import read_job
from media_assets.planning.plan import make_plan
from media_assets.settings import Settings
from media_assets.store.backup import backup, restore
from media_assets.store.destinations import deliver
from media_assets.store.outputs import OutputStore
from media_assets.store.sources import SourceCatalogue
from media_assets.store.space import check_render, check_room, reserved
from media_assets_tests.making import clip, ingested

EVERYTHING = 1 << 62


@pytest.fixture
def full(settings: Settings) -> Settings:
    """The settings of a disk on which everything is reserved."""
    return replace(settings, reserve_bytes=EVERYTHING)


def test_a_disk_has_a_reserve(settings: Settings) -> None:
    assert reserved(1 << 40, settings) == 256 << 20
    assert reserved(100 << 20, settings) == 5 << 20
    assert reserved(1 << 40, replace(settings, reserve_bytes=0)) == 0
    set_ = Settings.from_environment(environment={"MEDIA_ASSETS_RESERVE_BYTES": "1000"})
    assert reserved(1 << 40, set_) == 1000
    for wrong in ("-1", "1G", "1.5", "nan", "9" * 30):
        with pytest.raises(BadInput, match="no number of bytes"):
            Settings.from_environment(environment={"MEDIA_ASSETS_RESERVE_BYTES": wrong})


def test_what_is_refused_says_what_is_needed_and_free(settings: Settings) -> None:
    plain = replace(settings, reserve_bytes=0)
    free = shutil.disk_usage(settings.data_root.parent).free
    check_room(settings.store_root, free * 0.5, plain)
    check_render(free * 2, plain)
    with pytest.raises(DiskFull) as caught:
        check_render(free * 8, plain, where="cut")
    assert caught.value.where == "cut"
    assert "are needed" in str(caught.value)
    assert "are free on the disk" in str(caught.value)
    assert "media-assets clean" in str(caught.value)


def test_an_effect_that_cannot_fit_starts_no_command(settings: Settings, full: Settings) -> None:
    source = ingested(settings, clip(settings, settings.source_root / "a.mp4", seconds=0.5, sound=None))
    cut = {"op": "trim", "inputs": ["one"], "output": "cut", "params": {"duration": 0.2}}
    small = {"op": "resize", "inputs": ["one"], "output": "small", "params": {"width": 80, "height": 44}}
    job = read_job(
        {
            "inputs": [{"id": "one", "source": "a.mp4"}],
            "operations": [cut, small],
            "outputs": [{"id": "cut"}, {"id": "small"}],
        }
    )
    plan, store = make_plan(job.operations, {"one": source}, encoders(settings)), OutputStore(settings)
    (made,) = execute(plan, ["cut"], store, settings)
    started = commands_started()
    (found,) = execute(plan, ["cut"], store, full)
    (refused,) = execute(plan, ["small"], store, full)
    assert made.outcome is not None
    assert found.outcome is not None
    assert found.outcome.output == made.outcome.output
    assert isinstance(refused.error, DiskFull)
    assert "small" in str(refused.error)
    assert commands_started() == started
    assert not list((settings.store_root / "pending").iterdir())


def test_a_komposition_that_cannot_fit_starts_no_command(settings: Settings, full: Settings) -> None:
    ingested(settings, clip(settings, settings.source_root / "a.mp4", seconds=0.5, sound=None))
    document = {
        "version": 1,
        "unit": "seconds",
        "output": {"width": 160, "height": 90, "fps": "30"},
        "segments": [{"source": "a.mp4", "duration": 0.2}],
    }
    settings.komposition_root.mkdir(parents=True)
    (settings.komposition_root / "k.json").write_text(json.dumps(document))
    compiled = Compiler(settings, SourceCatalogue(settings).unchanged).compile("komp_k")
    store, started = OutputStore(settings), commands_started()
    with pytest.raises(DiskFull, match="komp_k"):
        render(compiled.plan, compiled.sources, full, store)
    assert commands_started() == started
    done = render(compiled.plan, compiled.sources, settings, store)
    # What is finished is given, however full the disk is.
    again = render(compiled.plan, compiled.sources, full, store)
    assert again.final.output == done.final.output


def test_a_backup_that_cannot_fit_is_not_begun(settings: Settings, full: Settings, tmp_path: Path) -> None:
    (settings.metadata_root).mkdir(parents=True)
    (settings.metadata_root / "x.json").write_text("{}")
    with pytest.raises(DiskFull):
        backup(full, tmp_path / "b.tar.gz", lambda _: False)
    assert not list(tmp_path.glob("*.gz"))
    backup(settings, tmp_path / "b.tar.gz", lambda _: False)
    before = sorted(settings.data_root.rglob("*"))
    with pytest.raises(DiskFull):
        restore(full, tmp_path / "b.tar.gz")
    assert sorted(settings.data_root.rglob("*")) == before


def test_a_link_needs_no_room_at_its_destination(settings: Settings, full: Settings) -> None:
    made = settings.data_root / "made.bin"
    made.parent.mkdir(parents=True)
    made.write_bytes(b"x")
    assert Path(deliver(made, "a.bin", full)).samefile(made)
