"""Reads Markdown documents: two forms with sections and lists, and others' documents in code blocks.

`## Layer 0: Backgrounds` with `- {file:X} timeline 0s-48s source 10s-58s` is version 3; `## Tracks` with
`- [id](source-video) "name"` and its `Start: 0 beats` is read as beats of segments.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from media_assets.planning import positions as texts
from media_assets.planning.positions import Place, Positions

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*(\w*)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^(\s*)[-*+]\s+(.*)$")
_PAIR = re.compile(r"^([A-Za-z][\w ]*?)\s*:\s*(.+)$")
_LAYER = re.compile(r"^Layer\s+(-?\d+)\s*(?::\s*([^(]*))?(?:\((.*)\))?$", re.IGNORECASE)
_AUDIO = re.compile(r"^Audio\s*(?::\s*([^(]*))?(?:\((.*)\))?$", re.IGNORECASE)
_CLIP = re.compile(r"^\{(?:file|source):([^}]+)\}\s*(.*)$")
_RANGE = re.compile(r"\b(timeline|source)\s+([\d.]+)\s*(ms|s)?\s*(?:-|–|to)\s*([\d.]+)\s*(ms|s)?")  # noqa: RUF001
_TRACK = re.compile(r'^\[([^\]]+)\]\(([^)]*)\)\s*(?:"([^"]*)")?\s*$')
_AMOUNT = re.compile(r"^([\d.]+)\s*(beats?|s|seconds?|ms)?$", re.IGNORECASE)
_DECIBELS = re.compile(r"^\s*(-?[\d.]+)\s*dB\s*$", re.IGNORECASE)


@dataclass
class _Text:
    """What was read so far: values, and the lines of them."""

    value: dict[str, Any] = field(default_factory=dict)
    positions: Positions = field(default_factory=Positions)

    def put(self, path: Place, value: Any, line: int) -> None:
        """Set a member; what it stands in is made."""
        inner: Any = self.value
        for step, following in itertools.pairwise(path):
            fresh: Any = [] if isinstance(following, int) else {}
            if isinstance(inner, list):
                while len(inner) <= int(step):
                    inner.append([] if isinstance(following, int) else {})
                inner = inner[int(step)]
            else:
                inner = inner.setdefault(str(step), fresh)
        if isinstance(inner, list):
            inner.append(value)
        else:
            inner[str(path[-1])] = value
        for length in range(len(path) + 1):
            self.positions.lines.setdefault(path[:length], line)


def decode(text: str) -> tuple[Any, Positions]:
    """Read a Markdown text to the values of the JSON document that it stands for.

    Raises:
        ValueError: there is nothing in it that a komposition is made of.
    """
    lines = text.splitlines()
    blocks = list(_blocks(lines))
    if blocks:
        return _merged(blocks)
    read = _Text()
    section, inner, clip = "", "", -1
    for number, line in enumerate(lines, 1):
        heading, item = _HEADING.match(line), _ITEM.match(line)
        if heading and len(heading[1]) == 1:
            _title(read, heading[2], number)
        elif heading:
            section, inner = (heading[2], "") if len(heading[1]) == 2 else (section, heading[2])
            clip = -1
            _section(read, section, number)
        elif item:
            clip = _item(read, section, inner, item, clip, number)
        elif line.strip():
            raise ValueError(f"line {number}: {line.strip()[:60]!r} belongs to nothing that a document has")
    if not {"layers", "segments"} & set(read.value):
        raise ValueError("it has neither layers nor tracks with clips")
    return read.value, read.positions


def _title(read: _Text, title: str, number: int) -> None:
    read.put(("title",), title, number)


def _section(read: _Text, title: str, number: int) -> None:
    layer, audio = _LAYER.match(title), _AUDIO.match(title)
    if layer:
        index = len(read.value.get("layers", []))
        if index and read.value["layers"][-1].get("heading") == number:
            return
        made: dict[str, Any] = {"z": int(layer[1]), "role": (layer[2] or "").strip(), "clips": []}
        made |= _options(layer[3])
        read.put(("layers", index), made, number)
        read.value["version"] = "v3"
    elif audio and "segments" not in read.value:
        index = len(read.value.get("audio_tracks", []))
        track: dict[str, Any] = {"role": (audio[1] or "").strip(), "clips": []}
        options: dict[str, Any] = dict(_options(audio[2]))
        if "gain" in options:
            gain = _DECIBELS.match(str(options.pop("gain")))
            options |= {"gain_db": float(gain[1])} if gain else {}
        read.put(("audio_tracks", index), track | options, number)


def _options(text: str | None) -> dict[str, str]:
    pairs = (_PAIR.match(part.strip()) for part in (text or "").split(","))
    return {pair[1].lower(): pair[2].strip() for pair in pairs if pair}


def _item(read: _Text, section: str, inner: str, item: re.Match[str], clip: int, number: int) -> int:
    """One item of a list; returns which clip of its section was the last."""
    indent, text = len(item[1]), item[2].strip()
    pair = _PAIR.match(text)
    if section.lower() in ("meta", "metadata") and pair:
        _meta(read, section.lower(), pair[1].strip().lower(), pair[2].strip(), number)
        return clip
    if section.lower() == "tracks":
        return _track_item(read, inner, indent, text, clip, number)
    made = _CLIP.match(text)
    if not made or not (_LAYER.match(section) or _AUDIO.match(section)):
        raise ValueError(
            f"line {number}: {text[:60]!r} is no clip such as {{file:X}} timeline 0s-8s source 0s-8s"
        )
    key = "layers" if _LAYER.match(section) else "audio_tracks"
    index = len(read.value[key]) - 1
    value: dict[str, Any] = {"source_id": made[1].strip()}
    for which, first, unit, last, last_unit in _RANGE.findall(made[2]):
        begin, end = _milliseconds(first, unit or last_unit), _milliseconds(last, last_unit or unit)
        value[f"{which}_range"] = {"start_ms": begin, "duration_ms": end - begin}
    read.put((key, index, "clips", clip + 1), value, number)
    return clip + 1


def _meta(read: _Text, section: str, name: str, value: str, number: int) -> None:
    if section == "metadata":
        read.put(("metadata", name), value, number)
    elif name == "duration" and (amount := _AMOUNT.match(value)):
        read.put(("meta", "duration_ms"), _milliseconds(amount[1], amount[2] or "s"), number)
    else:
        read.put(("meta", name), value, number)


def _track_item(read: _Text, inner: str, indent: int, text: str, clip: int, number: int) -> int:
    track, pair = _TRACK.match(text), _PAIR.match(text)
    heard = inner.lower().startswith(("audio", "music", "sound"))
    if track:
        made = {"id": track[3] or track[1], "sourceRef": track[1], "sourceType": track[2]}
        if heard:
            made = {"backgroundMusic": track[1], "description": track[3] or "", "type": track[2]}
        key = "audio" if heard else "segments"
        read.put((key, len(read.value.get(key, []))), made, number)
        return len(read.value[key]) - 1
    if indent and pair and clip >= 0 and (amount := _AMOUNT.match(pair[2].strip())):
        unit = "Beat" if (amount[2] or "beats").lower().startswith("beat") else "Time"
        name = {"start": f"start{unit}", "end": f"end{unit}"}.get(pair[1].strip().lower(), pair[1].strip())
        read.put(("audio" if heard else "segments", clip, name), float(amount[1]), number)
        return clip
    raise ValueError(f"line {number}: {text[:60]!r} belongs to no clip")


def _milliseconds(amount: str, unit: str) -> float:
    return round(float(amount) * (1 if unit.lower() == "ms" else 1000), 6)


def _blocks(lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Code blocks of JSON and YAML: the line before each, its language, its text."""
    fence, language, first = "", "", 0
    held: list[str] = []
    for number, line in enumerate(lines, 1):
        match = _FENCE.match(line)
        if not fence and match:
            fence, language, first, held = match[1], match[2].lower(), number, []
        elif fence and line.strip().startswith(fence):
            if language in ("json", "yaml", "yml", ""):
                yield first, language, "\n".join(held)
            fence = ""
        elif fence:
            held.append(line)


def _merged(blocks: list[tuple[int, str, str]]) -> tuple[Any, Positions]:
    """Blocks that are objects, as one document; a later one adds to those before."""
    value: dict[str, Any] = {}
    positions = Positions()
    for first, language, text in blocks:
        reader = texts.decode_yaml if language.startswith("y") else texts.decode
        found, places = reader(text)
        if not isinstance(found, dict):
            continue
        positions.repeated += [(name,) for name in found if name in value]
        positions.repeated += places.repeated
        value |= found
        for path, line in places.lines.items():
            positions.lines.setdefault(path, line + first)
    return value, positions
