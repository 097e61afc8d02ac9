"""Reads an XML document to the values that its JSON twin would hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from media_assets.planning.positions import MAX_DEPTH, Place, Positions

_LISTS = frozenset({"segments", "sources", "parts", "dvls"})
"""Elements that hold members of one kind."""


@dataclass
class _Element:
    name: str
    line: int
    members: list[_Element] = field(default_factory=list)
    text: str = ""


def decode(text: str) -> tuple[Any, Positions]:
    """Read an XML text: elements are members, lists where their name says so; attributes are members, too.

    The text of an element that has attributes is its member `text`. The name of the root is the
    member `root`.

    Raises:
        ValueError: it is not XML, is nested deeper than 32, or has a document type (whose entities
            could stand for gigabytes, or for other files).
    """
    stack: list[_Element] = [_Element("", 1)]
    # The text is Unicode by now, whatever its declaration says.
    parser = expat.ParserCreate("UTF-8")

    def begin(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH}")
        line = parser.CurrentLineNumber
        element = _Element(name, line)
        element.members = [
            _Element(key, line, [], value)
            for key, value in attributes.items()
            if not key.startswith("xmlns")
        ]
        stack[-1].members.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        stack.pop()

    def characters(data: str) -> None:
        stack[-1].text += data

    def doctype(*_: Any) -> None:
        raise ValueError("a document type is not taken")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    parser.buffer_text = True
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from None
    root = stack[0].members[0]
    positions = Positions()
    value = _value(root, (), positions)
    if isinstance(value, dict):
        value = {"root": root.name, **value}
    return value, positions


def _value(element: _Element, place: Place, positions: Positions) -> Any:
    positions.lines[place] = element.line
    if element.name in _LISTS:
        return [_value(member, (*place, index), positions) for index, member in enumerate(element.members)]
    text = element.text.strip()
    if not element.members:
        return text
    members: dict[str, Any] = {}
    for member in element.members:
        if member.name in members:
            positions.repeated.append((*place, member.name))
        members[member.name] = _value(member, (*place, member.name), positions)
    if text:
        members["text"] = text
        positions.lines[(*place, "text")] = element.line
    return members
