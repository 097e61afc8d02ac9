"""Trees and lists of effects over a whole document: transitions, looks of some segments, loudness."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from media_assets.kompositions.dialects import transitions
from media_assets.kompositions.dialects.drafts import Draft, Score
from media_assets.kompositions.dialects.effects import as_name, effect_name, parameters_of, read_effect
from media_assets.kompositions.dialects.reading import Member

_INNER = ("children", "effects", "root", "nodes", "global", "transitions")
_HOLDS = frozenset(
    {"", "passthrough", "sequence", "parallel", "group", "chain", "root", "composition", "tree"}
)
_TARGETS = ("applies_to", "appliesTo", "between", "apply_between", "segments", "segment", "segment_id")
_ALL = frozenset({"all", "all_segments", "*"})


def read_tree(score: Score, member: Member | None) -> None:
    """What is done to the whole, from `effects_tree` in any of its forms.

    Transitions between two segments count before those of every cut.
    """
    if member is None:
        return
    nodes: list[tuple[Member, str]] = []
    _collect(member, nodes)
    for every in (False, True):
        for node, name in nodes:
            if (_names(node) is None) == every:
                _apply(score, node, name)


def _collect(member: Member, nodes: list[tuple[Member, str]]) -> None:
    """Every node of a tree, those inside of others first."""
    if isinstance(member.value, list):
        for item in member.items():
            _collect(item, nodes)
        return
    if not isinstance(member.value, dict):
        if isinstance(member.value, str):
            nodes.append((member, effect_name(member)))
        return
    for name in _INNER:
        inner = member.get(name) if isinstance(member.value.get(name), list | dict) else None
        if inner is not None:
            _collect(inner, nodes)
    member.describe("effect_id", "id", "description")
    name = effect_name(member)
    if name == "transition":
        name = as_name(member.text("name", "transition", "style")) or "crossfade"
    if name not in _HOLDS:
        nodes.append((member, name))


def _names(node: Member) -> list[str] | None:
    """The segments that a node is about; None where it is about all."""
    for holder in parameters_of(node):
        found = holder.get(*_TARGETS)
        if found is None:
            continue
        if not isinstance(found.value, list):
            word = str(found.value)
            return None if as_name(word) in _ALL else [word]
        names = []
        for item in found.items():
            item.describe("type")
            inner = item.get("id", "segment_id", "segment") if isinstance(item.value, dict) else item
            names.append("" if inner is None else str(inner.value))
        return names
    return None


def _apply(score: Score, node: Member, name: str) -> None:
    if any(holder.flag("enabled") is False for holder in parameters_of(node)):
        return
    names = _names(node)
    if name in ("audio_normalize", "normalize_audio", "loudnorm") and names is None:
        _loudness(score, node, name)
        return
    alone = names is not None and len(names) == 1
    if not alone and transitions.is_none(name):
        return
    if not alone and transitions.transition_type(name) is not None:
        _transition(score, node, name, names)
        return
    if not alone and name.endswith("transition"):
        node.reading.unknown(node.place, f"there is no transition {name!r}")
        node.reading.whole.add(node.place)
        return
    _look(score, node, name, names)


def _transition(score: Score, node: Member, name: str, names: list[str] | None) -> None:
    made = transitions.read_transition(name, node, score)
    if "duration" not in made:
        return
    time = next(
        (h.number("start_time", "startTime") for h in parameters_of(node) if h.has("start_time")), None
    )
    if names is not None:
        transitions.put_between(made, names, node, score)
    elif time is not None:
        transitions.put_at(made, time, node, score)
    else:
        transitions.put_everywhere(made, node, score)


def _loudness(score: Score, node: Member, name: str) -> None:
    effect = read_effect(name, node, score.clock) or {}
    params: dict[str, Any] = effect.get("params", {})
    level = params.get("target_lufs", -14.0)
    score.loudness = {"target_lufs": max(-40.0, min(-5.0, float(level)))}
    if "true_peak" in params:
        score.loudness["true_peak_db"] = max(-9.0, min(0.0, float(params["true_peak"])))
    score.reading.origins[("loudness",)] = node.place


def _look(score: Score, node: Member, name: str, names: list[str] | None) -> None:
    """An effect of some segments: those named, or those that lie in its time for the most part."""
    drafts = score.drafts
    if names is not None:
        found = [score.find(item) for item in names]
        for item, draft in zip(names, found, strict=True):
            if draft is None:
                node.reading.unknown(node.place, f"there is no segment {item!r}")
        drafts = [draft for draft in found if draft is not None]
    else:
        drafts = _in_time(score, node)
    effect = read_effect(name, node, score.clock)
    if effect is None:
        return
    for draft in drafts:
        index = score.drafts.index(draft)
        score.reading.origins[("segments", index, "effects", len(draft.effects))] = node.place
        draft.effects.append(effect)


def _in_time(score: Score, node: Member) -> list[Draft]:
    if not node.has("start_time", "startTime"):
        return score.drafts
    start = node.number("start_time", "startTime") or Fraction(0)
    length = node.number("duration")
    if length is None:
        return score.drafts
    unit = score.clock.seconds
    held = []
    for draft in score.drafts:
        shared = min(draft.end * unit, start + length) - max(draft.start * unit, start)
        if 2 * shared >= draft.length * unit:
            held.append(draft)
    if len(held) < len(score.drafts):
        names = ", ".join(repr(draft.name) for draft in held) or "none"
        node.warn(f"is of the segments that lie in its time for the most part: {names}")
    return held
