"""Lays what the layers of a piece show over each other, and transitions within a layer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from media_assets.kompositions.model import OutputFormat
from media_assets.kompositions.shots import Content, Crossing, Laid
from media_assets.media.color import from_rgb
from media_assets.media.graph import Stream, filter_streams, generate
from media_assets.operations.clip import Picture
from media_assets.operations.placing import laid_over


def crossed(pictures: Sequence[Stream], crossing: Crossing, frames: int, frame: Picture) -> Stream:
    """Pictures of a transition, as many as the piece shows.

    Picture n of N is (n+1)/(N+1) of the incoming one, so that neither end repeats a pure one.
    """
    length = crossing.frames
    if frame.alpha:
        pictures = [picture.filter("format", "yuva444p") for picture in pictures]
    mixed = filter_streams(
        pictures,
        "xfade",
        transition=crossing.type,
        duration=f"{float((length + 1) / frame.fps):.6f}",
        offset=f"{float(-1 / frame.fps):.6f}",
    )
    if frame.alpha:
        mixed = mixed.filter("format", "yuva420p")
    return mixed if frames == length else counted(mixed, crossing.skipped, frames)


def stacked(contents: Sequence[tuple[Content, Stream]], output: OutputFormat, frames: int) -> Stream:
    """What the layers show, the lowest first, over the background."""
    layers = list(contents)
    whole = Picture(output.width, output.height, output.rate)
    if layers and not layers[0][0].shots[0].frame.alpha:
        picture = layers.pop(0)[1]
    else:
        picture = plain(output.background, whole, frames)
    for content, above in layers:
        picture = timed(_laid(picture, timed(above, output.rate), content, whole), output.rate)
    return picture


def plain(color: str, form: Picture, frames: int) -> Stream:
    """`frames` pictures of one colour (`#rrggbb` or `#rrggbbaa`)."""
    # In one graph with it the source draws in that format; alone it has no transparency.
    made = generate(f"color=c={color}:s={form.width}x{form.height}:r={form.fps},format=gbrap").video()
    made = from_rgb(made, form.pixel_format)
    return timed(counted(made, 0, frames), form.fps)


def counted(picture: Stream, skipped: int, frames: int) -> Stream:
    """Pictures `skipped` up to `skipped + frames`."""
    trimmed = picture.filter("trim", start_frame=skipped, end_frame=skipped + frames)
    return trimmed.filter("setpts", "PTS-STARTPTS")


def timed(picture: Stream, rate: Fraction) -> Stream:
    """Picture n at exactly n frames: what is laid together meets without rounding."""
    return picture.filter("settb", f"{rate.denominator}/{rate.numerator}").filter("setpts", "N")


def _laid(back: Stream, front: Stream, content: Content, whole: Picture) -> Stream:
    laid, frame = content.laid, content.shots[0].frame
    if laid.blend != "normal":
        return _blended(back, front, laid, frame, whole)
    if laid.opacity < 1:
        front = front.filter("format", "yuva420p").filter("lutyuv", a=f"val*{laid.opacity:.6f}")
    return laid_over(back, front, whole, str(laid.x), str(laid.y))


def _blended(back: Stream, front: Stream, laid: Laid, frame: Picture, whole: Picture) -> Stream:
    """Mixed in RGB by the blend mode, as far as the front is opaque."""
    front = front.filter("format", "yuva420p")
    below, under, form = back.split(3, audio=False)
    # The front on an empty picture as large as the back: both have to be of one size.
    empty = form.filter("format", "yuva420p").filter("lutyuv", y=16, u=128, v=128, a=0)
    placed = laid_over(
        empty, front, Picture(whole.width, whole.height, whole.fps, alpha=True), str(laid.x), str(laid.y)
    )
    colors, mask = placed.split(2, audio=False)
    alpha = mask.filter("alphaextract").filter("lut", y=f"val*{laid.opacity:.6f}")
    rgb = [_rgb(stream) for stream in (colors, under)]
    mixed = filter_streams(rgb, "blend", all_mode=laid.blend)
    mixed = from_rgb(mixed.filter("format", "gbrp"), "yuv420p")
    front = filter_streams([mixed, alpha], "alphamerge")
    return laid_over(below, front, whole, "0", "0")


def _rgb(picture: Stream) -> Stream:
    return (
        picture.filter("format", "yuv420p")
        .filter("scale", in_color_matrix="bt709", in_range="tv")
        .filter("format", "gbrp")
    )
