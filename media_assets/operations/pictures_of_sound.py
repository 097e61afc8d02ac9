"""Sound drawn as a still: waveform, spectrogram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AliasChoices, Field

from media_assets.media.color import from_rgb
from media_assets.media.graph import filter_streams, generate
from media_assets.operations.base import InputRule, Operation
from media_assets.operations.clip import SOUND_RATE, Clip, Media, Picture, even
from media_assets.operations.colors import Color, opaque
from media_assets.operations.fitting import mono
from media_assets.operations.parameters import Parameters

# Enough to draw what is loud; the filter keeps all samples until the end.
_DRAWN_RATE = 16_000
_STILL_RATE = Fraction(25)
# showspectrumpic's own: axes beside the spectrum take this much on each side.
_AXIS_WIDTH = int((math.log10(SOUND_RATE) + 1) * 25)
_AXIS_HEIGHT = 64


class SizeParameters(Parameters):
    """Width and height in pixels; odd ones are made even."""

    width: Annotated[int, Field(ge=320, le=8192)] = 1280
    height: Annotated[int, Field(ge=160, le=8192)] = 320

    @property
    def size(self) -> tuple[int, int]:
        """Even width and height."""
        return even(self.width), even(self.height)


S = TypeVar("S", bound=SizeParameters)


class PictureOfSound(Operation[S], Generic[S]):
    """A still drawn from sound; the clip's own picture is not looked at. A subclass draws."""

    takes = InputRule(needs=frozenset({"audio"}))
    megapixels_per_second = 10_000.0

    def expect(self, clips: Sequence[Clip], parameters: S) -> Clip:
        """A still of the asked size."""
        return Clip("image", None, Picture(*parameters.size, _STILL_RATE, alpha=self.alpha(parameters)))

    def alpha(self, parameters: S) -> bool:
        """Whether something shines through."""
        return False

    def draws_on(self, index: int, video: bool, audio: bool, parameters: S) -> tuple[bool, bool]:
        """The sound, for a picture."""
        return False, video


class WaveformParameters(SizeParameters):
    """The size in pixels, the colours of wave and background, and how loudness becomes height.

    `lin` draws samples as they are; `sqrt` and `log` make quiet sound visible. A background that is not
    opaque (`transparent`, `black@0.5`) gives a transparent picture.
    """

    color: Color = Field(default="#38bdf8", validation_alias=AliasChoices("color", "colors", "colour"))
    background: Color = Field(
        default="#0f172a", validation_alias=AliasChoices("background", "background_color", "bg_color")
    )
    scale: Literal["lin", "sqrt", "cbrt", "log"] = "sqrt"


class Waveform(PictureOfSound[WaveformParameters]):
    """Peaks of all channels together, on a line that stands for silence."""

    name = "waveform"
    aliases = ("audio_waveform", "showwavespic")
    example = {"width": 640, "height": 160, "color": "teal", "background": "white"}
    summary = "The sound's waveform as a still."
    parameters = WaveformParameters

    def alpha(self, parameters: WaveformParameters) -> bool:
        """Where the background is not opaque."""
        return parameters.background != opaque(parameters.background)

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: WaveformParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Draw the wave over the background."""
        audio = media[0].audio
        if audio is None:
            return Media(None, None)
        width, height = parameters.size
        ground = generate(f"color=c={parameters.background}:s={width}x{height}:r=1:d=1,format=rgba").video()
        ground = ground.filter("drawbox", 0, height // 2 - 1, width, 2, parameters.color, "fill")
        wave = mono(audio, clips[0], _DRAWN_RATE).filter(
            "showwavespic",
            size=f"{width}x{height}",
            colors=parameters.color,
            scale=parameters.scale,
            draw="full",
            filter="peak",
        )
        wave = wave.filter("setpts", 0).filter("format", "rgba")
        drawn = filter_streams([ground.filter("format", "rgba"), wave], "overlay", format="rgb")
        picture = Picture(width, height, _STILL_RATE, alpha=self.alpha(parameters))
        return Media(from_rgb(drawn, picture.pixel_format), None)


class SpectrogramParameters(SizeParameters):
    """The size in pixels, the colours, and whether there are axes of time, frequency and loudness."""

    width: Annotated[int, Field(ge=320, le=8192)] = 1280
    height: Annotated[int, Field(ge=160, le=8192)] = 640
    color: Literal["intensity", "rainbow", "fire", "cool", "magma", "green", "viridis", "plasma"] = "magma"
    legend: bool = True


class Spectrogram(PictureOfSound[SpectrogramParameters]):
    """Frequencies from 0 to 24 kHz over time."""

    name = "spectrogram"
    aliases = ("showspectrumpic", "spectrum")
    example = {"width": 640, "height": 320}
    summary = "The sound's spectrum over time as a still."
    parameters = SpectrogramParameters

    def build(
        self,
        media: Sequence[Media],
        clips: Sequence[Clip],
        parameters: SpectrogramParameters,
        measured: Mapping[str, Any],
    ) -> Media:
        """Draw; with axes the spectrum itself is that much smaller."""
        audio = media[0].audio
        if audio is None:
            return Media(None, None)
        width, height = parameters.size
        inner = (
            (width - 2 * _AXIS_WIDTH, height - 2 * _AXIS_HEIGHT) if parameters.legend else (width, height)
        )
        picture = mono(audio, clips[0], SOUND_RATE).filter(
            "showspectrumpic",
            size=f"{max(16, inner[0])}x{max(16, inner[1])}",
            color=parameters.color,
            legend=int(parameters.legend),
            threads=1,
        )
        # The filter draws in full range and says nothing of it; narrow pictures are all axes.
        picture = picture.filter("setparams", range="pc", colorspace="bt470bg")
        picture = picture.filter("scale", width, height).filter("format", "gbrp")
        return Media(from_rgb(picture, "yuv420p").filter("setsar", 1), None)
