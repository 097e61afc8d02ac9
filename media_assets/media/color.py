"""Colours: what an untagged picture is taken for, and high dynamic range on an ordinary screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from media_assets.media.graph import Option, Stream, filter_streams
from media_assets.media.info import VideoStream

_HD_HEIGHT = 720
_WHITE_NITS = 100
_STANDARD: dict[str, Option] = {
    "range": "tv",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
}
_UNTAGGED = (None, "unknown", "unspecified", "reserved")
_RGB = ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "gray", "ya", "mono")


def standard(
    picture: Stream, video: VideoStream, tone_map: Callable[[Stream], Stream] | None = None
) -> Stream:
    """`picture` as every filter and encoder after it takes it: 8-bit 4:2:0 BT.709 of limited range.

    Transparency stays, as a fourth plane; interlaced pictures become progressive ones.

    Without a tag ffmpeg takes every picture for BT.601, and players do so only below 720 lines. The
    conversion is made here, once: where it is left to ffmpeg, it puts it wherever the whole graph
    suits it, and an output's bytes would depend on what else the same command makes.

    Args:
        tone_map: how high dynamic range is brought down; `tone_mapped` where nobody says.
    """
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame")
    tags = missing_tags(video)
    if tags:
        picture = picture.filter("setparams", **tags)
    if video.hdr:
        picture = (tone_map or tone_mapped)(picture)
    else:
        picture = picture.filter("scale", out_color_matrix="bt709", out_range="tv")
    # What is said beside the picture (light levels, captions) reaches only the first output of a split.
    picture = picture.filter("format", "yuva420p" if video.has_alpha else "yuv420p")
    return picture.filter("sidedata", mode="delete").filter("setparams", **_STANDARD)


def in_rgb(picture: Stream, pixel_format: str, change: Callable[[Stream], Stream]) -> Stream:
    """`change` applied to the picture as 8-bit RGB, with alpha if it has any, and back to `standard`.

    Said outright: a conversion that ffmpeg puts in by itself takes BT.601 on the way back.
    """
    rgb = "gbrap" if pixel_format.startswith("yuva") else "gbrp"
    picture = picture.filter("scale", in_color_matrix="bt709", in_range="tv").filter("format", rgb)
    return from_rgb(change(picture).filter("format", rgb), pixel_format)


def flattened(picture: Stream) -> Stream:
    """A transparent picture over black, without its transparency."""
    picture = picture.filter("scale", in_color_matrix="bt709", in_range="tv").filter("format", "gbrap")
    return from_rgb(picture.filter("premultiply", inplace=1), "yuv420p")


def paletted(picture: Stream, options: Mapping[str, Option]) -> Stream:
    """The picture in the 256 colours that suit it best; all of it is held until they are chosen.

    Args:
        options: of `paletteuse`.
    """
    picture = picture.filter("scale", in_color_matrix="bt709", in_range="tv").filter("format", "bgra")
    shown, looked_at = picture.split(2, audio=False)
    colors = looked_at.filter("palettegen", stats_mode="full")
    return filter_streams([shown, colors], "paletteuse", **options)


def from_rgb(picture: Stream, pixel_format: str) -> Stream:
    """An RGB picture (full range, as RGB is) as `standard`."""
    picture = picture.filter("scale", out_color_matrix="bt709", out_range="tv")
    return picture.filter("format", pixel_format).filter("setparams", **_STANDARD)


def missing_tags(video: VideoStream) -> dict[str, Option]:
    """What an untagged picture is taken for: BT.709 from 720 lines on, BT.601 below, as players do."""
    if video.has_alpha or (video.pixel_format or "").startswith(_RGB):
        return {}
    if video.hdr:
        guesses = {"colorspace": "bt2020nc", "color_primaries": "bt2020"}
        have = {"colorspace": video.color_space, "color_primaries": video.color_primaries}
    else:
        small = min(video.width, video.height) < _HD_HEIGHT
        guesses = {"colorspace": "smpte170m" if small else "bt709"}
        have = {"colorspace": video.color_space}
    return {name: guess for name, guess in guesses.items() if have[name] in _UNTAGGED}


def tone_mapped(
    picture: Stream, curve: str = "hable", peak: float | None = None, desaturation: float = 0.0
) -> Stream:
    """High dynamic range brought to an ordinary screen's, by the chain in ffmpeg's manual of tonemap.

    Args:
        peak: the brightest level that keeps its detail, in nits; what the file says where there is none.
    """
    options: dict[str, Option] = {} if peak is None else {"peak": peak / _WHITE_NITS}
    return (
        picture.filter("zscale", transfer="linear", npl=_WHITE_NITS)
        .filter("format", "gbrpf32le")
        .filter("zscale", primaries="bt709")
        .filter("tonemap", curve, desat=desaturation, **options)
        .filter("zscale", transfer="bt709", matrix="bt709", range="limited")
    )
