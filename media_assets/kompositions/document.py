"""Reads komposition documents: a value, or every finding with its place and line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeGuard

from pydantic import BaseModel, ValidationError

from media_assets.errors import BadInput, DocumentError
from media_assets.ids import source_id
from media_assets.kompositions import audio, model, values
from media_assets.kompositions.effect_findings import effect_findings
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.values import exact
from media_assets.operations.clip import Picture
from media_assets.planning.positions import Place, Positions, decode, json_path

MAX_BYTES = 1 << 20
_SHOWN_FINDINGS = 100
_PARTS: dict[str, type[BaseModel]] = {
    "output": model.OutputFormat,
    "segments": model.Segment,
    "layers": model.Layer,
    "box": model.Box,
    "view": model.View,
    "start": model.Framing,
    "end": model.Framing,
    "renditions": model.Rendition,
    "audio": audio.AudioTrack,
    "clips": audio.AudioClip,
    "speech": audio.Speech,
    "ranges": audio.Range,
    "effects": model.Effect,
    "transition": model.Transition,
    "music": audio.Music,
    "loudness": audio.Loudness,
}
_PLAIN = {
    "missing": "is missing",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "string_type": "should be text",
    "bool_type": "should be true or false",
    "model_type": "should be an object",
    "tuple_type": "should be a list",
}

Finding = tuple[Place, str]


def komposition_id(relative_path: str) -> str:
    """The partition key of a document: `komp_` + its normalised name without `.json`.

    >>> komposition_id("sample.json")
    'komp_sample'
    """
    return "komp_" + source_id(relative_path.removesuffix(".json")).removeprefix("src_")


def load(path: Path) -> Komposition:
    """Read a document from a JSON file of at most 1 MiB.

    Raises:
        DocumentError: all findings, each with its JSON path and line.
        BadInput: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"it cannot be read: {error.strerror}", where=path.name) from error
    if len(data) > MAX_BYTES:
        raise _refused(path.name, [("$", f"is larger than {MAX_BYTES} bytes")])
    try:
        value, positions = decode(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _refused(path.name, [("$", f"is not JSON: {error}")]) from error
    return _parse(value, path.name, positions)


def parse(data: Any, where: str) -> Komposition:
    """Read a document from JSON values; `where` names it in errors.

    Raises:
        DocumentError: all findings, each with its JSON path.
    """
    return _parse(data, where, Positions())


def _parse(data: Any, where: str, positions: Positions) -> Komposition:
    segments = data.get("segments") if isinstance(data, dict) else None
    if isinstance(segments, list) and len(segments) > values.MAX_SEGMENTS:
        # Going on could find hundreds of thousands of things.
        text = f"are {len(segments)}; the most is {values.MAX_SEGMENTS}"
        raise _refused(where, [_placed(("segments",), text, positions)])
    findings: list[Finding] = [(path, "is given twice") for path in positions.repeated]
    komposition = None
    try:
        komposition = Komposition.model_validate(data)
    except ValidationError as error:
        details = [dict(detail) for detail in error.errors(include_url=False)]
        # Where all members are at fault, pydantic adds that none are left.
        findings += [_shape_finding(d) for d in details if d["type"] != "too_short" or not d["input"]]
    findings += _whole_findings(data)
    if findings or komposition is None:
        shown = [_placed(path, text, positions) for path, text in findings[:_SHOWN_FINDINGS]]
        raise _refused(where, shown, len(findings))
    return komposition


def _placed(path: Place, text: str, positions: Positions) -> tuple[str, str]:
    line = positions.line(path)
    return json_path(path), text if line is None else f"line {line}: {text}"


def _shape_finding(detail: dict[str, Any]) -> Finding:
    """One of pydantic's errors in plain words."""
    path, kind, given = tuple(detail["loc"]), detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return path, f"is not a known name{_suggestion(path)}"
    text = _PLAIN.get(kind) or str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if kind != "missing" and isinstance(given, bool | int | float | str | None):
        text += f", not {_short(given)}"
    return path, text


def _suggestion(path: Place) -> str:
    names = [step for step in path[:-1] if isinstance(step, str)]
    known = list((_PARTS[names[-1]] if names else Komposition).model_fields)
    nearest = difflib.get_close_matches(str(path[-1]), known, 1)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(known)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _whole_findings(data: Any) -> list[Finding]:
    """What concerns several members at once; members of the wrong type are found elsewhere."""
    if not isinstance(data, dict):
        return []
    findings: list[Finding] = []
    if data.get("unit") == "beats" and data.get("bpm") is None:
        findings.append((("unit",), "beats need a bpm"))
    segments = data.get("segments")
    if isinstance(segments, list):
        bpm = data.get("bpm")
        unit = model.unit_seconds(bpm if _is_number(bpm) and 20 <= bpm <= 400 else None, data.get("unit"))
        findings += _segment_findings(segments, unit, data.get("output"))
    output = data.get("output")
    if isinstance(output, dict):
        width, height = output.get("width"), output.get("height")
        if _is_number(width) and _is_number(height) and width * height > values.MAX_PIXELS:
            findings.append((("output",), f"has more than {values.MAX_PIXELS} pixels"))
    return findings


def _segment_findings(segments: list[Any], unit: Fraction, output: Any) -> Iterator[Finding]:
    form = _form(output)
    first_use: dict[str, int] = {}
    total = Fraction(0)
    for index, segment in enumerate(segments):
        if not isinstance(segment, dict):
            continue
        place = ("segments", index)
        identifier = segment.get("id", f"s{index + 1}")
        if isinstance(identifier, str) and first_use.setdefault(identifier, index) != index:
            yield (
                (*place, "id"),
                f"{identifier!r} is already the id of segment {first_use[identifier] + 1}",
            )
        duration = _amount(segment.get("duration")) * unit
        total += duration
        yield from _transition_findings(segment, place, duration, unit)
        yield from _stretch_findings(segment, place, duration)
        effects = segment.get("effects")
        if isinstance(effects, list):
            yield from effect_findings(effects[: values.MAX_EFFECTS], place, float(duration), form)
    if total > values.MAX_SECONDS:
        yield ("segments",), f"last {float(total):g} s together; the most is {values.MAX_SECONDS} s"


def _form(output: Any) -> Picture:
    """The output's pictures, or some that there could be where it does not hold."""
    try:
        held = model.OutputFormat.model_validate(output)
    except ValidationError:
        return Picture(1280, 720, Fraction(30))
    return Picture(held.width, held.height, held.rate)


def _transition_findings(
    segment: dict[str, Any], place: Place, duration: Fraction, unit: Fraction
) -> Iterator[Finding]:
    transition = segment.get("transition")
    if not isinstance(transition, dict):
        return
    length = _amount(transition.get("duration")) * unit
    if place[-1] == 0:
        yield (*place, "transition"), "the first segment has nothing to come in from"
    if length > duration > 0:
        yield (
            (*place, "transition", "duration"),
            f"lasts {float(length):g} s, longer than its segment ({float(duration):g} s)",
        )
    elif length > values.MAX_TRANSITION_SECONDS:
        yield (*place, "transition", "duration"), f"lasts more than {values.MAX_TRANSITION_SECONDS} s"


def _stretch_findings(segment: dict[str, Any], place: Place, duration: Fraction) -> Iterator[Finding]:
    taken = segment.get("source_duration")
    if segment.get("stretch") is True or segment.get("fill") == "stretch":
        if taken is None:
            yield (*place, "source_duration"), "is missing: a stretched segment says how much it takes"
        elif _amount(taken) and duration:
            slowest, fastest = values.SPEEDS
            if not slowest <= _amount(taken) / duration <= fastest:
                yield (*place, "source_duration"), "makes it more than a hundred times slower or faster"


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _amount(value: Any) -> Fraction:
    """A length that makes sense, else 0."""
    if not _is_number(value) or not 0 < value <= 1_000_000:
        return Fraction(0)
    return exact(value)


def _refused(where: str, findings: list[tuple[str, str]], count: int | None = None) -> DocumentError:
    total = len(findings) if count is None else count
    more = f", the first {len(findings)} of which follow" if total > len(findings) else ""
    noun = "problem" if total == 1 else "problems"
    return DocumentError(f"the komposition has {total} {noun}{more}", findings, where=where)
