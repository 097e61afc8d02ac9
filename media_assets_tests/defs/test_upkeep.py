"""Damage is found, shown as stale and repaired; clean-up takes what nobody needs, and no more."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from pathlib import Path

import pytest
from filelock import FileLock

from media_assets.actions import Actions
from media_assets.cli_upkeep import bytes_of, seconds_of
from media_assets.defs.check_results import tell
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.defs.sources import THUMBNAIL
from media_assets.errors import BadInput
from media_assets.jobs import run_job
from media_assets.session import Session
from media_assets.store.journal import Entry
from media_assets.store.outputs import SIDECAR, OutputStore
from media_assets.store.recipes import RecipeStore
from media_assets.upkeep import Cleaned, Verified, clean, tracked, verify
from media_assets_tests.defs.conftest import ON_DEMAND, RED, changed, statuses, write_document
from media_assets_tests.defs.test_effects import CUT, job

DAY = 86_400.0
LOST = {("thumbnail", "src_red_mp4"), ("source_file", "src_blue_mp4")}


def flip(path: Path) -> None:
    """Change one byte, as a failing disk does: size and time stay."""
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(before.st_size // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 0xFF]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def told(found: Verified) -> set[tuple[str, str, str]]:
    """Kind, id and problem of each finding."""
    return {(f.kind, f.id, f.problem) for f in found.checked.findings}


def test_what_is_damaged_is_found_shown_as_stale_and_rendered_again(actions: Actions, root: Path) -> None:
    tall = {"id": "tall", "width": 90, "height": 160}
    write_document(root, "both.json", [(RED, 0.0)], renditions=[tall])
    effect = run_job(actions, job(root, CUT, wanted=["cut"])).effects["cut"]
    actions.render_komposition(root / "kompositions" / "both.json")
    assert actions.analyse(["red.mp4"]).failed == []
    session, before = actions.session, statuses(actions)

    video = of_effect(actions, effect)
    flip(video)
    thumbnail = Path(str(session.metadata(THUMBNAIL, "src_red_mp4")["path"]))
    shutil.rmtree(thumbnail.parent)
    pictures = lose_pictures(actions, root)
    (root / "output" / "kompositions" / "both_tall.mp4").unlink()
    (root / "metadata" / "plans" / "komp_both.json").write_text("{")
    flip(root / "source" / "blue.mp4")
    quick = verify(session, quick=True)
    assert {(f.kind, f.problem) for f in quick.checked.findings} == {
        ("output", "missing"),
        ("published", "missing"),
        ("plan", "corrupt"),
    }
    found = verify(session)
    assert told(found) >= {
        ("output", effect, "corrupt"),
        ("published", "komp_both", "missing"),
        ("source", "src_blue_mp4", "corrupt"),
    }
    assert found.checked.bytes_read > 100_000
    assert failing(session, found) == {("effect_output", effect), *LOST}
    assert changed(actions, before) == {
        ("effect_output", effect): "stale",
        ("thumbnail", "src_red_mp4"): "stale",
        ("komposition_plan", "komp_both"): "stale",
        ("source_file", "src_blue_mp4"): "stale",
    }
    shown = {s.asset: s.status for name in ON_DEMAND for s in session.status(name, "src_red_mp4")}
    assert shown == dict.fromkeys(ON_DEMAND, "stale")
    assert not video.exists()
    mended = verify(session, repair=True)
    assert mended.failed == ()
    assert told(mended) == {("source", "src_blue_mp4", "corrupt")}
    assert video.exists()
    assert all(picture.is_file() for picture in pictures)
    flip(root / "source" / "blue.mp4")  # the good copy is put back
    assert verify(session).clean
    assert changed(actions, before) == {}
    assert failing(session, verify(session)) == set()
    assert tell(session.instance, session.graph, tracked_by(session), (), "run") == 0  # nothing new


def failing(session: Session, found: Verified) -> set[tuple[str, str | None]]:
    """Partitions that Dagster shows as failing, once it was told what was found."""
    tell(session.instance, session.graph, tracked_by(session), found.checked.findings, str(uuid.uuid4()))
    infos = session.instance.event_log_storage.get_asset_check_partition_info(
        list(session.graph.asset_check_keys)
    )
    there = {(info.check_key.asset_key.to_user_string(), info.partition_key): info for info in infos}
    assert ("source_file", "src_red_mp4") in there
    return {place for place, info in there.items() if info.latest_execution_status.value == "FAILED"}


def tracked_by(session: Session) -> list[Entry]:
    """The records of what there is."""
    return tracked(session.instance, session.graph, session.settings)


def lose_pictures(actions: Actions, root: Path) -> list[Path]:
    """Lose a screenshot under both of its names, and a contact sheet."""
    made = {o.recipe.operation: o.path for o in OutputStore(actions.settings)}
    lost = [made["contact_sheet_preview"], made["screenshot"]]
    for path in lost:
        shutil.rmtree(path.parent)
    named = root / "output" / "screenshots" / "src_red_mp4" / "scene_001.jpg"
    named.unlink()
    return [*lost, named]


def test_clean_up_takes_the_unused_and_keeps_what_is_current_or_needed(
    actions: Actions, root: Path
) -> None:
    steps = [{**CUT, "start": at, "output": f"at{index}"} for index, at in enumerate((0.0, 0.5, 1.0, 1.5))]
    names = [str(step["output"]) for step in steps]
    made = run_job(actions, job(root, *steps, wanted=names)).effects
    effects = [made[name] for name in names]
    old, locked, nested, fresh = effects
    write_document(root, "both.json", [(nested, 0.0)])
    actions.render_komposition(root / "kompositions" / "both.json")
    recently(actions, 8 * DAY)
    run_job(actions, cut(root, 1.5))  # found in the store: used now
    before, total = statuses(actions), sum(o.made.properties.size for o in OutputStore(actions.settings))

    foreseen = cleaned(actions, older=7 * DAY, dry_run=True)
    assert statuses(actions) == before
    assert foreseen.store_bytes == total
    assert {old, locked} <= {c.id for c in foreseen.removed}
    lock = of_effect(actions, locked).parent.name[:16]
    with FileLock(actions.settings.store_root / "locks" / f"{lock}.lock"):
        found = cleaned(actions, older=7 * DAY)
    assert [c.id for c in found.in_use] == [locked]
    assert found.freed + found.in_use[0].size == foreseen.freed
    after = statuses(actions)
    assert before.keys() - after.keys() == {("effect_output", old)}
    assert after.items() <= before.items()
    assert len(list((root / "output" / "effects").iterdir())) == len(effects) - 1
    assert {o.recipe.operation for o in OutputStore(actions.settings)} == {
        "trim",
        "komposition",
        "thumbnail",
    }
    assert verify(actions.session).clean

    # By quota: the least recently used goes first, what was just used stays whatever the quota.
    run_job(actions, cut(root, 0.0))
    assert statuses(actions)["effect_output", old] == "materialized"
    recently(actions, 2 * DAY, old)
    assert cleaned(actions, older=None, quota=total).removed == ()
    for gone in ({locked}, {old}, set()):
        left = sum(o.made.properties.size for o in OutputStore(actions.settings))
        found = cleaned(actions, older=None, quota=left - 1, kinds=("effect",))
        assert {c.id for c in found.removed} == gone
    assert set(RecipeStore(actions.settings)) == {nested, fresh}

    # What cannot be made again goes only if that is asked for.
    (root / "source" / RED).unlink()
    actions.ingest()
    recently(actions, 8 * DAY)
    irreplaceable = {
        c.id for c in cleaned(actions, older=7 * DAY, kinds=("irreplaceable",), dry_run=True).removed
    }
    assert fresh in irreplaceable
    assert not {c.id for c in cleaned(actions, older=7 * DAY).removed} & irreplaceable
    cleaned(actions, older=7 * DAY, kinds=("irreplaceable",))
    assert set(RecipeStore(actions.settings)) == {nested}


def cut(root: Path, start: float) -> Path:
    """A job that cuts a second from there."""
    return job(root, {**CUT, "start": start}, wanted=["cut"])


def test_ages_and_sizes_are_read_as_people_write_them() -> None:
    assert (seconds_of("90m"), seconds_of("7d"), seconds_of("1w")) == (5400.0, 7 * DAY, 7 * DAY)
    assert (bytes_of("500M"), bytes_of("1.5 GiB".replace(" ", "")), bytes_of("12")) == (
        500 << 20,
        3 << 29,
        12,
    )
    for wrong in (lambda: seconds_of("7"), lambda: bytes_of("much")):
        with pytest.raises(BadInput):
            wrong()


def of_effect(actions: Actions, effect: str) -> Path:
    """The stored file of an effect."""
    return Path(str(actions.session.metadata(EFFECT_OUTPUT, effect)["path"]))


def recently(actions: Actions, seconds: float, effect: str | None = None) -> None:
    """Have everything, or one effect, as if it had last been used so long ago."""
    moment = time.time() - seconds
    settings = actions.settings
    sidecars = (
        [of_effect(actions, effect).parent / SIDECAR] if effect else settings.store_root.rglob(SIDECAR)
    )
    recipes = settings.effect_root.glob(f"{effect or 'effect_*'}.json")
    for path in (*sidecars, *recipes):
        os.utime(path, (moment, moment))


def cleaned(actions: Actions, **how: object) -> Cleaned:
    """Clean the data root."""
    session = actions.session
    return clean(session.instance, session.graph, actions.settings, **how)  # type: ignore[arg-type]
