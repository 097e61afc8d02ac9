"""Analyses and screenshots of sources: made when asked for, kept by content, stale when it changes."""

from __future__ import annotations

import warnings
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image

from media_assets.actions import Actions
from media_assets.defs.content_analysis import (
    CONTENT,
    SCREENSHOTS,
    content_analysis_sensor,
    outstanding_analyses,
)
from media_assets.defs.resources import MediaResource
from media_assets.media.run import commands_started
from media_assets.settings import Settings
from media_assets_tests.defs.conftest import put
from media_assets_tests.making import X264, make

KEY = "src_scenes_mp4"


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A second of red, a second of black, a second of yellow; a tone in the last one."""
    folder = tmp_path_factory.mktemp("scenes")
    graph = "[0][1][2]concat=n=3;[3]adelay=2000:all=1"
    parts = [
        word
        for c in ("red", "black", "yellow")
        for word in ("-f", "lavfi", "-i", f"color={c}:s=96x64:r=10:d=1")
    ]
    tone = ("-f", "lavfi", "-i", "sine=f=440:r=48000:d=1")
    path = make(
        Settings.from_environment(folder),
        folder / "a.mp4",
        *(*parts, *tone, "-filter_complex", graph),
        *X264,
    )
    return path.read_bytes()


@pytest.fixture
def analysed(actions: Actions, root: Path, cut: bytes) -> Actions:
    for name in ("red.mp4", "blue.mp4"):
        (root / "source" / name).unlink()
    put(root, "scenes.mp4", cut)
    actions.ingest()
    assert actions.analyse().failed == []
    return actions


def shots(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "output" / "screenshots" / KEY).glob("*"))


def test_a_source_is_analysed_once_and_again_when_its_content_changes(
    analysed: Actions, root: Path, cut: bytes
) -> None:
    shown = analysed.session.metadata(CONTENT, KEY)
    assert shown["scene_count"] == 3
    assert shown["black"] == "1.00 to 2.00 s"
    assert shown["silence"] == "0.00 to 1.98 s"
    assert shown["contact_sheet"].startswith("![preview](data:image/jpeg;base64,")
    assert shown["waveform"].startswith("![preview](data:image/jpeg;base64,")
    assert "LUFS" in analysed.session.metadata(CONTENT, "src_tone_wav")["loudness"]
    assert shots(root) == ["scene_001.jpg", "scene_002.jpg", "scene_003.jpg"]
    with Image.open(root / "output" / "screenshots" / KEY / "scene_003.jpg") as picture:
        assert picture.size == (96, 64)
        red, green, blue = picture.convert("RGB").getpixel((48, 32))
        assert min(red, green) > 200 > 60 > blue
    assert [s.status for s in analysed.session.status("screenshots")] == ["materialized"] * 2
    before = commands_started()
    assert analysed.analyse(["scenes.mp4"]).asked == (KEY,)
    assert analysed.analyse().asked == ()
    assert commands_started() == before
    # The first scene alone: what is no scene any more is removed.
    short = root / "short.mp4"
    make(analysed.settings, short, "-i", str(root / "source" / "scenes.mp4"), "-t", "1", *X264, "-an")
    put(root, "scenes.mp4", short.read_bytes())
    analysed.ingest()
    assert [s.status for s in analysed.session.status("content_analysis", KEY)] == ["stale"]
    assert analysed.analyse().asked == (KEY,)
    assert shots(root) == ["scene_001.jpg"]
    (root / "source" / "scenes.mp4").unlink()
    analysed.ingest()
    assert not (root / "output" / "screenshots" / KEY).exists()


def test_what_cannot_be_analysed_fails_alone(actions: Actions, root: Path) -> None:
    (root / "source" / "tone.wav").unlink()
    actions.ingest()
    (root / "source" / "red.mp4").write_bytes(b"no media")
    asked = actions.analyse()
    assert len(asked.failed) == 1
    assert "src_red_mp4" in asked.failed[0]
    made = actions.session.instance.get_materialized_partitions(SCREENSHOTS)
    assert made == {"src_blue_mp4"}


def test_sources_are_analysed_as_they_come_in_only_where_that_is_set(
    actions: Actions, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.ingest()

    def tick() -> dg.SensorResult | dg.SkipReason:
        media = MediaResource(data_root=str(actions.settings.data_root))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context = dg.build_sensor_context(actions.session.instance, resources={"media": media})
            return content_analysis_sensor(context)  # type: ignore[return-value]

    assert isinstance(tick(), dg.SkipReason)
    monkeypatch.setenv("MEDIA_ASSETS_ANALYZE", "eager")
    result = tick()
    assert isinstance(result, dg.SensorResult)
    (request,) = result.run_requests or []
    assert set(request.asset_selection or []) == {CONTENT, SCREENSHOTS}
    keys = [key for key in actions.session.partitions(CONTENT) if key is not None]
    assert set(outstanding_analyses(actions.session.instance, keys)) == set(keys)
