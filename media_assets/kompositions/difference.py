"""What going from one document to another changes, in the text and in what is to be rendered.

Pure: two documents and their plans are compared; no file is read and nothing is rendered.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from media_assets.ids import canonical_json
from media_assets.kompositions.model import Komposition
from media_assets.kompositions.plan import KompositionPlan

_SHOWN_CHARACTERS = 60
_ABSENT = object()


@dataclass(frozen=True)
class Change:
    """A field that is not as it was.

    Attributes:
        place: a JSON path in the later document; of what is gone, in the earlier one.
        text: `12 → 12.5`, `added: …`, `removed: …` or `moved from place 3 to 1`.
    """

    place: str
    text: str


@dataclass(frozen=True)
class ChangedPiece:
    """A piece of the later plan that the earlier one has not.

    Attributes:
        id: as in the plan.
        segments: ids of those that it shows.
        first_frame, frames: where it stands, and how long it is.
        stored: it is in the store, so it is not rendered.
        estimate: a guess at the CPU-seconds that it takes, stored or not.
    """

    id: str
    segments: tuple[str, ...]
    first_frame: int
    frames: int
    stored: bool
    estimate: float


@dataclass(frozen=True)
class Difference:
    """What going from one document to another takes.

    Attributes:
        changes: the fields that differ.
        pieces: those that the earlier plan has not, in the order of the timeline.
        sound_changed: the sound is another; sound_stored: it is in the store.
        whole_stored: the finished file is in the store: nothing is rendered.
        cpu_seconds: a guess at what rendering takes.
    """

    changes: tuple[Change, ...]
    pieces: tuple[ChangedPiece, ...]
    sound_changed: bool
    sound_stored: bool
    whole_stored: bool
    cpu_seconds: float

    @property
    def rendered(self) -> tuple[str, ...]:
        """Ids of the pieces that would be rendered."""
        return () if self.whole_stored else tuple(piece.id for piece in self.pieces if not piece.stored)

    @property
    def sound_rendered(self) -> bool:
        """Whether the sound would be made."""
        return self.sound_changed and not self.sound_stored and not self.whole_stored

    def to_json(self) -> dict[str, Any]:
        """As `komposition diff --json` prints it."""
        return asdict(self) | {"rendered": list(self.rendered), "sound_rendered": self.sound_rendered}


def difference(
    before: tuple[Komposition, KompositionPlan],
    after: tuple[Komposition, KompositionPlan],
    stored: Callable[[str], bool],
) -> Difference:
    """Compare two documents with their plans; `stored` tells whether a fingerprint is in the store."""
    (old, old_plan), (new, new_plan) = before, after
    there = {piece.fingerprint for piece in old_plan.pieces}
    found: dict[str, ChangedPiece] = {}
    for planned in new_plan.pieces:
        if planned.fingerprint not in there and planned.fingerprint not in found:
            piece = planned.piece
            found[planned.fingerprint] = ChangedPiece(
                piece.id,
                piece.segments,
                piece.first_frame,
                piece.frames,
                stored(planned.fingerprint),
                planned.estimate,
            )
    sound_changed = old_plan.sound_fingerprint != new_plan.sound_fingerprint
    sound_stored = stored(new_plan.sound_fingerprint)
    whole = stored(new_plan.fingerprint)
    pieces = tuple(found.values())
    work = sum(piece.estimate for piece in pieces if not piece.stored)
    work += new_plan.sound_estimate if sound_changed and not sound_stored else 0.0
    seconds = 0.0 if whole else work
    return Difference(changes(old, new), pieces, sound_changed, sound_stored, whole, seconds)


def changes(old: Komposition, new: Komposition) -> tuple[Change, ...]:
    """Field by field, what `new` has that `old` had not; segments are known by their ids."""
    return tuple(_compared(canonical(old), canonical(new), "$"))


def canonical(komposition: Komposition) -> dict[str, Any]:
    """A document as JSON values, all that is left to its default included."""
    document: dict[str, Any] = komposition.model_dump(mode="json", exclude_none=True)
    return document


def _compared(old: Any, new: Any, place: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys([*old, *new]):
            yield from _compared(old.get(name, _ABSENT), new.get(name, _ABSENT), f"{place}.{name}")
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compared_lists(old, new, place)
    elif old is _ABSENT:
        yield Change(place, f"added: {_short(new)}")
    elif new is _ABSENT:
        yield Change(place, f"removed: {_short(old)}")
    elif canonical_json(old) != canonical_json(new):
        yield Change(place, f"{_short(old)} → {_short(new)}")


def _compared_lists(old: list[Any], new: list[Any], place: str) -> Iterator[Change]:
    pairs, numbered = _paired(old, new)
    gone = set(range(len(old))) - {here for here, _ in pairs}
    come = set(range(len(new))) - {there for _, there in pairs}
    for index in sorted(gone):
        yield Change(f"{place}[{index}]", f"removed: {_short(old[index])}")
    moved = _moved(pairs)
    for here, there in sorted(pairs, key=lambda pair: pair[1]):
        if there in moved:
            yield Change(f"{place}[{there}]", f"moved from place {here + 1} to {there + 1}")
        before, after = old[here], new[there]
        if numbered:
            # Named by their places: that these are others is no change of theirs.
            before, after = _nameless(before), _nameless(after)
        yield from _compared(before, after, f"{place}[{there}]")
    for index in sorted(come):
        yield Change(f"{place}[{index}]", f"added: {_short(new[index])}")


def _paired(old: list[Any], new: list[Any]) -> tuple[list[tuple[int, int]], bool]:
    """Which member was which: by id where they have names, else by what they are and where they stand.

    Returns:
        (index before, index after) of each, and whether their ids are no names but numbers.
    """
    names = [[item.get("id") if isinstance(item, dict) else None for item in items] for items in (old, new)]
    numbered = all(_is_numbered(items) for items in names) and bool(old) and bool(new)
    if all(isinstance(name, str) for items in names for name in items) and not numbered:
        places = {name: index for index, name in enumerate(names[1])}
        return [(here, places[name]) for here, name in enumerate(names[0]) if name in places], False
    texts = [
        [canonical_json(_nameless(item) if numbered else item) for item in items] for items in (old, new)
    ]
    pairs: list[tuple[int, int]] = []
    matcher = difflib.SequenceMatcher(None, texts[0], texts[1], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind in ("equal", "replace"):
            pairs += zip(range(a, b), range(c, d), strict=False)
    return pairs, numbered


def _is_numbered(names: Sequence[Any]) -> bool:
    """Whether ids are those that members without any are given: a prefix and their place."""
    return all(isinstance(name, str) and name.endswith(str(n)) for n, name in enumerate(names, 1)) and (
        len({str(name).removesuffix(str(n)) for n, name in enumerate(names, 1)}) <= 1
    )


def _nameless(item: Any) -> Any:
    return {name: value for name, value in item.items() if name != "id"} if isinstance(item, dict) else item


def _moved(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Places after, of members that changed their order among the others."""
    order = [here for here, _ in sorted(pairs, key=lambda pair: pair[1])]
    matcher = difflib.SequenceMatcher(None, sorted(order), order, autojunk=False)
    kept = {order[b + n] for _, b, size in matcher.get_matching_blocks() for n in range(size)}
    return {there for here, there in pairs if here not in kept}


def _short(value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("id"), str):
        named = {name: value[name] for name in ("id", "source", "color", "duration") if name in value}
        value = named if len(named) > 1 else value
    text = canonical_json(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
