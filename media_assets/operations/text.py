"""text: words on the picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field, field_validator

from media_assets.media.fonts import Font, default_font
from media_assets.media.graph import Option, Stream
from media_assets.operations.base import PICTURES, InputRule, Operation, Slot
from media_assets.operations.clip import Clip, Media, Picture, even_sides
from media_assets.operations.colors import Color
from media_assets.operations.parameters import Duration, Parameters, Timecode
from media_assets.operations.placing import (
    Length,
    Margin,
    Position,
    during,
    margin_pixels,
    pixels,
    place,
    stretch,
)

_At = Annotated[int, Field(ge=-16_384, le=16_384)]
_SMALLEST = 4
# Around the text in its box, as a fraction of the size of the letters.
_BOX = 0.25


class TextParameters(Parameters):
    """The text, exactly as it is given, and how it looks.

    Lines that are too long are broken at spaces (between any two Chinese or Japanese characters); where a
    word is still too wide, or the lines are too high for the picture, the letters become smaller.

    size: of the letters (one em), a fraction of the picture's height up to 1, pixels above. box: a
    rectangle of `box_color` behind the text. outline: its width as a fraction of the size. position and
    margin, or x and y of the left upper corner in pixels. start, end: when it is seen; fade: seconds in
    which it comes and goes.
    """

    text: Annotated[str, Field(min_length=1, max_length=5000)]
    size: Length = 0.07
    color: Color = "#ffffff"
    box: bool = False
    box_color: Color = "#00000099"
    outline: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    outline_color: Color = "#000000"
    position: Position = "bottom"
    margin: Margin = 0.05
    x: _At | None = None
    y: _At | None = None
    start: Timecode = 0.0
    end: Timecode | None = None
    fade: Duration = 0.0

    @field_validator("text")
    @classmethod
    def _can_be_drawn(cls, text: str) -> str:
        if "\0" in text:
            raise ValueError("text cannot hold the character NUL")
        if not text.strip():
            raise ValueError("there is no text to draw")
        return text.replace("\r\n", "\n").replace("\r", "\n")


class Text(Operation[TextParameters]):
    """Draws text; a clip of other than square pixels gets square ones, so that letters keep their shape."""

    name = "text"
    aliases = ("drawtext", "title", "caption")
    example = {"text": "It's 100% done", "position": "bottom", "start": 0.5, "fade": 0.2}
    summary = "Write on the picture: any text, in any place, for a time."
    parameters = TextParameters
    takes = InputRule(
        kinds=PICTURES,
        needs=frozenset({"video"}),
        slots=(Slot("font", frozenset({"font"}), required=False),),
    )
    megapixels_per_second = 3000.0

    def expect(self, clips: Sequence[Clip], parameters: TextParameters) -> Clip:
        """The same, with square pixels."""
        clip = clips[0]
        stretch("text", clip, parameters.start, parameters.end)
        return replace(clip.delivered, picture=_square(clip))

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: TextParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Break the lines, then drawtext."""
        source, clip = media[0], clips[0]
        video = source.video
        if video is not None and clip.picture is not None:
            picture = _square(clip) or clip.picture
            video = even_sides(video, clip.picture)
            if clip.picture.sar != 1:
                video = video.filter("scale", picture.width, picture.height).filter("setsar", 1)
            path = media[1].path if len(media) > 1 else None
            window = stretch("text", clip, parameters.start, parameters.end)
            options = _drawing(Font(path or default_font()), picture, clip, parameters, window)
            video = _format(video, picture).filter("drawtext", **options)
            video = _format(video, picture)
        return Media(video, source.audio, source.offset)


def _square(clip: Clip) -> Picture | None:
    picture = clip.delivered.picture
    if picture is None or picture.sar == 1:
        return picture
    width, height = picture.square
    return Picture(width, height, picture.fps, alpha=picture.alpha)


def _format(video: Stream, picture: Picture) -> Stream:
    return video.filter("format", picture.pixel_format)


def _drawing(
    font: Font,
    picture: Picture,
    clip: Clip,
    parameters: TextParameters,
    window: tuple[float, float | None] | None,
) -> dict[str, Option]:
    """Options of drawtext."""
    margin = margin_pixels(parameters.margin, picture.height)
    wanted = max(_SMALLEST, round(pixels(parameters.size, picture.height)))
    around = margin + round(max(_BOX * parameters.box, parameters.outline) * wanted)
    room = (max(1, picture.width - 2 * around), max(1, picture.height - 2 * around))
    lines, size = laid_out(parameters.text, font, wanted, room)
    padding = round(_BOX * size) if parameters.box else 0
    edge = margin + max(padding, round(parameters.outline * size))
    high = str(round(len(lines) * font.line * size))
    x, y = place(parameters.position, edge, ("w", "h", "text_w", high))
    side = next((side for side in ("left", "right") if side in parameters.position), "center")
    options: dict[str, Option] = {
        "text": "\n".join(lines),
        "expansion": "none",
        "fontfile": str(font.path),
        "fontsize": size,
        "fontcolor": parameters.color,
        "text_align": side,
        "y_align": "font",
        "x": x if parameters.x is None else str(parameters.x + padding),
        "y": y if parameters.y is None else str(parameters.y + padding),
    }
    if parameters.box:
        options |= {"box": 1, "boxcolor": parameters.box_color, "boxborderw": padding}
    if parameters.outline:
        options |= {"borderw": round(parameters.outline * size), "bordercolor": parameters.outline_color}
    if window is None:
        window = (0.0, None)
    elif window != (0.0, None):
        options["enable"] = during(window)
    if parameters.fade and clip.duration is not None:
        start, end = window[0], clip.duration if window[1] is None else min(window[1], clip.duration)
        options["alpha"] = f"clip(min(t-{start:.6f},{end:.6f}-t)/{parameters.fade:.6f},0,1)"
    return options


def laid_out(text: str, font: Font, size: int, room: tuple[int, int]) -> tuple[list[str], int]:
    """The lines of a text and the size of its letters that fit into `room` (width and height in pixels).

    At the smallest size that can be read it is left to run over.
    """
    while True:
        lines = [line for given in text.split("\n") for line in _broken(given, font, room[0] / size)]
        fits = len(lines) * font.line * size <= room[1]
        if size <= _SMALLEST or (fits and all(font.width(line) * size <= room[0] for line in lines)):
            return lines, size
        size = max(_SMALLEST, min(size - 1, int(size * 0.96)))


def _broken(line: str, font: Font, most: float) -> Iterator[str]:
    """A line in parts of at most `most` ems, as far as it may be broken; spaces at breaks are left out."""
    kept = ""
    for piece in _pieces(line):
        if kept.strip() and font.width((kept + piece).rstrip()) > most:
            yield kept.rstrip()
            kept = piece.lstrip() if not piece.isspace() else ""
        else:
            kept += piece
    yield kept


def _pieces(line: str) -> Iterator[str]:
    """Words, each with the space after it, and wide characters one by one."""
    piece = ""
    for letter in line:
        wide = unicodedata.east_asian_width(letter) in "WF"
        if piece and (wide or (piece[-1].isspace() and not letter.isspace())):
            yield piece
            piece = ""
        piece += letter
        if wide:
            yield piece
            piece = ""
    if piece:
        yield piece
