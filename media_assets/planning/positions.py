"""Where things are in a JSON or YAML text: the line of every member, and names given twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

import yaml

from media_assets.errors import DocumentError

Place = tuple[str | int, ...]
Finding = tuple[str, str]
"""A JSON path and what is wrong there."""

MAX_DEPTH = 32
_SHOWN_FINDINGS = 100
_BLANK = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
# What an unquoted word of YAML is, as in its version 1.2: no dates, no 1:30 as ninety, no `no` as false.
_YAML_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_YAML_INTEGER = re.compile(r"[-+]?[0-9]+")
_YAML_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class Positions:
    """Lines (from 1) by path, and paths of names that an object gives twice."""

    lines: dict[Place, int] = field(default_factory=dict)
    repeated: list[Place] = field(default_factory=list)

    def line(self, path: Place) -> int | None:
        """The line of that member or, where it is not there, of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


@dataclass(frozen=True)
class Origin:
    """Where a document comes from.

    Attributes:
        where: the file; None for values that came another way.
        base: where in it the document begins.
        positions: where things are in it.
    """

    where: str | None = None
    base: Place = ()
    positions: Positions = field(default_factory=Positions, repr=False)

    def repeated(self) -> list[Finding]:
        """Names that are given twice, as findings in the document."""
        paths = (path[len(self.base) :] for path in self.positions.repeated)
        return [(json_path(path), "is given twice") for path in paths]

    def refusal(self, message: str, findings: Sequence[Finding]) -> DocumentError:
        """An error with those findings: paths as in the file, each with its line, if there is one."""
        lines = {json_path(path): line for path, line in self.positions.lines.items()}
        placed = []
        for path, text in findings[:_SHOWN_FINDINGS]:
            place = json_path(self.base) + path.removeprefix("$")
            line = _line_in(lines, place)
            placed.append((place, text if line is None else f"line {line}: {text}"))
        more = len(findings) - len(placed)
        text = f"{message}; the first {len(placed)} of {len(findings)} problems" if more else message
        return DocumentError(text, placed, where=self.where)


def _line_in(lines: Mapping[str, int], path: str) -> int | None:
    """The line of a member, however the document spells it, else of the nearest thing around it."""
    while path:
        single = path.replace(".inputs", ".input")
        for spelling in (path, single, single.removesuffix("[0]"), path.replace(".params.", ".")):
            if spelling in lines:
                return lines[spelling]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return None


def decode(text: str) -> tuple[Any, Positions]:
    """Read a JSON text.

    Returns:
        Its value, and the position of everything in it.

    Raises:
        ValueError: it is not JSON, holds a number that is none (NaN), or is nested deeper than 32.
    """
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    value = json.loads(text, parse_constant=_refuse)
    scanner = _Scanner(text)
    scanner.scan(0, ())
    return value, scanner.positions


def decode_yaml(text: str) -> tuple[Any, Positions]:
    """Read a YAML text that says what JSON can say.

    Returns:
        Its value, and the position of everything in it. Names are text, whatever they look like.

    Raises:
        ValueError: it is not YAML, is nested deeper than 32, or has aliases (a few lines of which
            can stand for gigabytes), tags, or several documents.
    """
    try:
        return _YamlReader(text).read()
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def json_path(path: Place) -> str:
    """`("segments", 2, "source")` as `$.segments[2].source`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def place_of(path: str) -> Place:
    """`$.segments[2].source` as `("segments", 2, "source")`; names have no dots."""
    steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]", path)
    return tuple(name or int(index) for name, index in steps)


class _Scanner:
    """Walks a text that is known to be JSON."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.positions = Positions()
        self._counted_to = 0
        self._line = 1

    def scan(self, at: int, path: Place) -> int:
        """Note the value at `at` and everything in it; returns the offset behind it."""
        at = self._skip(at)
        self.positions.lines.setdefault(path, self._line_of(at))
        opening = self.text[at]
        if opening == "{":
            return self._members(at, path)
        if opening == "[":
            return self._items(at, path)
        if opening == '"':
            return int(scanstring(self.text, at + 1)[1])
        match = _SCALAR.match(self.text, at)
        return match.end() if match else at + 1

    def _members(self, at: int, path: Place) -> int:
        seen: set[str] = set()
        at = self._skip(at + 1)
        while self.text[at] != "}":
            at = self._skip(at + 1 if self.text[at] == "," else at)
            line = self._line_of(at)
            name, at = scanstring(self.text, at + 1)
            if name in seen:
                self.positions.repeated.append((*path, name))
            seen.add(name)
            self.positions.lines[(*path, name)] = line
            at = self._skip(self.scan(self._skip(at) + 1, (*path, name)))
        return at + 1

    def _items(self, at: int, path: Place) -> int:
        index = 0
        at = self._skip(at + 1)
        while self.text[at] != "]":
            at = self._skip(self.scan(at + 1 if self.text[at] == "," else at, (*path, index)))
            index += 1
        return at + 1

    def _skip(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def _line_of(self, at: int) -> int:
        """Offsets only grow, so each line break is counted once."""
        self._line += self.text.count("\n", self._counted_to, at)
        self._counted_to = at
        return self._line


class _YamlReader:
    """Builds a value from the parser's events, which say where each thing begins."""

    def __init__(self, text: str) -> None:
        self.positions = Positions()
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_YAML_LOADER))

    def read(self) -> tuple[Any, Positions]:
        value = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.positions.lines:
                    raise ValueError(f"line {_line(event)}: a second document begins here")
                value = self._value(next(self._events), ())
        return value, self.positions

    def _value(self, event: Any, path: Place) -> Any:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"line {line}: aliases (*{event.anchor}) are not taken")
        if event.tag not in (None, "!"):
            raise ValueError(f"line {line}: tags ({event.tag}) are not taken")
        if len(path) > MAX_DEPTH:
            raise ValueError(f"line {line}: nested deeper than {MAX_DEPTH}")
        self.positions.lines.setdefault(path, line)
        if isinstance(event, yaml.MappingStartEvent):
            return self._members(path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(event, (*path, len(items))))
            return items
        return _plain(event.value) if event.implicit[0] else event.value

    def _members(self, path: Place) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise ValueError(f"line {_line(event)}: a name is expected here")
            name = event.value
            if name in members:
                self.positions.repeated.append((*path, name))
            self.positions.lines[(*path, name)] = _line(event)
            members[name] = self._value(next(self._events), (*path, name))
        return members


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _plain(text: str) -> Any:
    """An unquoted YAML word as the JSON value it stands for."""
    if text in _YAML_WORDS:
        return _YAML_WORDS[text]
    if _YAML_INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _YAML_FLOAT.fullmatch(text) else text


def _depth(text: str) -> int:
    """How deep brackets nest, those in strings left out."""
    deepest = depth = 0
    # A string never closed is taken to the end: searching on inside it would take quadratic time.
    for match in re.finditer(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', text, re.DOTALL):
        if match.group() in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif match.group() in ("]", "}"):
            depth -= 1
    return deepest


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not a number")
