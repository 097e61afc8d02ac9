"""Cuts a timeline into pieces: where a segment, a transition or a layer begins or ends.

A long body is cut every twenty seconds from its own start, so that its parts are rendered side by side and
a change near its end leaves the others as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from media_assets.kompositions.placement import Placed
from media_assets.kompositions.shots import Content, Crossing, Laid, Piece, Shot
from media_assets.kompositions.staging import Stage

_LONGEST_SECONDS = 20
_SHORTEST_SECONDS = 5


@dataclass(frozen=True)
class PlacedLayer:
    """A layer on the timeline: its segments in order, and where its pictures go.

    Attributes:
        name: the layer's id; empty for the main one.
    """

    name: str
    z: int
    segments: tuple[Placed, ...]
    stage: Stage
    laid: Laid

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.segments[-1].end


@dataclass(frozen=True)
class _Span:
    """Frames `first` up to `end` of a layer, in which a segment is seen, and another goes on under it."""

    first: int
    end: int
    here: Placed
    before: Placed | None

    @property
    def name(self) -> str:
        """The segment's id, or `a>b`."""
        own = self.here.segment.id
        return own if self.before is None else f"{self.before.segment.id}>{own}"

    @property
    def segments(self) -> tuple[str, ...]:
        """Ids of those that are seen."""
        outgoing = () if self.before is None else (self.before.segment.id,)
        return (*outgoing, self.here.segment.id)


def pieces(layers: Sequence[PlacedLayer], frames: int, rate: Fraction) -> Iterator[Piece]:
    """The pieces of a timeline of that many frames; `layers` are from the lowest to the highest."""
    spans = [list(_spans(layer)) for layer in layers]
    cuts = {0, frames}
    for layer in spans:
        for span in layer:
            cuts |= {span.first, span.end, *_parts(span, rate)}
    seen: Counter[str] = Counter()
    waiting = [layer[::-1] for layer in spans]
    for first, end in pairwise(sorted(cuts)):
        here = [_current(layer, first) for layer in waiting]
        piece = _piece(layers, here, first, end - first)
        seen[piece.id] += 1
        number = seen[piece.id]
        yield piece if number == 1 else replace(piece, id=f"{piece.id}+{number}")


def _spans(layer: PlacedLayer) -> Iterator[_Span]:
    for index, here in enumerate(layer.segments):
        begin = here.first_shown + here.fade_frames
        if here.fade_frames:
            yield _Span(here.first_shown, begin, here, layer.segments[index - 1])
        after = layer.segments[index + 1] if index + 1 < len(layer.segments) else None
        end = after.first_shown if after is not None and after.fade_frames else here.end
        if end > begin:
            yield _Span(begin, end, here, None)


def _parts(span: _Span, rate: Fraction) -> Iterator[int]:
    """Where a long body is cut."""
    if span.before is not None or not span.here.chain.is_timeless:
        return
    longest, shortest = round(_LONGEST_SECONDS * rate), round(_SHORTEST_SECONDS * rate)
    yield from range(span.first + longest, span.end - shortest, longest)


def _current(waiting: list[_Span], frame: int) -> _Span | None:
    """The span that a frame lies in; spans that are over are taken off the end of `waiting`."""
    while waiting and waiting[-1].end <= frame:
        waiting.pop()
    return waiting[-1] if waiting and waiting[-1].first <= frame else None


def _piece(layers: Sequence[PlacedLayer], here: Sequence[_Span | None], first: int, frames: int) -> Piece:
    contents: list[Content] = []
    for layer, span in zip(layers, here, strict=True):
        if span is None:
            continue
        content = _content(layer, span, first, frames, lowest=not contents)
        # What is hidden is not made.
        contents = [content] if _hides(content, layer.stage) else [*contents, content]
    main = next((span for layer, span in zip(layers, here, strict=True) if span and not layer.name), None)
    named = main or next((span for span in reversed(here) if span), None)
    return Piece(
        id=named.name if named else "gap",
        kind="crossfade" if named and named.before else "body",
        first_frame=first,
        frames=frames,
        contents=tuple(contents),
        segments=tuple(name for span in here if span for name in span.segments),
    )


def _content(layer: PlacedLayer, span: _Span, first: int, frames: int, *, lowest: bool) -> Content:
    """What a layer shows from frame `first` on."""
    if span.before is None:
        shot = layer.stage.shot(span.here, first - span.here.first_shown, frames)
        return _opaque(Content((shot,), None, layer.laid), layer.stage, lowest)
    length = span.end - span.first
    # All of a transition is made, and the piece cuts its pictures out.
    shots = tuple(
        layer.stage.shot(placed, span.first - placed.first_shown, length)
        for placed in (span.before, span.here)
    )
    transition = span.here.segment.transition
    crossing = Crossing(transition.kind if transition else "fade", length, first - span.first)
    return _opaque(Content(shots, crossing, layer.laid), layer.stage, lowest)


def _opaque(content: Content, stage: Stage, lowest: bool) -> Content:
    """Without transparency where nothing is to be seen through it."""
    bottom = lowest and content.laid.is_plain and stage.is_whole and not _shows_background(content, stage)
    if not bottom and not (stage.is_whole and content.laid.is_plain and all(map(_is_full, content.shots))):
        return content
    return replace(content, shots=tuple(stage.without_alpha(shot) for shot in content.shots))


def _shows_background(content: Content, stage: Stage) -> bool:
    """Whether something else than black has to be put under transparent pictures."""
    return stage.output.background != "#000000" and any(_is_transparent(shot) for shot in content.shots)


def _hides(content: Content, stage: Stage) -> bool:
    return stage.is_whole and content.laid.is_plain and not any(s.frame.alpha for s in content.shots)


def _is_full(shot: Shot) -> bool:
    """Whether its pictures fill the frame and nothing is seen through them."""
    fills = (shot.bare.width, shot.bare.height) == (shot.frame.width, shot.frame.height)
    return fills and not _is_transparent(shot) and all(take.start is not None for take in shot.takes)


def _is_transparent(shot: Shot) -> bool:
    result = shot.effects[-1].result.picture if shot.effects else shot.bare
    changed = result is not None and (result.width, result.height) != (shot.bare.width, shot.bare.height)
    return shot.bare.alpha or changed or (result is not None and result.alpha)
