"""Transitions: crossfade_transition, gradient_wipe, opacity_transition."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field

from media_assets.errors import BadInput
from media_assets.media.graph import Stream, filter_streams
from media_assets.media.xfade import TRANSITIONS, require
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture
from media_assets.operations.conform import frames_seconds, joined
from media_assets.operations.grading import Share
from media_assets.operations.join import conformed, same_kind
from media_assets.operations.parameters import Duration, Parameters
from media_assets.operations.splicing import Overlap, levels, moving_edge, parted, rejoined
from media_assets.settings import Settings


def _offered(name: str) -> str:
    try:
        return require(name, Settings.from_environment())
    except BadInput as error:
        raise ValueError(f"{error.message}; {error.hint}") from None


XfadeTransition = Annotated[
    str, AfterValidator(_offered), Field(json_schema_extra={"enum": list(TRANSITIONS)})
]
"""A transition that the installed ffmpeg has; schemas list those of the ffmpeg that comes along."""

Curve = Literal[
    "qsin",
    "tri",
    "hsin",
    "esin",
    "log",
    "ipar",
    "qua",
    "cub",
    "squ",
    "cbr",
    "par",
    "exp",
    "iqsin",
    "ihsin",
    "dese",
    "desi",
    "losi",
    "sinc",
    "isinc",
    "quat",
    "quatr",
    "qsin2",
    "hsin2",
]


class TransitionParameters(Parameters):
    """How long the clips overlap (seconds), and by which curve one sound gives way to the other.

    `qsin` keeps the power of unlike sounds, `tri` (linear) the level of like ones; the other curves are
    those of ffmpeg's afade.
    """

    duration: Annotated[Duration, Field(gt=0, le=60)] = 1.0
    curve: Curve = "qsin"


T = TypeVar("T", bound=TransitionParameters)


class Transition(Operation[T]):
    """The second clip comes in over the end of the first. A subclass says `merge`."""

    takes = InputRule(minimum=2, maximum=2)

    @abstractmethod
    def merge(
        self, first: Stream, second: Stream, picture: Picture, overlap: Overlap, parameters: T
    ) -> Stream:
        """Both pictures as one; they have one size and one constant rate."""

    def expect(self, clips: Sequence[Clip], parameters: T) -> Clip:
        """As long as both together less the overlap."""
        same_kind(self.name, clips)
        picture, sound = joined(clips)
        first, second = (frames_seconds(clip.duration or 0.0, picture) for clip in clips)
        overlap = frames_seconds(parameters.duration, picture)
        if overlap >= min(first, second):
            raise BadInput(f"the clips ({first:.2f} s, {second:.2f} s) are too short for {overlap:.2f} s")
        return Clip("video" if picture else "audio", first + second - overlap, picture, sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: T,
        measured: Mapping[str, Any],
    ) -> Media:
        """Conform both, merge the pictures, crossfade the sounds."""
        picture, sound = joined(clips)
        first, second = conformed(media, clips, picture, sound)
        video = audio = None
        if picture is not None and first.video is not None and second.video is not None:
            counts = [
                max(1, round(s * picture.fps))
                for s in (clips[0].duration or 0.0, clips[1].duration or 0.0, parameters.duration)
            ]
            video = self.merge(first.video, second.video, picture, Overlap(*counts), parameters)
            video = video.filter("format", picture.pixel_format)
        if first.audio is not None and second.audio is not None:
            seconds = frames_seconds(parameters.duration, picture)
            curves = {"c1": parameters.curve, "c2": parameters.curve}
            audio = filter_streams([first.audio, second.audio], "acrossfade", d=f"{seconds:.6f}", **curves)
        return Media(video, audio)


class CrossfadeParameters(TransitionParameters):
    """Overlap (seconds) and curve of the sound; how one picture gives way to the other (`transition`)."""

    transition: XfadeTransition = "fade"


class CrossfadeTransition(Transition[CrossfadeParameters]):
    """All of ffmpeg's transitions."""

    name = "crossfade_transition"
    aliases = ("crossfade", "xfade")
    version = "2"
    example = {"duration": 0.5, "transition": "dissolve"}
    summary = "Fade or wipe from one clip to the next, picture and sound; they overlap."
    parameters = CrossfadeParameters
    megapixels_per_second = 210

    def merge(
        self,
        first: Stream,
        second: Stream,
        picture: Picture,
        overlap: Overlap,
        parameters: CrossfadeParameters,
    ) -> Stream:
        """Only the overlap goes through xfade, which takes pictures of full colour resolution."""
        full = picture.pixel_format.replace("420", "444")
        before, old, new, after = parted(first, second, overlap)
        mixed = filter_streams(
            [old.filter("format", full), new.filter("format", full)],
            "xfade",
            transition=parameters.transition,
            duration=f"{float(overlap.shared / picture.fps):.6f}",
            offset=0,
        )
        return rejoined(before, mixed.filter("format", picture.pixel_format), after)


class GradientWipeParameters(TransitionParameters):
    """Overlap (seconds) and curve of the sound; which way the edge moves, and how soft it is.

    `direction` is a word, or degrees clockwise from rightwards (90 is downwards). `softness` is the width
    of the edge as a share of its way (0 is hard).
    """

    direction: (
        Literal["right", "left", "down", "up", "down_right", "down_left", "up_right", "up_left"]
        | Annotated[float, Field(ge=-360, le=360)]
    ) = "right"
    softness: Share = 0.3


_DEGREES = {
    "right": 0.0,
    "down_right": 45.0,
    "down": 90.0,
    "down_left": 135.0,
    "left": 180.0,
    "up_left": 225.0,
    "up": 270.0,
    "up_right": 315.0,
}


class GradientWipe(Transition[GradientWipeParameters]):
    """A soft edge runs over the picture; the next clip is behind it."""

    name = "gradient_wipe"
    example = {"duration": 0.5, "direction": "down_right"}
    summary = "Wipe from one clip to the next with a soft edge, in any direction."
    parameters = GradientWipeParameters

    def merge(
        self,
        first: Stream,
        second: Stream,
        picture: Picture,
        overlap: Overlap,
        parameters: GradientWipeParameters,
    ) -> Stream:
        """The edge is drawn once, larger than the picture, and a window moves over it."""
        named = parameters.direction
        degrees = _DEGREES[named] if isinstance(named, str) else named
        before, old, new, after = parted(first, second, overlap)
        old, form = old.split(2, audio=False)
        mask = moving_edge(form, picture, degrees, parameters.softness, overlap.shared)
        return rejoined(before, filter_streams([old, new, mask], "maskedmerge"), after)


class OpacityTransitionParameters(TransitionParameters):
    """Overlap (seconds) and curve of the sound; the second clip's opacity as it starts and ends.

    Where `end_opacity` is below 1, the first clip's last picture stays visible under the second.
    """

    start_opacity: Share = 0.0
    end_opacity: Share = 1.0


class OpacityTransition(Transition[OpacityTransitionParameters]):
    """The second clip lies over the first, and its opacity changes."""

    name = "opacity_transition"
    example = {"duration": 0.5, "end_opacity": 0.8}
    summary = "Lay the next clip over the first one's end while its opacity rises."
    parameters = OpacityTransitionParameters

    def merge(
        self,
        first: Stream,
        second: Stream,
        picture: Picture,
        overlap: Overlap,
        parameters: OpacityTransitionParameters,
    ) -> Stream:
        """A mask of one grey for each picture."""
        start, end = parameters.start_opacity, parameters.end_opacity
        lasting = overlap.second if end < 1 else overlap.shared
        before, old, new, after = parted(first, second, overlap, lasting)
        old, form = old.split(2, audio=False)
        mask = levels(form, picture, f"{start:.6f}+{end - start:.6f}*min(1,(N+0.5)/{overlap.shared})")
        return rejoined(before, filter_streams([old, new, mask], "maskedmerge"), after)
