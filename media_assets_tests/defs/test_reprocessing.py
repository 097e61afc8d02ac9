"""Reprocessing that can be left running: whatever happens between ticks, exactly what is to do is done."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import dagster as dg
import pytest

from media_assets.actions import Actions
from media_assets.defs.content_analysis import CONTENT, SCREENSHOTS
from media_assets.defs.sources import THUMBNAIL
from media_assets.store.attempts import known_attempts
from media_assets_tests.defs.conftest import BLUE, RED, age, put, statuses, write_document
from media_assets_tests.defs.ticking import carry_out, runs, settle, tick

SMALL = dg.AssetKey(["web_preview", "small"])
MORE = b"\0\0\0\x10freemore!!!!"
ALL_THUMBNAILS = ("thumbnail", ("src_blue_mp4", "src_red_mp4", "src_tone_wav"))


def test_what_fails_rests_and_says_so_whatever_becomes_of_cursors(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    settle(actions, ("source_sensor",))
    first = tick(actions, "thumbnail_sensor")
    assert runs(actions, first) == [ALL_THUMBNAILS]
    # A second daemon's tick comes before the run exists.
    assert runs(actions, tick(actions, "thumbnail_sensor")) == []
    put(root, RED, (prototypes / RED).read_bytes() + MORE)  # after it was asked for
    assert [done.success for done in carry_out(actions, first)] == [False]
    assert actions.row(THUMBNAIL, "src_blue_mp4").cached is False

    for cursor in (None, "nonsense"):
        again = tick(actions, "thumbnail_sensor", cursor)
        assert runs(actions, again) == []
        assert again.skip_reason is not None
        said = again.skip_reason.skip_message or ""
        assert said.startswith("src_red_mp4 failed once, tried again in ")
        assert "the file changed after it was ingested" in said
        assert "src_blue_mp4" not in said
    (key,) = known_attempts(actions.settings)
    assert key == ("thumbnail", "src_red_mp4")

    # Its new content is another version: asked for at once, alone, and then forgotten.
    assert settle(actions, ("source_sensor", "thumbnail_sensor")) == [
        ("source_file", (RED,)),
        ("thumbnail", ("src_red_mp4",)),
    ]
    assert known_attempts(actions.settings) == {}


def test_changes_between_ticks_are_one_change_or_none(
    actions: Actions, root: Path, prototypes: Path
) -> None:
    settle(actions)
    original = (prototypes / RED).read_bytes()

    # There, and back again: the file is read once more, nothing is rendered.
    put(root, BLUE, b"other")
    put(root, BLUE, (prototypes / BLUE).read_bytes())
    assert settle(actions) == [("source_file", (BLUE,))]

    # Removed between two ticks, and put back: as before.
    (root / "source" / BLUE).unlink()
    settle(actions, ("source_sensor",))
    assert "src_blue_mp4" not in actions.session.partitions(THUMBNAIL)
    put(root, BLUE, (prototypes / BLUE).read_bytes())
    assert settle(actions) == [("source_file", (BLUE,))]

    # A clock that is ahead, or behind, or a time that is kept: it is read all the same. Of two changes, the
    # second is what counts.
    path, before = root / "source" / RED, actions.row(SMALL, "src_red_mp4")
    for seconds in (-86_400.0 * 400, 86_400.0):
        original += MORE
        path.write_bytes(original)
        os.utime(path, (time.time() + seconds, time.time() + seconds))
        assert settle(actions, ("source_sensor",)) == [("source_file", (RED,))]
    path.write_bytes(b"other")
    put(root, RED, original + MORE)
    assert settle(actions)[:2] == [("source_file", (RED,)), ("thumbnail", ("src_red_mp4",))]
    assert actions.row(SMALL, "src_red_mp4").path == before.path


def test_a_renamed_file_is_known_by_its_content(
    actions: Actions, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sensors = ("source_sensor", "thumbnail_sensor", "web_preview_sensor", "content_analysis_sensor")
    monkeypatch.setenv("MEDIA_ASSETS_ANALYZE", "eager")
    settle(actions, (*sensors, "komposition_sensor"))
    stored = {path.name for path in (root / "store").glob("??/*")}
    analysed = actions.session.metadata(CONTENT, "src_blue_mp4")

    (root / "source" / BLUE).rename(root / "source" / "azure.mp4")
    write_document(root, "both.json", [(RED, 0.0), ("azure.mp4", 0.5)])
    asked = settle(actions, (*sensors, "komposition_sensor"))
    assert ("komposition_video", ("komp_both",)) in asked
    assert {path.name for path in (root / "store").glob("??/*")} == stored  # nothing new was rendered
    assert actions.session.metadata(CONTENT, "src_azure_mp4")["reused"] == analysed.get("reused", True)
    for name in ("teaser", "small"):
        assert (root / "output" / "web_preview" / f"azure_mp4_{name}.mp4").is_file()
    assert actions.row(THUMBNAIL, "src_azure_mp4").cached is True
    assert actions.row(SCREENSHOTS, "src_azure_mp4").partition == "src_azure_mp4"
    assert (root / "output" / "screenshots" / "azure_mp4").is_dir()
    assert not (root / "output" / "screenshots" / "blue_mp4").exists()


def test_a_manual_komposition_is_planned_and_waits(
    actions: Actions, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_document(root, "later.json", [(RED, 1.0)], automation="manual")
    settle(actions, ("source_sensor",))
    assert settle(actions, ("komposition_sensor",)) == [
        ("komposition_video", ("komp_both",)),
        ("komposition_plan", ("komp_later",)),
    ]
    found = statuses(actions)
    assert found["komposition_plan", "komp_later"] == "materialized"
    assert found["komposition_video", "komp_later"] == "missing"

    # The setting speaks for documents that do not.
    write_document(root, "soon.json", [(BLUE, 1.0)], automation="eager")
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 1.0)])
    monkeypatch.setenv("MEDIA_ASSETS_KOMPOSITIONS", "manual")
    assert runs(actions, tick(actions, "komposition_sensor")) == [
        ("komposition_video", ("komp_soon",)),
        ("komposition_plan", ("komp_both",)),
    ]
    # It is no part of what is rendered.
    plan = actions.plan_komposition(root / "kompositions" / "later.json")
    document = json.loads((root / "kompositions" / "later.json").read_text())
    (root / "kompositions" / "later.json").write_text(json.dumps(document | {"automation": "eager"}))
    assert actions.plan_komposition(root / "kompositions" / "later.json").fingerprint == plan.fingerprint


def test_ingest_that_cannot_run_rests_too(
    actions: Actions, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_FFPROBE", str(root / "no-such-program"))
    first = tick(actions, "source_sensor")
    assert len(runs(actions, first)) == 1
    assert [done.success for done in carry_out(actions, first)] == [False]
    again = tick(actions, "source_sensor")
    assert runs(actions, again) == []
    assert again.skip_reason is not None
    assert "failed once, tried again in " in (again.skip_reason.skip_message or "")
    age(root / "source" / RED, 5)
    assert runs(actions, tick(actions, "source_sensor")) == [("source_file", (RED,))]
