"""Reads members of a document and keeps track of which were read, so that nothing is dropped unsaid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

from media_assets.kompositions.findings import Finding
from media_assets.planning.positions import Place, Positions

_WORDS = {"true": True, "false": False}


class Elsewhere(Protocol):
    """Finds parts of media that other documents describe."""

    asked: bool

    def part(self, name: str) -> NamedPart | None:
        """The part of that name; None where no document describes it."""


@dataclass(frozen=True)
class NamedPart:
    """A part of a media file that a document gives a name: seconds into it."""

    source: str
    start: Fraction
    duration: Fraction
    document: str


@dataclass
class Reading:
    """What is noted while a document is read.

    Attributes:
        positions: where its members are.
        neighbours: the documents beside it.
        warnings: what was decided for its author, by place.
        errors: what is wrong with it, by place.
        origins: which of its places each place of the canonical form was made from.
    """

    positions: Positions
    neighbours: Elsewhere
    lenient: bool = False
    warnings: list[Finding] = field(default_factory=list)
    errors: list[Finding] = field(default_factory=list)
    origins: dict[Place, Place] = field(default_factory=dict)
    used: set[Place] = field(default_factory=set)
    whole: set[Place] = field(default_factory=set)

    def root(self, value: Any) -> Member:
        """The document itself; what it says twice is an error."""
        self.errors += [(path, "is given twice") for path in self.positions.repeated]
        return Member(value, (), self)

    def warn(self, place: Place, text: str) -> None:
        """Note a decision."""
        if (place, text) not in self.warnings:
            self.warnings.append((place, text))

    def fail(self, place: Place, text: str) -> None:
        """Note an error."""
        self.errors.append((place, text))

    def unknown(self, place: Place, text: str) -> None:
        """Note what nobody knows: an error or, to a lenient reader, a warning that it is left out."""
        if self.lenient:
            self.warn(place, f"{text}: it is left out")
        else:
            self.fail(place, f"{text} (--lenient leaves it out)")

    def original(self, path: Place) -> Place:
        """The place that a place of the canonical form was made from."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return ()

    def tell_unused(self, member: Member) -> None:
        """Warn of every member under `member` that nothing was made of."""
        if member.place in self.whole:
            return
        for child in member.children():
            if child.place not in self.used:
                if child.value not in (None, "", [], {}):
                    self.warn(child.place, "has no meaning here and is left out")
            else:
                self.tell_unused(child)


@dataclass(frozen=True)
class Member:
    """A value in the document, and where it is. Asking for a member marks it as read."""

    value: Any
    place: Place
    reading: Reading

    def children(self) -> Iterator[Member]:
        """Members of an object or items of a list, without marking them."""
        pairs: Iterator[tuple[str | int, Any]] = iter(())
        if isinstance(self.value, dict):
            pairs = iter(self.value.items())
        elif isinstance(self.value, list):
            pairs = iter(enumerate(self.value))
        for step, value in pairs:
            yield Member(value, (*self.place, step), self.reading)

    def items(self) -> list[Member]:
        """The items of a list, or the members of an object, all marked as read."""
        found = list(self.children())
        self.reading.used.update(item.place for item in found)
        return found

    def has(self, *names: str) -> bool:
        """Whether one of these is there and says something."""
        return isinstance(self.value, dict) and any(self.value.get(n) not in (None, "") for n in names)

    def get(self, *names: str) -> Member | None:
        """The first of these members that says something."""
        if not isinstance(self.value, dict):
            return None
        for name in names:
            if self.value.get(name) not in (None, ""):
                place = (*self.place, name)
                self.reading.used.add(place)
                return Member(self.value[name], place, self.reading)
        return None

    def object(self, *names: str) -> Member:
        """The first of these members that is an object; else an empty one."""
        for name in names:
            found = self.get(name) if self.has(name) and isinstance(self.value[name], dict) else None
            if found is not None:
                return found
        return Member({}, (*self.place, names[0]), self.reading)

    def listed(self, *names: str) -> list[Member]:
        """The items of the first of these members, none where it is not there."""
        found = self.get(*names)
        if found is None:
            return []
        if not isinstance(found.value, list | dict):
            found.fail("should be a list")
        return found.items()

    def number(self, *names: str) -> Fraction | None:
        """The first of these members as a number, exactly as written; text of one counts."""
        found = self.get(*names)
        return None if found is None else found.as_number()

    def as_number(self) -> Fraction | None:
        """This value as a number; an error is noted where it is none."""
        value = self.value
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > 30:
                raise ValueError
            number = Fraction(repr(value) if isinstance(value, float) else str(value).strip())
        except (ValueError, ZeroDivisionError):
            self.fail("should be a number")
            return None
        if abs(number) > 10**15:
            self.fail("is too large")
            return None
        return number

    def text(self, *names: str) -> str:
        """The first of these members as text, else nothing."""
        found = self.get(*names)
        if found is None:
            return ""
        if isinstance(found.value, dict | list):
            found.fail("should be text")
            return ""
        return str(found.value).strip()

    def flag(self, *names: str) -> bool | None:
        """The first of these members as true or false."""
        found = self.get(*names)
        if found is None:
            return None
        value = _WORDS.get(found.value.strip().lower()) if isinstance(found.value, str) else found.value
        if isinstance(value, bool):
            return value
        found.fail("should be true or false")
        return None

    def describe(self, *names: str) -> None:
        """Members that describe the document or how it came to be; nothing follows from them."""
        for name in names:
            if self.has(name):
                place = (*self.place, name)
                self.reading.used.add(place)
                self.reading.whole.add(place)

    def warn(self, text: str) -> None:
        """Note a decision about this."""
        self.reading.warn(self.place, text)

    def fail(self, text: str) -> None:
        """Note that this is wrong."""
        self.reading.fail(self.place, text)


def plain(number: Fraction) -> int | float:
    """A number as JSON writes it: whole where it is, else to the nanosecond."""
    return int(number) if number.denominator == 1 else round(float(number), 9)
