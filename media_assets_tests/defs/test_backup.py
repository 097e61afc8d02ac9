"""A backup taken while everything is open brings all of it back; a spoilt one changes nothing."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path

import pytest

from media_assets.actions import Actions
from media_assets.analytics.warehouse import connect
from media_assets.backing_up import backup, restore
from media_assets.errors import BadInput
from media_assets.jobs import run_job
from media_assets.media.run import commands_started
from media_assets.session import Session
from media_assets.statuses import statuses
from media_assets.store.backup import DamagedBackup, HomeInUse
from media_assets.store.outputs import SIDECAR
from media_assets.upkeep import verify
from media_assets_tests.defs.conftest import RED, write_document
from media_assets_tests.defs.test_effects import CUT, job


def test_what_was_backed_up_comes_back_and_what_it_replaces_is_put_aside(
    actions: Actions, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings, session = actions.settings, actions.session
    actions.ingest()
    run_job(actions, job(root, CUT, wanted=["cut"]))
    actions.analytics()
    before, document = (
        statuses(session.instance, session.graph),
        (root / "kompositions/both.json").read_bytes(),
    )
    file = tmp_path_factory.mktemp("backup") / "monday.tar.gz"
    done = backup(settings, file)
    assert {"dagster_home", "warehouse", "kompositions", "effects", "metadata", "sidecars"} <= set(
        done.files
    )
    assert done.size == file.stat().st_size
    with pytest.raises(BadInput, match="there is a file already"):
        backup(settings, file)
    with pytest.raises(HomeInUse):
        restore(settings, file)

    write_document(root, "both.json", [(RED, 1.0)])
    session.instance.dispose()
    runs = commands_started()
    (sidecar,) = list(settings.store_root.glob(f"??/*/{SIDECAR}"))[:1]
    sidecar.unlink()
    damaged = file.with_name("damaged.tar.gz")
    damaged.write_bytes(file.read_bytes()[: done.size // 2])
    for wrong in (damaged, foreign(file.with_name("foreign.tar.gz"))):
        with pytest.raises(DamagedBackup):
            restore(settings, wrong, force=True)
    assert not (root / "escaped").exists()
    shutil.rmtree(settings.warehouse_path.parent)
    for recipe in settings.effect_root.iterdir():
        recipe.unlink()

    found = restore(settings, file, force=True)
    assert (found.sidecars, found.missing) == (1, ())
    assert found.aside is not None
    assert (found.aside / "dagster_home" / "dagster.yaml").is_file()
    assert "1.0" in (found.aside / "kompositions" / "both.json").read_text()
    assert (root / "kompositions" / "both.json").read_bytes() == document
    with connect(settings.warehouse_path) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM operation_events").fetchall() == [(True,)]
    with Session(settings) as again:
        assert statuses(again.instance, again.graph) == before
        assert verify(again).clean
    assert commands_started() == runs
    assert not list(root.glob(".restoring-*"))


def foreign(path: Path) -> Path:
    """An archive that would write outside the data root."""
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("metadata/../../escaped")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"out"))
    return path
