"""Looks of texture: blurs, lenses and tape.

gaussian_blur, vignette, chromatic_aberration, dreamy_soft, vhs_look, glitch_aesthetic.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from media_assets.media.color import in_rgb
from media_assets.media.graph import Stream, filter_streams
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.grading import (
    Look,
    LookParameters,
    Share,
    noised,
    opaque_part,
    shaded,
    sharpened,
    toned,
    vignetted,
)
from media_assets.operations.parameters import Parameters

Sigma = Annotated[float, Field(ge=0, le=200)]
Shift = Annotated[int, Field(ge=-10, le=10)]


class GaussianBlurParameters(Parameters):
    """Standard deviation of the blur in pixels; `sigma_vertical` where it differs from the horizontal."""

    sigma: Sigma = 5.0
    sigma_vertical: Sigma | None = None


class GaussianBlur(PictureOperation[GaussianBlurParameters]):
    """Blurs evenly; around transparency only what is seen."""

    name = "gaussian_blur"
    aliases = ("blur",)
    example = {"sigma": 3}
    summary = "Blur the picture by a Gaussian of so many pixels."
    parameters = GaussianBlurParameters
    timeless = True
    megapixels_per_second = 250

    def apply(
        self, video: Stream, picture: Picture, clip: Clip, parameters: GaussianBlurParameters
    ) -> Stream:
        """Colours are weighed by their opacity, or what is transparent would bleed into what is not."""
        vertical = parameters.sigma if parameters.sigma_vertical is None else parameters.sigma_vertical
        if parameters.sigma == vertical == 0:
            return video

        def blur(stream: Stream) -> Stream:
            return stream.filter("gblur", sigma=parameters.sigma, sigmaV=vertical, steps=3)

        def weighed(rgb: Stream) -> Stream:
            return blur(rgb.filter("premultiply", inplace=1)).filter("unpremultiply", inplace=1)

        return in_rgb(video, picture.pixel_format, weighed) if picture.alpha else blur(video)


class VignetteParameters(Parameters):
    """How dark the corners become (`intensity`), from where on, and around which point.

    `radius` is a share of the way from the middle to a corner; `x` and `y` are shares of width and height.
    """

    intensity: Share = 0.5
    radius: Annotated[float, Field(ge=0, le=0.95)] = 0.4
    x: Share = 0.5
    y: Share = 0.5


class Vignette(PictureOperation[VignetteParameters]):
    """Darkens evenly towards the corners; the middle stays."""

    name = "vignette"
    example = {"intensity": 0.8}
    summary = "Darken the picture towards its corners."
    parameters = VignetteParameters
    timeless = True
    megapixels_per_second = 770

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: VignetteParameters) -> Stream:
        """A mask that is drawn once."""
        return vignetted(
            video, picture, parameters.intensity, radius=parameters.radius, x=parameters.x, y=parameters.y
        )


class ChromaticAberrationParameters(Parameters):
    """Pixels by which red and blue lie outside and inside of green at the left and right edge."""

    amount: Annotated[int, Field(ge=0, le=50)] = 4


class ChromaticAberration(PictureOperation[ChromaticAberrationParameters]):
    """As a simple lens does it: none in the middle, more towards the edges."""

    name = "chromatic_aberration"
    example = {"amount": 3}
    summary = "Colour fringes of a simple lens, growing towards the edges."
    parameters = ChromaticAberrationParameters
    timeless = True
    megapixels_per_second = 250

    def apply(
        self, video: Stream, picture: Picture, clip: Clip, parameters: ChromaticAberrationParameters
    ) -> Stream:
        """Red is enlarged most, green half as much, blue not: so no edge is left empty."""
        width, height = picture.width, picture.height
        amount = parameters.amount
        if amount == 0:
            return video
        shape = f"{picture.sar.numerator}/{picture.sar.denominator}"

        def enlarged(plane: Stream, pixels: int) -> Stream:
            wide, high = width + 2 * pixels, height + 2 * round(pixels * height / width)
            plane = plane.filter("scale", wide, high, flags="bicubic")
            return plane.filter("crop", width, height).filter("setsar", shape)

        def fringed(rgb: Stream) -> Stream:
            planes = "gbra" if picture.alpha else "gbr"
            copies = rgb.split(len(planes), audio=False)
            parts = [
                copy.filter("extractplanes", plane).filter("setsar", shape)
                for copy, plane in zip(copies, planes, strict=True)
            ]
            parts[0], parts[2] = enlarged(parts[0], amount), enlarged(parts[2], 2 * amount)
            maps = {f"map{index}s": index for index in range(len(planes))}
            return filter_streams(parts, "mergeplanes", **maps, format=f"gbr{planes[3:]}p")

        return in_rgb(video, picture.pixel_format, fringed)


class DreamySoftParameters(LookParameters):
    """`blur_sigma` of the softness in pixels, `brightness` (share of white), `saturation`.

    `negative_sharpen` takes edges away where it is below 0 (-1…1).
    """

    blur_sigma: Annotated[float, Field(ge=0.1, le=5)] = 1.5
    brightness: Annotated[float, Field(ge=-0.3, le=0.3)] = 0.1
    saturation: Annotated[float, Field(ge=0, le=2)] = 0.9
    negative_sharpen: Annotated[float, Field(ge=-1, le=1)] = -0.3


class DreamySoft(Look[DreamySoftParameters]):
    """Soft, with a glow around what is bright."""

    name = "dreamy_soft"
    example = {"blur_sigma": 2}
    summary = "Soft and bright: a light blur, and a glow around what is bright."
    parameters = DreamySoftParameters
    timeless = True
    megapixels_per_second = 100

    def look(self, video: Stream, picture: Picture, parameters: DreamySoftParameters) -> Stream:
        """The glow is a wide blur that is kept where it is brighter."""
        soft = video.filter("gblur", sigma=parameters.blur_sigma, planes=7)
        soft, wide = soft.split(2, audio=False)
        wide = wide.filter("gblur", sigma=parameters.blur_sigma * 6, planes=1)
        glow = filter_streams([wide, soft], "blend", c0_mode="lighten", c0_opacity=0.45, c1_opacity=0)
        video = toned(glow, brightness=parameters.brightness, saturation=parameters.saturation)
        return sharpened(video, parameters.negative_sharpen)


class VhsLookParameters(LookParameters):
    """How worn the tape is: smeared colour (`bleed`, pixels), `noise` (8-bit steps), `scanlines` (0…1).

    `saturation` is 1 for the original's.
    """

    bleed: Annotated[float, Field(ge=0, le=20)] = 7.0
    noise: Annotated[float, Field(ge=0, le=50)] = 12.0
    scanlines: Share = 0.18
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.15


class VhsLook(Look[VhsLookParameters]):
    """Tape holds little detail across, and hardly any colour; what it has lies a little to the right."""

    name = "vhs_look"
    example = {"noise": 12}
    summary = "A worn video tape: smeared and shifted colour, soft edges, noise, visible lines."
    parameters = VhsLookParameters
    megapixels_per_second = 110

    def look(self, video: Stream, picture: Picture, parameters: VhsLookParameters) -> Stream:
        """Brightness softened across and sharpened as recorders do, colour smeared, noise, lines."""
        video = toned(video, contrast=0.92, brightness=0.02, saturation=parameters.saturation)
        video = video.filter("gblur", sigma=1.2, sigmaV=0.3, planes=1)
        video = video.filter("unsharp", 7, 3, 0.9, 3, 3, 0)
        if parameters.bleed:
            shift = max(1, round(parameters.bleed / 3))
            video = video.filter("gblur", sigma=parameters.bleed, sigmaV=0.8, planes=6)
            # chromashift leaves a fourth plane unwritten.
            video = opaque_part(
                video, picture, lambda seen: seen.filter("chromashift", crh=shift, cbh=shift // 2)
            )
        video = noised(video, parameters.noise)
        if parameters.scanlines:
            # 240 lines, whatever the picture's height: as many as a field has.
            lines = f"{parameters.scanlines:.6f}*(0.5-0.5*cos(2*PI*240*(Y+0.5)/H))"
            if picture.height < 480:
                lines = f"{parameters.scanlines:.6f}*mod(Y,2)"
            video = shaded(video, picture, lines, (2, picture.height))
        return video


class GlitchAestheticParameters(LookParameters):
    """Noise (8-bit steps), and pixels by which red and blue are shifted to the right."""

    noise_strength: Annotated[float, Field(ge=0, le=50)] = 15.0
    red_shift: Shift = 3
    blue_shift: Shift = -3


class GlitchAesthetic(Look[GlitchAestheticParameters]):
    """Colours that have come apart, under noise."""

    name = "glitch_aesthetic"
    example = {"red_shift": 5}
    summary = "A broken signal: red and blue shifted apart, and digital noise."
    parameters = GlitchAestheticParameters
    megapixels_per_second = 270

    def look(self, video: Stream, picture: Picture, parameters: GlitchAestheticParameters) -> Stream:
        """Shift, then noise."""
        red, blue = parameters.red_shift, parameters.blue_shift
        if red or blue:
            video = in_rgb(
                video, picture.pixel_format, lambda rgb: rgb.filter("rgbashift", rh=red, bh=blue)
            )
        return noised(video, parameters.noise_strength)
