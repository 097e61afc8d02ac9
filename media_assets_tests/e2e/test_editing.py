"""A document is looked at, compared, put back and handed on while it is edited."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from media_assets.analytics.origin import origin_of
from media_assets.analytics.warehouse import last_events
from media_assets.cli import app
from media_assets.errors import BadInput, Cancelled, DocumentError
from media_assets.kompositions.document import load
from media_assets.media.probe import probe
from media_assets.settings import Settings
from media_assets_tests.defs.conftest import BLUE, RED, age, write_document
from media_assets_tests.e2e.conftest import SCRIPT, environment, runner
from media_assets_tests.making import clip, ingested
from media_assets_tests.measuring import pictures


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two clips on record, which no Dagster has seen."""
    root = tmp_path_factory.mktemp("editing")
    settings = Settings.from_environment(root)
    for name, color in ((RED, "red"), (BLUE, "blue")):
        age(clip(settings, settings.source_root / name, seconds=2, picture=f"color=c={color}"), 60)
        ingested(settings, settings.source_root / name)
    return root


@pytest.fixture
def edited(root: Path, request: pytest.FixtureRequest) -> Path:
    """A document of both clips, which no other test uses."""
    name = request.node.name.removeprefix("test_")[:20].replace("_", "") + ".json"
    return write_document(root, name, [(RED, 0.0), (BLUE, 0.5)])


def _run(root: Path, *arguments: str | Path) -> str:
    """What a command prints, run in this process."""
    ran = CliRunner().invoke(
        app, ["komposition", *map(str, arguments), "--data", str(root)], catch_exceptions=False
    )
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def _json(root: Path, *arguments: str | Path) -> Any:
    return json.loads(_run(root, *arguments, "--json"))


def _size(settings: Settings, path: Path) -> tuple[int, int]:
    video = probe(path, settings).video
    assert video is not None
    return video.width, video.height


def _save(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def _start_at(seconds: float) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        data["segments"][1]["in_point"] = seconds

    return change


def test_versions_are_listed_compared_and_put_back(root: Path, edited: Path) -> None:
    name, original = edited.stem, edited.read_text()
    assert [v["number"] for v in _json(root, "versions", edited)["versions"]] == [1]
    _save(edited, _start_at(0.75))
    found = _json(root, "diff", f"{name}@1", name)
    assert found["rendered"] == ["s2"]
    assert found["changes"] == [{"place": "$.segments[1].in_point", "text": "0.5 → 0.75"}]
    assert "s2" in _run(root, "diff", f"{name}.json@1", edited)
    assert _json(root, "restore", name, "1")["version"] == 3
    assert edited.read_text() == original
    assert len(_json(root, "versions", f"komp_{name}")["versions"]) == 3
    edited.unlink()
    assert _json(root, "restore", edited.name, "2")["version"] == 4
    assert json.loads(edited.read_text())["segments"][1]["in_point"] == 0.75
    assert "4" in _run(root, "versions", name)


def test_what_cannot_be_compared_is_said(root: Path, edited: Path) -> None:
    with pytest.raises(BadInput, match="there is no such document"):
        _run(root, "diff", edited, "none.json")
    with pytest.raises(BadInput, match="no version 7"):
        _run(root, "diff", edited, f"{edited.stem}@7")
    good = edited.read_text()
    edited.write_text('{"version": 1}')
    _run(root, "versions", edited)
    edited.write_text(good)
    _run(root, "versions", edited)
    with pytest.raises(DocumentError, match=f"^{edited.stem}@1:"):
        _run(root, "diff", f"{edited.stem}@1", edited)


def test_a_preview_is_small_and_becomes_no_asset(root: Path, edited: Path) -> None:
    def larger(data: dict[str, Any]) -> None:
        data["output"] |= {"width": 800, "height": 450}
        data["renditions"] = [{"id": "tall", "width": 90, "height": 160, "fit": "cover"}]

    _save(edited, larger)
    report = _json(root, "preview", edited)
    path = root / "output" / "kompositions" / f"{edited.stem}_preview.mp4"
    assert (report["output"], report["frames"], report["version"]) == (str(path), 60, 1)
    settings = Settings.from_environment(root)
    shown = pictures(settings, path)
    assert len(shown) == 60
    assert _size(settings, path) == (640, 360)
    assert shown[45].mean(axis=(0, 1)) == pytest.approx([0, 0, 254], abs=6)
    assert {"s1", "s2"} <= set(report["rendered"])  # silence of that length may be there
    again = _json(root, "preview", edited)
    assert (again["rendered"], again["ffmpeg_runs"]) == ([], 0)
    events = last_events(settings, 50)
    subject = origin_of(settings).subject(f"komp_{edited.stem}")
    events = [e for e in events if e["kind"] == "operation" and e["subject"] == subject]
    assert {e["operation"] for e in events} == {"komposition_segment", "komposition_sound", "komposition"}
    assert all(event["asset"] is None for event in events)
    assert not (root / "output" / "kompositions" / f"{edited.stem}.mp4").exists()
    printed = _run(root, "render", edited, "--rendition", "tall")
    assert "src_red_mp4" in printed
    assert _size(settings, path.with_name(f"{edited.stem}_tall.mp4")) == (90, 160)
    with pytest.raises(BadInput, match="no rendition 'wide'"):
        _run(root, "render", edited, "--rendition", "wide")


def test_a_rendering_that_is_cancelled_leaves_nothing(root: Path, edited: Path) -> None:
    import threading

    from media_assets.editing import render_form

    cancel = threading.Event()
    cancel.set()
    _save(edited, _start_at(0.9))
    with pytest.raises(Cancelled):
        render_form(edited, "", Settings.from_environment(root), cancel=cancel)
    assert not (root / "output" / "kompositions" / f"{edited.stem}.mp4").exists()


def test_a_document_goes_to_another_program_and_comes_back(
    root: Path, edited: Path, tmp_path: Path
) -> None:
    timeline, back = tmp_path / "cut.otio", tmp_path / "back.json"
    assert _json(root, "export-otio", edited.stem, "-o", timeline)["lost"] == []
    ran = CliRunner().invoke(app, ["komposition", "import-otio", str(timeline), "-o", str(back)])
    assert ran.exit_code == 0, ran.output
    assert "wrote" in ran.stderr, "nothing was lost, and nothing was said"
    assert load(back) == load(edited)
    assert json.loads(_run(root, "export-otio", edited))["OTIO_SCHEMA"] == "Timeline.1"
    for arguments, reason in (
        ([str(back)], "an .otio file"),
        ([str(tmp_path / "none.otio")], "cannot be read"),
        ([str(timeline), "--size", "big"], "is no size"),
        ([str(timeline), "--size", "1280x721", "-o", str(tmp_path / "x.json")], None),
    ):
        ran = CliRunner().invoke(app, ["komposition", "import-otio", *arguments])
        assert isinstance(ran.exception, BadInput) if reason else ran.exit_code == 0
        assert reason is None or reason in str(ran.exception)


@pytest.fixture
def watching(root: Path, edited: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """`komposition watch --preview` on a document, and the file of what it prints."""
    log = tmp_path / "log"
    with log.open("wb") as file:
        command = [*SCRIPT, "komposition", "watch", "--preview", str(edited)]
        env = environment(root) | {"PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, env=env, stdout=file, stderr=file)
    yield process, log
    process.kill()
    process.wait()


def _printed(log: Path, text: str, count: int = 1) -> str:
    """What was printed, once it holds `text` so many times."""
    end = time.monotonic() + 90
    while (printed := log.read_text()).count(text) < count:
        assert time.monotonic() < end, f"{text!r} was not printed:\n{printed}"
        time.sleep(0.1)
    return printed


def test_a_watched_document_is_rendered_on_each_save(
    edited: Path, watching: tuple[subprocess.Popen[bytes], Path]
) -> None:
    process, log = watching
    _printed(log, "version 1: rendered")
    _save(edited, _start_at(0.6))
    assert "version 2: rendered s2" in _printed(log, "version 2: rendered")
    good = edited.read_text()
    edited.write_text('{"version": 1, "segments": []}')
    assert "$.output" in _printed(log, "waiting for")
    # As editors do: another file is put in the place of the old one.
    other = edited.with_name(".saving")
    other.write_text(good)
    other.replace(edited)
    _printed(log, "version 4: rendered nothing")
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 130
    assert "Traceback" not in log.read_text()


def test_a_render_tells_its_version_and_what_became_of_each_rendition(root: Path, edited: Path) -> None:
    def another(data: dict[str, Any]) -> None:
        data["renditions"] = [{"id": "tall", "width": 90, "height": 160}]

    _run(root, "versions", edited)
    _save(edited, another)
    ran = runner(root)("komposition", "render", edited, "--json")
    assert ran.status == 0, ran.err
    report, tall = ran.json, ran.json["renditions"]["tall"]
    assert (report["version"], Path(report["output"]).name) == (2, f"{edited.stem}.mp4")
    assert _size(Settings.from_environment(root), Path(tall["output"])) == (90, 160)
    assert [row["sources"] for row in report["segments"]] == [["src_red_mp4"], ["src_blue_mp4"]]
    assert [row["id"] for row in tall["segments"]] == ["s1", "s2"]
