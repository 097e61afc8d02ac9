"""What is wrong with several members of a document at once, as far as the document alone tells.

Members of a wrong type are found elsewhere; here they are passed over.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeGuard

from pydantic import ValidationError

from media_assets.kompositions import model, values
from media_assets.kompositions.effect_findings import effect_findings
from media_assets.kompositions.findings import Finding
from media_assets.kompositions.values import exact
from media_assets.media.xfade import TRANSITIONS
from media_assets.operations.clip import Picture
from media_assets.planning.positions import Place

_TYPES = frozenset(("crossfade", *TRANSITIONS))


def whole_findings(data: Any) -> list[Finding]:
    """Findings of a document as it is written, that concern more than one of its members."""
    if not isinstance(data, dict):
        return []
    findings = list(_beat_findings(data))
    sheet = _Sheet(
        _unit(data.get("bpm"), data.get("unit")),
        None if data.get("bpm") is None else _unit(data.get("bpm"), "beats"),
        _form(data.get("output")),
    )
    for place, segments, layer in _rows(data):
        findings += sheet.row(place, segments, layer)
    findings += _twice(data.get("layers"), "layers", "layer")
    findings += _sound_findings(data)
    findings += _size_findings(data)
    return findings


def _beat_findings(data: dict[str, Any]) -> Iterator[Finding]:
    bpm, music = data.get("bpm"), _has_music(data)
    if data.get("unit") == "beats" and bpm is None:
        yield ("unit",), "beats need a bpm"
    if bpm == "auto" and not music:
        yield ("bpm",), "is that of the music, and there is no music"
    if data.get("snap") is True and not music:
        yield ("snap",), "is to the beats of the music, and there is no music"
    if data.get("snap") is True and (bpm is None or data.get("unit") == "seconds"):
        yield ("snap",), "is of positions in beats, and these are in seconds"


def _has_music(data: dict[str, Any]) -> bool:
    tracks = data.get("audio")
    return isinstance(data.get("music"), dict) or (
        isinstance(tracks, list) and any(isinstance(t, dict) and t.get("role") == "music" for t in tracks)
    )


def _rows(data: dict[str, Any]) -> Iterator[tuple[Place, list[Any], dict[str, Any]]]:
    """Lists of segments: their place, and what they are in, the document itself for the main ones."""
    if isinstance(data.get("segments"), list):
        yield ("segments",), data["segments"], data
    layers = data.get("layers")
    for index, layer in enumerate(layers[: values.MAX_LAYERS] if isinstance(layers, list) else []):
        if isinstance(layer, dict) and isinstance(layer.get("segments"), list):
            place = ("layers", index, "segments")
            yield place, layer["segments"][: values.MAX_SEGMENTS], layer


def _twice(listed: Any, name: str, kind: str) -> Iterator[Finding]:
    """Ids that several members of a list have."""
    first_use: dict[str, int] = {}
    for index, member in enumerate(listed if isinstance(listed, list) else []):
        identifier = member.get("id") if isinstance(member, dict) else None
        if isinstance(identifier, str) and first_use.setdefault(identifier, index) != index:
            text = f"{identifier!r} is already the id of {kind} {first_use[identifier] + 1}"
            yield (name, index, "id"), text


@dataclass
class _Sheet:
    """Goes through all segments; remembers whose id is whose.

    Attributes:
        unit: seconds in one unit of the timeline.
        beat: seconds in a beat, if there are any.
        form: the output's pictures.
    """

    unit: Fraction
    beat: Fraction | None
    form: Picture
    first_use: dict[str, Place] = field(default_factory=dict)

    def row(self, place: Place, segments: list[Any], layer: dict[str, Any]) -> Iterator[Finding]:
        """Findings of the main segments, or of those of a layer."""
        prefix = f"{layer['id']}-" if isinstance(layer.get("id"), str) else "s"
        end, longest = Fraction(0), Fraction(0)
        for index, segment in enumerate(segments):
            if not isinstance(segment, dict):
                continue
            here: Place = (*place, index)
            duration = _amount(segment.get("duration")) * self.unit
            start = _amount(segment.get("start")) * self.unit if _given(segment, "start") else end
            if index and start < end:
                yield (
                    (*here, "start"),
                    f"lies {float(end - start):g} s before the end of the segment before; to show both, "
                    "give this one a transition",
                )
            end = max(end, start + duration)
            longest = max(longest, duration)
            yield from self._id_findings(segment, here, prefix)
            before = segments[index - 1] if index else None
            yield from self._transition(segment, here, duration, before)
            yield from _filling_findings(segment, here, duration)
            yield from self._effects(segment.get("effects"), here, duration)
        if end > values.MAX_SECONDS:
            yield place, f"last {float(end):g} s together; the most is {values.MAX_SECONDS} s"
        yield from self._effects(layer.get("effects"), place[:-1], longest)

    def _transition(
        self, segment: dict[str, Any], place: Place, duration: Fraction, before: Any
    ) -> Iterator[Finding]:
        transition = segment.get("transition")
        if not isinstance(transition, dict):
            return
        here = (*place, "transition")
        if place[-1] == 0:
            owner = " of a layer" if place[0] == "layers" else ""
            yield here, f"the first segment{owner} has nothing to come in from"
        unit = self._unit_of(transition)
        if unit is None:
            yield (*here, "unit"), "beats need a bpm"
            return
        length, early = _amount(transition.get("duration")) * unit, _early(transition) * unit
        earlier = _amount(before.get("duration")) * self.unit if isinstance(before, dict) else Fraction(0)
        if length - early > duration > 0:
            text = f"lasts {float(length - early):g} s, longer than its segment ({float(duration):g} s)"
            yield (*here, "duration"), text
        elif length > values.MAX_TRANSITION_SECONDS:
            yield (*here, "duration"), f"lasts more than {values.MAX_TRANSITION_SECONDS} s"
        if early > length > 0:
            yield (*here, "offset"), "ends it before the boundary: the least is minus its duration"
        elif early > earlier > 0:
            yield (*here, "offset"), f"starts it before the segment before ({float(earlier):g} s)"
        kind = transition.get("type")
        if isinstance(kind, str) and kind not in _TYPES:
            near = ", ".join(difflib.get_close_matches(kind, _TYPES, 3)) or ", ".join(sorted(_TYPES))
            yield (*here, "type"), f"there is no transition {kind!r}; did you mean one of {near}?"

    def _unit_of(self, transition: dict[str, Any]) -> Fraction | None:
        """Seconds in one unit of a transition; None where it counts beats and there are none."""
        unit = transition.get("unit")
        if unit == "seconds":
            return Fraction(1)
        return self.beat if unit == "beats" else self.unit

    def _effects(self, effects: Any, place: Place, duration: Fraction) -> Iterator[Finding]:
        if isinstance(effects, list):
            yield from effect_findings(effects[: values.MAX_EFFECTS], place, float(duration), self.form)

    def _id_findings(self, segment: dict[str, Any], place: Place, prefix: str) -> Iterator[Finding]:
        identifier = segment.get("id", f"{prefix}{int(place[-1]) + 1}")
        if isinstance(identifier, str) and self.first_use.setdefault(identifier, place) != place:
            other = self.first_use[identifier]
            which = f"segment {int(other[-1]) + 1}"
            if other[0] == "layers":
                which += f" of layer {int(other[1]) + 1}"
            yield (*place, "id"), f"{identifier!r} is already the id of {which}"


def _filling_findings(segment: dict[str, Any], place: Place, duration: Fraction) -> Iterator[Finding]:
    taken = segment.get("source_duration")
    if segment.get("stretch") is True or segment.get("fill") == "stretch":
        if taken is None:
            yield (*place, "source_duration"), "is missing: a stretched segment says how much it takes"
        elif _amount(taken) and duration:
            slowest, fastest = values.SPEEDS
            if not slowest <= _amount(taken) / duration <= fastest:
                yield (*place, "source_duration"), "makes it more than a hundred times slower or faster"
    if segment.get("source") is None and segment.get("color") is None:
        yield (*place, "source"), "is missing; a segment has a source or a color"
    if segment.get("color") is not None and segment.get("source") is None:
        for name in ("view", "source_duration", "in_point", "speech"):
            if _given(segment, name) and segment[name] != 0:
                yield (*place, name), "is of a source, and a colour has none"


def _sound_findings(data: dict[str, Any]) -> Iterator[Finding]:
    unit = _unit(data.get("bpm"), data.get("unit"))
    tracks = data.get("audio")
    yield from _twice(tracks, "audio", "track")
    for index, track in enumerate(tracks[: values.MAX_TRACKS] if isinstance(tracks, list) else []):
        clips = track.get("clips") if isinstance(track, dict) else None
        for at, clip in enumerate(clips[: values.MAX_SEGMENTS] if isinstance(clips, list) else []):
            if isinstance(clip, dict):
                yield from _fade_findings(clip, ("audio", index, "clips", at), unit)


def _fade_findings(clip: dict[str, Any], place: Place, unit: Fraction) -> Iterator[Finding]:
    duration = _amount(clip.get("duration")) * unit
    fades = _amount(clip.get("fade_in")) + _amount(clip.get("fade_out"))
    if fades > duration > 0:
        yield (
            (*place, "duration"),
            f"is {float(duration):g} s, shorter than its fades together ({float(fades):g} s)",
        )


def _size_findings(data: dict[str, Any]) -> Iterator[Finding]:
    renditions = data.get("renditions")
    listed = renditions[: values.MAX_RENDITIONS] if isinstance(renditions, list) else []
    yield from _twice(renditions, "renditions", "rendition")
    sizes: list[tuple[Place, Any]] = [(("renditions", index), sized) for index, sized in enumerate(listed)]
    for place, sized in [(("output",), data.get("output")), *sizes]:
        if isinstance(sized, dict):
            width, height = sized.get("width"), sized.get("height")
            if _is_number(width) and _is_number(height) and width * height > values.MAX_PIXELS:
                yield place, f"has more than {values.MAX_PIXELS} pixels"


def _unit(bpm: Any, unit: Any) -> Fraction:
    """Seconds in one unit; where the bpm is yet to be detected, that of 120 stands in."""
    if bpm == "auto":
        bpm = 120
    return model.unit_seconds(bpm if _is_number(bpm) and 20 <= bpm <= 400 else None, unit)


def _form(output: Any) -> Picture:
    """The output's pictures, or some that there could be where it does not hold."""
    try:
        held = model.OutputFormat.model_validate(output)
    except ValidationError:
        return Picture(1280, 720, Fraction(30))
    return Picture(held.width, held.height, held.rate)


def _given(data: dict[str, Any], name: str) -> bool:
    return data.get(name) is not None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _early(transition: dict[str, Any]) -> Fraction:
    """How much of it lies before the boundary, in its unit."""
    offset = transition.get("offset")
    return _amount(-offset) if _is_number(offset) else Fraction(0)


def _amount(value: Any) -> Fraction:
    """A length that makes sense, else 0."""
    if not _is_number(value) or not 0 < value <= 1_000_000:
        return Fraction(0)
    return exact(value)
