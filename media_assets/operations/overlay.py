"""overlay: one picture laid over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from media_assets.media.graph import Option, Stream, filter_streams
from media_assets.operations.base import PICTURES, InputRule, Operation, Slot
from media_assets.operations.clip import (
    FINE,
    SOUND_RATE,
    Clip,
    Media,
    Picture,
    as_stereo,
    even,
    even_sides,
    stereo,
)
from media_assets.operations.conform import JOINED_SOUND, lasting
from media_assets.operations.parameters import Parameters, Timecode
from media_assets.operations.placing import (
    Length,
    Margin,
    Position,
    during,
    laid_over,
    margin_pixels,
    pixels,
    place,
    stretch,
)

_At = Annotated[int, Field(ge=-16_384, le=16_384)]


class OverlayParameters(Parameters):
    """Where the overlay is (`position` and `margin`, or `x` and `y` of its left upper corner in pixels).

    width: a fraction of the picture up to 1, pixels above; its own size without; its shape is kept.
    margin: a fraction of the picture's height below 1, pixels from 1 on. start, end: when it is seen; a
    video starts to play at `start`, and is gone when it is over. mix_sound: its sound is heard too.
    """

    position: Position = "center"
    x: _At | None = None
    y: _At | None = None
    margin: Margin = 0.03
    width: Length | None = None
    opacity: Annotated[float, Field(ge=0, le=1)] = 1.0
    start: Timecode = 0.0
    end: Timecode | None = None
    mix_sound: bool = False


class Overlay(Operation[OverlayParameters]):
    """Lays a video or a still over the picture; the result ends with what is below."""

    name = "overlay"
    aliases = ("picture_in_picture", "watermark")
    example = {"position": "bottom_right", "width": 0.25, "opacity": 0.8}
    summary = "Lay a picture over another: a logo, a picture in the picture; its transparency holds."
    parameters = OverlayParameters
    takes = InputRule(
        kinds=PICTURES,
        needs=frozenset({"video"}),
        slots=(Slot("overlay", PICTURES, frozenset({"video"}), aliases=("overlay_source", "foreground")),),
    )
    megapixels_per_second = 2500.0

    def expect(self, clips: Sequence[Clip], parameters: OverlayParameters) -> Clip:
        """As what is below; mixed sound in stereo at 48 kHz."""
        below, above = clips
        stretch("overlay", below, parameters.start, parameters.end)
        mixed = below.kind == "video" and parameters.mix_sound and above.sound is not None
        return replace(below.delivered, sound=JOINED_SOUND) if mixed else below.delivered

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: OverlayParameters
    ) -> tuple[bool, bool]:
        """The overlay's sound only where it is mixed in."""
        return video, audio and (index == 0 or parameters.mix_sound)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: OverlayParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Scale the overlay, lay it over, mix."""
        below, above = media
        window = stretch("overlay", clips[0], parameters.start, parameters.end)
        video, audio = below.video, below.audio
        pictures = clips[0].picture, clips[1].picture
        if video is not None and above.video is not None and pictures[0] and pictures[1]:
            front = _scaled(above.video, pictures[1], pictures[0], parameters)
            still = clips[1].kind == "image"
            if window and not still:
                front = front.filter("settb", FINE).filter("setpts", f"PTS+{window[0]:.6f}/TB")
            video = _laid(even_sides(video, pictures[0]), front, pictures[0], parameters, window, still)
        if above.audio is not None:
            audio = _mixed(audio, above.audio, clips[0].duration or 0.0, window or (0.0, None))
        return Media(video, audio)


def _scaled(front: Stream, own: Picture, below: Picture, parameters: OverlayParameters) -> Stream:
    """The overlay in its size and opacity, in pixels of the shape that the picture below has."""
    width, height = own.square
    wanted = float(width)
    if parameters.width is not None:
        wanted = pixels(parameters.width, round(below.width * below.sar))
    front = front.filter("scale", even(wanted / below.sar), even(wanted * height / width)).filter(
        "setsar", 1
    )
    seen_through = own.alpha or parameters.opacity < 1
    front = front.filter("format", "yuva420p" if seen_through else "yuv420p")
    return front.filter("lutyuv", a=f"val*{parameters.opacity}") if parameters.opacity < 1 else front


def _laid(
    back: Stream,
    front: Stream,
    picture: Picture,
    parameters: OverlayParameters,
    window: tuple[float, float | None] | None,
    still: bool,
) -> Stream:
    x, y = place(
        parameters.position, margin_pixels(parameters.margin, picture.height), ("W", "H", "w", "h")
    )
    x = x if parameters.x is None else str(parameters.x)
    y = y if parameters.y is None else str(parameters.y)
    options: dict[str, Option] = {"enable": during(window)} if window else {}
    options["eof_action"] = "repeat" if still else "pass"
    return laid_over(back, front, picture, x, y, **options)


def _mixed(
    below: Stream | None, above: Stream, seconds: float, window: tuple[float, float | None]
) -> Stream:
    """Both sounds at their own loudness, the overlay's while it is seen, as long as the picture below."""
    start, end = window
    above = stereo(above, SOUND_RATE)
    if end is not None:
        above = above.filter("atrim", end=f"{end - start:.6f}")
    above = above.filter("adelay", f"{round(start * SOUND_RATE)}S", all=1)
    above = lasting(above, seconds)
    if below is None:
        return as_stereo(above, SOUND_RATE)
    both = [lasting(stereo(below, SOUND_RATE), seconds), above]
    return as_stereo(filter_streams(both, "amix", inputs=2, normalize=0), SOUND_RATE)
