"""`make demo`: a result from nothing, and nothing to do the second time."""

from __future__ import annotations

from pathlib import Path

from media_assets.settings import Settings
from media_assets_tests.e2e.conftest import runner
from media_assets_tests.making import clip
from media_assets_tests.measuring import loudness, pictures


def test_the_demo_makes_a_video_from_nothing_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    cli = runner(tmp_path)
    first = cli("demo", "--json")
    assert first.status == 0, first.err
    assert first.json["ffmpeg_runs"] > 0
    assets = {row["asset"] for row in first.json["rows"]}
    assert assets == {
        "source_file",
        "thumbnail",
        "web_preview/teaser",
        "web_preview/small",
        "komposition_video",
    }
    settings = Settings.from_environment(tmp_path)
    video = tmp_path / "output" / "kompositions" / "sample.mp4"
    frames = pictures(settings, video)
    assert len(frames) == 480
    # Seven cuts and crossfades: the picture is never black, and not one picture all along.
    assert frames.mean(axis=(1, 2, 3)).min() > 5
    assert frames.reshape(480, -1).std(axis=0).mean() > 20
    measured = loudness(settings, video).integrated
    assert measured is not None
    assert abs(measured + 14) < 1

    second = cli("demo", "--json")
    assert second.status == 0, second.err
    assert second.json["ffmpeg_runs"] == 0
    assert all(row["cached"] for row in second.json["rows"] if row["asset"] != "source_file")
    assert {op["operation"] for op in second.json["operations"]} >= {
        "ingest",
        "trim",
        "resize",
        "komposition",
    }


def test_the_demo_on_ones_own_files_only_reads_them(tmp_path: Path) -> None:
    media, root = tmp_path / "My Videos", tmp_path / "data"
    media.mkdir()
    settings = Settings.from_environment(root)
    clip(settings, media / "Holiday 1.mp4", seconds=3)
    clip(settings, media / "Holiday 2.mp4", seconds=3, sound=None, picture="rgbtestsrc")
    before = {path.name: path.stat().st_mtime_ns for path in media.iterdir()}
    ran = runner(root)("demo", "--media", media)
    assert ran.status == 0, ran.err
    assert "ffmpeg commands were run" in ran.err
    assert "MEDIA='" in ran.err
    again = runner(root)("demo", "--media", media)
    assert "no ffmpeg work was done" in again.err
    assert "make dev" in again.err
    (video,) = media.parent.rglob("output/kompositions/*.mp4")
    assert len(pictures(settings, video)) == 120
    assert {path.name: path.stat().st_mtime_ns for path in media.iterdir()} == before
