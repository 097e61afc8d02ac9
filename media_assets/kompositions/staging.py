"""Where the pictures of a layer go, and what of a segment is seen there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from media_assets.kompositions.footage import fitted, is_still
from media_assets.kompositions.model import OutputFormat
from media_assets.kompositions.placement import Placed
from media_assets.kompositions.segments import Box, Framing, Segment
from media_assets.kompositions.shots import Seen, Shot
from media_assets.kompositions.takes import led, part, takes
from media_assets.kompositions.values import Fit, exact
from media_assets.media.info import MediaInfo
from media_assets.operations.clip import Picture, even

Focus = Callable[[str, float, float], tuple[float, float]]
"""Where there is something to see in a source between two of its seconds: fractions of width and height."""


@dataclass(frozen=True)
class Stage:
    """The rectangle that a layer's pictures go into.

    Attributes:
        media: what each source is, by reference.
        focus: asked for `smart`; without it that is as `cover`.
    """

    output: OutputFormat
    width: int
    height: int
    media: Mapping[str, MediaInfo]
    focus: Focus | None = None

    @classmethod
    def of(
        cls, box: Box, output: OutputFormat, media: Mapping[str, MediaInfo], focus: Focus | None
    ) -> Stage:
        """The stage of a layer's box."""
        width, height = even(output.width * box.width), even(output.height * box.height)
        return cls(output, width, height, media, focus)

    @property
    def is_whole(self) -> bool:
        """Whether it is as large as the output."""
        return (self.width, self.height) == (self.output.width, self.output.height)

    @property
    def frame(self) -> Picture:
        """The form of its pictures, where there may be something under them."""
        return Picture(self.width, self.height, self.output.rate, alpha=True)

    def info(self, segment: Segment) -> MediaInfo | None:
        """What a segment's source is; None for a colour."""
        return None if segment.source is None else self.media[segment.source]

    def bare(self, segment: Segment) -> Picture:
        """A segment's pictures before its effects, without bars around them."""
        info = self.info(segment)
        if info is None:
            return replace(self.frame, alpha=len(segment.color or "") == len("#rrggbbaa"))
        alpha = info.video is not None and info.video.has_alpha
        whole = replace(self.frame, alpha=alpha)
        inside = replace(fitted(info, whole), alpha=alpha)
        fills = segment.view is not None or self._fit(segment) != "contain"
        return whole if fills else inside

    def shot(self, placed: Placed, first: int, frames: int) -> Shot:
        """Pictures `first` up to `first + frames` of a segment, with its effects.

        Where these depend on time, they work on the whole segment, and the piece cuts its pictures out:
        a picture is the same in whichever piece it is shown.
        """
        segment, info, rate = placed.segment, self.info(placed.segment), self.output.rate
        timeless = placed.chain.is_timeless
        begin, count = (first, frames) if timeless else (0, placed.shown_frames)
        found = part(takes(segment, placed.extent(rate), info), begin, count)
        if info is None or is_still(info):
            found = (replace(found[0], start=Fraction(0), step=Fraction(0), frames=count, moving=count),)
        else:
            found = tuple(led(take, info) for take in found)
        return Shot(
            source=segment.source,
            color=segment.color,
            takes=found,
            frame=self.frame,
            seen=self._seen(placed, begin),
            bare=self.bare(segment),
            frames=frames,
            effects=placed.chain.picture,
            whole=0 if timeless else placed.shown_frames,
            skipped=0 if timeless else first,
        )

    def without_alpha(self, shot: Shot) -> Shot:
        """The shot on a frame that nothing is seen through."""
        return replace(shot, frame=replace(shot.frame, alpha=False))

    def _fit(self, segment: Segment) -> Fit:
        """How a segment's pictures go into the frame; a logo in a box stays whole."""
        return segment.fit or (self.output.fit if self.is_whole else "contain")

    def _seen(self, placed: Placed, first: int) -> Seen | None:
        """What of a picture fills the frame, from the segment's picture `first` on."""
        segment, info = placed.segment, self.info(placed.segment)
        if info is None:
            return None
        if segment.view is not None:
            view = segment.view
            return Seen(view.start, view.end, view.easing, first, placed.shown_frames)
        fit = self._fit(segment)
        inside = fitted(info, self.frame)
        if fit == "contain" or (inside.width, inside.height) == (self.width, self.height):
            return None
        middle = Framing()
        if fit == "smart" and self.focus is not None and segment.source is not None:
            start = float(exact(segment.in_point))
            end = start + float(placed.frames * placed.speed / self.output.rate)
            x, y = self.focus(segment.source, start, end)
            middle = Framing(x=x, y=y)
        return Seen(middle, middle)
