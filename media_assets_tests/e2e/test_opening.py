"""A home is whole before Dagster's own processes open it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from media_assets.settings import Settings
from media_assets_tests.e2e.conftest import environment, runner

AT_ONCE = """
import sys, time
from pathlib import Path
import dagster as dg
ready, go = map(Path, sys.argv[1:])
ready.touch()
while not go.exists():
    time.sleep(0.001)
print(len(dg.DagsterInstance.get().get_runs()))
"""


def test_processes_that_open_a_new_home_at_once_find_its_databases(tmp_path: Path) -> None:
    """Dagster makes them unguarded: of two first processes one would fail on what is half made."""
    assert runner(tmp_path)("home").status == 0
    home = Settings.from_environment(tmp_path).dagster_home
    ready = [tmp_path / f"ready{index}" for index in range(3)]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, mark, tmp_path / "go"],
            env=environment(tmp_path) | {"DAGSTER_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for mark in ready
    ]
    while not all(mark.exists() for mark in ready):
        assert all(process.poll() is None for process in started)
    (tmp_path / "go").touch()
    printed = [process.communicate(timeout=60) for process in started]
    assert [out for out, _ in printed] == ["0\n"] * 3, printed


@pytest.mark.parametrize("text", ["concurrency:\n  pools:\n", "[", "storage: 5\n", "\udcff"])
def test_a_configuration_that_cannot_be_used_is_named(tmp_path: Path, text: str) -> None:
    cli = runner(tmp_path)
    assert cli("home").status == 0
    configuration = tmp_path / "dagster_home" / "dagster.yaml"
    configuration.write_text(text, errors="surrogateescape")
    refused = cli("home")
    assert refused.status == 2
    assert "dagster.yaml" in refused.err
    configuration.unlink()
    assert cli("home").status == 0
