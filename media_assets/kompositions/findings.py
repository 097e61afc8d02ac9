"""Findings of a document: their places, lines and plain words."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from media_assets.errors import DocumentError
from media_assets.kompositions import audio, model, segments
from media_assets.planning.positions import Place, Positions, json_path

Finding = tuple[Place, str]

_SHOWN_FINDINGS = 100
_PARTS: dict[str, type[BaseModel]] = {
    "output": model.OutputFormat,
    "segments": segments.Segment,
    "layers": segments.Layer,
    "box": segments.Box,
    "view": segments.View,
    "start": segments.Framing,
    "end": segments.Framing,
    "renditions": model.Rendition,
    "audio": audio.AudioTrack,
    "clips": audio.AudioClip,
    "speech": audio.Speech,
    "ranges": audio.Range,
    "effects": segments.Effect,
    "transition": segments.Transition,
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
_ID = "should be letters, digits, _ . and -, beginning with a letter or digit, 64 at most"
_NEITHER = "should have either a source or a color"
_BPM = "should be a number from 20 to 400, or 'auto'"


def shape_findings(details: Sequence[dict[str, Any]]) -> list[Finding]:
    """Pydantic's errors in plain words, one for each place."""
    found: dict[Place, str] = {}
    for detail in details:
        # Where all members are at fault, pydantic adds that none are left.
        if detail["type"] != "too_short" or not detail["input"]:
            path, text = _shape_finding(detail)
            found.setdefault(path, text)
    return list(found.items())


def placed(path: Place, text: str, positions: Positions) -> tuple[str, str]:
    """A finding as it is told: its JSON path, and its line if there is one."""
    line = positions.line(path)
    return json_path(path), text if line is None else f"line {line}: {text}"


def refused(where: str, findings: Sequence[Finding], positions: Positions) -> DocumentError:
    """The error that tells these findings, or the first hundred of them."""
    shown = [placed(path, text, positions) for path, text in findings[:_SHOWN_FINDINGS]]
    more = f", the first {len(shown)} of which follow" if len(findings) > len(shown) else ""
    noun = "problem" if len(findings) == 1 else "problems"
    return DocumentError(f"the komposition has {len(findings)} {noun}{more}", shown, where=where)


def _shape_finding(detail: dict[str, Any]) -> Finding:
    path, kind, given = tuple(detail["loc"]), detail["type"], detail["input"]
    if path[0:1] == ("bpm",):
        return ("bpm",), f"{_BPM}, not {_short(given)}"
    if kind == "extra_forbidden":
        return path, f"is not a known name{_suggestion(path)}"
    text = _PLAIN.get(kind) or str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if kind == "string_pattern_mismatch" and path[-1] == "id":
        text = _ID
    if text == _NEITHER and given.get("source") is None:
        return (*path, "source"), "is missing; a segment has a source or a color"
    if kind != "missing" and isinstance(given, bool | int | float | str | None):
        text += f", not {_short(given)}"
    return path, text


def _suggestion(path: Place) -> str:
    names = [step for step in path[:-1] if isinstance(step, str)]
    known = list((_PARTS.get(names[-1], model.Komposition) if names else model.Komposition).model_fields)
    nearest = difflib.get_close_matches(str(path[-1]), known, 1)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(known)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
