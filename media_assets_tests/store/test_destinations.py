"""A finished file goes where it may go, whole, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest

from media_assets.errors import BadInput, DeliveryFailed, UnsafePath
from media_assets.settings import Settings
from media_assets.store.destinations import check_destination, deliver


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A finished file, read-only as those of the store are."""
    path = tmp_path / "finished.mp4"
    path.write_bytes(b"pictures")
    path.chmod(0o444)
    return path


@pytest.fixture
def allowing(settings: Settings, tmp_path: Path) -> Settings:
    """Settings with a folder and a remote prefix that jobs may write to."""
    return replace(settings, destinations=(str(tmp_path / "shelf"), "memory://finished"))


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_a_relative_destination_goes_under_the_output_folder(settings: Settings, finished: Path) -> None:
    expected = settings.output_root.resolve() / "jobs" / "new folder" / "été 'x' %d.mp4"
    assert check_destination("new folder/été 'x' %d.mp4", settings) == str(expected)
    assert not settings.output_root.exists()
    assert deliver(finished, "new folder/été 'x' %d.mp4", settings) == str(expected)
    assert expected.read_bytes() == b"pictures"
    assert [path.name for path in expected.parent.iterdir()] == [expected.name]


def test_what_is_there_is_replaced_whole(settings: Settings, finished: Path) -> None:
    target = Path(deliver(finished, "a.mp4", settings))
    reader = target.open("rb")
    other = finished.with_name("other.mp4")
    other.write_bytes(b"new")
    deliver(other, "a.mp4", settings)
    assert (reader.read(), target.read_bytes()) == (b"pictures", b"new")
    reader.close()
    assert finished.read_bytes() == b"pictures"


def test_an_allowed_folder_by_path_or_url(allowing: Settings, finished: Path, tmp_path: Path) -> None:
    by_path = deliver(finished, str(tmp_path / "shelf" / "a.mp4"), allowing)
    by_url = deliver(finished, (tmp_path / "shelf" / "b c.mp4").as_uri(), allowing)
    assert by_url == str(tmp_path / "shelf" / "b c.mp4")
    assert Path(by_path).read_bytes() == Path(by_url).read_bytes() == b"pictures"


@pytest.mark.parametrize(
    "destination",
    [
        "../a.mp4",
        "a/../../../a.mp4",
        "/etc/a.mp4",
        "file:///etc/a.mp4",
        "file://elsewhere/etc/a.mp4",
        "file:///{shelf}/../a.mp4",
        "file:///{shelf}/%2e%2e/a.mp4",
        "file:///{shelf}/a%00.mp4",
        "/{shelf}",
        "/{shelf}er/a.mp4",
        "s3://bucket/a.mp4",
        "memory://finishedness/a.mp4",
        "memory://finished",
        "memory://finished/../other/a.mp4",
        "memory://finished//a.mp4",
        "memory://finished/a.mp4?x=1",
        "memory://me:secret@finished/a.mp4",
        "simplecache::memory://finished/a.mp4",
        "",
        "a\0.mp4",
        "a\nb.mp4",
        "\ud800.mp4",
    ],
)
def test_destinations_that_are_not_allowed(
    allowing: Settings, finished: Path, tmp_path: Path, destination: str
) -> None:
    written = destination.replace("{shelf}", str(tmp_path / "shelf").lstrip("/"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnsafePath) as caught:
        check_destination(written, allowing)
    assert "secret" not in str(caught.value)
    with pytest.raises(UnsafePath):
        deliver(finished, written, allowing)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("destination", ["folder", "folder/", "file.txt/a.mp4", "x" * 300 + ".mp4"])
def test_destinations_that_cannot_be_files(settings: Settings, finished: Path, destination: str) -> None:
    jobs = settings.output_root / "jobs"
    (jobs / "folder").mkdir(parents=True)
    (jobs / "file.txt").write_text("x")
    with pytest.raises(BadInput):
        check_destination(destination, settings)
    with pytest.raises(BadInput):
        deliver(finished, destination, settings)
    assert sorted(path.name for path in jobs.iterdir()) == ["file.txt", "folder"]


@pytest.mark.parametrize("name", ["out/a.mp4", "link.mp4", "round/a.mp4"])
def test_links_that_lead_out_are_not_followed(
    settings: Settings, finished: Path, tmp_path: Path, name: str
) -> None:
    jobs, outside = settings.output_root / "jobs", tmp_path / "outside"
    jobs.mkdir(parents=True)
    outside.mkdir()
    (outside / "a.mp4").write_text("precious")
    (jobs / "out").symlink_to(outside)
    (jobs / "link.mp4").symlink_to(outside / "a.mp4")
    (jobs / "round").symlink_to(jobs / "round")
    with pytest.raises(UnsafePath):
        deliver(finished, name, settings)
    assert (outside / "a.mp4").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_refused_beforehand(
    allowing: Settings, tmp_path: Path
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir(mode=0o555)
    with pytest.raises(BadInput, match="may not be written"):
        check_destination(str(shelf / "deeper" / "a.mp4"), allowing)


def test_another_file_system(allowing: Settings, finished: Path, memory: fsspec.AbstractFileSystem) -> None:
    url = "memory://finished/deep/er/a.mp4"
    assert check_destination(url, allowing) == url
    assert deliver(finished, url, allowing) == url
    assert deliver(finished, url, allowing) == url
    assert memory.cat_file("/finished/deep/er/a.mp4") == b"pictures"
    assert memory.find("/finished") == ["/finished/deep/er/a.mp4"]
    with pytest.raises(BadInput, match="folder"):
        deliver(finished, "memory://finished/deep", allowing)


def test_a_delivery_that_breaks_leaves_nothing(
    allowing: Settings, tmp_path: Path, memory: fsspec.AbstractFileSystem
) -> None:
    with pytest.raises(DeliveryFailed):
        deliver(tmp_path / "gone.mp4", "memory://finished/a.mp4", allowing)
    assert memory.find("/finished") == []


def test_a_missing_package_is_named(settings: Settings) -> None:
    """The packages of object stores are the user's to install; this one is not among ours."""
    allowing = replace(settings, destinations=("sftp://studio/finished", "nothing://x"))
    with pytest.raises(BadInput, match="paramiko"):
        check_destination("sftp://studio/finished/a.mp4", allowing)
    with pytest.raises(BadInput, match="no file system nothing"):
        check_destination("nothing://x/a.mp4", allowing)


def test_destinations_come_from_the_environment() -> None:
    environment = {"MEDIA_ASSETS_DESTINATIONS": " /mnt/finished, s3://bucket/finished ,"}
    found = Settings.from_environment(environment=environment)
    assert found.destinations == ("/mnt/finished", "s3://bucket/finished")
