"""The console script as a user runs it, on a data root of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from media_assets.settings import Settings
from media_assets_tests.defs.conftest import BLUE, RED, TONE, put, write_document
from media_assets_tests.making import clip, make
from media_assets_tests.warm import Warm

SCRIPT = [sys.executable, "-m", "media_assets.cli"]
_warm: list[Warm] = []


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed on stdout, which is nothing but one JSON document."""
        assert self.out, f"it printed nothing and ended with status {self.status}:\n{self.err}"
        return json.loads(self.out)


Cli = Callable[..., Ran]


def environment(root: Path) -> dict[str, str]:
    """Settings by environment variables: the data root, and no long wait for files to settle."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DAGSTER_HOME", "MEDIA_ASSETS_DATA")}
    return kept | {"MEDIA_ASSETS_DATA": str(root), "MEDIA_ASSETS_SETTLE_SECONDS": "0.3"}


@pytest.fixture(scope="session", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The process that commands are forked from."""
    with Warm(tmp_path_factory.mktemp("commands")) as started:
        _warm.append(started)
        yield
        _warm.clear()


@pytest.fixture(scope="module")
def module_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with two clips, a sound, a broken file and a komposition, shared by a module."""
    root = tmp_path_factory.mktemp("cli")
    settings = Settings.from_environment(root)
    made = tmp_path_factory.mktemp("made")
    for name, color in ((RED, "red"), (BLUE, "blue")):
        put(root, name, clip(settings, made / name, picture=f"color=c={color}").read_bytes())
    tone = make(settings, made / TONE, "-f", "lavfi", "-i", "sine=f=220:d=8:r=48000")
    put(root, TONE, tone.read_bytes())
    put(root, "broken.mp4", b"\0\0\0\x18ftypmp42nothing more")
    write_document(root, "both.json", [(RED, 0.0), (BLUE, 0.5)], loudness={"target_lufs": -20})
    return root


def runner(root: Path) -> Cli:
    """Runs the command line on `root`."""

    def run(*arguments: str | Path) -> Ran:
        (warm,) = _warm
        done = warm.run(root, *arguments, **environment(root))
        assert done.status is not None
        return Ran(done.status, done.out.read_text(), done.err.read_text())

    return run


@pytest.fixture(scope="module")
def cli(module_root: Path) -> Cli:
    """The command line on the shared data root."""
    return runner(module_root)
