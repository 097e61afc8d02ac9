"""Damage is found, shown as stale and repaired; clean-up takes what nobody needs, and no more."""

from __future__ import annotations

import os
import time
from pathlib import Path

import dagster as dg
import pytest
from filelock import FileLock

from media_assets.actions import Actions
from media_assets.cli_upkeep import bytes_of, seconds_of
from media_assets.defs.effects import EFFECT_OUTPUT
from media_assets.errors import BadInput
from media_assets.jobs import run_job
from media_assets.media.run import commands_started
from media_assets.store.outputs import SIDECAR, OutputStore
from media_assets.store.recipes import RecipeStore
from media_assets.upkeep import Cleaned, Verified, clean, verify
from media_assets_tests.defs.conftest import RED, changed, statuses, write_document
from media_assets_tests.defs.test_effects import CUT, SMALL, job

DAY = 86_400.0


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
    actions.ingest()
    actions.run_workflow("web_preview", ["src_red_mp4"])
    actions.render_komposition(root / "kompositions" / "both.json")
    report = run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    effect = report.effects["small"]
    session, before = actions.session, statuses(actions)
    sound = verify(session)
    assert (sound.clean, sound.checked.findings, sound.marked) == (True, (), 0)
    assert sound.checked.files["source"] == 3
    assert sound.checked.bytes_read > 100_000

    video = Path(str(session.metadata(EFFECT_OUTPUT, effect)["path"]))
    flip(video)
    teaser = session.metadata(dg.AssetKey(["web_preview", "teaser"]), "src_red_mp4")
    for path in Path(teaser["path"]).parent.iterdir():
        path.unlink()
    Path(teaser["path"]).parent.rmdir()
    (root / "output" / "kompositions" / "both_tall.mp4").unlink()
    (root / "metadata" / "plans" / "komp_both.json").write_text("{")
    flip(root / "source" / "blue.mp4")
    assert "output" not in {
        kind for kind, _, problem in told(verify(session, quick=True)) if problem == "corrupt"
    }
    found = verify(session)
    assert told(found) >= {
        ("output", effect, "corrupt"),
        ("published", "komp_both", "missing"),
        ("source", "src_blue_mp4", "corrupt"),
    }
    assert changed(actions, before) == {
        ("effect_output", effect): "stale",
        ("web_preview/teaser", "src_red_mp4"): "stale",
        ("komposition_plan", "komp_both"): "stale",
        ("source_file", "src_blue_mp4"): "stale",
    }
    assert not video.exists()
    runs = commands_started()
    mended = verify(session, repair=True)
    assert mended.failed == ()
    assert told(mended) == {("source", "src_blue_mp4", "corrupt")}
    assert commands_started() > runs
    flip(root / "source" / "blue.mp4")  # the good copy is put back
    assert verify(session).clean
    assert changed(actions, before) == {}


def test_clean_up_takes_the_unused_and_keeps_what_is_current_or_needed(
    actions: Actions, root: Path
) -> None:
    small = run_job(actions, job(root, CUT, SMALL, wanted=["small"])).effects["small"]
    nested = run_job(actions, job(root, {**CUT, "start": 1.0}, wanted=["cut"])).effects["cut"]
    fresh = run_job(actions, job(root, {**CUT, "start": 1.5}, wanted=["cut"])).effects["cut"]
    write_document(root, "both.json", [(nested, 0.0)])
    actions.render_komposition(root / "kompositions" / "both.json")
    published = root / "output" / "effects"
    names = {path.name for path in published.iterdir()}
    recently(actions, 8 * DAY)
    assert of_effect(actions, fresh).exists()
    run_job(actions, job(root, {**CUT, "start": 1.5}, wanted=["cut"]))  # found in the store: used now
    before, total = statuses(actions), sum(o.made.properties.size for o in OutputStore(actions.settings))

    foreseen = cleaned(actions, older=7 * DAY, dry_run=True)
    assert statuses(actions) == before
    assert foreseen.store_bytes == total
    locks = actions.settings.store_root / "locks"
    with FileLock(locks / f"{of_effect(actions, small).parent.name[:16]}.lock"):
        busy = cleaned(actions, older=7 * DAY, kinds=("effect",))
        assert small in {candidate.id for candidate in busy.in_use}
    found = cleaned(actions, older=7 * DAY)
    assert {c.id for c in (*busy.removed, *found.removed)} == {c.id for c in foreseen.removed}
    assert busy.freed + found.freed == foreseen.freed > 0
    after = statuses(actions)
    assert ("effect_output", small) not in after
    assert {key: after[key] for key in after} == {k: v for k, v in before.items() if k in after}
    assert {("effect_output", nested), ("effect_output", fresh)} <= after.keys()
    assert len({path.name for path in published.iterdir()}) == len(names) - 1
    assert verify(actions.session).clean
    kinds = {o.recipe.operation for o in OutputStore(actions.settings)}
    assert "komposition" in kinds
    assert "komposition_segment" not in kinds
    # Asked for again, it is made again.
    again = run_job(actions, job(root, CUT, SMALL, wanted=["small"]))
    assert [output.status for output in again.outputs] == ["rendered"]
    assert statuses(actions)["effect_output", small] == "materialized"


def test_a_quota_takes_the_least_recently_used_first_and_leaves_what_was_just_used(
    actions: Actions, root: Path
) -> None:
    made = [
        run_job(actions, job(root, {**CUT, "start": at}, wanted=["cut"])).effects["cut"]
        for at in (0.0, 0.5, 1.0)
    ]
    for effect, days in zip(made, (1, 3, 2), strict=True):
        recently(actions, days * DAY, effect)
    total = cleaned(actions, older=None, dry_run=True).store_bytes
    assert cleaned(actions, older=None, quota=total).removed == ()
    found = cleaned(actions, older=None, quota=total - 1, kinds=("effect",))
    assert [c.id for c in found.removed if c.size] == [made[1]]
    run_job(actions, job(root, {**CUT, "start": 1.0}, wanted=["cut"]))
    left = cleaned(actions, older=None, quota=0, kinds=("effect",))
    assert [c.id for c in left.removed if c.size] == [made[0]]
    assert set(RecipeStore(actions.settings)) == {made[2]}


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
