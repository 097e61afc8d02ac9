"""Reads the oldest documents: `{name, masterBpm, parts}` in XML, a mix of parts of songs or videos."""

from __future__ import annotations

from typing import Any

from media_assets.kompositions.dialects.drafts import Draft, Score
from media_assets.kompositions.dialects.heads import clock_of, read_bpm, read_names, read_output
from media_assets.kompositions.dialects.placing import arrange
from media_assets.kompositions.dialects.reading import Member
from media_assets.kompositions.dialects.segments import identify, stretch
from media_assets.kompositions.dialects.sources import file_of, is_sound


def read(root: Member) -> dict[str, Any]:
    """A document in its canonical form; what is wrong with it is noted."""
    head: dict[str, Any] = {}
    read_names(head, [root])
    root.describe("root", "dvls")
    bpm = read_bpm(head, root.get("masterBpm", "masterbpm", "bpm"))
    if bpm is None:
        root.fail("says no masterBpm, so nobody knows how long its beats are")
        return {}
    read_output(head, [root], root)
    score = Score(root.reading, clock_of(bpm), head)
    parts = root.listed("parts")
    for member in parts:
        draft = _part(member, score)
        if draft is not None:
            score.drafts.append(draft)
    if not parts:
        root.fail("has no parts: there is nothing to see")
    if root.reading.errors or not score.drafts:
        return {}
    arrange(score)
    return score.canonical()


def _part(member: Member, score: Score) -> Draft | None:
    name, start, end = identify(member), member.number("start"), member.number("end")
    if start is None or end is None or end <= start:
        member.fail("has no start before its end")
        return None
    described = member.object("dvl")
    described.describe("name")
    link = described.get("url") or described.get("name")
    draft = Draft(name, member, start, end, None)
    if link is not None and not str(link.value).endswith((".xml", ".dvl", ".json")):
        draft.source = file_of(str(link.value), link)
    if draft.source is not None and is_sound(draft.source):
        member.fail("is a part of a sound: there is nothing to see")
        return None
    part = None if draft.source else member.reading.neighbours.part(name)
    if part is not None:
        member.warn(f"is the part of {part.source!r} that {part.document} names so")
        draft.source, draft.in_point = part.source, part.start
        stretch(draft, part.duration, draft.length * score.clock.seconds)
    elif draft.source is None:
        text = f"{name!r} is described in another document, and no document beside this one does"
        member.reading.unknown(member.place, text)
        return None
    return draft
