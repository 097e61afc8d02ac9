"""Random changes between ticks: what is materialized at the end is what a cold build of the end gives."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path

import pytest

from media_assets.actions import Actions
from media_assets.session import Session
from media_assets_tests.defs.ticking import settle
from soak.changes import Changes
from soak.counting import Renderings, all_events, failed_runs, lost_events, made_again, unfinished
from soak.rest import to_do
from soak.state import build, differences, excused, not_current, state_of
from soak.studio import VIDEOS, copy_of, open_studio

_SEED = 4
_CHANGES = 4
_TIMES = 2
_SETTLE_SECONDS = 0.02


def test_what_random_changes_leave_is_what_a_cold_build_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio = open_studio(tmp_path, analyze="manual", record=False, videos=VIDEOS[:2])
    for name, value in studio.environment.items():
        if name.startswith(("MEDIA_ASSETS_", "DAGSTER_")):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MEDIA_ASSETS_SETTLE_SECONDS", str(_SETTLE_SECONDS))
    monkeypatch.setenv("DAGSTER_HOME", "")  # restored afterwards: a session sets it
    changes = Changes(studio, random.Random(_SEED))
    with Session(studio.settings) as session:
        actions = Actions(session)
        for _ in range(_TIMES):
            for _ in range(_CHANGES):
                changes.change(0.0)
            changes.go_on(math.inf)
            time.sleep(2 * _SETTLE_SECONDS)
            settle(actions)
        assert to_do(actions, analyze=False) == []
        allowed = excused(actions)
        assert not_current(actions, allowed, analyze=False) == []
        soaked = state_of(actions, analyze=False)
        assert failed_runs(actions).unexplained == ()
    events = all_events(studio.settings)
    assert list(lost_events(events)) == []
    assert any(event.get("outcome") == "rendered" for event in events)
    assert list(made_again(Renderings(0, {}), studio.settings, [], events)) == []
    assert unfinished(studio.settings) == []
    cold, problems = build(copy_of(studio, tmp_path / "cold"), [])
    assert problems == []
    assert list(differences(soaked, cold, allowed)) == [], "\n".join(changes.told)
