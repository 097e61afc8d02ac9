"""color_correction: brightness, contrast, saturation, gamma, temperature, tint."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from media_assets.media.color import in_rgb
from media_assets.media.graph import Stream
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.grading import toned
from media_assets.operations.parameters import Parameters

_NEUTRAL_KELVIN = 6500.0
_GAMMA = 2.2
# ITU-R BT.709: what each channel gives to brightness.
_LUMA = (0.2126, 0.7152, 0.0722)


class ColorCorrectionParameters(Parameters):
    """Each stands at the value that changes nothing.

    `brightness` is added (share of white); `contrast` is about mid-grey; `saturation` 0 is grey;
    `gamma` above 1 lightens middle tones. `temperature` (kelvin) is the light that the scene seems to
    stand in: below 6500 warmer, above cooler. `tint` goes from green (-1) to magenta (1).
    """

    brightness: Annotated[float, Field(ge=-1, le=1)] = 0.0
    contrast: Annotated[float, Field(ge=0, le=4)] = 1.0
    saturation: Annotated[float, Field(ge=0, le=3)] = 1.0
    gamma: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    temperature: Annotated[float, Field(ge=2000, le=25_000)] = _NEUTRAL_KELVIN
    tint: Annotated[float, Field(ge=-1, le=1)] = 0.0


class ColorCorrection(PictureOperation[ColorCorrectionParameters]):
    """White balance first, then tone."""

    name = "color_correction"
    aliases = ("color_correct", "color_adjust", "eq")
    example = {"contrast": 1.1, "saturation": 1.2, "temperature": 5000}
    summary = "Brightness, contrast, saturation, gamma, colour temperature and tint."
    parameters = ColorCorrectionParameters
    timeless = True
    megapixels_per_second = 275

    def apply(
        self, video: Stream, picture: Picture, clip: Clip, parameters: ColorCorrectionParameters
    ) -> Stream:
        """Gains of red, green and blue, then curves of brightness and colour."""
        if parameters.temperature != _NEUTRAL_KELVIN or parameters.tint:
            gains = zip("rgb", _gains(parameters.temperature, parameters.tint), strict=True)
            scaled = {name: f"clip(val*{gain:.6f}+0.5,0,255)" for name, gain in gains}
            video = in_rgb(video, picture.pixel_format, lambda rgb: rgb.filter("lutrgb", **scaled, a="val"))
        return toned(
            video,
            brightness=parameters.brightness,
            contrast=parameters.contrast,
            saturation=parameters.saturation,
            gamma=parameters.gamma,
        )


def _gains(kelvin: float, tint: float) -> tuple[float, float, float]:
    """Factors of red, green and blue; grey keeps its brightness."""
    light, neutral = _light(kelvin), _light(_NEUTRAL_KELVIN)
    red, green, blue = (a / b for a, b in zip(light, neutral, strict=True))
    green *= 1 - 0.2 * tint
    weight = sum(share * gain for share, gain in zip(_LUMA, (red, green, blue), strict=True))
    return red / weight, green / weight, blue / weight


def _light(kelvin: float) -> tuple[float, float, float]:
    """Red, green and blue, gamma-encoded, of a black body's light.

    Kim et al., US patent 7024034 B2: a cubic approximation of the Planckian locus from 1667 to 25000 K.
    """
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    big_x, big_z = x / y, (1 - x - y) / y
    # XYZ to linear RGB of BT.709 (IEC 61966-2-1).
    red = 3.2404542 * big_x - 1.5371385 - 0.4985314 * big_z
    green = -0.9692660 * big_x + 1.8760108 + 0.0415560 * big_z
    blue = 0.0556434 * big_x - 0.2040259 + 1.0572252 * big_z
    red, green, blue = (max(0.0, value) ** (1 / _GAMMA) for value in (red, green, blue))
    return red, green, blue
