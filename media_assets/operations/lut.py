"""lut: colours through a table from a .cube file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from media_assets.media.color import in_rgb
from media_assets.media.graph import Stream, filter_streams
from media_assets.operations.base import PICTURES, InputRule, Operation, Slot
from media_assets.operations.clip import Clip, Media, even_sides
from media_assets.operations.grading import Share
from media_assets.operations.parameters import Parameters


class LutParameters(Parameters):
    """How much of the table is seen (`intensity`), and how colours between its points are found.

    A table of one dimension (LUT_1D_SIZE) has no tetrahedra: there, everything but nearest is linear.
    """

    intensity: Share = 1.0
    interpolation: Literal["nearest", "trilinear", "tetrahedral", "pyramid", "prism"] = "tetrahedral"


class Lut(Operation[LutParameters]):
    """Any look that a grading program wrote down."""

    name = "lut"
    aliases = ("apply_lut", "lut3d")
    example = {"intensity": 0.8}
    summary = "Change colours by a table (a .cube file)."
    parameters = LutParameters
    takes = InputRule(
        kinds=PICTURES,
        needs=frozenset({"video"}),
        slots=(Slot("lut", frozenset({"lut"}), aliases=("file", "lut_file")),),
    )
    timeless = True
    megapixels_per_second = 50

    def expect(self, clips: Sequence[Clip], parameters: LutParameters) -> Clip:
        """The same streams."""
        return clips[0].delivered

    def draws_on(
        self, index: int, video: bool, audio: bool, parameters: LutParameters
    ) -> tuple[bool, bool]:
        """The table has no streams."""
        return (video, audio) if index == 0 else (False, False)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: LutParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Look each colour up; the sound passes by."""
        source, table = media[0], media[1].path
        picture, video = clips[0].picture, source.video
        if video is not None and picture is not None and table is not None:
            video = even_sides(video, picture)
            if parameters.intensity:
                video = _mapped(video, picture.pixel_format, table, parameters)
            video = video.filter("format", picture.pixel_format)
        return Media(video, source.audio, source.offset)


def _mapped(video: Stream, pixel_format: str, table: Path, parameters: LutParameters) -> Stream:
    interpolation = parameters.interpolation

    def through(rgb: Stream) -> Stream:
        # ffmpeg takes the file's format from the last dot of what it is given.
        if not _is_line(table):
            return rgb.filter("lut3d", file=str(table), interp=interpolation)
        nearest = interpolation == "nearest"
        return rgb.filter("lut1d", file=str(table), interp="nearest" if nearest else "linear")

    if parameters.intensity == 1:
        return in_rgb(video, pixel_format, through)
    video, original = video.split(2, audio=False)
    changed = in_rgb(video, pixel_format, through)
    return filter_streams([changed, original], "blend", all_mode="normal", all_opacity=parameters.intensity)


def _is_line(table: Path) -> bool:
    """Whether the table maps each channel by itself."""
    words = (line.split() for line in table.read_text("utf-8-sig").splitlines())
    return any(line and line[0] == "LUT_1D_SIZE" for line in words)
