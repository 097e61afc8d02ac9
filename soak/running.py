"""The soak itself: changes, commands, one power cut and one wiped cursor, under a running daemon."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dagster._core.scheduler.instigation import SensorInstigatorData

from media_assets.actions import Actions
from media_assets.session import Session
from soak.changes import Changes
from soak.commands import Commands
from soak.rest import wait_for_rest
from soak.service import Memory, Service
from soak.studio import Studio

# A run that died is given up after a minute, one that failed rests a minute; then it may take its time.
_STUCK_SECONDS = 420.0
_CHANGE_SECONDS = 3.0
_COMMAND_SECONDS = 12.0
_TICK_SECONDS = 0.1
_DARK_SECONDS = 2.0


@dataclass(frozen=True)
class Lived:
    """What happened.

    Attributes:
        kills: when the power was cut, in seconds since the epoch.
        rested: seconds after the last change until nothing was left to do.
        left: what was left to do, if it never came to rest.
        before, after: memory at the first rest and at the last.
        zombies: processes that ended and that nobody waited for; stray: that did not end when told.
    """

    kills: tuple[float, ...]
    wiped: str
    rested: float
    left: tuple[str, ...]
    before: Memory | None
    after: Memory | None
    zombies: tuple[str, ...]
    stray: tuple[str, ...]


class Soak:
    """A studio under a daemon for some minutes."""

    def __init__(self, studio: Studio, seed: int, tell: Callable[[str], None]) -> None:
        self.studio = studio
        folder = studio.root.parent
        self.changes = Changes(studio, random.Random(seed))  # noqa: S311 - the same changes each time
        # Draws of their own: how often a command is asked for depends on the machine.
        self.commands = Commands(studio, random.Random(seed + 1), folder / "commands")  # noqa: S311
        self.service = Service(studio, folder / "dagster.log")
        self._chance = random.Random(seed + 2)  # noqa: S311
        self._tell = tell
        self._zombies: set[str] = set()

    def live(self, actions: Actions, minutes: float) -> Lived:
        """Start the daemon, change things for some minutes, and wait until all is done."""
        self.service.start()
        try:
            self._tell("the first build")
            self._rest(actions, _STUCK_SECONDS)
            before = self.service.memory()
            self._tell(f"{minutes:g} minutes of changes")
            kills, wiped = self._change_things(actions, minutes * 60)
            self._tell("waiting until all is done")
            self.commands.finish()
            rested, left = self._rest(actions, _STUCK_SECONDS)
            after = self.service.memory()
            self._ask_again(actions)
            self._zombies.update(self.service.zombies())
        finally:
            stray = self.service.stop()
        zombies = tuple(sorted(self._zombies))
        return Lived(tuple(kills), wiped, rested, tuple(left), before, after, zombies, tuple(stray))

    def _rest(self, actions: Actions, seconds: float) -> tuple[float, list[str]]:
        analyze = self.studio.analyze == "eager"
        return wait_for_rest(actions, analyze=analyze, seconds=seconds, lives=lambda: self.service.lives)

    def _change_things(self, actions: Actions, seconds: float) -> tuple[list[float], str]:
        started = time.monotonic()
        kill_at = started + seconds * self._chance.uniform(0.35, 0.65)
        wipe_at = started + seconds * self._chance.uniform(0.1, 0.9)
        change_at, command_at, look_at = started, started + _COMMAND_SECONDS / 2, started
        kills: list[float] = []
        wiped = ""
        while (now := time.monotonic()) < started + seconds or self.changes.under_way:
            self.changes.go_on(now)
            ending = now >= started + seconds
            if now >= change_at and not ending:
                self.changes.change(now)
                change_at = now + self._chance.expovariate(1 / _CHANGE_SECONDS)
            if now >= command_at and not ending and not self.commands.busy:
                self.commands.start(self.changes.settled_videos())
                command_at = now + self._chance.expovariate(1 / _COMMAND_SECONDS)
            if now >= wipe_at and not wiped:
                wiped = wipe_a_cursor(actions, self._chance)
            if now >= kill_at and not kills:
                kills.append(time.time())
                self._tell(f"power cut: {self.service.kill()} processes")
                time.sleep(_DARK_SECONDS)
                self.service.start()
            if now >= look_at:
                self._zombies.update(self.service.zombies())
                look_at = now + 10
            time.sleep(_TICK_SECONDS)
        return kills, wiped

    def _ask_again(self, actions: Actions) -> None:
        """One-off effects are made when somebody asks: here for all whose sources are there."""
        for job in self.jobs(actions):
            self.commands.run("run, at the end", ["run", str(job)])

    def jobs(self, actions: Actions) -> list[Path]:
        """Jobs that were asked for and whose sources are there."""
        known = {facts.relative for facts in actions.media.sources}
        asked = {self.studio.job(name): name for name in self.studio.asked()}
        return sorted(path for path, name in asked.items() if name in known)


def wipe_a_cursor(actions: Actions, chance: random.Random) -> str:
    """Take from a sensor what it remembers; returns which."""
    instance = actions.session.instance
    remembering = {
        state.name: (state, data)
        for state in instance.all_instigator_state()
        if isinstance(data := state.instigator_data, SensorInstigatorData) and data.cursor
    }
    if not remembering:
        return ""
    state, data = remembering[chance.choice(sorted(remembering))]
    instance.update_instigator_state(state.with_data(data._replace(cursor=None)))
    return state.name


def live(studio: Studio, seed: int, minutes: float, tell: Callable[[str], None]) -> tuple[Soak, Lived]:
    """A whole soak; what came of it is on the studio's data root."""
    soak = Soak(studio, seed, tell)
    with Session(studio.settings) as session:
        return soak, soak.live(Actions(session), minutes)
