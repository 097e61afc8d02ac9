"""chroma_key: one colour becomes transparent, or another picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from media_assets.media.color import in_rgb
from media_assets.media.encode import Profile, profile
from media_assets.media.graph import Option, Stream, filter_streams
from media_assets.operations.base import PICTURES, InputRule, Operation, Slot
from media_assets.operations.clip import Clip, Media, Picture, even_sides
from media_assets.operations.colors import Color, opaque
from media_assets.operations.conform import square
from media_assets.operations.grading import Share
from media_assets.operations.parameters import Parameters
from media_assets.operations.placing import laid_over


class ChromaKeyParameters(Parameters):
    """The colour of the screen, and how near to it is transparent.

    `similarity` is the distance in colour (0…1) up to which all is transparent, `blend` the further
    distance over which it becomes opaque; `despill` takes the screen's reflection out of what is left
    (green and blue screens).
    """

    color: Color = "#00ff00"
    similarity: Annotated[float, Field(ge=0.01, le=1)] = 0.2
    blend: Share = 0.08
    despill: Share = 0.5


class ChromaKey(Operation[ChromaKeyParameters]):
    """By colour alone: a shadow on the screen counts as the screen."""

    name = "chroma_key"
    aliases = ("chromakey", "green_screen")
    example = {"color": "#00b140", "similarity": 0.15}
    summary = "Make a colour transparent, or put another picture in its place (`background`)."
    parameters = ChromaKeyParameters
    takes = InputRule(
        kinds=PICTURES,
        needs=frozenset({"video"}),
        slots=(Slot("background", PICTURES, frozenset({"video"}), required=False),),
    )
    megapixels_per_second = 25

    def expect(self, clips: Sequence[Clip], parameters: ChromaKeyParameters) -> Clip:
        """The first input's streams; transparent where nothing is laid under."""
        clip = clips[0].delivered
        if clip.picture is None:
            return clip
        return replace(clip, picture=replace(clip.picture, alpha=_alpha(clips)))

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: ChromaKeyParameters
    ) -> tuple[bool, bool]:
        """The sound is the first input's."""
        return video, audio and index == 0

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ChromaKeyParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Key, take out the spill, lay over."""
        source, clip = media[0], clips[0].delivered
        video, picture = source.video, clip.picture
        if video is None or picture is None or clips[0].picture is None:
            return Media(None, source.audio, source.offset)
        video = even_sides(video, clips[0].picture).filter("format", "yuva420p")
        under = media[1].video if len(media) > 1 else None
        if under is None:
            video = _keyed(video, picture, parameters)
        else:
            video, times = video.split(2, audio=False)
            video = _keyed(video, picture, parameters)
            form = replace(picture, alpha=_alpha(clips))
            # Its pictures are shown when the first input's are: `blend` takes times from its first input.
            under = _covering(under, form)
            times = times.filter("format", form.pixel_format)
            under = filter_streams([times, under], "blend", all_mode="normal", all_opacity=0)
            video = laid_over(under, video, form, "0", "0", alpha="straight")
        return Media(video, source.audio, source.offset)

    def encoding(self, result: Clip, parameters: ChromaKeyParameters) -> Profile:
        """As a format that carries transparency, where the result has any."""
        transparent = result.picture is not None and result.picture.alpha
        return (
            profile("prores")
            if transparent and result.kind == "video"
            else super().encoding(result, parameters)
        )


def _alpha(clips: Sequence[Clip]) -> bool:
    """Whether something is still transparent at the end."""
    return len(clips) < 2 or clips[1].picture is None or clips[1].picture.alpha


def _keyed(video: Stream, picture: Picture, parameters: ChromaKeyParameters) -> Stream:
    """The picture without the colour; what was transparent stays so."""
    # Left to itself, chromakey takes its colour for one of BT.601.
    # At the borders between its threads it sees other neighbours: with one, there are none.
    options: dict[str, Option] = {"yuv": 1, "threads": 1}
    values = (_yuv(parameters.color), parameters.similarity, parameters.blend)
    if picture.alpha:
        video, original = video.split(2, audio=False)
        video = video.filter("chromakey", *values, **options)
        video = filter_streams([video, original], "blend", c3_mode="darken")
    else:
        video = video.filter("chromakey", *values, **options)
    screen = _screen(parameters.color)
    if parameters.despill and screen:

        def cleaned(rgb: Stream) -> Stream:
            # `mix` 0.5 holds the screen's channel against the mean of the others.
            return rgb.filter("format", "rgba").filter(
                "despill", screen, mix=0.5, **{screen: -parameters.despill}
            )

        video = in_rgb(video, "yuva420p", cleaned)
    return video


def _covering(video: Stream, picture: Picture) -> Stream:
    """The picture as large as covers `picture` without borders, from its middle."""
    wide, high = picture.square
    video = square(video).filter(
        "scale", wide, high, force_original_aspect_ratio="increase", flags="bicubic"
    )
    video = video.filter("crop", wide, high).filter("scale", picture.width, picture.height)
    return video.filter("setsar", f"{picture.sar.numerator}/{picture.sar.denominator}").filter(
        "format", picture.pixel_format
    )


def _channels(color: str) -> tuple[int, int, int]:
    text = opaque(color)
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _yuv(color: str) -> str:
    """The colour as BT.709 of limited range, in the hexadecimal form of the filter."""
    red, green, blue = (value / 255 for value in _channels(color))
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    cb, cr = (blue - luma) / 1.8556, (red - luma) / 1.5748
    return f"0x{round(16 + 219 * luma):02x}{round(128 + 224 * cb):02x}{round(128 + 224 * cr):02x}"


def _screen(color: str) -> str | None:
    """Which screen that is, as `despill` calls it; None for a colour of another kind."""
    red, green, blue = _channels(color)
    if green > max(red, blue):
        return "green"
    return "blue" if blue > max(red, green) else None
