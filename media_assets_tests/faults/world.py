"""A data root with everything in it, and the mixed load that works on it, round after round."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from media_assets.analytics.events import writer_for
from media_assets.settings import Settings
from media_assets_tests.analytics.telling import new_event
from media_assets_tests.making import clip

_APPENDING = "media_assets_tests.faults.world:append_events"
_DAY = 86_400.0
WORKFLOW = "web_preview"

Words = tuple[str | Path, ...]


class World:
    """Sources, a komposition that is edited in every round, jobs, and commands over all of them.

    Args:
        root: the data root, empty or as an earlier round left it.
        made: a folder for the clip that all sources are copies of.
    """

    def __init__(self, root: Path, made: Path) -> None:
        self.root = root
        self.settings = Settings.from_environment(root)
        self._clip = made / "clip.mp4"
        if not self._clip.exists():
            clip(self.settings, self._clip, seconds=1)
        self.document = root / "kompositions" / "both.json"

    def add(self, number: int) -> None:
        """What a round finds new: a source of its own, an edited document, a job of its own."""
        # A box that players pass over: other bytes, the same pictures.
        text = f"round {number}".encode()
        path = self.root / "source" / f"clip{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._clip.read_bytes() + (8 + len(text)).to_bytes(4, "big") + b"free" + text)
        os.utime(path, (time.time() - 60,) * 2)
        self._edit(number)
        self._write_job(number)

    def job(self, number: int) -> Path:
        """The job of a round: two effects that nobody asked for before."""
        return self.root / f"job{number}.json"

    def load(self, number: int) -> dict[str, Words]:
        """The commands of a round, all to be run at once."""
        return {
            "ingest": ("ingest", "--json"),
            "workflow": ("workflow", "run", WORKFLOW, "--json"),
            "komposition": ("komposition", "render", self.document, "--json"),
            "effects": ("run", self.job(number), "--json"),
            "analytics": ("analytics", "--json"),
            "clean": ("clean", "--older", "7d", "--json"),
            "verify": ("verify", "--json"),
        }

    def going_on(self, number: int, names: Sequence[str] = ()) -> tuple[Words, ...]:
        """What is run afterwards, one by one: it has to bring everything, or those `names`, to an end."""
        chosen = names or ("ingest", "workflow", "komposition", "effects", "analytics")
        return tuple(self.load(number)[name] for name in chosen)

    def forsake(self, number: int) -> set[str]:
        """Have what was made in a round look as if it had not been used for eight days: clean may take it.

        Returns:
            The fingerprints of those outputs.
        """
        moment, forsaken = time.time() - 8 * _DAY, set()
        for recipe in self.settings.effect_root.glob("effect_*.json"):
            if f"clip{number}_mp4" in recipe.read_text():
                os.utime(recipe, (moment, moment))
        for sidecar in self.settings.store_root.glob("??/*/sidecar.json"):
            if f"src_clip{number}_mp4" in sidecar.read_text():
                os.utime(sidecar, (moment, moment))
                forsaken.add(sidecar.parent.name)
        return forsaken

    def _edit(self, number: int) -> None:
        cuts = [(f"clip{number}.mp4", 0.0), ("clip0.mp4", (number % 10) / 20)]
        document = {
            "version": 1,
            "unit": "seconds",
            "output": {"width": 96, "height": 54, "fps": "10"},
            "segments": [{"source": name, "in_point": at, "duration": 0.4} for name, at in cuts],
        }
        self.document.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.document.with_name(".edited")
        temporary.write_text(json.dumps(document))
        temporary.replace(self.document)

    def _write_job(self, number: int) -> None:
        cut = {"op": "trim", "input": "a", "output": "cut", "start": 0.1, "duration": 0.5}
        small = {"op": "resize", "input": "cut", "output": "small", "width": 80, "height": 46}
        document = {
            "inputs": [{"id": "a", "source": f"clip{number}.mp4"}],
            "operations": [cut, small],
            "outputs": [{"id": "cut"}, {"id": "small"}],
        }
        self.job(number).write_text(json.dumps(document))


def append_events() -> None:
    """Append an event every few milliseconds and print the id of each one that was taken."""
    settings = Settings.from_environment()
    until = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < until:
        event = writer_for(settings).append(new_event("test", "effect_test", "rendered"))
        sys.stdout.write(f"{event.event_id}\n")
        sys.stdout.flush()
        time.sleep(0.02)


APPENDING = _APPENDING
