"""Effects of documents as operations of the registry: their names, and the parameters that these know.

A value beyond what an operation takes becomes the nearest that it does; a parameter that it does not have
is told and left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from media_assets.errors import BadInput
from media_assets.kompositions.dialects.drafts import Clock
from media_assets.kompositions.dialects.reading import Member, plain
from media_assets.kompositions.effects import refusal
from media_assets.operations.base import Operation
from media_assets.operations.registry import operation

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_CATEGORIES = frozenset({"effect", "filter", "video", "video_effect", "audio", "audio_effect", "visual"})
"""What says of which sort an effect is, not which."""
_SAME: Mapping[str, tuple[str, dict[str, Any]]] = {
    "fade_from_black": ("fade_in", {}),
    "fade_to_black": ("fade_out", {}),
    "fade_black_in": ("fade_in", {}),
    "fade_black_out": ("fade_out", {}),
    "fade_white_in": ("fade_in", {"color": "white"}),
    "fade_white_out": ("fade_out", {"color": "white"}),
    "fade_from_white": ("fade_in", {"color": "white"}),
    "fade_to_white": ("fade_out", {"color": "white"}),
    "audio_normalize": ("normalize_audio", {}),
    "normalize": ("normalize_audio", {}),
    "black_and_white": ("color_correction", {"saturation": 0}),
    "grayscale": ("color_correction", {"saturation": 0}),
}
_PARAMETERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vhs_look": {"noise": ("noise_level",)},
    "vignette": {"x": ("x0",), "y": ("y0",)},
    "chromatic_aberration": {"amount": ("red_offset_x", "offset", "shift")},
    "normalize_audio": {"target_lufs": ("target_level", "target_loudness", "lufs")},
    "gaussian_blur": {"sigma": ("blur_sigma",)},
    "text": {"text": ("content", "title")},
    "speed": {"factor": ("speed", "rate")},
}
_LENGTHS = ("duration",)
_FEW = 3
"""Names that are near enough to be shown."""


def effect_name(member: Member) -> str:
    """What an effect is called, as names are written here."""
    if isinstance(member.value, str):
        return as_name(member.value)
    found = ""
    for key in ("type", "effect", "effect_type", "op", "operation", "name"):
        name = as_name(member.text(key))
        if name and name not in _CATEGORIES and not found:
            found = name
    return found


def as_name(text: str) -> str:
    """`fadeIn`, `Fade-In` and `fade in` as `fade_in`."""
    return _NOT_IN_NAMES.sub("_", _CAPITAL.sub("_", text).lower()).strip("_")


def parameters_of(member: Member) -> list[Member]:
    """Where an effect's parameters stand: in an object of their own, or beside its name."""
    return [
        *(
            member.object(name)
            for name in ("parameters", "params", "options", "settings")
            if member.has(name)
        ),
        member,
    ]


def read_effect(name: str, member: Member, clock: Clock) -> dict[str, Any] | None:
    """An effect of a segment in its canonical form.

    Returns:
        None where nobody knows it, which is noted.
    """
    base, fixed = _SAME.get(name, (name, {}))
    holders = parameters_of(member)
    if base == "opacity_transition":
        base, fixed = _opacity(holders)
    try:
        kind = operation(base)
    except BadInput as error:
        near = error.hint if error.hint and error.hint.count(",") < _FEW else "`operations` lists them"
        member.reading.unknown(member.place, f"there is no effect {name!r}; {near}")
        _leave(member)
        return None
    reason = refusal(kind)
    if reason is not None:
        member.reading.unknown(member.place, reason)
        _leave(member)
        return None
    values = _fit(kind, {**fixed, **_values(kind, holders, clock)}, member)
    return {"op": kind.name, "params": values} if values else {"op": kind.name}


def _leave(member: Member) -> None:
    """What is told as a whole is not told again for each of its members."""
    member.reading.whole.add(member.place)


def _opacity(holders: list[Member]) -> tuple[str, dict[str, Any]]:
    """On a single segment, a rising opacity is a fade in, and a falling one a fade out."""
    first = next(
        (h.number("opacity_start", "start_opacity") for h in holders if h.has("opacity_start")), None
    )
    last = next((h.number("opacity_end", "end_opacity") for h in holders if h.has("opacity_end")), None)
    return ("fade_out" if (first or 0) > (1 if last is None else last) else "fade_in"), {}


def _values(kind: Operation[Any], holders: list[Member], clock: Clock) -> dict[str, Any]:
    """Parameters that the operation has, by its own names."""
    values: dict[str, Any] = {}
    spelled = _PARAMETERS.get(kind.name, {})
    slots = [name for slot in kind.takes.slots for name in (slot.name, *slot.aliases)]
    for holder in holders:
        for name in [*kind.parameters.model_fields, *slots]:
            if name in values or (holder is holders[-1] and name in ("name", "type", "op")):
                continue
            beats = holder.number(f"{name}_beats") if name in _LENGTHS else None
            if beats is not None:
                values[name] = plain(beats * clock.seconds)
            found = holder.get(name, *spelled.get(name, ())) if name not in values else None
            if found is not None:
                found.describe(*(found.value if isinstance(found.value, dict) else ()))
                values[name] = found.value
    if kind.name == "chromatic_aberration" and isinstance(values.get("amount"), int):
        values["amount"] = abs(values["amount"])
    return values


def _fit(kind: Operation[Any], values: dict[str, Any], member: Member) -> dict[str, Any]:
    """Values that the operation takes."""
    slots = {name for slot in kind.takes.slots for name in (slot.name, *slot.aliases)}
    for _ in range(2 * len(values) + 1):
        try:
            kind.parameters.model_validate({k: v for k, v in values.items() if k not in slots})
        except ValidationError as error:
            problem = error.errors()[0]
        else:
            return values
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if name not in values:
            member.fail(f"{kind.name}: {name or 'its parameters'}: {problem['msg']}")
            return values
        limit = _limit(problem)
        if limit is None:
            member.warn(f"{name} of {kind.name} cannot be {values[name]!r}: it is left out")
            del values[name]
        else:
            member.warn(f"{name} of {kind.name} is at {limit}, not {values[name]!r}: no more is taken")
            values[name] = limit
    return values


def _limit(problem: Any) -> Any:
    """The nearest value that is taken, where one was too large or too small."""
    context = problem.get("ctx") or {}
    if problem["type"] == "less_than_equal":
        return context.get("le")
    if problem["type"] == "greater_than_equal":
        return context.get("ge")
    if problem["type"] in ("int_from_float", "int_type") and isinstance(problem["input"], float):
        return round(problem["input"])
    return None


def fade(op: str, seconds: Fraction) -> dict[str, Any]:
    """A fade of a segment."""
    return {"op": op, "params": {"duration": plain(seconds)}}
