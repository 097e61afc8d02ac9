"""A data root with two clips, a sound and a komposition of both clips, opened in Dagster."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media_assets.actions import Actions
from media_assets.session import Session
from media_assets.settings import Settings
from media_assets_tests.making import clip, make

ON_DEMAND = {"content_analysis", "screenshots"}
RED, BLUE, TONE = "red.mp4", "blue.mp4", "tone.wav"


@pytest.fixture(scope="session")
def prototypes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources, made once."""
    root = tmp_path_factory.mktemp("prototypes")
    settings = Settings.from_environment(root)
    for name, color in ((RED, "red"), (BLUE, "blue")):
        clip(settings, root / name, seconds=3, picture=f"color=c={color}")
    make(settings, root / TONE, "-f", "lavfi", "-i", "sine=f=220:d=8:r=48000")
    return root


@pytest.fixture
def root(tmp_path: Path, prototypes: Path) -> Path:
    """A data root that holds copies of them, long settled, and a document."""
    for name in (RED, BLUE, TONE):
        put(tmp_path, name, (prototypes / name).read_bytes())
    write_document(tmp_path, "both.json", [(RED, 0.0), (BLUE, 0.5)])
    return tmp_path


@pytest.fixture
def actions(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actions]:
    """The commands on that data root."""
    monkeypatch.setenv("DAGSTER_HOME", "")  # restored afterwards: a session sets it
    monkeypatch.setenv("MEDIA_ASSETS_DATA", "")
    settings = replace(Settings.from_environment(root), settle_seconds=0.05)
    with Session(settings) as session:
        yield Actions(session)


def put(root: Path, name: str, content: bytes) -> Path:
    """Write a source as if it had been there for a minute."""
    path = root / "source" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    age(path, 60)
    return path


def age(path: Path, seconds: float) -> None:
    """Set a file's time back."""
    now = path.stat().st_mtime
    os.utime(path, (now - seconds, now - seconds))


def write_document(root: Path, name: str, cuts: list[tuple[str, float]], **more: Any) -> Path:
    """A komposition of one second from each (source, in point)."""
    document = {
        "version": 1,
        "unit": "seconds",
        "output": {"width": 160, "height": 90, "fps": "30"},
        "segments": [{"source": source, "in_point": start, "duration": 1.0} for source, start in cuts],
        **more,
    }
    path = root / "kompositions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def statuses(actions: Actions) -> dict[tuple[str, str | None], str]:
    """Dagster's own answer for every partition of the media assets; not of what is made on demand only."""
    graph = actions.session.graph
    groups = ("analytics", "privacy", "reports")
    names = {
        key.to_user_string()
        for key in graph.materializable_asset_keys
        if graph.get(key).group_name not in groups and key.path[0] != "upkeep"
    }
    return {
        (s.asset, s.partition): s.status
        for name in sorted(names.difference(ON_DEMAND))
        for s in actions.session.status(name)
    }


def changed(
    actions: Actions, before: dict[tuple[str, str | None], str]
) -> dict[tuple[str, str | None], str]:
    """Partitions whose status is another than before."""
    return {key: status for key, status in statuses(actions).items() if before.get(key) != status}
