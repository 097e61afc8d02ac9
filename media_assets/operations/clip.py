"""What goes through a graph of operations: what a clip is expected to be, and its streams."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from media_assets.media.graph import Stream
from media_assets.media.info import Kind, MediaInfo

SOUND_RATE = 48_000
"""Samples a second of every output."""

TICKS = 240_000
"""Ticks a second in which any cut can be said (AVI counts whole pictures): a whole number of them to a
picture at 24, 25, 30, 50, 60 a second, at 1000/1001 of them, and to a millisecond."""
FINE = f"1/{TICKS}"
"""The same as ffmpeg's time base."""
TOLERANCE = 0.0005
"""Seconds by which a picture may be beside its time: containers round times to milliseconds."""


@dataclass(frozen=True)
class Picture:
    """A picture stream: pixels upright (rotation applied), their aspect ratio, pictures a second.

    Attributes:
        alpha: it has transparency (straight, not premultiplied).
    """

    width: int
    height: int
    fps: Fraction
    sar: Fraction = Fraction(1)
    alpha: bool = False

    @property
    def square(self) -> tuple[int, int]:
        """Width and height in square pixels, even."""
        return even(self.width * self.sar), even(self.height)

    @property
    def pixel_format(self) -> str:
        """ffmpeg's name of the pixels between operations: 8-bit 4:2:0 BT.709, with alpha if it has any."""
        return "yuva420p" if self.alpha else "yuv420p"


@dataclass(frozen=True)
class Sound:
    """A sound stream: samples a second, channels."""

    rate: int
    channels: int


@dataclass(frozen=True)
class Clip:
    """What media are, or are expected to be; duration in seconds, None for a still or what is no media.

    Attributes:
        subtitle: it is written with a stream of subtitles; what is done to it afterwards drops them.
    """

    kind: Kind
    duration: float | None
    picture: Picture | None = None
    sound: Sound | None = None
    subtitle: bool = False

    @classmethod
    def of(cls, info: MediaInfo) -> Clip:
        """What probing said, as ffmpeg will hand it to filters: upright."""
        picture = None
        if info.videos:
            first = info.videos[0]
            turned = first.rotation in (90, 270)
            width, height = (first.height, first.width) if turned else (first.width, first.height)
            sar = 1 / first.sar if turned else first.sar
            picture = Picture(width, height, first.fps or Fraction(25), sar, first.has_alpha)
        sound = Sound(info.audios[0].sample_rate, info.audios[0].channels) if info.audios else None
        return cls(info.kind, info.duration, picture, sound)

    @property
    def delivered(self) -> Clip:
        """The clip as it is written where an operation leaves it alone: even sides, sound at 48 kHz."""
        picture, sound = self.picture, self.sound
        if picture is not None:
            picture = replace(picture, width=cropped(picture.width), height=cropped(picture.height))
        sound = replace(sound, rate=SOUND_RATE) if sound else None
        return replace(self, picture=picture, sound=sound, subtitle=False)


@dataclass(frozen=True)
class Media:
    """The streams of a clip inside a filter graph, as far as somebody wants them.

    Every picture is 8-bit 4:2:0 BT.709 of limited range (`Picture.pixel_format`), upright, and starts at 0.

    Attributes:
        offset: seconds that were skipped when the file was opened; times in the clip are this much less.
            Only `trim` meets one that is not 0.
        path: the file itself, of what has no streams (a LUT, a font, subtitles).
        subtitle: the stream of a file of subtitles, which no filter takes; it can be written as it is.
    """

    video: Stream | None
    audio: Stream | None
    offset: int = 0
    path: Path | None = None
    subtitle: Stream | None = None


def even_sides(video: Stream, picture: Picture) -> Stream:
    """The picture without its last odd row and column, which 4:2:0 cannot hold; nothing is scaled."""
    width, height = cropped(picture.width), cropped(picture.height)
    if (width, height) == (picture.width, picture.height):
        return video
    return video.filter("crop", width, height, 0, 0)


def stereo(audio: Stream, rate: int) -> Stream:
    """The sound as stereo: mono on both sides, more channels mixed down rather than dropped."""
    return as_stereo(audio.filter("aresample", rate, **{"async": 1, "first_pts": 0}), rate)


def as_stereo(audio: Stream, rate: int) -> Stream:
    """The sound in the form that operations hand on; what has no gaps needs no more."""
    return audio.filter("aformat", sample_fmts="fltp", sample_rates=rate, channel_layouts="stereo")


def even(length: Fraction | float | int) -> int:
    """The nearest even number of pixels, at least 2: 4:2:0 pictures have no odd sizes."""
    return max(2, 2 * round(length / 2))


def cropped(length: int) -> int:
    """The even number of pixels that is left when an odd row or column is cut off."""
    return max(2, length - length % 2)
