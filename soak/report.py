"""What a soak showed: facts for people, and what must not be."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from media_assets.actions import Actions
from media_assets.console import print_table
from media_assets.session import Session
from media_assets.upkeep import verify
from soak.counting import (
    Renderings,
    all_events,
    failed_runs,
    lost_events,
    made_again,
    renderings,
    unfinished,
)
from soak.running import Lived, Soak
from soak.service import left_behind
from soak.state import Excused, State, build, differences, excused, left_over, not_current, state_of
from soak.studio import copy_of

_GROWTH_MEGABYTES = 150.0
_SHOWN = 12


@dataclass(frozen=True)
class Report:
    """Facts in order, what runs that failed under a change said, and violations by what they are of."""

    facts: Mapping[str, str]
    explained: tuple[str, ...]
    violations: Mapping[str, tuple[str, ...]]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.violations.values())

    def show(self) -> None:
        """Print both."""
        print_table(["", "found"], list(self.facts.items()), title="Soak")
        rows = [
            (name, "yes" if not found else f"no: {len(found)}") for name, found in self.violations.items()
        ]
        print_table(["what must hold", "holds"], rows)
        for text in self.explained:
            print(f"failed under a change: {text}")
        for name, found in self.violations.items():
            for text in found[:_SHOWN]:
                print(f"{name}: {text}")
            if len(found) > _SHOWN:
                print(f"{name}: and {len(found) - _SHOWN} more")


def examine(soak: Soak, lived: Lived) -> Report:
    """Hold what came of a soak against a cold build of its sources and documents."""
    studio = soak.studio
    analyze = studio.analyze == "eager"
    unwritten = unfinished(studio.settings)
    stray = [*lived.stray, *left_behind(studio.root)]
    found = renderings(studio.recorded) if studio.recorded else Renderings(0, {})
    with Session(studio.settings) as session:
        actions = Actions(session)
        verified = verify(session)
        allowed = excused(actions)
        soaked = state_of(actions, analyze=analyze)
        stale = not_current(actions, allowed, analyze=analyze)
        events = all_events(studio.settings)
        runs = failed_runs(actions)
        jobs = soak.jobs(actions)
        again = tuple(made_again(found, studio.settings, lived.kills, events))
    os.environ.pop("MEDIA_ASSETS_FFMPEG", None)
    cold, problems = build(copy_of(studio, studio.root.with_name("cold")), jobs)
    findings = [f"{f.kind} {f.path}: {f.text}" for f in verified.checked.findings]
    facts = _facts(soak, lived, found, soaked, cold, allowed)
    facts |= {
        "events": str(len(events)),
        "failed runs, under a change": str(len(runs.changed)),
        "failed runs, killed": str(runs.killed),
    }
    violations = {
        "comes to rest": lived.left,
        "as built cold": tuple(differences(soaked, cold, allowed)),
        "the cold build is whole": tuple(problems),
        "rendered once": again,
        "verify is clean": tuple(findings),
        "all current": tuple(stale),
        "no event lost": tuple(lost_events(events)),
        "failed runs are explained": runs.unexplained,
        "commands end well": tuple(soak.commands.wrong),
        "nothing half written": tuple(unwritten),
        "no process left": (*lived.zombies, *stray),
        "memory": _growth(lived),
    }
    return Report(facts, runs.changed, violations)


def _facts(
    soak: Soak, lived: Lived, found: Renderings, soaked: State, cold: State, allowed: Excused
) -> dict[str, str]:
    changes = soak.changes.made
    rendered = {key for key in found.attempts if key in soaked.outputs}
    passed = len(rendered - set(cold.outputs))
    facts = {
        "changes": f"{sum(changes.values())}: " + ", ".join(f"{k} {n}" for k, n in changes.most_common()),
        "commands": ", ".join(f"{k} ({n})" for k, n in sorted(soak.commands.ended.items())),
        "power cuts": str(len(lived.kills)),
        "cursor wiped": lived.wiped or "none: no sensor remembered anything",
        "at rest after": f"{lived.rested:.0f} s",
        "sources, kompositions, effects": ", ".join(
            str(len(soaked.partitions[name])) for name in ("sources", "kompositions", "effects")
        ),
        "compared": f"{len(cold.versions)} partitions, {len(cold.files)} files, "
        f"{len(cold.outputs)} outputs",
        "cannot be made now": ", ".join(sorted(allowed.kompositions | allowed.effects)) or "none",
        "files of what is gone": str(len(left_over(soaked, cold, allowed))),
        "outputs rendered": f"{len(rendered)} by {found.commands} commands",
        "of them of a state that passed": str(passed),
    }
    if lived.before and lived.after:
        b, a = lived.before, lived.after
        facts["memory, daemon"] = f"{b.daemon:.0f} → {a.daemon:.0f} MB"
        facts["memory, sensors"] = f"{b.code:.0f} → {a.code:.0f} MB"
    return facts


def _growth(lived: Lived) -> tuple[str, ...]:
    """What grew more than a leak-free process does in a few minutes."""
    if lived.before is None or lived.after is None:
        return ("it could not be measured: a process was not there",)
    grown = {
        "daemon": lived.after.daemon - lived.before.daemon,
        "sensors": lived.after.code - lived.before.code,
    }
    return tuple(f"{name}: {more:.0f} MB more" for name, more in grown.items() if more > _GROWTH_MEGABYTES)
