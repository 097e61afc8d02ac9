"""contact_sheet: a video at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from media_assets.errors import BadInput
from media_assets.media.color import flattened
from media_assets.media.encode import Profile, profile
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import Clip, Media, Picture, even
from media_assets.operations.colors import Color, opaque
from media_assets.operations.conform import square
from media_assets.operations.parameters import Parameters

_SMALLEST_TILE = 16
_STILL_RATE = Fraction(25)


class ContactSheetParameters(Parameters):
    """How many frames across and down, the width of the whole in pixels, and the margin between them.

    The margin is in pixels, around the whole too, and has the colour `background`.
    """

    columns: Annotated[int, Field(ge=1, le=20, validation_alias=AliasChoices("columns", "cols"))] = 4
    rows: Annotated[int, Field(ge=1, le=20)] = 4
    width: Annotated[int, Field(ge=64, le=8192)] = 1280
    margin: Annotated[int, Field(ge=0, le=200)] = 8
    background: Color = "#111111"


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels: of a tile, the margin, and the whole."""

    tile: tuple[int, int]
    margin: int
    whole: tuple[int, int]


class ContactSheet(Operation[ContactSheetParameters]):
    """Frames in the middle of equal parts of the video, left to right, then down."""

    name = "contact_sheet"
    aliases = ("thumbnail_sheet", "storyboard")
    example = {"columns": 3, "rows": 2, "width": 480}
    summary = "Frames from all over a video, side by side in one still."
    parameters = ContactSheetParameters
    takes = InputRule(kinds=frozenset({"video"}), needs=frozenset({"video"}))

    def expect(self, clips: Sequence[Clip], parameters: ContactSheetParameters) -> Clip:
        """A still; its height follows from the shape of the video."""
        whole = _layout(clips[0], parameters).whole
        return Clip("image", None, Picture(*whole, _STILL_RATE))

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: ContactSheetParameters
    ) -> tuple[bool, bool]:
        """The picture."""
        return video, False

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: ContactSheetParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Take what is shown in the middle of each part, and lay the tiles out."""
        video, clip = media[0].video, clips[0]
        if video is None or clip.picture is None:
            return Media(None, None)
        count = parameters.columns * parameters.rows
        part = (clip.duration or 0.0) / count
        layout = _layout(clip, parameters)
        # Rounded up, a slot shows the last frame that began before it, however unevenly frames come.
        video = video.filter("setpts", f"PTS-{part / 2:.6f}/TB")
        video = video.filter("fps", f"{1 / part:.9f}", start_time=0, round="up")
        video = video.filter("tpad", stop_mode="clone", stop=count).filter("trim", end_frame=count)
        if clip.picture.alpha:
            video = flattened(video)
        video = square(video).filter("scale", *layout.tile, flags="area").filter("format", "yuv420p")
        video = video.filter("setsar", 1).filter(
            "tile",
            f"{parameters.columns}x{parameters.rows}",
            margin=layout.margin,
            padding=layout.margin,
            color=opaque(parameters.background),
        )
        video = video.filter("setpts", 0)
        return Media(video.filter("format", "yuv420p"), None)

    def encoding(self, result: Clip, parameters: ContactSheetParameters) -> Profile:
        """A JPEG."""
        return profile("jpeg")


def _layout(clip: Clip, parameters: ContactSheetParameters) -> _Layout:
    """Tiles in the video's shape that fill the width."""
    columns, rows = parameters.columns, parameters.rows
    # 4:2:0 has colour for every second pixel only: tiles begin at even ones.
    margin = parameters.margin + parameters.margin % 2
    across = (parameters.width - margin * (columns + 1)) // columns
    width = across - across % 2
    picture = clip.picture or Picture(16, 9, _STILL_RATE)
    height = even(width * picture.height / (picture.width * picture.sar))
    if width < _SMALLEST_TILE or height < _SMALLEST_TILE:
        raise BadInput(f"{columns} columns do not fit into {parameters.width} pixels", hint="use fewer")
    whole = columns * width + (columns + 1) * margin, rows * height + (rows + 1) * margin
    return _Layout((width, height), margin, whole)
