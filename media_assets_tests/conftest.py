"""Fixtures that tests of several folders share."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_assets.settings import Settings
from media_assets_tests.clips import Clips

# Dagster's definitions are many objects that stay: looking through them again and again takes a tenth of
# all time.
gc.set_threshold(100_000, 50, 100)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share what their module makes on one worker: it is made once then."""
    for item in items:
        known = getattr(item, "_fixtureinfo", None)
        if known is None or item.get_closest_marker("xdist_group"):
            continue
        scopes = {found[-1].scope for found in known.name2fixturedefs.values()}
        if "module" in scopes:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))


@pytest.fixture(scope="session")
def media_fixtures() -> Path:
    """The folder of real footage; tests that use it carry `@pytest.mark.fixtures`."""
    folder = os.environ.get("MEDIA_ASSETS_FIXTURES")
    if folder:
        return Path(folder)
    if os.environ.get("MEDIA_ASSETS_REQUIRE_FIXTURES") == "1":
        pytest.fail("MEDIA_ASSETS_FIXTURES is not set, and MEDIA_ASSETS_REQUIRE_FIXTURES=1 asks for it")
    pytest.skip("MEDIA_ASSETS_FIXTURES is not set")


@pytest.fixture(scope="session", autouse=True)
def analytics_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A key of the tests' own: none of theirs is made in anybody's home."""
    path = tmp_path_factory.mktemp("key") / "analytics.key"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MEDIA_ASSETS_KEY_FILE", str(path))
        environment.setenv("MEDIA_ASSETS_USER", "tester")
        yield path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty data root, with the programs that the environment names."""
    return Settings.from_environment(data=tmp_path / "data")


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Sources by name (`clips["rotated"]`), made once for all tests; write nothing under their root."""
    return Clips(Settings.from_environment(data=tmp_path_factory.mktemp("clips")))
