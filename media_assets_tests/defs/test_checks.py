"""Asset checks say what is wrong, where, and what to do; they change nothing and run when asked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from media_assets.actions import Actions
from media_assets.checking import Checked, check
from media_assets.defs.content_analysis import CONTENT
from media_assets.defs.kompositions import PLAN, VIDEO
from media_assets.defs.requesting import request_due
from media_assets.defs.sources import SOURCE_FILE
from media_assets.errors import BadInput
from media_assets.kompositions import health
from media_assets.settings import Settings
from media_assets_tests.defs.conftest import age, write_document
from media_assets_tests.making import clip

KEY, RED = "komp_both", "src_red_mp4"


@pytest.fixture
def rendered(actions: Actions, root: Path) -> Actions:
    """Everything ingested, and the komposition rendered with a target and a rendition."""
    write_document(
        root,
        "both.json",
        [("red.mp4", 0.0), ("blue.mp4", 0.5)],
        loudness={"target_lufs": -20},
        renditions=[{"id": "small", "width": 80, "height": 80}],
    )
    actions.ingest()
    actions.render_komposition(root / "kompositions" / "both.json")
    return actions


def failed(found: list[Checked]) -> list[tuple[str, str | None, str]]:
    return [(one.asset, one.partition, one.check) for one in found if not one.passed]


def overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(content)


def test_all_is_well_after_a_render_and_checks_run_by_partition_and_only_when_asked(
    rendered: Actions,
) -> None:
    found = check(rendered.session, None, None, full=True)
    assert failed(found) == []
    names = {(one.asset, one.partition, one.check) for one in found}
    assert {("source_file", RED, "intact"), ("thumbnail", RED, "matches_sidecar")} <= names
    assert {check for asset, _, check in names if asset == "komposition_video"} == {
        "matches_sidecar",
        "as_planned",
        "loudness_on_target",
        "seen_and_heard",
    }
    history = rendered.session.instance.event_log_storage.get_asset_check_execution_history
    (key,) = (k for k in rendered.session.graph.asset_check_keys if k.asset_key == SOURCE_FILE)
    assert {record.partition for record in history(key, limit=10)} == {
        RED,
        "src_blue_mp4",
        "src_tone_wav",
    }
    results = rendered.session.run([PLAN, VIDEO], [KEY])
    assert [e for r in results for e in r.get_asset_check_evaluations()] == []
    asked = request_due(
        rendered.session.instance, [CONTENT], [RED], {RED: "1"}, rendered.settings
    ).run_requests
    assert asked is not None
    assert [request.asset_check_keys for request in asked] == [[]]
    with pytest.raises(BadInput, match="no materialized partition"):
        check(rendered.session, "komposition_video", "komp_other", full=False)
    with pytest.raises(BadInput, match="no such asset"):
        check(rendered.session, "nothing", None, full=False)


def test_what_is_damaged_or_changed_is_told_and_left_where_it_is(rendered: Actions, root: Path) -> None:
    stored = Path(rendered.session.metadata(VIDEO, KEY)["path"])
    whole = stored.read_bytes()
    overwrite(stored, whole[:-1] + bytes([whole[-1] ^ 1]))
    assert failed(check(rendered.session, "komposition_video", KEY, full=False)) == []
    (spoilt,) = [
        c for c in check(rendered.session, "komposition_video", KEY, full=True) if "sidecar" in c.check
    ]
    assert not spoilt.passed
    assert "its content is not that of its sidecar" in spoilt.message
    assert str(stored) in spoilt.message
    assert "materialize it again" in spoilt.message
    overwrite(stored, whole[:-100])
    found = check(rendered.session, "komposition_video", None, full=False)
    assert len(failed(found)) == 4
    assert stored.stat().st_size == len(whole) - 100
    overwrite(stored, whole)
    rendition = Path(rendered.session.metadata(VIDEO, KEY)["renditions"]["small"])
    rendition.chmod(0o644)
    with rendition.open("ab") as file:
        file.write(b"more")
    (found_small, *_) = [
        c.message for c in check(rendered.session, "komposition_video", None, full=False) if not c.passed
    ]
    assert "komp_both_" in found_small
    # Now what they are made from.
    red, blue = root / "source" / "red.mp4", root / "source" / "blue.mp4"
    content, status = red.read_bytes(), red.stat()
    red.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(red, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert failed(check(rendered.session, "source_file", RED, full=False)) == []
    (source,) = check(rendered.session, "source_file", RED, full=True)
    assert "its content is not what was ingested" in source.message
    blue.unlink()
    keys = [key for key in rendered.session.graph.asset_check_keys if key.asset_key == SOURCE_FILE]
    (run,) = rendered.session.run_checks(keys, None)
    of_all = {e.partition: e.description for e in run.get_asset_check_evaluations()}
    assert (of_all[None] or "").startswith("1 of 3 partitions failed; first: blue.mp4: its file is gone")
    age(red, 30)
    found_all = check(rendered.session, "source_file", None, full=False)
    messages = {one.partition: one.message for one in found_all if not one.passed}
    assert (
        messages[RED]
        == "red.mp4: its time or place on the disk changed after it was ingested (ingest again)"
    )
    assert messages["src_blue_mp4"] == "blue.mp4: its file is gone (put it back, or ingest)"
    write_document(root, "both.json", [("tone.wav", 0.0)], bpm="fast")
    (plan,) = check(rendered.session, "komposition_plan", KEY, full=False)
    assert not plan.passed
    assert "cannot be planned" in plan.message
    write_document(root, "both.json", [("red.mp4", 1.0)])
    (plan,) = check(rendered.session, "komposition_plan", KEY, full=False)
    assert "changed after it was planned" in plan.message


def test_a_black_or_silent_video_fails_and_planned_silence_does_not(
    settings: Settings, tmp_path: Path
) -> None:
    path = clip(
        settings, tmp_path / "black.mp4", seconds=1, picture="color=c=black", sound="anullsrc=r=48000"
    )
    loud = {"sound": {"target_lufs": -14, "voices": [{}], "music": None}}
    quiet: dict[str, Any] = {"sound": {"target_lufs": None, "voices": [], "music": None}}
    assert health.seen_and_heard(path, "0" * 64, loud, settings).message == "all of its picture is black"
    assert (
        health.loudness_on_target(path, loud, settings).message == "it is silent and should have -14 LUFS"
    )
    assert health.loudness_on_target(path, quiet, settings).passed
    red = clip(settings, tmp_path / "red.mp4", seconds=1, picture="color=c=red", sound="anullsrc=r=48000")
    assert "it is silent" in health.seen_and_heard(red, "1" * 64, loud, settings).message
    assert health.seen_and_heard(red, "1" * 64, quiet, settings).passed
    soft = clip(settings, tmp_path / "soft.mp4", seconds=1, sound="sine=f=440:r=48000")
    found = health.loudness_on_target(soft, loud, settings)
    assert not found.passed
    assert found.details["target_lufs"] == -14
    plan = {"output": {"width": 160, "height": 90}, "frames": 31, "duration": 1.0, **loud}
    assert "frames should be 31 and is 30" in health.as_planned(soft, plan, settings, full=False).message
    assert json.dumps(dict(found.details))
