"""Reprocessing that can be left running: whatever happens between ticks, exactly what is to do is done."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from media_assets.actions import Actions
from media_assets.analytics.origin import origin_of
from media_assets.analytics.warehouse import last_events
from media_assets.defs.sources import SOURCE_FILE, THUMBNAIL
from media_assets.store.attempts import known_attempts
from media_assets_tests.defs.conftest import BLUE, RED, TONE, age, put, statuses, write_document
from media_assets_tests.defs.ticking import carry_out, runs, settle, tick

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
    # And had it asked all the same: what was made is found.
    actions.session.run([THUMBNAIL], ["src_blue_mp4"])
    assert actions.row(THUMBNAIL, "src_blue_mp4").cached is True

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


def test_between_ticks_files_come_go_and_change_and_exactly_what_is_to_do_is_done(
    actions: Actions, root: Path, prototypes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_ANALYZE", "eager")
    settle(actions)
    made = stored(root)

    # There, and back again: the file is read once more, nothing else is asked for.
    put(root, BLUE, b"other")
    put(root, BLUE, (prototypes / BLUE).read_bytes())
    assert settle(actions) == [("source_file", (BLUE,))]

    # Removed, and put back: as before.
    (root / "source" / BLUE).unlink()
    settle(actions, ("source_sensor",))
    assert "src_blue_mp4" not in actions.session.partitions(THUMBNAIL)
    put(root, BLUE, (prototypes / BLUE).read_bytes())
    # Its screenshots went with it, and are given again from the store.
    assert settle(actions) == [("source_file", (BLUE,)), ("content_analysis", ("src_blue_mp4",))]

    # Renamed: another source by its id, and the same content, of which nothing is rendered.
    (root / "source" / BLUE).rename(root / "source" / "azure.mp4")
    write_document(root, "both.json", [(RED, 0.0), ("azure.mp4", 0.5)])
    azure = ("src_azure_mp4",)
    assert sorted(settle(actions)) == [
        ("content_analysis", azure),
        ("komposition_video", ("komp_both",)),
        ("source_file", ("azure.mp4",)),
        ("thumbnail", azure),
        ("web_preview/teaser", azure),
    ]
    assert stored(root) == made
    events = last_events(actions.settings, 200)
    subject = origin_of(actions.settings).subject(azure[0])
    made_of_it = [e for e in events if e.get("subject") == subject and e.get("operation") != "ingest"]
    assert {event["outcome"] for event in made_of_it} == {"cached", "done"}
    plan = json.loads((root / "metadata" / "plans" / "komp_both.json").read_text())
    assert plan["derived_from"] == ["src_azure_mp4", "src_red_mp4"]
    for name in ("teaser", "small"):
        assert (root / "output" / "web_preview" / f"azure_mp4_{name}.mp4").is_file()
    screenshots = {path.name for path in (root / "output" / "screenshots").iterdir()}
    assert any("azure" in name for name in screenshots)
    assert not any("blue" in name for name in screenshots)


def test_whatever_clocks_say_a_file_is_read_when_it_changed(actions: Actions, root: Path) -> None:
    sources = ("source_sensor",)
    assert settle(actions, sources) == [("source_file", (BLUE, RED, TONE))]
    path = root / "source" / RED
    for days in (-400, 1):
        path.write_bytes(path.read_bytes() + MORE)
        os.utime(path, (time.time() + days * 86_400, time.time() + days * 86_400))
        assert settle(actions, sources) == [("source_file", (RED,))]
    # Two changes between two ticks are one.
    path.write_bytes(path.read_bytes() + MORE)
    put(root, RED, path.read_bytes() + MORE)
    assert settle(actions, sources) == [("source_file", (RED,))]
    assert actions.session.metadata(SOURCE_FILE, "src_red_mp4")["size"] == path.stat().st_size


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


def stored(root: Path) -> set[str]:
    """Fingerprints of all that was ever rendered."""
    return {path.name for path in (root / "store").glob("??/*")}
