"""Which ffmpeg is used, and what `doctor` tells about it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from media_assets.errors import FfmpegMissing
from media_assets.media import binaries
from media_assets.settings import Settings


def test_ffmpeg_and_ffprobe_are_there_without_a_manual_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    plain = replace(settings, ffmpeg=None, ffprobe=None)
    for program in (binaries.ffmpeg(plain), binaries.ffprobe(plain)):
        assert program.origin == "package"
        assert program.path.is_absolute()
        assert program.version


def test_the_ffmpeg_in_use_has_all_that_is_needed(settings: Settings) -> None:
    assert binaries.missing(settings) == ([], [])


def test_a_setting_is_honoured(settings: Settings, tmp_path: Path) -> None:
    copy = tmp_path / "my ffmpeg"
    copy.symlink_to(binaries.ffmpeg(settings).path)
    program = binaries.ffmpeg(replace(settings, ffmpeg=str(copy)))
    assert (program.path, program.origin) == (copy, "setting")


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe"])
def test_a_capable_one_on_the_path_goes_before_the_packaged_one(
    name: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = getattr(binaries, name)
    plain = replace(settings, ffmpeg=None, ffprobe=None)
    (tmp_path / name).symlink_to(find(plain).path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (find(plain).path, find(plain).origin) == (tmp_path / name, "system")


def test_one_on_the_path_that_is_too_old_is_passed_over(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "ffmpeg"
    old.write_text("#!/bin/sh\nprintf 'ffmpeg version 4.4.2 built\\nlibavutil      56. 70.100\\n'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binaries.ffmpeg(replace(settings, ffmpeg=None)).origin == "package"


@pytest.mark.parametrize("name", ["ffmpeg", "ffprobe"])
def test_a_setting_that_does_not_run_names_the_variable(
    name: str, settings: Settings, tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_text("not a program")
    for value in (str(tmp_path / "absent"), str(text), str(shutil.which("true"))):
        with pytest.raises(FfmpegMissing, match=f"MEDIA_ASSETS_{name.upper()}"):
            if name == "ffmpeg":
                binaries.ffmpeg(replace(settings, ffmpeg=value))
            else:
                binaries.ffprobe(replace(settings, ffprobe=value))


def test_doctor_is_content_with_a_sound_machine(settings: Settings) -> None:
    report = binaries.doctor(settings)
    assert report["problems"] == []
    assert report["ok"] is True
    assert report["ffmpeg"]["version"] == binaries.ffmpeg(settings).version
    assert report["workers"] == settings.workers
    assert report["free_bytes"] > 0
    assert json.loads(json.dumps(report)) == report


def test_doctor_says_what_to_do_about_each_problem(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    broken = replace(settings, ffmpeg=str(tmp_path / "absent"), data_root=file)
    report = binaries.doctor(broken)
    assert report["ok"] is False
    assert report["ffmpeg"] is None
    missing, disk = report["problems"]
    assert "MEDIA_ASSETS_FFMPEG" in missing
    assert "unset it" in missing
    assert "MEDIA_ASSETS_DATA" in disk


def test_doctor_names_what_a_poor_ffmpeg_lacks(settings: Settings, tmp_path: Path) -> None:
    poor = tmp_path / "ffmpeg"
    real = binaries.ffmpeg(settings).path
    poor.write_text(f"#!/bin/sh\n'{real}' \"$@\" | grep -v -e ' libopus ' -e ' zscale '\n")
    poor.chmod(0o755)
    report = binaries.doctor(replace(settings, ffmpeg=str(poor)))
    assert (report["missing_encoders"], report["missing_filters"]) == (["libopus"], ["zscale"])
    assert any("libopus" in problem and "MEDIA_ASSETS_FFMPEG" in problem for problem in report["problems"])
