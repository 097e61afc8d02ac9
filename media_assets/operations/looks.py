"""Looks of colour: vintage_color, film_noir, warm_cinematic, horror_desaturated, social_media_pack."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from media_assets.media.graph import Stream
from media_assets.operations.clip import Picture
from media_assets.operations.grading import (
    Look,
    LookParameters,
    Share,
    grained,
    sharpened,
    toned,
    vignetted,
    warmed,
)

Saturation = Annotated[float, Field(ge=0, le=2)]
Grain = Annotated[float, Field(ge=0, le=50)]


class VintageColorParameters(LookParameters):
    """Faded blacks (`fade`, share of white), yellowed highlights (`warmth`), and what old prints show.

    `saturation` is 1 for the original's; `vignette` is how dark the corners are; `grain` is in 8-bit steps.
    """

    fade: Annotated[float, Field(ge=0, le=0.3)] = 0.09
    warmth: Annotated[float, Field(ge=0, le=0.5)] = 0.16
    saturation: Saturation = 0.7
    vignette: Share = 0.3
    grain: Grain = 5.0


class VintageColor(Look[VintageColorParameters]):
    """Black that has become dark grey, white that has become cream."""

    name = "vintage_color"
    example = {"intensity": 0.8}
    summary = "An old colour print: faded blacks, warm and pale colours, dark corners, a little grain."
    parameters = VintageColorParameters
    megapixels_per_second = 100

    def look(self, video: Stream, picture: Picture, parameters: VintageColorParameters) -> Stream:
        """Fade and warm, then the print's wear."""
        faded = f"({parameters.fade:.6f}+v*{1 - 1.3 * parameters.fade:.6f})"
        video = toned(video, saturation=parameters.saturation)
        warmth = parameters.warmth
        video = warmed(video, picture, midtones=warmth * 0.6, highlights=warmth, curve=faded)
        return grained(vignetted(video, picture, parameters.vignette), parameters.grain)


class FilmNoirParameters(LookParameters):
    """`contrast` and `brightness` of the grey, dark corners (`vignette`), `grain` in 8-bit steps."""

    contrast: Annotated[float, Field(ge=0.5, le=3)] = 1.35
    brightness: Annotated[float, Field(ge=-0.5, le=0.5)] = -0.04
    vignette: Share = 0.6
    grain: Grain = 8.0


class FilmNoir(Look[FilmNoirParameters]):
    """Grey, hard, dark at the edges."""

    name = "film_noir"
    example = {"contrast": 1.5}
    summary = "Black and white of hard contrast, with dark corners and grain."
    parameters = FilmNoirParameters
    megapixels_per_second = 480

    def look(self, video: Stream, picture: Picture, parameters: FilmNoirParameters) -> Stream:
        """Grey first, then contrast, corners, grain."""
        video = toned(video, brightness=parameters.brightness, contrast=parameters.contrast, saturation=0.0)
        return grained(vignetted(video, picture, parameters.vignette), parameters.grain)


class WarmCinematicParameters(LookParameters):
    """Warmth of dark (`orange_push`), middle and bright tones; negative is cooler, towards teal.

    Each is the share of white by which red and blue move apart. `saturation` and `contrast`: 1 for the
    original's.
    """

    orange_push: Annotated[float, Field(ge=-0.3, le=0.3)] = 0.1
    midtone_warmth: Annotated[float, Field(ge=-0.2, le=0.2)] = 0.05
    highlight_cool: Annotated[float, Field(ge=-0.2, le=0.2)] = -0.05
    saturation: Saturation = 1.1
    contrast: Annotated[float, Field(ge=0.5, le=2)] = 1.05


class WarmCinematic(Look[WarmCinematicParameters]):
    """Warm shadows under cool highlights."""

    name = "warm_cinematic"
    example = {"orange_push": 0.15}
    summary = "Orange and teal: warm shadows and skin, cooler highlights, a little more contrast."
    parameters = WarmCinematicParameters
    timeless = True
    megapixels_per_second = 230

    def look(self, video: Stream, picture: Picture, parameters: WarmCinematicParameters) -> Stream:
        """Tint by tone, then contrast and saturation."""
        video = warmed(
            video,
            picture,
            shadows=parameters.orange_push,
            midtones=parameters.midtone_warmth,
            highlights=parameters.highlight_cool,
        )
        return toned(video, saturation=parameters.saturation, contrast=parameters.contrast)


class HorrorDesaturatedParameters(LookParameters):
    """Little colour, hard contrast, darkness; how cool (negative) dark, middle and bright tones are.

    `saturation` and `contrast`: 1 for the original's; `brightness` is a share of white; each of the cool
    tones is the share of white by which red and blue move apart.
    """

    saturation: Share = 0.3
    contrast: Annotated[float, Field(ge=1, le=2.5)] = 1.4
    brightness: Annotated[float, Field(ge=-0.5, le=0)] = -0.1
    shadow_cool: Annotated[float, Field(ge=-0.3, le=0)] = -0.1
    midtone_cool: Annotated[float, Field(ge=-0.2, le=0)] = -0.05
    highlight_cool: Annotated[float, Field(ge=-0.2, le=0)] = -0.03


class HorrorDesaturated(Look[HorrorDesaturatedParameters]):
    """Pale, dark and cold."""

    name = "horror_desaturated"
    example = {"saturation": 0.2}
    summary = "Cold and pale: little colour, hard contrast, dark, blue in the shadows."
    parameters = HorrorDesaturatedParameters
    timeless = True
    megapixels_per_second = 230

    def look(self, video: Stream, picture: Picture, parameters: HorrorDesaturatedParameters) -> Stream:
        """Take colour and light away, then tint what is left."""
        video = toned(
            video,
            saturation=parameters.saturation,
            contrast=parameters.contrast,
            brightness=parameters.brightness,
        )
        return warmed(
            video,
            picture,
            shadows=parameters.shadow_cool,
            midtones=parameters.midtone_cool,
            highlights=parameters.highlight_cool,
        )


class SocialMediaPackParameters(LookParameters):
    """`saturation` and `contrast` (1 for the original's), `brightness` (share of white), `sharpness`."""

    saturation: Annotated[float, Field(ge=0.5, le=2)] = 1.3
    contrast: Annotated[float, Field(ge=0.8, le=2)] = 1.2
    brightness: Annotated[float, Field(ge=-0.2, le=0.2)] = 0.05
    sharpness: Annotated[float, Field(ge=0, le=2)] = 0.8


class SocialMediaPack(Look[SocialMediaPackParameters]):
    """Loud colours and crisp edges, for small screens."""

    name = "social_media_pack"
    example = {"sharpness": 1}
    summary = "For small screens: stronger colours and contrast, brighter, sharper."
    parameters = SocialMediaPackParameters
    timeless = True
    megapixels_per_second = 190

    def look(self, video: Stream, picture: Picture, parameters: SocialMediaPackParameters) -> Stream:
        """Tone, then sharpen."""
        video = toned(
            video,
            saturation=parameters.saturation,
            contrast=parameters.contrast,
            brightness=parameters.brightness,
        )
        return sharpened(video, parameters.sharpness)


class LeicaLookParameters(LookParameters):
    """A curve of `contrast` (0…1), `warmth` of highlights, `saturation` (1: as it was), `vignette`."""

    contrast: Share = 0.45
    warmth: Annotated[float, Field(ge=0, le=0.3)] = 0.06
    saturation: Saturation = 0.88
    vignette: Share = 0.22


class LeicaLook(Look[LeicaLookParameters]):
    """Calm colours, clear tones."""

    name = "leica_look"
    example = {"intensity": 0.7}
    summary = "Calm colours: a gentle contrast curve, warm highlights, less saturation, soft dark corners."
    parameters = LeicaLookParameters
    timeless = True
    megapixels_per_second = 105

    def look(self, video: Stream, picture: Picture, parameters: LeicaLookParameters) -> Stream:
        """The curve is one of brightness alone: of each channel, it would make colours louder."""
        video = toned(video, saturation=parameters.saturation, curve=parameters.contrast)
        warmth = parameters.warmth
        video = warmed(video, picture, midtones=warmth / 3, highlights=warmth)
        return vignetted(video, picture, parameters.vignette, radius=0.3)


class LeicaLookEnhancedParameters(LeicaLookParameters):
    """As leica_look, stronger; `sharpness` of edges and film `grain` (8-bit steps) besides."""

    contrast: Share = 0.85
    warmth: Annotated[float, Field(ge=0, le=0.3)] = 0.09
    saturation: Saturation = 0.92
    vignette: Share = 0.32
    sharpness: Annotated[float, Field(ge=0, le=2)] = 0.6
    grain: Grain = 4.0


class LeicaLookEnhanced(Look[LeicaLookEnhancedParameters]):
    """The calm colours with more bite."""

    name = "leica_look_enhanced"
    example = {"intensity": 0.9}
    summary = "leica_look with a stronger curve, sharper edges and film grain."
    parameters = LeicaLookEnhancedParameters
    megapixels_per_second = 75

    def look(self, video: Stream, picture: Picture, parameters: LeicaLookEnhancedParameters) -> Stream:
        """Sharpen before the grain, which would be sharpened too."""
        video = LeicaLook().look(sharpened(video, parameters.sharpness), picture, parameters)
        return grained(video, parameters.grain)
