"""subtitles: burnt into the picture, or beside it as a stream that a player can switch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from media_assets.media.encode import Profile
from media_assets.media.fonts import SUBTITLE_FONT, fonts_folder
from media_assets.media.graph import Option
from media_assets.operations.base import InputRule, Operation, Slot
from media_assets.operations.clip import Clip, Media, Picture, even_sides
from media_assets.operations.colors import Color
from media_assets.operations.parameters import Parameters

# What ffmpeg takes for the picture's height where the file does not say: all its lengths are of this.
_LINES = 288
_SAID_LINES = re.compile(r"^PlayResY:\s*(\d+)", re.MULTILINE)
# An overriding style counts places as SSA does, not as ASS files do.
_ALIGNED = {"bottom": 2, "center": 10, "top": 6}


class SubtitlesParameters(Parameters):
    """`burn` them into the picture, or write them as a `stream` (MP4, `language` as ISO 639-2: eng).

    The look of burnt ones; what is left out is as the file says (.ass), or white with a black outline.
    size: the height of a line, as a fraction of the shorter side. box_color: of a box behind the lines
    instead of an outline. margin: from the edge, as a fraction of the height.
    """

    mode: Literal["burn", "stream"] = "burn"
    size: Annotated[float, Field(gt=0, le=0.5)] | None = None
    color: Color | None = None
    outline_color: Color | None = None
    box_color: Color | None = None
    position: Literal["bottom", "center", "top"] | None = None
    margin: Annotated[float, Field(ge=0, le=0.5)] | None = None
    language: Annotated[str, Field(pattern="^[a-z]{3}$")] = "und"


class Subtitles(Operation[SubtitlesParameters]):
    """libass with the project's font; a stream is dropped by whatever is done afterwards."""

    name = "subtitles"
    aliases = ("burn_subtitles", "add_subtitles")
    example = {"mode": "burn"}
    summary = "Show the lines of an .srt, .vtt or .ass file: in the picture, or as a stream beside it."
    parameters = SubtitlesParameters
    takes = InputRule(
        kinds=frozenset({"video"}),
        needs=frozenset({"video"}),
        slots=(Slot("subtitles", frozenset({"subtitle"}), aliases=("subtitle", "captions")),),
    )
    megapixels_per_second = 3000.0

    def expect(self, clips: Sequence[Clip], parameters: SubtitlesParameters) -> Clip:
        """The same streams, and the subtitles' own."""
        return replace(clips[0].delivered, subtitle=parameters.mode == "stream")

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: SubtitlesParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Draw them, or hand them on."""
        source, lines = media
        video, picture = source.video, clips[0].picture
        if video is not None and picture is not None:
            video = even_sides(video, picture).filter("format", picture.pixel_format)
            if parameters.mode == "burn" and lines.path is not None:
                video = video.filter("subtitles", **_drawing(lines.path, picture, parameters))
                video = video.filter("format", picture.pixel_format)
        subtitle = lines.subtitle if parameters.mode == "stream" else None
        return Media(video, source.audio, source.offset, subtitle=subtitle)

    def encoding(self, result: Clip, parameters: SubtitlesParameters) -> Profile:
        """H.264 in MP4; a stream of timed text with it, which ends with the picture."""
        plain = super().encoding(result, parameters)
        if not result.subtitle:
            return plain
        more: dict[str, Option] = {
            "c:s": "mov_text",
            "metadata:s:s:0": f"language={parameters.language}",
            "disposition:s:0": "default",
        }
        if result.duration is not None:
            more["t"] = f"{result.duration:.6f}"
        return replace(plain, container={**plain.container, **more})


def _drawing(path: Path, picture: Picture, parameters: SubtitlesParameters) -> dict[str, Option]:
    """Options of ffmpeg's filter; lengths are counted in lines of the file's own picture."""
    plain = path.suffix.lower() not in (".ass", ".ssa")
    lines = _LINES if plain else _said_lines(path)
    short = min(1.0, float(picture.width * picture.sar / picture.height))
    style: dict[str, object] = {}
    if plain:
        style = {"FontName": SUBTITLE_FONT, "FontSize": 0.075 * lines * short, "MarginV": 0.05 * lines}
        style |= {"Outline": 0.006 * lines * short, "Shadow": 0}
    if parameters.size is not None:
        style["FontSize"] = parameters.size * lines * short
    if parameters.color is not None:
        style["PrimaryColour"] = _abgr(parameters.color)
    if parameters.outline_color is not None:
        style["OutlineColour"] = _abgr(parameters.outline_color)
    if parameters.box_color is not None:
        # A box takes the colour of the outline, and its width for what is around the letters.
        style |= {"BorderStyle": 3, "OutlineColour": _abgr(parameters.box_color), "Outline": 0.01 * lines}
    if parameters.position is not None:
        style["Alignment"] = _ALIGNED[parameters.position]
    if parameters.margin is not None:
        style["MarginV"] = parameters.margin * lines
    words = [f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in style.items()]
    options: dict[str, Option] = {"filename": str(path), "fontsdir": str(fonts_folder())}
    if words:
        options["force_style"] = ",".join(words)
    return options | ({"alpha": 1} if picture.alpha else {})


def _said_lines(path: Path) -> int:
    match = _SAID_LINES.search(path.read_text("utf-8-sig"))
    return int(match[1]) or _LINES if match else _LINES


def _abgr(color: str) -> str:
    """A colour as subtitle files write it: blue first, and how much is seen through it before."""
    red, green, blue, alpha = (int(color[at : at + 2] or "ff", 16) for at in (1, 3, 5, 7))
    return f"&H{255 - alpha:02X}{blue:02X}{green:02X}{red:02X}"
