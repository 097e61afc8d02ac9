"""A document half read: segments where it puts them, before they are placed one after another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from media_assets.kompositions.dialects.reading import Member, Reading, plain
from media_assets.planning.positions import Place

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Clock:
    """What a document counts in, and how many seconds one of these lasts."""

    unit: Literal["beats", "seconds"]
    seconds: Fraction

    def positions(self, seconds: Fraction) -> Fraction:
        """Seconds as positions."""
        return seconds / self.seconds


SECONDS = Clock("seconds", Fraction(1))


@dataclass
class Draft:
    """A segment as a document puts it.

    Attributes:
        name: what the document calls it.
        start, end: positions on the timeline.
        in_point, source_duration: seconds of the source.
    """

    name: str
    member: Member
    start: Fraction
    end: Fraction
    source: str | None
    in_point: Fraction = Fraction(0)
    source_duration: Fraction | None = None
    fill: str = "cut"
    effects: list[dict[str, Any]] = field(default_factory=list)
    gain_db: float | None = None
    speech: dict[str, Any] | None = None
    transition: dict[str, Any] | None = None
    keep_start: bool = False

    @property
    def length(self) -> Fraction:
        """How long it is, in positions."""
        return self.end - self.start

    def end_at(self, position: Fraction) -> None:
        """Let it end there; what is stretched keeps its speed."""
        if self.source_duration is not None and self.fill == "stretch":
            self.source_duration *= (position - self.start) / self.length
        self.end = position

    def begin_at(self, position: Fraction, clock: Clock) -> None:
        """Let it begin there, as far into its source as it then is."""
        gone = (position - self.start) * clock.seconds
        if self.source_duration is not None and self.fill == "stretch":
            gone = self.source_duration * (position - self.start) / self.length
            self.source_duration -= gone
        self.in_point += gone
        self.start = position

    def canonical(self, identifier: str) -> dict[str, Any]:
        """The segment in its canonical form."""
        said: dict[str, Any] = {
            "id": identifier,
            "source": self.source,
            "in_point": plain(self.in_point) or None,
            "source_duration": None if self.source_duration is None else plain(self.source_duration),
            "start": plain(self.start) if self.keep_start else None,
            "duration": plain(self.length),
            "fill": None if self.fill == "cut" else self.fill,
            "effects": self.effects or None,
            "gain_db": self.gain_db,
            "speech": self.speech,
            "transition": self.transition,
        }
        return {name: value for name, value in said.items() if value is not None}


@dataclass
class Score:
    """A document half read.

    Attributes:
        head: members of the canonical form beside its segments, layers and sound.
    """

    reading: Reading
    clock: Clock
    head: dict[str, Any]
    drafts: list[Draft] = field(default_factory=list)
    music: dict[str, Any] | None = None
    audio: list[dict[str, Any]] = field(default_factory=list)
    loudness: dict[str, Any] | None = None

    def find(self, name: str) -> Draft | None:
        """The segment that the document calls so."""
        return next((draft for draft in self.drafts if draft.name == name), None)

    def canonical(self) -> dict[str, Any]:
        """The document in its canonical form, and where each segment comes from noted."""
        document = {"version": 1, **self.head}
        if self.clock.unit == "seconds" and document.get("bpm") is not None:
            document["unit"] = "seconds"
        document["segments"] = canonical_segments(self.drafts, ("segments",), self.reading, Ids())
        if self.music is not None:
            document["music"] = self.music
        if self.audio:
            document["audio"] = self.audio
        if self.loudness is not None:
            document["loudness"] = self.loudness
        return document


class Ids:
    """Ids that hold, and are all different, for names that may be anything."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def of(self, name: str, number: int) -> str:
        """The id of what is called `name` and is the `number`th."""
        written = _NOT_IN_IDS.sub("_", name).strip("_.-")[:56] or f"s{number}"
        identifier, again = written, 2
        while identifier in self._given:
            identifier, again = f"{written}_{again}", again + 1
        self._given.add(identifier)
        return identifier


def canonical_segments(
    drafts: list[Draft], place: Place, reading: Reading, ids: Ids
) -> list[dict[str, Any]]:
    """Segments in their canonical form; `place` is where they stand in it."""
    made, renamed = [], []
    for index, draft in enumerate(drafts):
        reading.origins[(*place, index)] = draft.member.place
        identifier = ids.of(draft.name, index + 1)
        if draft.name and draft.name != identifier:
            renamed.append(f"{draft.name!r} is {identifier}")
        made.append(draft.canonical(identifier))
    if renamed:
        shown = "; ".join(renamed[:3]) + (" …" if len(renamed) > 3 else "")
        parent = drafts[0].member.place[:-1]
        reading.warn(parent, f"ids are letters, digits, _ . and - and differ from each other: {shown}")
    return made
