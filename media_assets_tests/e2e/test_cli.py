"""Commands do what their help says: JSON on stdout, news on stderr, exit status 0, 1 or 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from media_assets.settings import Settings
from media_assets_tests.defs.conftest import BLUE, RED, write_document
from media_assets_tests.e2e.conftest import Cli
from media_assets_tests.measuring import pictures

COMMANDS = [
    ["doctor"],
    ["ingest"],
    ["status"],
    ["events"],
    ["analytics"],
    ["demo"],
    ["run"],
    ["explain"],
    ["workflow", "list"],
    ["workflow", "run"],
    ["komposition", "check"],
    ["komposition", "plan"],
    ["komposition", "render"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_json(cli: Cli, command: list[str]) -> None:
    ran = cli(*command, "--help")
    assert ran.status == 0
    assert "--json" in ran.out


def test_doctor_names_the_programs_in_use(cli: Cli) -> None:
    ran = cli("doctor", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["ok"] is True
    assert Path(ran.json["ffmpeg"]["path"]).is_file()
    assert ran.json["missing_encoders"] == ran.json["missing_filters"] == []


def test_doctor_fails_when_the_ffmpeg_that_was_asked_for_is_not_there(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIA_ASSETS_FFMPEG", "/nowhere/ffmpeg")
    ran = cli("doctor", "--json")
    assert ran.status == 1
    assert any("MEDIA_ASSETS_FFMPEG" in problem for problem in ran.json["problems"])


def test_ingest_lists_sources_and_rejections(cli: Cli) -> None:
    ran = cli("ingest", "--json")
    assert ran.status == 0, ran.err
    sources = {source["id"]: source for source in ran.json["sources"]}
    assert set(sources) == {"src_red_mp4", "src_blue_mp4", "src_tone_wav"}
    red = sources["src_red_mp4"]
    assert (red["path"], red["kind"], red["width"], red["height"]) == (RED, "video", 160, 90)
    assert red["duration"] == pytest.approx(3, abs=0.05)
    assert len(red["sha256"]) == 64
    (rejected,) = ran.json["rejected"]
    assert rejected["path"] == "broken.mp4"
    assert rejected["error"] == "CorruptMedia"
    assert rejected["message"]


def test_a_second_ingest_reads_nothing(cli: Cli) -> None:
    cli("ingest")
    assert cli("ingest", "--json").json["ingested"] == 0


def test_a_workflow_runs_for_one_source(cli: Cli, module_root: Path) -> None:
    ran = cli("workflow", "run", "web_preview", "--source", "src_red_mp4", "--json")
    assert ran.status == 0, ran.err
    rows = {row["asset"]: row for row in ran.json["outputs"]}
    assert set(rows) == {"web_preview/teaser", "web_preview/small"}
    frames = pictures(Settings.from_environment(module_root), Path(rows["web_preview/small"]["path"]))
    assert len(frames) == 90
    assert frames[45].mean(axis=(0, 1)) == pytest.approx([254, 0, 0], abs=4)
    assert (module_root / "output" / "web_preview" / "red_mp4_small.mp4").is_file()


def test_workflows_are_listed(cli: Cli) -> None:
    found = {w["name"]: w for w in cli("workflow", "list", "--json").json["workflows"]}
    assert found["web_preview"]["nodes"] == ["teaser", "small"]


def test_a_komposition_is_checked_planned_and_rendered(cli: Cli, module_root: Path) -> None:
    document = module_root / "kompositions" / "both.json"
    assert cli("komposition", "check", document, "--json").json["valid"] is True
    assert cli("komposition", "check", "both.json", "--json").json["valid"] is True
    planned = cli("komposition", "plan", document, "--json")
    assert planned.status == 0, planned.err
    assert [piece["frames"] for piece in planned.json["pieces"]] == [30, 30]
    ran = cli("komposition", "render", document, "--json")
    assert ran.status == 0, ran.err
    report = ran.json
    assert (report["frames"], report["duration"]) == (60, 2.0)
    assert [row["id"] for row in report["segments"]] == ["s1", "s2"]
    assert len(pictures(Settings.from_environment(module_root), Path(report["output"]))) == 60
    again = cli("komposition", "render", document, "--json").json
    assert again["ffmpeg_runs"] == 0
    assert all(row["cached"] for row in again["segments"])
    assert all(piece["cached"] for piece in cli("komposition", "plan", document, "--json").json["pieces"])


def test_a_document_from_elsewhere_is_rendered_too(cli: Cli, tmp_path: Path) -> None:
    path = write_document(tmp_path, "elsewhere.json", [(BLUE, 0.0)])
    ran = cli("komposition", "render", path, "--json")
    assert ran.status == 0, ran.err
    assert Path(ran.json["output"]).is_file()


def test_status_is_dagsters_and_names_one_partition(cli: Cli) -> None:
    cli("workflow", "run", "web_preview")
    (found,) = cli("status", "web_preview/small", "src_blue_mp4", "--json").json["assets"]
    assert (found["status"], found["causes"]) == ("materialized", [])


def test_events_tell_what_was_done(cli: Cli, module_root: Path) -> None:
    cli("komposition", "render", module_root / "kompositions" / "both.json")
    whole, last = cli("events", "--last", "2", "--json").json["events"]
    assert (whole["kind"], whole["type"], whole["outcome"]) == ("workflow", "komposition", "done")
    assert (last["kind"], last["operation"], last["platform"]) == ("operation", "komposition", "cli")
    assert last["subject"] == whole["subject"]
    assert "both" not in json.dumps([whole, last])


def test_analytics_count_what_was_done(cli: Cli) -> None:
    cli("workflow", "run", "web_preview")
    ran = cli("analytics", "--json")
    assert ran.status == 0, ran.err
    rows = {row["operation"]: row for row in ran.json["operations"]}
    assert rows["trim"]["count"] >= 2
    assert rows["trim"]["success_rate"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["status", "no_such_asset"], "no_such_asset"),
        (["status", "source_file", "src_no"], "src_no"),
        (["workflow", "run", "no_such_workflow"], "no_such_workflow"),
        (["workflow", "run", "web_preview", "--source", "src_no"], "src_no"),
        (["komposition", "check", "nowhere.json"], "nowhere.json"),
        (["komposition", "render", "nowhere.json"], "nowhere.json"),
        (["events", "--last", "0"], "last"),
        (["no_such_command"], "no_such_command"),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_bad_input_is_status_2_and_says_what(cli: Cli, arguments: list[str], word: str) -> None:
    ran = cli(*arguments)
    assert ran.status == 2, (ran.out, ran.err)
    assert word in ran.err
    assert "Traceback" not in ran.err


def test_a_bad_document_lists_every_finding_with_its_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    document = {
        "version": 1,
        "unit": "seconds",
        "output": {"width": 161, "height": 90},
        "segments": [{"source": "red.mp4", "duraton": 1.0}],
    }
    path.write_text(json.dumps(document, indent=1))
    ran = cli("komposition", "check", path, "--json")
    assert ran.status == 2
    places = " ".join(finding["place"] for finding in ran.json["findings"])
    texts = " ".join(finding["message"] for finding in ran.json["findings"])
    assert "$.output.width" in places
    assert "duration" in texts
    assert "line" in places + texts


def test_a_komposition_of_a_missing_source_changes_nothing(cli: Cli, tmp_path: Path) -> None:
    path = write_document(tmp_path, "missing.json", [("gone.mp4", 0.0)])
    ran = cli("komposition", "render", path)
    assert ran.status == 2
    assert "gone.mp4" in ran.err
