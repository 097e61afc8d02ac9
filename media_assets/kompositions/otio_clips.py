"""Clips of an OpenTimelineIO timeline as segments and stretches of sound.

A clip that was written here carries its segment, and what was written of it: what another program changed
since is read from the clip, and the rest is as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import opentimelineio as otio
from pydantic import ValidationError

from media_assets.kompositions.audio import AudioClip
from media_assets.kompositions.otio_values import SOLID, Lost, foreign, own, path_of, seconds_of
from media_assets.kompositions.otio_writing import media_of
from media_assets.kompositions.segments import Segment, Transition
from media_assets.kompositions.values import SPEEDS

_SAME = 1e-6
_SILENT_DB = -96.0
_OF_SOURCES = frozenset({"in_point", "source_duration", "fill", "view", "speech"})
_NO_ID = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class Grid:
    """How frames of the timeline become numbers of the document.

    Attributes:
        rate: frames a second.
        unit: seconds in one unit of the document; None where only the music tells.
    """

    rate: Fraction
    unit: Fraction | None

    def frames(self, seconds: Fraction) -> int:
        """Whole frames in a time."""
        return round(seconds * self.rate)

    def units(self, seconds: Fraction) -> float | None:
        """A time in the document's unit."""
        return None if self.unit is None else float(seconds / self.unit)


@dataclass(frozen=True)
class Cut:
    """Where a clip is: its place for messages, its first frame, its length, whether another ends there."""

    place: str
    first: int
    frames: int
    follows: bool


class ClipReader:
    """Reads clips; `lost` grows meanwhile, and no two segments get one id."""

    def __init__(self, grid: Grid, *, silent: bool) -> None:
        self.grid = grid
        self.silent = silent
        self.lost: Lost = []
        self.names = NameGiver()

    def segment(self, clip: otio.schema.Clip, cut: Cut) -> dict[str, Any] | None:
        """A segment, or None where a clip cannot be one."""
        fields = own(clip)
        before, written = _held(Segment, fields.get("segment")), _numbers(fields.get("written"))
        now = self.numbers(clip, cut)
        if now is None:
            return None
        if before is None or written is None:
            before, written = {"id": clip.name, "fill": "cut"}, {}
            before |= {"gain_db": _SILENT_DB} if self.silent else {}
            self.notes(clip, cut.place)
        segment = dict(before)
        segment.pop("transition", None)
        if not same(written, now, "media"):
            segment |= self.shown(clip, cut.place)
            segment.pop("source" if segment.get("color") else "color", None)
        if not same(written, now, "in_point"):
            segment["in_point"] = now["in_point"]
        as_long = same(written, now, "frames") and same(written, now, "speed")
        if not as_long and not self.lengthen(segment, now, cut) and not written:
            return None
        self.effects(clip, segment, cut.place)
        if segment.get("color") is not None:
            # A colour has no time of its own.
            segment = {name: value for name, value in segment.items() if name not in _OF_SOURCES}
        segment["id"] = self.names.give(str(segment.get("id", "")), "s")
        return self.placed(segment, cut, moved=not same(written, now, "position"))

    def numbers(self, clip: otio.schema.Clip, cut: Cut) -> dict[str, Any] | None:
        """What a clip says now, as `written` says what it said when it was written."""
        try:
            start = clip.trimmed_range().start_time
        except (otio.exceptions.OTIOError, NotImplementedError):
            self.lost.append((cut.place, "says neither its range nor how long its media are: left out"))
            return None
        reference = clip.media_reference
        available = reference.available_range if reference else None
        # Time code that does not start at 0: our in points count from the start of the file.
        zero = seconds_of(available.start_time) if available else Fraction(0)
        return {
            "in_point": float(max(Fraction(0), seconds_of(start) - zero)),
            "frames": cut.frames,
            "position": cut.first,
            "speed": self.speed(clip),
            "media": media_of(clip),
        }

    def speed(self, clip: otio.schema.Clip) -> float:
        """Its linear time warps together; 0 is a picture that stands."""
        speed = 1.0
        for effect in clip.effects:
            if isinstance(effect, otio.schema.LinearTimeWarp):
                speed *= float(effect.time_scalar)
        return speed

    def shown(self, clip: otio.schema.Clip, place: str) -> dict[str, Any]:
        """What a clip shows: a source, or a colour."""
        reference = clip.media_reference
        if isinstance(reference, otio.schema.GeneratorReference):
            color = dict(reference.parameters).get("color")
            if reference.generator_kind == SOLID and isinstance(color, str):
                return {"color": color}
            self.lost.append((place, f"the generator {reference.generator_kind!r} is shown as black"))
            return {"color": "black"}
        source = self.source(clip, place)
        return {"color": "black"} if source is None else {"source": source}

    def source(self, clip: otio.schema.Clip, place: str) -> str | None:
        """The source that a clip names."""
        reference = clip.media_reference
        if isinstance(reference, otio.schema.ImageSequenceReference):
            url = (
                reference.target_url_for_image_number(0) if reference.number_of_images_in_sequence() else ""
            )
            self.lost.append((place, "of an image sequence the first picture is taken"))
        else:
            url = str(getattr(reference, "target_url", ""))
        path, whole = path_of(url)
        if not path:
            if not clip.name:
                self.lost.append((place, "names no media: it is shown as black"))
                return None
            self.lost.append((place, f"names no media: a source {clip.name!r} is looked for"))
            path, whole = path_of(clip.name)
        if not whole:
            self.lost.append((place, f"its media are elsewhere: put {path!r} into the source folder"))
        return path

    def lengthen(self, segment: dict[str, Any], now: dict[str, Any], cut: Cut) -> bool:
        """Set how long a segment is, and how much of its source that takes; whether that can be told."""
        seconds = Fraction(cut.frames) / self.grid.rate
        duration = self.grid.units(seconds)
        if duration is None:
            self.lost.append(
                (cut.place, "its new length is left out: only the music tells how long a beat is")
            )
            return False
        segment["duration"] = duration
        speed = abs(now["speed"])
        if now["speed"] < 0:
            effects = [*segment.get("effects", ()), {"op": "reverse"}]
            segment["effects"] = effects
        if speed == 0:
            segment |= {"fill": "freeze", "source_duration": float(1 / self.grid.rate)}
        elif abs(speed - 1) > _SAME:
            slowest, fastest = SPEEDS
            held = min(float(fastest), max(float(slowest), speed))
            if held != speed:
                self.lost.append((cut.place, f"its speed {speed:g} is brought to {held:g}"))
            segment |= {"fill": "stretch", "source_duration": float(seconds) * held}
        elif segment.get("fill") == "stretch":
            segment["fill"] = "cut"
            segment.pop("source_duration", None)
        return True

    def effects(self, clip: otio.schema.Clip, segment: dict[str, Any], place: str) -> None:
        """Our own effects that are still there; others are lost."""
        kept = [effect for effect in segment.get("effects", ()) if effect == {"op": "reverse"}]
        for effect in clip.effects:
            fields = own(effect).get("effect")
            if isinstance(fields, dict):
                kept.append(fields)
            elif not isinstance(effect, otio.schema.LinearTimeWarp):
                name = effect.effect_name or effect.name or type(effect).__name__
                self.lost.append((place, f"the effect {name!r} is left out"))
        segment["effects"] = kept

    def placed(self, segment: dict[str, Any], cut: Cut, *, moved: bool) -> dict[str, Any]:
        """With a start where the segment needs to say one."""
        if segment.get("start") is not None and not moved:
            return segment
        segment.pop("start", None)
        if not cut.follows:
            start = self.grid.units(Fraction(cut.first) / self.grid.rate)
            if start is None:
                self.lost.append((cut.place, "its place is left out: only the music tells where beats are"))
            else:
                segment["start"] = start
        return segment

    def transition(self, item: otio.schema.Transition, place: str) -> dict[str, Any]:
        """How the segment after it comes in."""
        fields = own(item)
        frames = [self.grid.frames(seconds_of(time)) for time in (item.in_offset, item.out_offset)]
        before = _held(Transition, fields.get("transition"))
        if before is not None and fields.get("written") == [item.transition_type, *frames]:
            return before
        kind = str((before or {}).get("type", "crossfade"))
        if before is None and item.transition_type != otio.schema.TransitionTypes.SMPTE_Dissolve:
            self.lost.append((place, f"the transition {item.transition_type!r} is a crossfade here"))
        early, late = (float(Fraction(count) / self.grid.rate) for count in frames)
        return {"type": kind, "duration": early + late, "offset": -early, "unit": "seconds"}

    def stretch(self, clip: otio.schema.Clip, cut: Cut) -> tuple[int, dict[str, Any]] | None:
        """A stretch of sound and its number among those of its track, or None where it cannot be one."""
        fields, now = own(clip), self.numbers(clip, cut)
        before, written = _held(AudioClip, fields.get("clip")), _numbers(fields.get("written"))
        if now is None:
            return None
        index = fields.get("index")
        number = index if isinstance(index, int) and before is not None else cut.first
        if before is None or written is None:
            before, written = {}, {}
            self.notes(clip, cut.place)
        sound = dict(before)
        if not same(written, now, "media"):
            source = self.source(clip, cut.place)
            if source is None:
                return None
            sound["source"] = source
        if not same(written, now, "in_point"):
            sound["in_point"] = now["in_point"]
        for name, frames in (("start", cut.first), ("duration", cut.frames)):
            if not same(written, now, "position" if name == "start" else "frames"):
                value = self.grid.units(Fraction(frames) / self.grid.rate)
                if value is None:
                    self.lost.append((cut.place, f"its new {name} is left out: only the music tells"))
                else:
                    sound[name] = value
        if now["speed"] != 1:
            self.lost.append((cut.place, "its sound is played at its own speed"))
        return number, sound

    def notes(self, item: Any, place: str) -> None:
        """Tell what an object carries that has no place in a komposition."""
        for marker in getattr(item, "markers", ()):
            self.lost.append((place, f"the marker {marker.name!r} is left out"))
        names = foreign(item)
        if names:
            self.lost.append((place, f"metadata of {', '.join(sorted(names))} are left out"))


class NameGiver:
    """Gives ids, each once."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def give(self, name: str, otherwise: str) -> str:
        """An id as near to `name` as can be, which no other has."""
        plain = _NO_ID.sub("-", name).strip("-_.")[:56] or f"{otherwise}{len(self._given) + 1}"
        found, number = plain, 1
        while found in self._given:
            number += 1
            found = f"{plain}-{number}"
        self._given.add(found)
        return found


def same(written: dict[str, Any], now: dict[str, Any], name: str) -> bool:
    """Whether a number or text that a clip says is as it was written."""
    if name not in written:
        return False
    old, new = written[name], now[name]
    if isinstance(old, int | float) and isinstance(new, int | float):
        return abs(old - new) <= _SAME
    return bool(old == new)


def _numbers(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


def _held(kind: type[Segment] | type[Transition] | type[AudioClip], value: Any) -> dict[str, Any] | None:
    """Fields that are still such a part; what somebody broke counts as not ours."""
    try:
        kind.model_validate(value)
    except ValidationError:
        return None
    return dict(value)
