"""Puts the segments of a document one after another, by stated rules.

Start and end decide; a duration beside them is only compared. Segments are ordered by their start. Where
two overlap there is a crossfade; where none is, the background is seen. The segments decide how long the
whole is, whatever else the document says. A render window cuts.
"""

from __future__ import annotations

from fractions import Fraction

from media_assets.kompositions.dialects.drafts import Clock, Draft, Score
from media_assets.kompositions.dialects.reading import Member


def arrange(score: Score) -> None:
    """Order the segments, turn overlaps into crossfades, and keep gaps."""
    score.drafts = ordered(score.drafts, score.clock)


def ordered(drafts: list[Draft], clock: Clock, under: str = "the background") -> list[Draft]:
    """Segments of one layer, ready to follow each other; `under` is what is seen where there are none."""
    in_time = sorted(drafts, key=lambda draft: draft.start)
    if [id(d) for d in in_time] != [id(d) for d in drafts]:
        reading = drafts[0].member.reading
        reading.warn(drafts[0].member.place[:-1], "are not in the order of time: their start decides")
    position = Fraction(0)
    for index, draft in enumerate(in_time):
        if draft.start > position:
            draft.keep_start = True
            gap = f"from {_at(position, clock)} to {_at(draft.start, clock)}"
            draft.member.warn(f"{gap} nothing is seen but {under}")
        elif draft.start < position and index:
            _overlap(in_time[index - 1], draft, clock)
        position = max(position, draft.end)
    return in_time


def _overlap(before: Draft, draft: Draft, clock: Clock) -> None:
    overlap = min(before.end - draft.start, draft.length)
    if draft.start <= before.start:
        draft.member.fail(f"starts together with {before.name!r}: only one can be seen")
        return
    if before.end > draft.end:
        draft.member.warn(f"ends before {before.name!r} does, which is not shown again after it")
    text = f"overlaps the segment before by {float(overlap):g} {clock.unit}: that is a crossfade"
    draft.member.warn(text)
    draft.transition = {"type": "crossfade", "duration": float(overlap)}
    before.end_at(draft.start)


def compare_length(draft: Draft, member: Member | None, clock: Clock) -> None:
    """Say where a stated duration is not what start and end give, be it beats or seconds."""
    stated = member.as_number() if member else None
    if member is None or stated is None:
        return
    seconds = draft.length * clock.seconds
    if all(abs(stated - length) > Fraction(1, 1000) for length in (draft.length, seconds)):
        given = f"{float(draft.length):g} {clock.unit} from start to end, {float(seconds):g} s"
        member.warn(f"is not the {given}: these decide")


def compare_end(score: Score, member: Member | None, *, in_seconds: bool = False) -> None:
    """Say where a stated end of the whole is not that of its last segment."""
    stated = member.as_number() if member else None
    if member is None or not stated or not score.drafts:
        return
    end = max(draft.end for draft in score.drafts)
    last = end * score.clock.seconds if in_seconds else end
    if abs(stated - last) <= Fraction(1, 100):
        return
    unit = "s" if in_seconds else score.clock.unit
    what = "the last segment ends" if last < stated else "a segment goes on"
    word = "before it, at" if last < stated else "after it, to"
    member.warn(f"{what} {word} {float(last):g} {unit}: the segments decide how long it is")


def window(score: Score, first: Member | None, last: Member | None) -> Fraction:
    """Leave only what lies between two positions; returns how much went before."""
    begin = (first.as_number() if first else None) or Fraction(0)
    end = last.as_number() if last else None
    whole = max((draft.end for draft in score.drafts), default=Fraction(0))
    if end is None or end <= begin:
        if last is not None and end is not None:
            last.warn("is no window that something could be seen through: everything is rendered")
        end = max(whole, begin)
    if begin >= whole:
        if first is not None and begin:
            first.warn("lies behind the last segment: everything is rendered")
        return Fraction(0)
    kept = []
    for draft in score.drafts:
        if draft.end <= begin or draft.start >= end:
            draft.member.warn("lies outside of what is to be rendered and is left out")
            score.reading.whole.add(draft.member.place)
            continue
        if draft.end > end:
            draft.member.warn(f"is cut where the render ends, at {_at(end, score.clock)}")
            draft.end_at(end)
        if draft.start < begin:
            draft.member.warn(f"is cut where the render begins, at {_at(begin, score.clock)}")
            draft.begin_at(begin, score.clock)
        draft.start -= begin
        draft.end -= begin
        kept.append(draft)
    score.drafts = kept
    return begin


def _at(position: Fraction, clock: Clock) -> str:
    return f"{'beat' if clock.unit == 'beats' else 'second'} {float(position):g}"
