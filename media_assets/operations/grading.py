"""Building blocks of looks: tone, tints, grain, dark corners, and blending with the original.

Pictures come in and go out as operations hand them on: 8-bit BT.709 of limited range. Where a formula is
per channel, values run from 0 (black) to 1 (white).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import Field

from media_assets.media.color import in_rgb
from media_assets.media.graph import Stream, filter_streams
from media_assets.operations.base import PictureOperation
from media_assets.operations.clip import Clip, Picture
from media_assets.operations.parameters import Parameters

_SEED = 20_250_101
"""Noise is the same every time: equal fingerprints are equal bytes."""

Share = Annotated[float, Field(ge=0, le=1)]
"""How much of something, from 0 (none) to 1 (all)."""


class LookParameters(Parameters):
    """How much of the look is seen: 0 is the original picture, 1 the whole look."""

    intensity: Share = 1.0


L = TypeVar("L", bound=LookParameters)


class Look(PictureOperation[L]):
    """A picture operation that is mixed with the original by `intensity`. A subclass says `look`."""

    @abstractmethod
    def look(self, video: Stream, picture: Picture, parameters: L) -> Stream:
        """The picture with the whole look."""

    def apply(self, video: Stream, picture: Picture, clip: Clip, parameters: L) -> Stream:
        """The look over the original."""
        if parameters.intensity == 0:
            return video
        if parameters.intensity == 1:
            return self.look(video, picture, parameters)
        video, original = video.split(2, audio=False)
        changed = self.look(video, picture, parameters).filter("format", picture.pixel_format)
        return filter_streams(
            [changed, original], "blend", all_mode="normal", all_opacity=parameters.intensity
        )


def toned(
    video: Stream,
    *,
    brightness: float = 0.0,
    contrast: float = 1.0,
    saturation: float = 1.0,
    gamma: float = 1.0,
    curve: float = 0.0,
) -> Stream:
    """Brightness and contrast about mid-grey, gamma, saturation: as ffmpeg's `eq` counts them.

    `eq` itself takes black for 0 where pictures have 16, so that a gamma lifts black.

    Args:
        curve: how much (0…1) shadows are darkened and highlights lifted; black and white stay.
    """
    luma = chroma = "val"
    if (brightness, contrast, gamma, curve) != (0.0, 1.0, 1.0, 0.0):
        level = f"pow(clip(((val-16)/219-0.5)*{contrast:.6f}+0.5+{brightness:.6f},0,1),{1 / gamma:.6f})"
        luma = f"st(0,{level});16.5+219*(ld(0)+{curve:.6f}*ld(0)*(1-ld(0))*(2*ld(0)-1))"
    if saturation != 1.0:
        chroma = f"clip(128+(val-128)*{saturation:.6f},16,240)+0.5"
    if luma == chroma:
        return video
    return video.filter("lutyuv", y=luma, u=chroma, v=chroma, a="val")


def curved(video: Stream, picture: Picture, red: str, green: str, blue: str) -> Stream:
    """Each channel through a curve: an expression of `v`, 0…1."""
    curves = {
        name: f"st(0,val/255);255*clip({curve.replace('v', 'ld(0)')},0,1)+0.5"
        for name, curve in (("r", red), ("g", green), ("b", blue))
    }
    return in_rgb(video, picture.pixel_format, lambda rgb: rgb.filter("lutrgb", **curves, a="val"))


def tint(shadows: float = 0.0, midtones: float = 0.0, highlights: float = 0.0) -> str:
    """What a curve adds for warmth in dark, middle and bright tones; black and white stay.

    Each is what is added at its peak: at a third, a half and two thirds of white.
    """
    return (
        f"{6.75 * shadows:+.6f}*v*(1-v)*(1-v){4 * midtones:+.6f}*v*(1-v){6.75 * highlights:+.6f}*v*v*(1-v)"
    )


def warmed(
    video: Stream,
    picture: Picture,
    *,
    shadows: float = 0.0,
    midtones: float = 0.0,
    highlights: float = 0.0,
    curve: str = "v",
) -> Stream:
    """Red and blue moved apart in dark, middle and bright tones, after `curve`.

    Each is the difference that it makes at its peak, as a share of white; negative is cooler.
    """
    shadows, midtones, highlights = shadows / 2, midtones / 2, highlights / 2
    more = curve + tint(shadows, midtones, highlights)
    less = curve + tint(-shadows, -midtones, -highlights)
    if (shadows, midtones, highlights) == (0, 0, 0) and curve == "v":
        return video
    return curved(video, picture, more, curve, less)


def shaded(video: Stream, picture: Picture, shade: str, size: tuple[int, int]) -> Stream:
    """The picture darkened towards black where `shade` says, 0 (as it was) … 1 (black).

    Args:
        shade: an expression of `X/W` and `Y/H`; it is worked out once, not for every picture.
        size: how large it is drawn, before it is enlarged: expressions are slow.
    """
    video, first = video.split(2, audio=False)
    black, mask = first.filter("trim", end_frame=1).split(2, audio=False)
    black = black.filter("lutyuv", y=16, u=128, v=128, a="val")
    drawn = f"255*clip({shade},0,1)"
    mask = mask.filter("scale", *size, flags="neighbor")
    mask = mask.filter("geq", lum=drawn, cb=drawn, cr=drawn, **({"a": "0"} if picture.alpha else {}))
    mask = mask.filter("scale", picture.width, picture.height, flags="bilinear")
    mask = mask.filter("setsar", f"{picture.sar.numerator}/{picture.sar.denominator}")
    return filter_streams([video, black, mask.filter("format", picture.pixel_format)], "maskedmerge")


def vignetted(
    video: Stream, picture: Picture, strength: float, *, radius: float = 0.4, x: float = 0.5, y: float = 0.5
) -> Stream:
    """Corners darkened by `strength` (0…1), smoothly from `radius` (share of the way to a corner) on."""
    if strength == 0:
        return video
    way = f"clip((hypot((X+0.5)/W-{x:.6f},(Y+0.5)/H-{y:.6f})/0.707107-{radius:.6f})/{1 - radius:.6f},0,1)"
    shade = f"st(0,{way});{strength:.6f}*ld(0)*ld(0)*(3-2*ld(0))"
    return shaded(video, picture, shade, (min(picture.width, 256), min(picture.height, 256)))


def grained(video: Stream, strength: float) -> Stream:
    """Film grain: noise in brightness, new in every picture; `strength` in steps of 8-bit (0…100)."""
    if strength == 0:
        return video
    return video.filter("noise", c0_strength=round(strength), c0_flags="t", c0_seed=_SEED)


def noised(video: Stream, strength: float) -> Stream:
    """Electronic noise: in brightness and colour, new in every picture."""
    amount = round(strength)
    if amount == 0:
        return video
    video = video.filter("noise", c0_strength=amount, c0_flags="t+u", c0_seed=_SEED)
    video = video.filter("noise", c1_strength=amount, c1_flags="t+u", c1_seed=_SEED + 1)
    return video.filter("noise", c2_strength=amount, c2_flags="t+u", c2_seed=_SEED + 2)


def sharpened(video: Stream, amount: float) -> Stream:
    """Sharper by `amount`, or softer where it is negative (ffmpeg's `unsharp` on brightness, 5 x 5)."""
    if amount == 0:
        return video
    return video.filter("unsharp", 5, 5, f"{amount:.6f}", 5, 5, 0)


def opaque_part(video: Stream, picture: Picture, change: Callable[[Stream], Stream]) -> Stream:
    """`change` for filters that know no transparency: it passes by and is put back."""
    if not picture.alpha:
        return change(video)
    video, alpha = video.split(2, audio=False)
    changed = change(video.filter("format", "yuv420p"))
    alpha = alpha.filter("alphaextract")
    return filter_streams([changed.filter("format", "yuv420p"), alpha], "alphamerge")
