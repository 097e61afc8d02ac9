"""What happens to a studio's files and documents, drawn at random from one seed."""

from __future__ import annotations

import heapq
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from soak.studio import TAKES, TITLE, Studio, drawn_document, nesting

BROKEN = "broken"
LATER = "later.mp4"
_MOST_SOURCES = 14
_MOST_DOCUMENTS = 6
_GROWING_STEPS = 6
_GROWING_SECONDS = 0.5


class Changes:
    """Changes a studio, one thing at a time; what takes a while goes on by later calls.

    Attributes:
        made: how often each kind of change was made.
        told: each change in words, in order.
    """

    def __init__(self, studio: Studio, chance: random.Random) -> None:
        self.made: Counter[str] = Counter()
        self.told: list[str] = []
        self._studio = studio
        self._chance = chance
        self._number = count(1)
        # What each file is a take of, by its name: renamed and copied files keep it.
        self._bases = {name: name for name in studio.names}
        self._growing: dict[str, None] = {}
        self._steps: list[tuple[float, int, Callable[[float], None]]] = []
        self._gone: dict[str, str] = {}
        self._kinds: dict[str, tuple[int, Callable[[float], str | None]]] = {
            "add": (4, self._add),
            "grow": (3, self._grow),
            "edit": (6, self._edit),
            "edit, same pictures": (2, self._edit_around),
            "there and back": (3, self._there_and_back),
            "touch": (3, self._touch),
            "rename": (3, self._rename),
            "remove": (3, self._remove),
            "add again": (4, self._add_again),
            "broken file": (2, self._break),
            "edit document": (5, self._edit_document),
            "new document": (2, self._new_document),
            "remove document": (2, self._remove_document),
            "other bpm": (3, self._swap_bpm),
            "missing source": (2, self._refer_to_missing),
            "missing source comes": (2, self._bring_missing),
            "nest": (1, self._nest),
        }

    def change(self, now: float) -> None:
        """Make one change, drawn at random; another if there is nothing to make it to."""
        weights = [weight for weight, _ in self._kinds.values()]
        words = None
        while words is None:
            chosen = self._chance.choices(list(self._kinds), weights)[0]
            words = self._kinds[chosen][1](now)
        self.made[chosen] += 1
        self.told.append(f"{chosen}: {words}")

    def go_on(self, now: float) -> None:
        """Take the steps of what is under way that are due."""
        while self._steps and self._steps[0][0] <= now:
            _, _, step = heapq.heappop(self._steps)
            step(now)

    @property
    def under_way(self) -> bool:
        """Whether something is not finished yet, such as a file that is still growing."""
        return bool(self._steps)

    def settled(self) -> list[str]:
        """The sources that nobody is writing at the moment."""
        return [name for name in self._names() if name not in self._growing]

    def settled_videos(self) -> list[str]:
        """Those of them that are videos."""
        return self._media(video=True)

    def _names(self) -> list[str]:
        root = self._studio.settings.source_root
        found = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())
        return sorted(name for name in found if not Path(name).name.startswith("."))

    def _media(self, *, video: bool = False) -> list[str]:
        """Settled sources that hold what they should."""
        names = [name for name in self.settled() if name in self._bases]
        return [name for name in names if not video or self._bases[name] in self._studio.videos]

    def _documents(self) -> list[str]:
        return sorted(path.stem for path in self._studio.settings.komposition_root.glob("*.json"))

    def _choice(self, names: list[str]) -> str | None:
        return self._chance.choice(names) if names else None

    def _fresh(self) -> tuple[str, str] | None:
        """A name that is not taken, and what it will be a take of."""
        if len(self._names()) >= _MOST_SOURCES:
            return None
        base = self._chance.choice(self._studio.videos)
        return f"extra {next(self._number)}{Path(base).suffix}", base

    def _take(self, base: str) -> bytes:
        return self._studio.content(base, self._chance.choice(TAKES))

    def _add(self, now: float) -> str | None:
        found = self._fresh()
        if found is None:
            return None
        name, base = found
        self._bases[name] = base
        self._studio.put(name, self._take(base))
        return name

    def _grow(self, now: float) -> str | None:
        """A file that is copied slowly, in place: a new one, or over one that is there."""
        found = self._fresh() if self._chance.random() < 0.7 else None
        name = found[0] if found else self._choice(self._media())
        if name is None:
            return None
        base = found[1] if found else self._bases[name]
        self._bases[name] = base
        self._growing[name] = None
        content, path = self._take(base), self._studio.source(name)
        path.unlink(missing_ok=True)
        size = len(content) // _GROWING_STEPS + 1
        for index in range(_GROWING_STEPS):
            part, last = content[index * size : (index + 1) * size], index == _GROWING_STEPS - 1
            self._later(now + index * _GROWING_SECONDS, partial(self._append, name, part, last))
        return name

    def _append(self, name: str, part: bytes, last: bool, _: float) -> None:
        with self._studio.source(name).open("ab") as file:
            file.write(part)
        if last:
            self._growing.pop(name, None)

    def _later(self, due: float, step: Callable[[float], None]) -> None:
        heapq.heappush(self._steps, (due, next(self._number), step))

    def _edit(self, now: float) -> str | None:
        name = self._choice(self._media())
        if name is None:
            return None
        self._studio.put(name, self._take(self._bases[name]))
        return name

    def _edit_around(self, now: float) -> str | None:
        names = [name for name in self._media(video=True) if name.endswith((".mp4", ".mov"))]
        name = self._choice(names)
        if name is None:
            return None
        self._studio.put(name, self._studio.content(self._bases[name], self._chance.choice(TAKES) + "+"))
        return name

    def _there_and_back(self, now: float) -> str | None:
        """Another content for up to eight seconds: the change may be seen, or may not."""
        name = self._choice(self._media())
        if name is None:
            return None
        before = self._studio.source(name).read_bytes()
        self._studio.put(name, self._take(self._bases[name]))
        self._growing[name] = None

        def back(_: float) -> None:
            self._studio.put(name, before)
            self._growing.pop(name, None)

        self._later(now + self._chance.uniform(0, 8), back)
        return name

    def _touch(self, now: float) -> str | None:
        name = self._choice(self.settled())
        if name is None:
            return None
        os.utime(self._studio.source(name))
        return name

    def _rename(self, now: float) -> str | None:
        name = self._choice(self._media())
        if name is None:
            return None
        new = f"moved {next(self._number)}{Path(name).suffix}"
        self._studio.source(name).rename(self._studio.source(new))
        self._bases[new] = self._bases.pop(name)
        self._gone[name] = self._bases[new]
        return f"{name} to {new}"

    def _remove(self, now: float) -> str | None:
        name = self._choice(self.settled())
        if name is None:
            return None
        self._studio.source(name).unlink()
        base = self._bases.pop(name, None)
        if base is not None:
            self._gone[name] = base
        return name

    def _add_again(self, now: float) -> str | None:
        present = set(self._names())
        name = self._choice([name for name in self._gone if name not in present])
        if name is None:
            return None
        self._bases[name] = self._gone.pop(name)
        self._studio.put(name, self._take(self._bases[name]))
        return name

    def _break(self, now: float) -> str | None:
        """A file that is no media: noise, a movie without its end, or nothing at all."""
        if len(self._names()) >= _MOST_SOURCES:
            return None
        whole = self._studio.content(self._studio.videos[0], "a")
        content = self._chance.choice((b"noise" * 99, whole[: len(whole) // 2], b""))
        name = f"{BROKEN} {next(self._number)}.mp4"
        self._studio.put(name, content)
        return name

    def _shown(self) -> tuple[str, ...]:
        """What a new cut may show."""
        return tuple(self._media(video=True)) or (TITLE,)

    def _edit_document(self, now: float) -> str | None:
        name = self._choice(self._documents())
        if name is None:
            return None
        self._studio.write(name, drawn_document(self._chance, self._shown()))
        return name

    def _new_document(self, now: float) -> str | None:
        if len(self._documents()) >= _MOST_DOCUMENTS:
            return None
        name = f"draft{next(self._number)}"
        self._studio.write(name, drawn_document(self._chance, self._shown()))
        return name

    def _remove_document(self, now: float) -> str | None:
        documents = self._documents()
        name = self._choice(documents) if len(documents) > 1 else None
        if name is None:
            return None
        self._studio.document(name).unlink()
        return name

    def _swap_bpm(self, now: float) -> str | None:
        counted = {
            name: document for name in self._documents() if (document := self._read(name)).get("bpm")
        }
        name = self._choice(list(counted))
        if name is None:
            return None
        counted[name]["bpm"] = 120 if counted[name]["bpm"] == 150 else 150
        self._studio.write(name, counted[name])
        return f"{name} at {counted[name]['bpm']}"

    def _refer_to_missing(self, now: float) -> str | None:
        name = self._choice(self._documents())
        if name is None or LATER in self._names():
            return None
        self._studio.write(name, drawn_document(self._chance, (LATER, *self._shown())))
        return name

    def _bring_missing(self, now: float) -> str | None:
        if LATER in self._names():
            return None
        self._bases[LATER] = self._studio.videos[0]
        self._studio.put(LATER, self._take(self._studio.videos[0]))
        return LATER

    def _nest(self, now: float) -> str | None:
        """A document that shows another; it may show itself by a longer way, which is refused."""
        documents = self._documents()
        if len(documents) < 2:
            return None
        name, inner = self._chance.sample(documents, 2)
        self._studio.write(name, nesting(f"komp_{inner}"))
        return f"{inner} in {name}"

    def _read(self, name: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._studio.document(name).read_text())
        return document
